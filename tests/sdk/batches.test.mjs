// Batches: of one task, of several, as a stream; what becomes of them, and who may make them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apiClientManager } from "@trigger.dev/core/v3";
import { auth, batch, runs, tasks } from "@trigger.dev/sdk";
import { failure, once, startHost } from "./host.mjs";

const host = await startHost();
const patience = { timeout: 30_000 };

async function over(id) {
  for (;;) {
    const found = await batch.retrieve(id);
    if (found.status !== "PENDING" && found.status !== "PROCESSING") return found;
    for (const run of found.runs) await runs.poll(run, { pollIntervalMs: 20 });
  }
}

test("a batch of one task", patience, async () => {
  const made = await tasks.batchTrigger("echo", [{ payload: 1 }, { payload: { a: 2 } }, { payload: "three" }]);
  assert.match(made.batchId, /^batch_/);
  const done = await over(made.batchId);
  assert.equal(done.status, "COMPLETED");
  assert.equal(done.runCount, 3);
  const outputs = [];
  for (const id of done.runs) outputs.push((await runs.retrieve(id)).output);
  assert.deepEqual(outputs, [1, { a: 2 }, "three"]);
});

test("a batch of several tasks, with options of each", patience, async () => {
  const made = await batch.trigger([
    { id: "echo", payload: 1, options: { tags: ["b:1"] } },
    { id: "hello-world", payload: { name: "x" } },
  ]);
  const done = await over(made.batchId);
  assert.equal((await runs.retrieve(done.runs[0])).tags[0], "b:1");
  assert.equal((await runs.retrieve(done.runs[1])).output.message, "Hello, x!");
});

test("a batch of tasks by their types", patience, async () => {
  const made = await batch.triggerByTask([{ task: { id: "echo" }, payload: 5 }, { task: { id: "hello-world" }, payload: { name: "y" } }]);
  const done = await over(made.batchId);
  assert.equal((await runs.retrieve(done.runs[0])).output, 5);
  assert.equal((await runs.retrieve(done.runs[1])).output.message, "Hello, y!");
});

test("a batch keeps its key, and its items have keys of their own", patience, async () => {
  const first = await tasks.batchTrigger("echo", [{ payload: 1, options: { idempotencyKey: "item-1", delay: "1h" } }]);
  const again = await tasks.batchTrigger("echo", [{ payload: 2, options: { idempotencyKey: "item-1" } }]);
  assert.notEqual(again.batchId, first.batchId);
  assert.deepEqual((await batch.retrieve(again.batchId)).runs, (await batch.retrieve(first.batchId)).runs);
});

test("a thousand items as a stream", patience, async () => {
  async function* items() {
    for (let i = 0; i < 1000; i++) yield { payload: i, options: { delay: "1h" } };
  }
  const made = await tasks.batchTrigger("echo", items());
  const found = await batch.retrieve(made.batchId);
  assert.equal(found.runs.length, 1000);
});

test("an item whose task is not known does not spoil the others", patience, async () => {
  const made = await batch.trigger([{ id: "echo", payload: 1 }, { id: "nope", payload: 2 }]);
  const done = await over(made.batchId);
  assert.equal(done.status, "PARTIAL_FAILED");
  assert.equal(done.runs.length, 1);
  assert.equal(done.processing.errors[0].index, 1);
});

test("the runs of a batch are listed by it, and their results are in order", patience, async () => {
  const made = await tasks.batchTrigger("echo", [{ payload: 10 }, { payload: 20 }]);
  const done = await over(made.batchId);
  const listed = [];
  for await (const run of runs.list({ batch: made.batchId })) listed.push(run.id);
  assert.deepEqual(listed.sort(), [...done.runs].sort());
  const results = await apiClientManager.clientOrThrow().getBatchResults(made.batchId);
  assert.deepEqual(results.items.map((item) => item.output), ["10", "20"]);
});

test("a batch is followed by its token until all its runs have ended", patience, async () => {
  const made = await tasks.batchTrigger("sleep", [{ payload: { ms: 50 } }, { payload: { ms: 100 } }]);
  await auth.withAuth({ baseURL: host.url, accessToken: made.publicAccessToken }, async () => {
    const ended = new Set();
    for await (const run of runs.subscribeToBatch(made.batchId)) {
      if (run.status === "COMPLETED") ended.add(run.id);
      if (ended.size === 2) break;
    }
  });
});

test("a key makes one batch", patience, async () => {
  const first = await tasks.batchTrigger("echo", [{ payload: 1 }], { idempotencyKey: "b-1" });
  const again = await tasks.batchTrigger("echo", [{ payload: 1 }], { idempotencyKey: "b-1" });
  assert.equal(again.batchId, first.batchId);
});

test("a batch token makes batches of its tasks", patience, async () => {
  const token = await auth.createBatchTriggerPublicToken("echo", { multipleUse: true });
  await auth.withAuth({ baseURL: host.url, accessToken: token }, async () => {
    const made = await tasks.batchTrigger("echo", [{ payload: 1 }], {}, once);
    assert.match(made.batchId, /^batch_/);
    const error = await failure(tasks.batchTrigger("hello-world", [{ payload: { name: "x" } }], {}, once));
    assert.match(`${error.status} ${error.cause?.status} ${error.message}`, /403/);
  });
});

test("a batch token that is for one use makes one batch", patience, async () => {
  const token = await auth.createBatchTriggerPublicToken("echo");
  await auth.withAuth({ baseURL: host.url, accessToken: token }, async () => {
    await tasks.batchTrigger("echo", [{ payload: 1 }], {}, once);
    const error = await failure(tasks.batchTrigger("echo", [{ payload: 2 }], {}, once));
    assert.match(`${error.status} ${error.cause?.status} ${error.message}`, /422/);
  });
});

test("an unknown batch is a NotFoundError", async () => {
  assert.equal((await failure(batch.retrieve("batch_000000000000000000000000", once))).status, 404);
});
