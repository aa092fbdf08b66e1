// runs.subscribeTo…: what a client sees of runs while they happen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { auth, runs, tasks } from "@trigger.dev/sdk";
import { startHost } from "./host.mjs";

const host = await startHost();
const patience = { timeout: 30_000 };

test("a run is followed from its start to its end", patience, async () => {
  const handle = await tasks.trigger("sleep", { ms: 1 }, { delay: "1h", tags: ["we\"ird, tag", "a:b"], metadata: { p: 1 } });
  const seen = [];
  for await (const run of runs.subscribeToRun(handle.id)) {
    if (seen.push(run) === 1) await runs.reschedule(handle.id, { delay: new Date() });
  }
  const last = seen.at(-1);
  assert.equal(last.status, "COMPLETED");
  assert.equal(last.isSuccess, true);
  assert.deepEqual(last.payload, { ms: 1 });
  assert.ok(last.output !== undefined);
  assert.deepEqual(last.metadata, { p: 1 });
  assert.deepEqual(last.tags, ["we\"ird, tag", "a:b"]);
  assert.ok(last.createdAt instanceof Date && Math.abs(last.createdAt - Date.now()) < 60_000);
  assert.ok(last.finishedAt >= last.startedAt);
  assert.equal(seen[0].status, "DELAYED");
});

test("a finished run is told once, and a failed one with its error", patience, async () => {
  const handle = await tasks.trigger("fail", { message: "boom" }, { maxAttempts: 1 });
  await runs.poll(handle.id, { pollIntervalMs: 20 });
  const seen = [];
  for await (const run of runs.subscribeToRun(handle.id)) seen.push(run);
  assert.equal(seen.length, 1);
  assert.equal(seen[0].status, "FAILED");
  assert.equal(seen[0].error.message, "boom");
});

test("a canceled and a crashed run end their subscriptions too", patience, async () => {
  const canceled = await tasks.trigger("echo", 1, { delay: "1h" });
  const following = (async () => {
    let last;
    for await (const run of runs.subscribeToRun(canceled.id)) last = run;
    return last;
  })();
  await runs.cancel(canceled.id);
  assert.equal((await following).status, "CANCELED");
  const crashed = await tasks.trigger("crash", {}, { maxAttempts: 1 });
  let last;
  for await (const run of runs.subscribeToRun(crashed.id)) last = run;
  assert.equal(last.status, "CRASHED");
  assert.match(last.error.message, /TASK_|SIG/);
});

test("what JSON has no word for comes to who follows a run as it was sent, and to a replay's", patience, async () => {
  const payload = { at: new Date(86_400_000), all: new Set([1, 2]), big: 10n ** 20n, by: new Map([["k", new Date(0)]]), none: undefined };
  const follow = async (id) => {
    let last;
    for await (const run of runs.subscribeToRun(id)) last = run;
    return last;
  };
  const first = await follow((await tasks.trigger("echo", payload)).id);
  assert.deepEqual(first.payload, payload);
  assert.equal(first.output.at, "1970-01-02T00:00:00.000Z", "the task got JSON");
  assert.deepEqual((await runs.retrieve(first.id)).payload.at, "1970-01-02T00:00:00.000Z");
  assert.deepEqual((await follow((await runs.replay(first.id)).id)).payload, payload);
  assert.deepEqual((await follow((await runs.replay(first.id, { payload: { at: "then" } })).id)).payload, { at: "then" });
  const { batchId } = await tasks.batchTrigger("echo", [{ payload }]);
  for await (const run of runs.subscribeToBatch(batchId)) {
    assert.deepEqual(run.payload, payload);
    break;
  }
});

test("repeated references come as references", patience, async () => {
  const shared = { at: new Date(0) };
  const handle = await tasks.trigger("echo", { one: shared, two: shared }, { delay: "1h" });
  for await (const run of runs.subscribeToRun(handle.id)) {
    assert.ok(run.payload.one.at instanceof Date);
    assert.equal(run.payload.one, run.payload.two);
    break;
  }
});

test("a token follows its run", patience, async () => {
  const handle = await tasks.trigger("sleep", { ms: 50 });
  await auth.withAuth({ baseURL: host.url, accessToken: handle.publicAccessToken }, async () => {
    let last;
    for await (const run of runs.subscribeToRun(handle.id)) last = run;
    assert.equal(last.status, "COMPLETED");
  });
});

test("columns can be left out", patience, async () => {
  const handle = await tasks.trigger("echo", { big: "x" });
  let last;
  for await (const run of runs.subscribeToRun(handle.id, { skipColumns: ["payload", "output"] })) last = run;
  assert.equal(last.payload, undefined);
  assert.equal(last.output, undefined);
  assert.equal(last.status, "COMPLETED");
});

test("metadata is told while the run goes on", patience, async () => {
  const handle = await tasks.trigger("echo", 1, { delay: "1h", metadata: { n: 0 } });
  const seen = [];
  for await (const run of runs.subscribeToRun(handle.id)) {
    seen.push(run.metadata?.n);
    if (seen.length === 1) {
      await host.fetch(`/api/v1/runs/${handle.id}/metadata`, { method: "PUT", body: '{"metadata":{"n":1}}' });
    } else {
      break;
    }
  }
  assert.deepEqual(seen, [0, 1]);
  await runs.cancel(handle.id);
});

test("runs with all of some tags, of the last hour, without their payloads", patience, async () => {
  const token = await auth.createPublicToken({ scopes: { read: { tags: ["p"] } } });
  await tasks.trigger("echo", 1, { delay: "1h", tags: ["p"] });
  const both = await tasks.trigger("echo", 1, { delay: "1h", tags: ["p", "q"] });
  await auth.withAuth({ baseURL: host.url, accessToken: token }, async () => {
    for await (const run of runs.subscribeToRunsWithTag(["p", "q"], { createdAt: "1h", skipColumns: ["payload"] })) {
      assert.equal(run.id, both.id);
      assert.equal(run.payload, undefined);
      break;
    }
  });
});

test("all runs with a tag are followed, old and new", patience, async () => {
  const old = await tasks.trigger("echo", 1, { tags: ["team:x", "old"] });
  await runs.poll(old.id, { pollIntervalMs: 20 });
  const ended = new Set();
  let triggered;
  for await (const run of runs.subscribeToRunsWithTag("team:x")) {
    if (run.status === "COMPLETED") ended.add(run.id);
    triggered ??= [
      await tasks.trigger("echo", 2, { tags: ["team:x"] }),
      await tasks.trigger("echo", 3, { tags: ["team:x", "new"] }),
      await tasks.trigger("echo", 4, { tags: ["team:y"] }),
    ];
    if (ended.size === 3) break;
  }
  assert.deepEqual([...ended].sort(), [old.id, triggered[0].id, triggered[1].id].sort());
});
