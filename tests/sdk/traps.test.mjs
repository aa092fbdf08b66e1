// What clients of this protocol fall into, each shown not to be here: values that break the client's validators without
// a word, subscriptions that would hang for ever, repeats that would do things twice.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { batch, configure, runs, schedules, tasks, wait } from "@trigger.dev/sdk";
import { failure, once, startHost } from "./host.mjs";

const host = await startHost();
const patience = { timeout: 30_000 };
const get = async (path) => await (await host.fetch(path)).json();
const poll = (handle) => runs.poll(handle.id, { pollIntervalMs: 20 });

// One run for each way to be, or to end.
const made = {};
before(async () => {
  made.DELAYED = (await tasks.trigger("echo", {}, { delay: "1h", ttl: "1d" })).id;
  made.COMPLETED = (await tasks.trigger("echo", { a: 1 }, { tags: ["t"], metadata: { m: 1 } })).id;
  made.FAILED = (await tasks.trigger("fail", {}, { maxAttempts: 1 })).id;
  made.CRASHED = (await tasks.trigger("crash", {}, { maxAttempts: 1 })).id;
  made.CANCELED = (await tasks.trigger("echo", 1, { delay: "1h" })).id;
  await runs.cancel(made.CANCELED);
  // One that can only expire: its queue begins nothing.
  await host.fetch("/api/v1/queues/hello-world/pause", { method: "POST", body: '{"type":"task","action":"pause"}' });
  made.EXPIRED = (await tasks.trigger("hello-world", { name: "x" }, { ttl: "1s" })).id;
  made.parent = (await tasks.trigger("family", { children: 1 })).id;
  for (const id of Object.values(made)) if (id !== made.DELAYED) await poll({ id });
});

// Where null is what the contract says.
const nullable = /concurrencyLimit$|\.concurrency\.\w+$|(deduplicationKey|externalId|nextRun|nextRunEffectiveAt)$|\.(payload|output)\b/;
function nulls(value, path = "") {
  if (value === null) return nullable.test(path) ? [] : [path];
  if (typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, each]) => nulls(each, Array.isArray(value) ? `${path}[]` : `${path}.${name}`));
}

test("1: what is absent is left out, never null", patience, async () => {
  const schedule = await schedules.create({ task: "echo", cron: "0 1 * * *", deduplicationKey: "k" });
  const waiting = await wait.createToken({});
  const over = await wait.createToken({});
  await wait.completeToken(over, undefined);
  const { batchId } = await tasks.batchTrigger("echo", [{ payload: 1, options: { delay: "1h" } }]);
  const bulk = await runs.bulk.cancel({ filter: { tag: "nobody" } });
  for (const path of [
    ...Object.values(made).flatMap((id) => ["", "/events", "/trace", "/metadata"].map((part) => `/api/v1/runs/${id}${part}`)),
    ...Object.values(made).map((id) => `/api/v3/runs/${id}`),
    "/api/v1/runs?page[size]=100",
    "/api/v1/queues",
    "/api/v1/schedules",
    `/api/v1/schedules/${schedule.id}`,
    "/api/v1/waitpoints/tokens",
    `/api/v1/waitpoints/tokens/${waiting.id}`,
    `/api/v1/waitpoints/tokens/${over.id}`,
    `/api/v2/batches/${batchId}`,
    `/api/v1/bulk-actions/${bulk.id}`,
    "/api/v1/bulk-actions",
  ]) {
    if (/^\/api\/v1\/runs\/[^/?]+$/.test(path)) continue;  // retrieve is of version 3
    assert.deepEqual(nulls(await get(path)), [], path);
  }
  for (const [status, id] of Object.entries(made)) {
    const run = await runs.retrieve(id);
    for (const name of ["startedAt", "finishedAt", "delayedUntil", "expiredAt"]) {
      assert.ok(run[name] === undefined || run[name].getTime() > 1e12, `${status}: ${name} is ${run[name]}`);
    }
    assert.equal(run.expiredAt === undefined, status !== "EXPIRED", status);
  }
});

const needed = "id taskIdentifier status isQueued isExecuting isWaiting isCompleted isSuccess isFailed isCancelled isTest " +
  "createdAt updatedAt tags costInCents baseCostInCents durationMs depth triggerFunction";
test("2: a run has all that is required of it, and so have its relatives", async () => {
  const parent = await get(`/api/v3/runs/${made.parent}`);
  assert.equal(parent.relatedRuns.children.length, 1);
  const child = await get(`/api/v3/runs/${parent.relatedRuns.children[0].id}`);
  assert.equal(child.relatedRuns.parent.id, made.parent);
  assert.equal(child.relatedRuns.root.id, made.parent);
  assert.deepEqual([parent.depth, child.depth], [0, 1]);
  for (const run of [parent, child, ...parent.relatedRuns.children, child.relatedRuns.parent, child.relatedRuns.root]) {
    for (const name of needed.split(" ")) assert.ok(run[name] !== undefined, `${name} of ${run.id}`);
  }
  for (const id of Object.values(made)) assert.ok((await get(`/api/v3/runs/${id}`)).relatedRuns, "the 20th");
  assert.equal((await runs.retrieve(child.id)).relatedRuns.root.taskIdentifier, "family");
});

async function shape(path) {
  const answer = await host.fetch(path);
  assert.equal(answer.status, 200);
  const body = await answer.json();
  const header = (name) => answer.headers.get(`electric-${name}`);
  assert.match(header("offset"), /^\d+_\d+$/);
  assert.ok(header("handle"));
  assert.match(answer.headers.get("content-type"), /^application\/json/);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.deepEqual(body.at(-1), { headers: { control: "up-to-date" } });
  return { rows: body.slice(0, -1), header };
}

test("3: each answer of a subscription has the headers without which clients hang", patience, async () => {
  const handle = await tasks.trigger("echo", 1, { delay: "1h", tags: ["live"] });
  const { batchId } = await tasks.batchTrigger("echo", [{ payload: 1, options: { delay: "1h" } }]);
  for (const [path, change] of [
    [`/realtime/v1/runs/${handle.id}?log=full`, () => host.fetch(`/api/v1/runs/${handle.id}/metadata`, { method: "PUT", body: '{"metadata":{"n":1}}' })],
    ["/realtime/v1/runs?tags=live&log=full", () => tasks.trigger("echo", 1, { delay: "1h", tags: ["live"] })],
    [`/realtime/v1/batches/${batchId}?log=full`, async () => runs.cancel((await batch.retrieve(batchId)).runs[0])],
  ]) {
    const first = await shape(`${path}&offset=-1`);
    assert.equal(first.rows.length, 1, path);
    assert.equal(first.rows[0].headers.operation, "insert");
    assert.ok(JSON.parse(first.header("schema")).createdAt);
    assert.notEqual(first.header("up-to-date"), null);
    const live = shape(`${path}&live=true&cursor=&handle=${encodeURIComponent(first.header("handle"))}&offset=${first.header("offset")}`);
    await change();
    const second = await live;
    assert.equal(second.rows.length, 1, path);
    assert.ok(second.header("cursor"), path);
    assert.notEqual(second.header("offset"), first.header("offset"));
    // Asked again with the handle but not live, the host tells the rows as they are.
    const again = await shape(`${path}&handle=${encodeURIComponent(first.header("handle"))}&offset=${first.header("offset")}`);
    assert.ok(again.header("schema"));
  }
});

const raw = { COMPLETED: "COMPLETED_SUCCESSFULLY", FAILED: "COMPLETED_WITH_ERRORS" };
test("4: a final status comes with the time of its end", patience, async () => {
  for (const [status, id] of Object.entries(made)) {
    if (status === "parent") continue;
    const [{ value }] = (await shape(`/realtime/v1/runs/${id}?offset=-1`)).rows;
    assert.equal(value.status, raw[status] ?? status);
    assert.equal(value.completedAt === null, status === "DELAYED", status);
    if (status === "DELAYED") continue;
    let last;
    for await (const run of runs.subscribeToRun(id)) last = run;
    assert.equal(last.status, status);
    assert.ok(last.finishedAt instanceof Date);
  }
});

test("5: what is refused for ever is not asked again", async () => {
  const begun = Date.now();
  const error = await failure(tasks.trigger("no-such-task", 1));
  assert.equal(error.status, 404);
  assert.equal((await failure(runs.retrieve("run_00000000000000000000000000"))).headers["x-should-retry"], "false");
  assert.ok(Date.now() - begun < 1000, "the first pause between tries is of a second");
});

test("6: payloads are superjson, strings as they are, and undefined is none", patience, async () => {
  for (const [payload, type, output] of [
    [{}, "application/super+json", {}],
    [{ json: 1, meta: 2 }, "application/super+json", { json: 1, meta: 2 }],
    ['{"json":1}', "text/plain", '{"json":1}'],
    [undefined, "application/json", null],
  ]) {
    const run = await poll(await tasks.trigger("echo", payload));
    assert.deepEqual(run.output, output);
    assert.equal((await get(`/perdure/v1/runs/${run.id}`)).payloadType, type);
  }
});

test("7: what a token is completed with is no packet", async () => {
  for (const value of [{ json: { a: 1 } }, { json: 1, meta: { values: ["Date"] } }, '{"json":1}', "", 0, false]) {
    const { id } = await wait.createToken({});
    await wait.completeToken(id, value);
    assert.deepEqual((await wait.retrieveToken(id)).output, value);
  }
});

test("8: items of a batch that come again are the same items", patience, async () => {
  const send = globalThis.fetch;
  let lost = 0;
  globalThis.fetch = async (url, options) => {
    const answer = await send(url, options);
    if (!String(url?.url ?? url).endsWith("/items") || lost++ > 0) return answer;
    await answer.text();
    throw new TypeError("the answer was lost on the way");
  };
  try {
    const { batchId } = await tasks.batchTrigger("echo", Array.from({ length: 5 }, (_, i) => ({ payload: i, options: { delay: "1h" } })));
    assert.equal(lost, 2, "the items came twice");
    assert.equal((await batch.retrieve(batchId)).runs.length, 5);
    assert.equal((await get(`/api/v1/runs?filter[batch]=${batchId}`)).data.length, 5);
  } finally {
    globalThis.fetch = send;
  }
});

test("a trigger whose answer was lost makes one run", patience, async () => {
  const send = globalThis.fetch;
  let asked = 0;
  globalThis.fetch = async (url, options) => {
    const answer = await send(url, options);
    if (!String(url).endsWith("/trigger") || asked++ > 0) return answer;
    throw new TypeError("the answer was lost on the way");
  };
  try {
    const handle = await tasks.trigger("echo", 1, { delay: "1h", tags: ["once"] });
    assert.equal(asked, 2);
    assert.equal(handle.isCached, false);
    const { data } = await get("/api/v1/runs?filter[tag]=once");
    assert.deepEqual(data.map((run) => run.id), [handle.id]);
  } finally {
    globalThis.fetch = send;
  }
});

test("9: times of subscriptions have no Z, all others have one", async () => {
  const [{ value }] = (await shape(`/realtime/v1/runs/${made.COMPLETED}?offset=-1`)).rows;
  for (const name of ["createdAt", "updatedAt", "startedAt", "completedAt"]) {
    assert.match(value[name], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/);
  }
  const run = await get(`/api/v3/runs/${made.COMPLETED}`);
  for (const name of ["createdAt", "updatedAt", "startedAt", "finishedAt"]) assert.match(run[name], /\.\d{3}Z$/);
});

test("10: a list's tags are any of them, a subscription's all of them", patience, async () => {
  const one = (await tasks.trigger("echo", 1, { delay: "1h", tags: ["x"] })).id;
  const both = (await tasks.trigger("echo", 1, { delay: "1h", tags: ["x", "y"] })).id;
  const listed = [];
  for await (const run of runs.list({ tag: ["x", "y"] })) listed.push(run.id);
  assert.deepEqual(listed.sort(), [one, both].sort());
  const { rows } = await shape("/realtime/v1/runs?tags=x,y&offset=-1");
  assert.deepEqual(rows.map((row) => row.value.id), [both]);
  for await (const run of runs.subscribeToRunsWithTag(["x", "y"], { createdAt: "1h" })) {
    assert.equal(run.id, both);
    break;
  }
});

test("11: CANCELED is written so, and isCancelled so", async () => {
  const run = await get(`/api/v3/runs/${made.CANCELED}`);
  assert.equal(run.status, "CANCELED");
  assert.deepEqual([run.isCancelled, run.isCompleted, run.isFailed, run.isSuccess, run.isCanceled], [true, true, true, false, undefined]);
  for (const status of ["EXPIRED", "CRASHED", "FAILED"]) {
    const other = await runs.retrieve(made[status]);
    assert.deepEqual([other.isCompleted, other.isFailed, other.isCancelled], [true, true, false], status);
  }
});

test("12: each call has the version of its path, and no other", async () => {
  for (const [method, path, version] of [
    ["POST", "tasks/echo/trigger", "v1"],
    ["GET", `runs/${made.COMPLETED}`, "v3"],
    ["POST", `runs/${made.CANCELED}/cancel`, "v2"],
    ["POST", "batches", "v3"],
    ["GET", "batches/batch_x", "v2"],
  ]) {
    for (const other of ["v1", "v2", "v3", "v4"]) {
      const answer = await host.fetch(`/api/${other}/${path}`, { method });
      const { error } = await answer.json();
      assert.equal(/^there is nothing at|^this path answers/.test(error ?? ""), other !== version, `${other} ${path}: ${error}`);
    }
  }
});

test("one trailing slash of the address is none", async () => {
  configure({ baseURL: `${host.url}/`, accessToken: host.key });
  assert.equal((await runs.retrieve(made.COMPLETED, once)).status, "COMPLETED");
  configure({ baseURL: host.url, accessToken: host.key });
});

test("headers that nobody knows are no error", async () => {
  const headers = { "x-trigger-branch": "b", "x-trigger-client": "browser", "x-trigger-worker": "1", "x-trigger-engine-version": "V2",
    "x-trigger-span-parent-as-link": "1", traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x-anything": "1" };
  assert.equal((await host.fetch("/api/v1/tasks/echo/trigger", { method: "POST", headers })).status, 200);
});
