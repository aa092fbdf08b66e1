// runs.*: one run, lists of them, and what can be done to them.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { apiClientManager } from "@trigger.dev/core/v3";
import { runs, tasks } from "@trigger.dev/sdk";
import { failure, once, startHost } from "./host.mjs";

const host = await startHost();
const client = () => apiClientManager.clientOrThrow();

async function ended(handle) {
  return await runs.poll(handle.id, { pollIntervalMs: 20 });
}

const made = [];
before(async () => {
  for (let i = 0; i < 5; i++) made.push(await tasks.trigger("echo", i, { tags: [`n:${i}`, "all"] }));
  made.push(await tasks.trigger("fail", {}, { tags: ["all"], maxAttempts: 1 }));
  for (const handle of made) await ended(handle);
});

async function ids(options) {
  const found = [];
  for await (const run of runs.list(options)) found.push(run.id);
  return found;
}
const newestFirst = (handles) => handles.map((handle) => handle.id).reverse();

test("a list walks through all pages, newest first", async () => {
  assert.deepEqual(await ids({ limit: 2 }), newestFirst(made));
});

test("pages lead both ways", async () => {
  const first = await runs.list({ limit: 2 });
  assert.equal(first.hasNextPage(), true);
  assert.equal(first.hasPreviousPage(), false);
  const second = await first.getNextPage();
  assert.deepEqual(second.data.map((run) => run.id), newestFirst(made).slice(2, 4));
  const back = await runs.list({ limit: 2, before: second.pagination.previous });
  assert.deepEqual(back.data.map((run) => run.id), newestFirst(made).slice(0, 2));
});

test("filters let through what they name", async () => {
  assert.deepEqual(await ids({ taskIdentifier: "fail" }), [made[5].id]);
  assert.deepEqual(await ids({ taskIdentifier: ["fail", "echo"] }), newestFirst(made));
  assert.deepEqual(await ids({ status: "FAILED" }), [made[5].id]);
  assert.deepEqual(await ids({ status: ["COMPLETED", "CANCELED"] }), newestFirst(made.slice(0, 5)));
  assert.deepEqual(await ids({ tag: "n:3" }), [made[3].id]);
  assert.deepEqual(await ids({ tag: ["n:3", "n:4"] }), [made[4].id, made[3].id]);
  assert.deepEqual(await ids({ queue: { type: "task", name: "fail" } }), [made[5].id]);
  assert.deepEqual(await ids({ period: "1h" }), newestFirst(made));
  assert.deepEqual(await ids({ from: new Date(Date.now() + 60_000) }), []);
  assert.deepEqual(await ids({ to: Date.now() + 60_000 }), newestFirst(made));
  assert.deepEqual(await ids({ isTest: true }), []);
});

test("filters by version, machine, region, queue and test let through what they name", async () => {
  const options = { delay: "1h", machine: "medium-1x", queue: "special", tags: ["filtered"] };
  const handle = await tasks.trigger("echo", 1, options);
  const other = await tasks.trigger("echo", 1, { delay: "1h", tags: ["filtered"] });
  const tag = "filtered";
  assert.deepEqual(await ids({ tag, machine: "medium-1x" }), [handle.id]);
  assert.deepEqual(await ids({ tag, machine: ["medium-1x", "micro"] }), [handle.id]);
  assert.deepEqual(await ids({ tag, queue: { type: "custom", name: "special" } }), [handle.id]);
  assert.deepEqual(await ids({ tag, isTest: false }), newestFirst([handle, other]));
  assert.deepEqual(await ids({ tag, region: "moon" }), []);
  const { version } = await runs.retrieve(made[0].id);
  assert.ok(version);
  assert.deepEqual(await ids({ version, taskIdentifier: "fail" }), [made[5].id]);
  assert.deepEqual(await ids({ version: "20200101.1" }), []);
  assert.deepEqual(await ids({ tag, from: Date.now() - 60_000, to: new Date(Date.now() + 60_000) }), newestFirst([handle, other]));
  assert.deepEqual(await ids({ tag, to: Date.now() - 60_000 }), []);
  for (const each of [handle, other]) await runs.cancel(each.id);
});

test("a project's runs are all runs", async () => {
  const found = [];
  for await (const run of runs.list("proj_any", { env: "prod", tag: "n:3" })) found.push(run);
  assert.deepEqual(found.map((run) => run.id), [made[3].id]);
  assert.equal(found[0].env.name, "prod");
  assert.equal((await failure(runs.list("proj_any", { env: "dev" }, once))).status, 400);
});

test("a status that is none is a BadRequestError that says so", async () => {
  const error = await failure(runs.list({ status: "BAD" }, once));
  assert.equal(error.status, 400);
  const answer = await (await host.fetch("/api/v1/runs?filter%5Bstatus%5D=BAD")).json();
  assert.equal(answer.error, "Query Error");
  assert.deepEqual(answer.details, [
    { code: "custom", message: "Invalid status values: BAD", path: ["filter[status]"] },
  ]);
});

test("cancel ends a run, and a finished one is left as it is", async () => {
  const handle = await tasks.trigger("sleep", { ms: 60000 });
  assert.equal((await runs.cancel(handle.id)).id, handle.id);
  const run = await ended(handle);
  assert.equal(run.status, "CANCELED");
  assert.equal(run.isCancelled, true);
  assert.equal((await runs.cancel(made[0].id)).id, made[0].id);
  assert.equal((await runs.retrieve(made[0].id)).status, "COMPLETED");
  assert.equal((await failure(runs.cancel("run_00000000000000000000000000", once))).status, 404);
});

test("replay makes another run with the same payload, or with what it is told", async () => {
  const replayed = await runs.replay(made[3].id);
  assert.notEqual(replayed.id, made[3].id);
  const run = await ended(replayed);
  assert.equal(run.output, 3);
  assert.deepEqual([...run.tags].sort(), ["all", "n:3"]);
  const changed = await ended(await runs.replay(made[3].id, { payload: { at: new Date(0) }, tags: ["replayed"] }));
  assert.deepEqual(changed.output, { at: "1970-01-01T00:00:00.000Z" });
  assert.deepEqual(changed.tags, ["replayed"]);
});

test("reschedule moves a delayed run, and no other", async () => {
  const handle = await tasks.trigger("echo", 1, { delay: "1h" });
  const run = await runs.reschedule(handle.id, { delay: "2h" });
  assert.ok(run.delayedUntil > new Date(Date.now() + 7_000_000));
  assert.equal((await failure(runs.reschedule(handle.id, { delay: "x" }, once))).status, 400);
  await runs.cancel(handle.id);
  assert.equal((await failure(runs.reschedule(made[0].id, { delay: "2h" }, once))).status, 400);
});

test("tags are added to those that a run has", async () => {
  const handle = await tasks.trigger("echo", 1, { delay: "1h", tags: ["a"] });
  assert.equal((await client().addTags(handle.id, { tags: ["b", "a", " "] })).message, "Successfully set 1 new tag.");
  assert.deepEqual([...(await runs.retrieve(handle.id)).tags].sort(), ["a", "b"]);
  assert.equal((await client().addTags(handle.id, { tags: "b" })).message, "No new tags to add");
  const many = Array.from({ length: 10 }, (_, i) => `t${i}`);
  assert.equal((await failure(client().addTags(handle.id, { tags: many }, once))).status, 422);
  await runs.cancel(handle.id);
});

test("metadata is read, replaced and operated on", async () => {
  const handle = await tasks.trigger("echo", 1, { delay: "1h", metadata: { n: 1 } });
  assert.deepEqual((await client().getRunMetadata(handle.id)).metadata, { n: 1 });
  const changed = await client().updateRunMetadata(handle.id, {
    metadata: { n: 2 },
    operations: [
      { type: "increment", key: "n", value: 3 },
      { type: "append", key: "list", value: "x" },
      { type: "set", key: "gone", value: true },
      { type: "delete", key: "gone" },
    ],
  });
  assert.deepEqual(changed.metadata, { n: 5, list: ["x"] });
  await runs.cancel(handle.id);
});

test("each operation on metadata, by key and by path, on the run, its parent and its root", async () => {
  const handle = await tasks.trigger("echo", 1, { delay: "1h", metadata: { list: ["a", "b", { c: 1 }], deep: { n: [1, 2] } } });
  const after = async (...operations) => (await client().updateRunMetadata(handle.id, { operations })).metadata;
  assert.deepEqual((await after({ type: "remove", key: "list", value: { c: 1 } })).list, ["a", "b"]);
  assert.deepEqual((await after({ type: "append", key: "list", value: "d" })).list, ["a", "b", "d"]);
  assert.equal((await after({ type: "increment", key: "fresh", value: 2 })).fresh, 2);
  assert.equal((await after({ type: "increment", key: "fresh", value: -5 })).fresh, -3);
  assert.equal((await after({ type: "set", key: "$.deep.n.1", value: 7 })).deep.n[1], 7);
  assert.deepEqual(await after({ type: "update", value: { all: "new" } }), { all: "new" });
  assert.deepEqual(await after({ type: "set", key: "k", value: null }, { type: "delete", key: "all" }), { k: null });
  const parent = await ended(await tasks.trigger("family", { children: 1 }));
  const [child] = parent.output.ids;
  await ended({ id: child });
  await client().updateRunMetadata(child, {
    parentOperations: [{ type: "set", key: "told", value: "by my child" }],
    rootOperations: [{ type: "increment", key: "n", value: 1 }],
  });
  const told = (await client().getRunMetadata(parent.id)).metadata;
  assert.deepEqual([told.told, told.n], ["by my child", 1]);
  await runs.cancel(handle.id);
});

test("results of finished runs, good and bad", async () => {
  const good = await client().getRunResult(made[3].id);
  assert.equal(good.ok, true);
  assert.equal(good.id, made[3].id);
  assert.equal(good.taskIdentifier, "echo");
  assert.equal(good.output, "3");
  assert.equal(good.outputType, "application/json");
  const bad = await client().getRunResult(made[5].id);
  assert.equal(bad.ok, false);
  assert.equal(bad.error.type, "BUILT_IN_ERROR");
  const waiting = await tasks.trigger("echo", 1, { delay: "1h" });
  assert.equal(await client().getRunResult(waiting.id, once), undefined);
  await runs.cancel(waiting.id);
  await ended(waiting);
  const canceled = await client().getRunResult(waiting.id);
  assert.deepEqual([canceled.error.type, canceled.error.code], ["INTERNAL_ERROR", "TASK_RUN_CANCELLED"]);
});

test("events and trace tell what happened to a run", async () => {
  const { events } = await client().listRunEvents(made[0].id);
  assert.ok(events.length >= 2);
  assert.ok(events.every((event) => event.runId === made[0].id && event.message && event.startTime));
  const { trace } = await client().retrieveRunTrace(made[0].id);
  assert.equal(trace.rootSpan.runId, made[0].id);
  assert.equal(trace.rootSpan.data.message, "echo");
  assert.ok(trace.rootSpan.children.some((span) => /Attempt 1/.test(span.data.message)));
  const page = await client().retrieveRunTracePage(made[0].id, { limit: 100 });
  assert.ok(page.data.length >= 2);
  assert.ok(page.data.every((span) => span.message && span.startTime instanceof Date && typeof span.duration === "number"));
  assert.equal(page.pagination.next, undefined);
  const failed = (await client().retrieveRunTrace(made[5].id)).trace;
  assert.equal(failed.rootSpan.data.isError, true);
});

test("many runs are canceled or replayed by one bulk action", async () => {
  const handles = [];
  for (let i = 0; i < 3; i++) handles.push(await tasks.trigger("sleep", { ms: 60000 }, { tags: ["bulk"], delay: "1h" }));
  const action = await runs.bulk.cancel({ filter: { tag: "bulk" } });
  const done = await runs.bulk.poll(action.id, { pollIntervalMs: 20 });
  assert.equal(done.status, "COMPLETED");
  assert.equal(done.counts.success, 3);
  for (const handle of handles) assert.equal((await runs.retrieve(handle.id)).status, "CANCELED");
  const replay = await runs.bulk.replay({ runIds: [made[0].id, made[1].id] });
  assert.equal((await runs.bulk.poll(replay.id, { pollIntervalMs: 20 })).counts.total, 2);
  assert.equal((await ids({ bulkAction: replay.id })).length, 2);
});

test("bulk actions are listed, found and aborted", async () => {
  const action = await runs.bulk.cancel({ filter: { tag: "none has it" }, name: "for nothing" });
  const found = await runs.bulk.retrieve(action.id);
  assert.deepEqual([found.id, found.type, found.name], [action.id, "CANCEL", "for nothing"]);
  assert.ok(found.createdAt instanceof Date);
  const listed = [];
  for await (const each of runs.bulk.list({ limit: 1 })) listed.push(each.id);
  assert.equal(listed[0], action.id);
  assert.equal(new Set(listed).size, listed.length);
  const nowhere = await runs.bulk.cancel({ filter: { tag: "all", region: "moon" } });
  assert.equal((await runs.bulk.poll(nowhere.id, { pollIntervalMs: 20 })).counts.total, 0);
  await runs.bulk.poll(action.id, { pollIntervalMs: 20 });
  assert.equal((await runs.bulk.abort(action.id)).id, action.id);
  assert.equal((await runs.bulk.retrieve(action.id)).status, "COMPLETED", "it was over");
});

test("an unknown run is a NotFoundError", async () => {
  assert.equal((await failure(runs.retrieve("run_00000000000000000000000000", once))).status, 404);
  assert.equal((await failure(runs.retrieve("nonsense", once))).status, 404);
});
