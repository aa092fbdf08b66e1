// What is refused, call by call: with the client's own error for it, a sentence that helps, asked for once, and with
// nothing stored. errors_raw.test.mjs has what this client cannot send.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { AuthenticationError, BadRequestError, NotFoundError, UnprocessableEntityError, auth, batch } from "@trigger.dev/sdk";
import { PermissionDeniedError, RateLimitError, apiClientManager } from "@trigger.dev/core/v3";
import { envvars, idempotencyKeys, queues, runs, schedules, tasks, wait } from "@trigger.dev/sdk";
import { failure, startHost, stored } from "./host.mjs";

const host = await startHost();
const client = () => apiClientManager.clientOrThrow();

// Each request that the client sends, retries included.
let sent = [];
const send = globalThis.fetch;
globalThis.fetch = (url, options) => {
  sent.push(`${options?.method ?? "GET"} ${new URL(url?.url ?? url).pathname}`);
  return send(url, options);
};

const noRun = "run_00000000000000000000000000";
const noBatch = "batch_000000000000000000000000";
const noSchedule = "sched_000000000000000000000";
const noToken = "waitpoint_000000000000000000000";
const noBulk = "bulk_00000000000000000000000000";
const noQueue = { type: "custom", name: "no such queue" };
const own = { type: "task", name: "echo" };
const cron = { task: "echo", cron: "0 1 * * *", deduplicationKey: "other" };
const many = (count) => Array.from({ length: count }, (_, i) => `tag-${i}`);

// Of everything one, so that a refusal that changed something would be seen.
let done, held, token, schedule, bulk, reader, nothing, readKey;
before(async () => {
  done = (await tasks.trigger("echo", 1, { tags: ["done"] })).id;
  await runs.poll(done, { pollIntervalMs: 20 });
  held = (await tasks.trigger("echo", 1, { delay: "1h", tags: many(9), metadata: { n: 1 } })).id;
  token = (await wait.createToken({ timeout: "1h" })).id;
  schedule = (await schedules.create({ ...cron, deduplicationKey: "one" })).id;
  bulk = (await runs.bulk.cancel({ filter: { tag: "none has it" } })).id;
  await runs.bulk.poll(bulk, { pollIntervalMs: 20 });
  // A token that is valid everywhere but permits next to nothing.
  nothing = await auth.createPublicToken({ scopes: { read: { runs: ["run_of_another"] } } });
  // One that reads all runs.
  reader = await auth.createPublicToken({ scopes: { read: { runs: true } } });
  readKey = (await host.cli("keys", "create", "--scope", "read")).trim();
});

const as = (accessToken, work) => auth.withAuth({ baseURL: host.url, accessToken }, work);

/** A test of one refused call, as whoever bears `bearer()` (the root key when there is none). */
function refused(type, what, call, sentence, { bearer, requests = 1 } = {}) {
  test(`${type.name}: ${what}`, async () => {
    const earlier = await stored(host);
    sent = [];
    const error = await failure(bearer ? as(bearer(), call) : call());
    const asked = sent;
    assert.ok(refusal(error) instanceof type, `${error?.name} ${error?.status}: ${error?.message}`);
    assert.match(refusal(error).message, sentence);
    assert.equal(refusal(error).headers["x-should-retry"], "false");
    assert.deepEqual(asked.length, requests, asked.join(", "));
    assert.deepEqual(await stored(host), earlier);
  });
}
// What a call for a batch fails with has the host's answer as its cause.
const refusal = (error) => (error?.name === "BatchTriggerError" ? error.cause : error);

// ---- 404

for (const [what, call] of [
  ["trigger", () => tasks.trigger("no-such-task", 1)],
  ["runs.retrieve", () => runs.retrieve(noRun)],
  ["runs.retrieve of what is no id", () => runs.retrieve("no id")],
  ["runs.poll", () => runs.poll(noRun)],
  ["runs.cancel", () => runs.cancel(noRun)],
  ["runs.replay", () => runs.replay(noRun)],
  ["runs.replay with overrides", () => runs.replay(noRun, { tags: ["x"] })],
  ["runs.reschedule", () => runs.reschedule(noRun, { delay: "1h" })],
  ["addTags", () => client().addTags(noRun, { tags: ["x"] })],
  ["getRunMetadata", () => client().getRunMetadata(noRun)],
  ["updateRunMetadata", () => client().updateRunMetadata(noRun, { metadata: {} })],
  ["listRunEvents", () => client().listRunEvents(noRun)],
  ["retrieveRunTrace", () => client().retrieveRunTrace(noRun)],
  ["retrieveRunTracePage", () => client().retrieveRunTracePage(noRun, { limit: 5 })],
  ["batch.retrieve", () => batch.retrieve(noBatch)],
  ["runs.bulk.retrieve", () => runs.bulk.retrieve(noBulk)],
  ["runs.bulk.abort", () => runs.bulk.abort(noBulk)],
  ["schedules.retrieve", () => schedules.retrieve(noSchedule)],
  ["schedules.update", () => schedules.update(noSchedule, { task: "echo", cron: "0 1 * * *" })],
  ["schedules.del", () => schedules.del(noSchedule)],
  ["schedules.activate", () => schedules.activate(noSchedule)],
  ["schedules.deactivate", () => schedules.deactivate(noSchedule)],
  ["wait.retrieveToken", () => wait.retrieveToken(noToken)],
  ["wait.completeToken", () => wait.completeToken(noToken, 1)],
  ["idempotencyKeys.reset", () => idempotencyKeys.reset("echo", "a".repeat(64))],
  ["getPayloadUrl", () => client().getPayloadUrl("no/such/packet.json")],
]) {
  refused(NotFoundError, what, call, /\w+ \w+ \w+/);
}
for (const [what, call] of [
  ["queues.retrieve", () => queues.retrieve(noQueue)],
  ["queues.retrieve by id", () => queues.retrieve("queue_000000000000000000000")],
  ["queues.pause", () => queues.pause(noQueue)],
  ["queues.resume", () => queues.resume(noQueue)],
  ["queues.overrideConcurrencyLimit", () => queues.overrideConcurrencyLimit(noQueue, 3)],
  ["queues.resetConcurrencyLimit", () => queues.resetConcurrencyLimit(noQueue)],
]) {
  refused(NotFoundError, what, call, /^queue-not-found$/);
}

// ---- 400

for (const [what, call, sentence] of [
  ["runs.list of a status that is none", () => runs.list({ status: "BAD" }), /Query Error/],
  ["runs.list of a size that is none", () => runs.list({ limit: 1000 }), /Query Error/],
  ["runs.list after a cursor that is none", () => runs.list({ after: "nonsense" }), /Query Error/],
  ["runs.list since a time that is none", () => runs.list({ from: "yesterday" }), /Query Error/],
  ["runs.list of a period that is none", () => runs.list({ period: "soon" }), /Query Error/],
  ["wait.listTokens of a status that is none", () => wait.listTokens({ status: ["BAD"] }), /Query Error/],
  ["schedules.list of a size that is none", () => schedules.list({ perPage: 1000 }), /Query Error/],
  ["queues.list of a size that is none", () => queues.list({ perPage: 1000 }), /Query Error/],
  ["runs.reschedule to a time that is none", () => runs.reschedule(held, { delay: "soon" }), /1h30m/],
  ["runs.reschedule of a run that has ended", () => runs.reschedule(done, { delay: "1h" }), /DELAYED|delayed/],
  ["runs.replay with a ttl that is none", () => runs.replay(done, { ttl: "long" }), /ttl/],
  ["schedules.create without a pattern", () => schedules.create({ ...cron, cron: undefined }), /"cron" is missing/],
  ["schedules.create without a task", () => schedules.create({ ...cron, task: undefined }), /"task" is missing/],
  ["schedules.update with a task that is no text", () => schedules.update(schedule, { ...cron, task: 7 }), /"task" must be/],
  ["updateRunMetadata with an operation that is none",
   () => client().updateRunMetadata(held, { operations: [{ type: "multiply", key: "n", value: 2 }] }), /multiply|operation/],
  ["updateRunMetadata of __proto__",
   () => client().updateRunMetadata(held, { operations: [{ type: "set", key: "$.__proto__.x", value: 2 }] }), /__proto__/],
  ["bulk action without runs or filter", () => client().createBulkAction({ action: "cancel" }), /runIds|filter/],
  ["bulk action that is none", () => client().createBulkAction({ action: "destroy", runIds: [done] }), /action/],
  ["queues.pause with an action that is none", () => client().pauseQueue(own, "stop"), /action/],
  ["queues.overrideConcurrencyLimit with a negative limit", () => queues.overrideConcurrencyLimit(own, -1), /concurrencyLimit/],
  ["idempotencyKeys.reset without a task", () => client().resetIdempotencyKey(undefined, "k"), /taskIdentifier/],
]) {
  refused(BadRequestError, what, call, sentence);
}

// ---- 422

for (const [what, options, sentence] of [
  ["too many tags", { tags: many(11) }, /tags must be at most 10 tags, not 11/],
  ["a tag that is too long", { tags: ["x".repeat(129)] }, /tags.*1 to 128/],
  ["a delay that is none", { delay: "soon" }, /delay.*1h30m/],
  ["a ttl that is none", { ttl: "long" }, /ttl.*10m/],
  ["a machine that is none", { machine: "huge" }, /machine.*small-1x/],
  ["a max duration that is too short", { maxDuration: 1 }, /maxDuration/],
  ["no attempts", { maxAttempts: 0 }, /maxAttempts/],
  ["a queue whose name is too long", { queue: "q".repeat(129) }, /queue.*128/],
  ["metadata of more than 256 KiB", { metadata: { text: "x".repeat(300_000) } }, /metadata.*262144 bytes/],
  ["a debounce without a key", { debounce: { delay: "5s" } }, /debounce/],
]) {
  refused(UnprocessableEntityError, `trigger with ${what}`, () => tasks.trigger("echo", 1, options), sentence);
}
for (const [what, call, sentence] of [
  ["trigger with a packet that was not uploaded",
   () => client().triggerTask("echo", { payload: "no/such.json", options: { payloadType: "application/store" } }), /no\/such.json/],
  ["addTags beyond ten", () => client().addTags(held, { tags: ["x", "y"] }), /10/],
  ["schedules.create with a pattern that is none", () => schedules.create({ ...cron, cron: "61 * * * *" }), /61/],
  ["schedules.create in a zone that is none", () => schedules.create({ ...cron, timezone: "Nowhere/Here" }), /Nowhere\/Here/],
  ["schedules.create of a task that is none", () => schedules.create({ ...cron, task: "no-such-task" }), /no-such-task/],
  ["schedules.create with a window that is none", () => schedules.create({ ...cron, window: "wide" }), /wide/],
  ["schedules.update to a pattern that is none", () => schedules.update(schedule, { ...cron, cron: "x" }), /x/],
  ["wait.createToken with a timeout that is none", () => wait.createToken({ timeout: "soon" }), /timeout.*10m/],
  ["wait.createToken with too many tags", () => wait.createToken({ tags: many(11) }), /10/],
  ["createBatch of too many", () => client().createBatch({ runCount: 100_000 }), /1000/],
]) {
  refused(UnprocessableEntityError, what, call, sentence);
}

// ---- 401, 403: of keys

for (const [what, call] of [
  ["trigger", () => tasks.trigger("echo", 1)],
  ["tasks.batchTrigger", () => tasks.batchTrigger("echo", [{ payload: 1 }])],
  ["runs.retrieve", () => runs.retrieve(done)],
  ["runs.list", () => runs.list()],
  ["runs.cancel", () => runs.cancel(held)],
  ["schedules.create", () => schedules.create(cron)],
  ["queues.pause", () => queues.pause(own)],
  ["wait.completeToken", () => wait.completeToken(token, 1)],
]) {
  refused(AuthenticationError, `${what} with a wrong key`, call, /not valid/, { bearer: () => "tr_prod_wrong" });
}
for (const [what, call] of [
  ["trigger", () => tasks.trigger("echo", 1)],
  ["tasks.batchTrigger", () => tasks.batchTrigger("echo", [{ payload: 1 }])],
  ["runs.cancel", () => runs.cancel(held)],
  ["runs.replay", () => runs.replay(done)],
  ["runs.reschedule", () => runs.reschedule(held, { delay: "2h" })],
  ["addTags", () => client().addTags(held, { tags: ["x"] })],
  ["updateRunMetadata", () => client().updateRunMetadata(held, { metadata: {} })],
  ["idempotencyKeys.reset", () => idempotencyKeys.reset("echo", "a".repeat(64))],
  ["runs.bulk.cancel", () => runs.bulk.cancel({ runIds: [held] })],
  ["runs.bulk.abort", () => runs.bulk.abort(bulk)],
  ["schedules.create", () => schedules.create(cron)],
  ["schedules.update", () => schedules.update(schedule, cron)],
  ["schedules.del", () => schedules.del(schedule)],
  ["schedules.activate", () => schedules.activate(schedule)],
  ["schedules.deactivate", () => schedules.deactivate(schedule)],
  ["queues.pause", () => queues.pause(own)],
  ["queues.resume", () => queues.resume(own)],
  ["queues.overrideConcurrencyLimit", () => queues.overrideConcurrencyLimit(own, 3)],
  ["queues.resetConcurrencyLimit", () => queues.resetConcurrencyLimit(own)],
  ["wait.createToken", () => wait.createToken({ timeout: "1m" })],
  ["wait.completeToken", () => wait.completeToken(token, 1)],
]) {
  refused(PermissionDeniedError, `${what} with a key that may only read`, call, /it needs the scope "(trigger|admin)"/, {
    bearer: () => readKey,
  });
}

// ---- 401, 403: of public access tokens

for (const [what, call] of [
  ["runs.replay", () => runs.replay(done)],
  ["runs.reschedule", () => runs.reschedule(held, { delay: "2h" })],
  ["addTags", () => client().addTags(held, { tags: ["x"] })],
  ["updateRunMetadata", () => client().updateRunMetadata(held, { metadata: {} })],
  ["idempotencyKeys.reset", () => idempotencyKeys.reset("echo", "a".repeat(64))],
  ["runs.bulk.cancel", () => runs.bulk.cancel({ runIds: [held] })],
  ["runs.bulk.list", () => runs.bulk.list()],
  ["schedules.create", () => schedules.create(cron)],
  ["schedules.list", () => schedules.list()],
  ["schedules.retrieve", () => schedules.retrieve(schedule)],
  ["schedules.del", () => schedules.del(schedule)],
  ["queues.list", () => queues.list()],
  ["queues.pause", () => queues.pause(own)],
  ["wait.createToken", () => wait.createToken({ timeout: "1m" })],
  ["wait.retrieveToken", () => wait.retrieveToken(token)],
  ["wait.listTokens", () => wait.listTokens()],
  ["createUploadPayloadUrl", () => client().createUploadPayloadUrl("a.json")],
]) {
  refused(AuthenticationError, `${what} with a public access token`, call, /use a secret key/, { bearer: () => reader });
}
for (const [what, call, scope] of [
  ["trigger", () => tasks.trigger("echo", 1), /trigger:tasks:echo/],
  ["tasks.batchTrigger", () => tasks.batchTrigger("echo", [{ payload: 1 }]), /batchTrigger:tasks/],
  ["runs.retrieve", () => runs.retrieve(done), /read:runs/],
  ["runs.list", () => runs.list(), /read:runs/],
  ["runs.cancel", () => runs.cancel(held), /write:runs/],
  ["wait.completeToken", () => wait.completeToken(token, 1), /write:waitpoints/],
]) {
  refused(PermissionDeniedError, `${what} with a token that does not permit it`, call, scope, { bearer: () => nothing });
}
test("a 403 has the members that the client makes its error of", async () => {
  const error = await failure(as(nothing, () => runs.retrieve(done)));
  assert.deepEqual([error.code, error.param, error.type], ["unauthorized", "access_token", "authorization"]);
});

// ---- a batch whose items are refused

test("an item that cannot be read spoils its batch, which has no runs then", async () => {
  const earlier = await stored(host);
  sent = [];
  const error = await failure(tasks.batchTrigger("echo", [{ payload: 1 }, { payload: 2, options: { delay: "soon" } }]));
  assert.ok(error.cause instanceof UnprocessableEntityError || error.cause?.cause instanceof UnprocessableEntityError, error.stack);
  assert.match(error.message, /delay/);
  assert.equal(sent.length, 2, sent.join(", "));
  assert.deepEqual(await stored(host), earlier);
});

// ---- a token that is good for one trigger

test("a one-use token is not used up by a trigger that is refused, and by the first that is not", async () => {
  const earlier = await stored(host);
  const ticket = await auth.createTriggerPublicToken("echo");
  const wrong = await failure(as(ticket, () => tasks.trigger("echo", 1, { tags: many(11) })));
  assert.ok(wrong instanceof UnprocessableEntityError);
  assert.deepEqual(await stored(host), earlier);
  const handle = await as(ticket, () => tasks.trigger("echo", 1, { delay: "1h" }));
  const one = await stored(host);
  assert.equal(one.runs.length, earlier.runs.length + 1);
  sent = [];
  const again = await failure(as(ticket, () => tasks.trigger("echo", 1, { delay: "1h" })));
  assert.ok(again instanceof UnprocessableEntityError);
  assert.equal(sent.length, 1);
  assert.deepEqual(await stored(host), one);
  assert.ok(one.runs.includes(`${handle.id} DELAYED`));
});

// ---- 429, last: from here on wrong keys are

test("RateLimitError: too many wrong keys from one address", async () => {
  const earlier = await stored(host);
  let error;
  for (let i = 0; i < 40 && !(error instanceof RateLimitError); i++) {
    sent = [];
    error = await failure(as(`tr_prod_wrong${i}`, () => tasks.trigger("echo", 1)));
  }
  assert.ok(error instanceof RateLimitError, error.message);
  assert.match(error.message, /wait/);
  assert.equal(sent.length, 1);
  assert.ok(Number(error.headers["retry-after"]) > 0);
  assert.ok(Number(error.headers["x-ratelimit-reset"]) > Date.now());
  assert.ok(error.millisecondsUntilReset >= 0);
  assert.deepEqual(await stored(host), earlier);
});
