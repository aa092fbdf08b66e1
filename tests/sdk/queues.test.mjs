// queues.*: what waits where, and what people do about it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { queues, runs, tasks } from "@trigger.dev/sdk";
import { failure, once, startHost } from "./host.mjs";

await startHost();
const own = { type: "task", name: "echo" };

test("queues are listed and found by type and name", async () => {
  const page = await queues.list({ perPage: 50 });
  assert.ok(page.data.some((queue) => queue.name === "echo" && queue.type === "task"));
  const queue = await queues.retrieve(own);
  assert.equal(queue.name, "echo");
  assert.equal((await queues.retrieve(queue.id)).id, queue.id);
});

test("a paused queue starts nothing until it goes on", async () => {
  assert.equal((await queues.pause(own)).paused, true);
  const handle = await tasks.trigger("echo", 1);
  assert.equal((await queues.retrieve(own)).queued, 1);
  assert.equal((await runs.retrieve(handle.id)).status, "QUEUED");
  assert.equal((await queues.resume(own)).paused, false);
  assert.equal((await runs.poll(handle.id, { pollIntervalMs: 20 })).status, "COMPLETED");
});

test("queues are listed in numbered pages", async () => {
  const first = await queues.list({ perPage: 2 });
  assert.equal(first.data.length, 2);
  const all = [];
  for await (const queue of first) all.push(queue.id);
  assert.equal(all.length, first.pagination.count);
  assert.equal(new Set(all).size, all.length);
});

test("a queue is paused and limited by its id, and counts what executes", async () => {
  const { id } = await queues.retrieve({ type: "task", name: "sleep" });
  assert.equal((await queues.pause(id)).paused, true);
  assert.equal((await queues.resume(id)).paused, false);
  assert.equal((await queues.overrideConcurrencyLimit(id, 1)).concurrency.override, 1);
  const first = await tasks.trigger("sleep", { ms: 60_000 });
  const second = await tasks.trigger("sleep", { ms: 60_000 });
  for await (const run of runs.subscribeToRun(first.id)) if (run.status === "EXECUTING") break;
  const queue = await queues.retrieve(id);
  assert.deepEqual([queue.running, queue.queued], [1, 1]);
  for (const handle of [second, first]) await runs.cancel(handle.id);
  assert.equal((await queues.resetConcurrencyLimit(id)).concurrencyLimit, null);
});

test("a limit is overridden and given back", async () => {
  const limited = await queues.overrideConcurrencyLimit(own, 3);
  assert.equal(limited.concurrencyLimit, 3);
  assert.equal(limited.concurrency.override, 3);
  const reset = await queues.resetConcurrencyLimit(own);
  assert.equal(reset.concurrency?.override ?? null, null);
});

test("names with slashes and blanks arrive whole", async () => {
  const handle = await tasks.trigger("echo", 1, { queue: "a/b c", delay: "1h" });
  assert.equal((await queues.retrieve({ type: "custom", name: "a/b c" })).name, "a/b c");
  await runs.cancel(handle.id);
});

test("an unknown queue is a NotFoundError", async () => {
  assert.equal((await failure(queues.retrieve({ type: "custom", name: "none" }, once))).status, 404);
});
