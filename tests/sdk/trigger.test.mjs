// tasks.trigger: payloads of every kind, every option, and what is refused with which of the client's own errors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { idempotencyKeys, runs, tasks } from "@trigger.dev/sdk";
import { failure, once, startHost } from "./host.mjs";

const host = await startHost();

async function outcome(task, payload, options) {
  const handle = await tasks.trigger(task, payload, options);
  return await runs.poll(handle.id, { pollIntervalMs: 20 });
}

test("a run of a task is triggered, polled and completed", async () => {
  const run = await outcome("hello-world", { name: "World" });
  assert.equal(run.status, "COMPLETED");
  assert.deepEqual(run.output, { message: "Hello, World!" });
  assert.equal(run.isSuccess, true);
  assert.equal(run.taskIdentifier, "hello-world");
  assert.ok(run.createdAt instanceof Date && run.finishedAt >= run.startedAt);
  assert.equal(run.attemptCount, 1);
});

for (const [what, payload, seen] of [
  ["an object", { a: [1, "x", null, true], b: { c: 1.5 } }],
  ["a list", [1, 2, 3]],
  ["a number", 42],
  ["a string", "just a string"],
  ["a string that looks like JSON", '{"a":1}'],
  ["the empty string", ""],
  ["null", null],
  ["false", false],
  ["text of many scripts", { text: "ä 漢字 🎉 \u0000 \u2028" }],
  ["a Date", { at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z" }],
  ["a Set", { all: new Set([1, 2]) }, { all: [1, 2] }],
  ["a BigInt", { big: 10n }, { big: "10" }],
]) {
  test(`${what} comes back from echo as it was sent`, async () => {
    const run = await outcome("echo", payload);
    assert.equal(run.status, "COMPLETED", JSON.stringify(run.error));
    assert.deepEqual(run.output, seen === undefined ? payload : seen);
    assert.deepEqual(run.payload, seen === undefined ? payload : seen);
  });
}

test("no payload at all is null for the task", async () => {
  const run = await outcome("echo", undefined);
  assert.equal(run.status, "COMPLETED");
  assert.equal(run.output, null);
});

test("the handle has a public access token that reads its run", async () => {
  const handle = await tasks.trigger("echo", 1);
  const [header, claims] = handle.publicAccessToken.split(".").map((part) => Buffer.from(part, "base64url").toString());
  assert.match(header, /HS256/);
  assert.deepEqual(JSON.parse(claims).scopes, [`read:runs:${handle.id}`]);
  const mine = await fetch(`${host.url}/api/v3/runs/${handle.id}`, {
    headers: { authorization: `Bearer ${handle.publicAccessToken}` },
  });
  assert.equal(mine.status, 200);
});

test("every option arrives", async () => {
  const handle = await tasks.trigger("sleep", { ms: 60000 }, {
    delay: "1h",
    ttl: "10m",
    tags: ["user:1", "b"],
    metadata: { a: 1 },
    maxAttempts: 2,
    maxDuration: 60,
    machine: "small-2x",
    priority: 5,
    queue: "paid",
    concurrencyKey: "ck",
  });
  const run = await runs.retrieve(handle.id);
  assert.equal(run.status, "DELAYED");
  assert.ok(run.delayedUntil > new Date(Date.now() + 3_500_000));
  assert.equal(run.ttl, "10m");
  assert.deepEqual([...run.tags].sort(), ["b", "user:1"]);
  assert.deepEqual(run.metadata, { a: 1 });
  const details = await (await host.fetch(`/perdure/v1/runs/${handle.id}`)).json();
  assert.equal(details.maxAttempts, 2);
  assert.equal(details.maxDurationMs, 60_000);
  assert.equal(details.machine, "small-2x");
  assert.equal(details.priorityMs, 5000);
  assert.equal(details.queue, "paid");
  assert.equal(details.concurrencyKey, "ck");
  await runs.cancel(handle.id);
});

test("a Date is a delay too, and one that is past is none", async () => {
  const later = await tasks.trigger("echo", 1, { delay: new Date(Date.now() + 3_600_000) });
  assert.equal((await runs.retrieve(later.id)).status, "DELAYED");
  await runs.cancel(later.id);
  const past = await outcome("echo", 1, { delay: new Date(0) });
  assert.equal(past.status, "COMPLETED");
});

test("an idempotency key makes one run, until it is reset", async () => {
  const first = await tasks.trigger("echo", 1, { idempotencyKey: "order-7", idempotencyKeyTTL: "1h" });
  const again = await tasks.trigger("echo", 2, { idempotencyKey: "order-7" });
  assert.equal(again.id, first.id);
  assert.equal(again.isCached, true);
  assert.equal((await runs.retrieve(first.id)).idempotencyKey, "order-7");
  const made = await idempotencyKeys.create(["a", "b"], { scope: "global" });
  const listed = await tasks.trigger("echo", 1, { idempotencyKey: made });
  assert.equal((await tasks.trigger("echo", 1, { idempotencyKey: made })).id, listed.id);
  await idempotencyKeys.reset("echo", made);
  assert.notEqual((await tasks.trigger("echo", 1, { idempotencyKey: made })).id, listed.id);
});

test("a task that fails tells its error", async () => {
  const run = await outcome("fail", { message: "boom" }, { maxAttempts: 1 });
  assert.equal(run.status, "FAILED");
  assert.equal(run.isFailed, true);
  assert.equal(run.error.message, "boom");
  assert.equal(run.output, undefined);
});

test("a task that crashes is CRASHED, with the signal's name", async () => {
  const run = await outcome("crash", {}, { maxAttempts: 1 });
  assert.equal(run.status, "CRASHED");
  assert.match(run.error.message, /SIG/);
});

test("an unknown task is a NotFoundError", async () => {
  const error = await failure(tasks.trigger("no-such-task", 1, {}, once));
  assert.equal(error.name, "TriggerApiError");
  assert.equal(error.status, 404);
  assert.match(error.message, /no-such-task/);
});

test("a wrong key is an AuthenticationError", async () => {
  const answer = await host.fetch("/api/v1/tasks/echo/trigger", {
    method: "POST",
    body: "{}",
    headers: { authorization: "Bearer tr_prod_wrong" },
  });
  assert.equal(answer.status, 401);
});

for (const [what, options] of [
  ["too many tags", { tags: Array.from({ length: 11 }, (_, i) => `t${i}`) }],
  ["a tag that is too long", { tags: ["x".repeat(129)] }],
  ["a delay that is none", { delay: "soon" }],
  ["a ttl that is none", { ttl: "long" }],
]) {
  test(`${what} is an UnprocessableEntityError, and makes no run`, async () => {
    const error = await failure(tasks.trigger("echo", 1, { ...options, idempotencyKey: what }, once));
    assert.equal(error.status, 422, error.message);
    assert.equal((await tasks.trigger("echo", 1, { idempotencyKey: what })).isCached, false);
  });
}

test("a body that is not JSON is refused as the contract says", async () => {
  const answer = await host.fetch("/api/v1/tasks/echo/trigger", { method: "POST", body: "{" });
  assert.equal(answer.status, 400);
  assert.equal(answer.headers.get("x-should-retry"), "false");
  const body = await answer.json();
  assert.match(body.error, /^Invalid request body/);
  assert.ok(Array.isArray(body.issues));
});
