// schedules.*: made, changed, switched off and on, deleted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runs, schedules } from "@trigger.dev/sdk";
import { failure, once, startHost } from "./host.mjs";

const host = await startHost();

test("a schedule is made, found and listed", async () => {
  const made = await schedules.create({
    task: "echo",
    cron: "*/5 * * * *",
    deduplicationKey: "every-five",
    externalId: "user-1",
    timezone: "Europe/Berlin",
  });
  assert.match(made.id, /^sched_/);
  assert.equal(made.type, "IMPERATIVE");
  assert.equal(made.active, true);
  assert.equal(made.generator.expression, "*/5 * * * *");
  assert.equal(made.timezone, "Europe/Berlin");
  assert.equal(made.externalId, "user-1");
  assert.ok(made.nextRun > new Date());
  assert.equal((await schedules.retrieve(made.id)).id, made.id);
  const page = await schedules.list({ perPage: 10 });
  assert.deepEqual(page.data.map((schedule) => schedule.id), [made.id]);
});

test("the same deduplication key is the same schedule, changed", async () => {
  const first = await schedules.create({ task: "echo", cron: "0 1 * * *", deduplicationKey: "dk" });
  const second = await schedules.create({ task: "echo", cron: "0 2 * * *", deduplicationKey: "dk" });
  assert.equal(second.id, first.id);
  assert.equal(second.generator.expression, "0 2 * * *");
});

test("update, deactivate, activate and delete", async () => {
  const made = await schedules.create({ task: "echo", cron: "0 1 * * *", deduplicationKey: "x", externalId: "e" });
  const changed = await schedules.update(made.id, { task: "echo", cron: "0 3 * * *" });
  assert.equal(changed.generator.expression, "0 3 * * *");
  assert.equal(changed.externalId ?? null, null);
  assert.equal((await schedules.deactivate(made.id)).active, false);
  assert.equal((await schedules.activate(made.id)).active, true);
  assert.equal((await schedules.del(made.id)).id, made.id);
  assert.equal((await failure(schedules.retrieve(made.id, once))).status, 404);
});

test("schedules are listed in numbered pages", async () => {
  const made = [];
  for (let i = 0; i < 3; i++) made.push((await schedules.create({ task: "echo", cron: "0 1 * * *", deduplicationKey: `page-${i}` })).id);
  const first = await schedules.list({ perPage: 2 });
  assert.ok(first.pagination.count >= 3);
  assert.equal(first.pagination.currentPage, 1);
  assert.equal(first.pagination.totalPages, Math.ceil(first.pagination.count / 2));
  const all = [];
  for await (const schedule of first) all.push(schedule.id);
  assert.equal(all.length, first.pagination.count);
  for (const id of made) assert.ok(all.includes(id));
});

test("a run that a schedule made says so, has its payload, and is found by it", { timeout: 30_000 }, async () => {
  const schedule = await schedules.create({ task: "echo", cron: "0 1 * * *", deduplicationKey: "fires", externalId: "e-1", timezone: "Europe/Berlin" });
  await host.fetch(`/perdure/v1/schedules/${schedule.id}/backfill`, { method: "POST", body: '{"from":"2026-01-02T00:00:00Z","to":"2026-01-02T01:00:00Z"}' });
  let found = [];
  while (found.length === 0) found = (await runs.list({ schedule: schedule.id })).data;
  const run = await runs.poll(found[0].id, { pollIntervalMs: 20 });
  assert.deepEqual([run.schedule.id, run.schedule.externalId, run.schedule.deduplicationKey], [schedule.id, "e-1", "fires"]);
  assert.equal(run.schedule.generator.expression, "0 1 * * *");
  const { upcoming, ...payload } = run.payload;
  assert.deepEqual(payload, {
    type: "IMPERATIVE", scheduleId: schedule.id, externalId: "e-1", timezone: "Europe/Berlin", timestamp: "2026-01-02T00:00:00.000Z",
    ...(payload.lastTimestamp && { lastTimestamp: payload.lastTimestamp }),
  });
  assert.equal(upcoming.length, 5);
  assert.deepEqual((await runs.list({ schedule: "sched_other" })).data, []);
});

test("what is no schedule is refused", async () => {
  const of = (options) => failure(schedules.create({ task: "echo", deduplicationKey: "bad", ...options }, once));
  assert.equal((await of({ cron: "61 * * * *" })).status, 422);
  assert.equal((await of({ cron: "0 1 * * *", timezone: "Nowhere/Here" })).status, 422);
});

test("time zones are listed without a key", async () => {
  const { timezones } = await schedules.timezones();
  assert.equal(timezones[0], "UTC");
  assert.ok(timezones.includes("Africa/Abidjan"));
  assert.ok(!(await schedules.timezones({ excludeUtc: true })).timezones.includes("UTC"));
});
