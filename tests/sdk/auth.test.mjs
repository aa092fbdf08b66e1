// Keys and public access tokens: made by the client or by the host, good for what they say and nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TriggerClient, auth, batch, runs, tasks } from "@trigger.dev/sdk";
import { failure, once, startHost } from "./host.mjs";

const host = await startHost();

const as = (accessToken, work) => auth.withAuth({ baseURL: host.url, accessToken }, work);
const refused = (accessToken, work) => failure(as(accessToken, work));

test("a token reads the run and the tag that it names", async () => {
  const one = await tasks.trigger("echo", 1, { tags: ["env:staging"] });
  const other = await tasks.trigger("echo", 2);
  const token = await auth.createPublicToken({ scopes: { read: { runs: [one.id] } } });
  assert.equal((await as(token, () => runs.retrieve(one.id))).id, one.id);
  const error = await refused(token, () => runs.retrieve(other.id, once));
  assert.equal(error.status, 403);
  assert.equal(error.code, "unauthorized");
  const tagged = await auth.createPublicToken({ scopes: { read: { tags: "env:staging" } } });
  assert.equal((await as(tagged, () => runs.retrieve(one.id))).id, one.id);
  assert.equal((await refused(tagged, () => runs.retrieve(other.id, once))).status, 403);
  assert.equal((await refused(tagged, () => runs.list({}, once))).status, 403);
});

test("a trigger token is good for one trigger of its task", async () => {
  const token = await auth.createTriggerPublicToken("echo");
  const handle = await as(token, () => tasks.trigger("echo", 1, {}, once));
  assert.match(handle.id, /^run_/);
  assert.equal((await refused(token, () => tasks.trigger("echo", 1, {}, once))).status, 422);
  const another = await auth.createTriggerPublicToken("hello-world", { multipleUse: true });
  assert.equal((await refused(another, () => tasks.trigger("echo", 1, {}, once))).status, 403);
  for (let i = 0; i < 2; i++) await as(another, () => tasks.trigger("hello-world", { name: "x" }, {}, once));
  assert.equal((await as(handle.publicAccessToken, () => runs.retrieve(handle.id))).id, handle.id);
});

test("work is done with tokens that are made for it", async () => {
  const { id } = await tasks.trigger("echo", 1);
  let read, made, batchId;
  await auth.withPublicToken({ scopes: { read: { runs: [id] } } }, async () => {
    read = await runs.retrieve(id);
    assert.equal((await failure(runs.list({}, once))).status, 403);
  });
  await auth.withTriggerPublicToken("echo", {}, async () => (made = await tasks.trigger("echo", 2)));
  await auth.withBatchTriggerPublicToken("echo", {}, async () => ({ batchId } = await tasks.batchTrigger("echo", [{ payload: 3 }])));
  assert.equal(read.id, id);
  assert.equal((await runs.poll(made.id, { pollIntervalMs: 20 })).output, 2);
  assert.equal((await batch.retrieve(batchId)).runCount, 1);
});

test("clients of several hosts stand beside each other", async () => {
  const client = new TriggerClient({ baseURL: host.url, accessToken: host.key });
  const wrong = new TriggerClient({ baseURL: host.url, accessToken: "tr_prod_wrong" });
  const handle = await client.tasks.trigger("echo", "mine");
  assert.equal((await client.runs.poll(handle.id, { pollIntervalMs: 20 })).output, "mine");
  assert.equal((await failure(wrong.runs.retrieve(handle.id, once))).status, 401);
});

test("a token's tasks may be read and listed, and no others", async () => {
  const mine = await tasks.trigger("echo", 1, { delay: "1h", tags: ["listed"] });
  const other = await tasks.trigger("sleep", { ms: 1 }, { delay: "1h", tags: ["listed"] });
  const token = await auth.createPublicToken({ scopes: { read: { tasks: ["echo"] } } });
  await as(token, async () => {
    assert.equal((await runs.retrieve(mine.id)).id, mine.id);
    assert.deepEqual((await runs.list({ tag: "listed", taskIdentifier: "echo" })).data.map((run) => run.id), [mine.id]);
    for (const options of [{}, { taskIdentifier: "sleep" }, { taskIdentifier: ["echo", "sleep"] }]) {
      assert.equal((await failure(runs.list(options, once))).status, 403);
    }
    assert.equal((await failure(runs.cancel(mine.id, once))).status, 403);
  });
  const writer = await auth.createPublicToken({ scopes: { write: { runs: [mine.id] } } });
  await as(writer, () => runs.cancel(mine.id));
  assert.equal((await runs.retrieve(mine.id)).status, "CANCELED");
  await runs.cancel(other.id);
});

test("a token for a batch reads the batch and its runs", async () => {
  const made = await tasks.batchTrigger("echo", [{ payload: 1, options: { delay: "1h" } }]);
  const token = await auth.createPublicToken({ scopes: { read: { batch: made.batchId } } });
  await as(token, async () => {
    const [id] = (await batch.retrieve(made.batchId)).runs;
    assert.equal((await runs.retrieve(id)).id, id);
    for await (const run of runs.subscribeToBatch(made.batchId)) {
      assert.equal(run.id, id);
      break;
    }
    const other = await failure(batch.retrieve("batch_000000000000000000000000", once));
    assert.equal(other.status, 403);
  });
});

test("a token leaves columns out of what it shows", async () => {
  const { id } = await tasks.trigger("echo", { secret: 1 }, { delay: "1h" });
  const token = await auth.createPublicToken({ scopes: { read: { runs: [id] } }, realtime: { skipColumns: ["payload"] } });
  await as(token, async () => {
    for await (const run of runs.subscribeToRun(id)) {
      assert.equal(run.payload, undefined);
      break;
    }
  });
});

test("a token ends when it says", async () => {
  const handle = await tasks.trigger("echo", 1);
  const token = await auth.createPublicToken({
    scopes: { read: { runs: true } },
    expirationTime: new Date(Date.now() - 1000),
  });
  const error = await refused(token, () => runs.retrieve(handle.id, once));
  assert.equal(error.status, 401);
  assert.match(error.message, /expired/);
});

test("a further key does what its scopes say, and gets its tokens from the host", async () => {
  const key = (await host.cli("keys", "create", "--scope", "trigger", "--scope", "read")).trim();
  assert.match(key, /^tr_prod_sk_[A-Za-z0-9]{24}$/);
  const handle = await as(key, () => tasks.trigger("echo", 7));
  assert.equal((await as(handle.publicAccessToken, () => runs.retrieve(handle.id))).id, handle.id);
  const token = await as(key, () => auth.createPublicToken({ scopes: { read: { runs: [handle.id] } }, expirationTime: "1h" }));
  assert.equal((await as(token, () => runs.retrieve(handle.id))).id, handle.id);
  const once_only = await as(key, () => auth.createTriggerPublicToken("echo"));
  await as(once_only, () => tasks.trigger("echo", 1, {}, once));
  assert.equal((await refused(once_only, () => tasks.trigger("echo", 1, {}, once))).status, 422);

  const [, id] = /(key_\w+)/.exec(await host.cli("keys", "list"));
  await host.cli("keys", "revoke", id);
  assert.equal((await refused(key, () => runs.retrieve(handle.id, once))).status, 401);
  assert.equal((await refused(token, () => runs.retrieve(handle.id, once))).status, 401);
});

test("a key that may only read triggers nothing", async () => {
  const key = (await host.cli("keys", "create", "--scope", "read")).trim();
  const error = await refused(key, () => tasks.trigger("echo", 1, {}, once));
  assert.equal(error.status, 403);
  assert.match(error.message, /scope "trigger"/);
});

test("a wrong key is an AuthenticationError, and after many a RateLimitError", async () => {
  const statuses = new Set();
  for (let i = 0; i < 40; i++) {
    const error = await refused(`tr_prod_wrong${i}`, () => runs.retrieve("run_x", once));
    statuses.add(`${error.status} ${error.name}`);
  }
  assert.ok([...statuses].some((status) => status.startsWith("401")));
  assert.ok([...statuses].some((status) => status.startsWith("429")));
  assert.equal((await host.fetch("/api/v1/runs")).status, 200);
});
