// wait.*: tokens as the client makes, completes, reads and lists them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { auth, runs, tasks, wait } from "@trigger.dev/sdk";
import { failure, once, startHost } from "./host.mjs";

const host = await startHost();

const timed_out = async (id) => {
  for (;;) {
    const token = await wait.retrieveToken(id);
    if (token.status !== "WAITING") return token;
  }
};

test("a token is made, completed with a value, and read back with it", async () => {
  const made = await wait.createToken({ timeout: "10m", tags: ["a"], idempotencyKey: "ik", idempotencyKeyTTL: "1h" });
  assert.match(made.id, /^waitpoint_[0-9a-z]+$/);
  assert.equal(made.isCached, false);
  assert.equal((await wait.createToken({ idempotencyKey: "ik" })).isCached, true);
  const waiting = await wait.retrieveToken(made.id);
  assert.equal(waiting.status, "WAITING");
  assert.equal(waiting.url, made.url);
  assert.deepEqual(waiting.tags, ["a"]);
  assert.ok(waiting.timeoutAt > waiting.createdAt);
  assert.equal(waiting.completedAt, undefined);
  assert.deepEqual(await wait.completeToken(made.id, { status: "approved" }), { success: true });
  const completed = await wait.retrieveToken(made.id);
  assert.equal(completed.status, "COMPLETED");
  assert.deepEqual(completed.output, { status: "approved" });
  assert.ok(completed.completedAt instanceof Date);
});

test("strings, null and nothing come back as they were", async () => {
  for (const value of ["text", null, 7, [1, { a: "b" }]]) {
    const { id } = await wait.createToken({ timeout: "1m" });
    await wait.completeToken(id, value);
    assert.deepEqual((await wait.retrieveToken(id)).output, value);
  }
});

test("a token that times out says so with a WaitpointTimeoutError", async () => {
  const { id } = await wait.createToken({ timeout: "1s" });
  const token = await timed_out(id);
  assert.equal(token.status, "TIMED_OUT");
  assert.equal(token.error.name, "WaitpointTimeoutError");
  assert.match(token.error.message, /timed out at/);
});

test("its URL completes it without a key", async () => {
  const { id, url } = await wait.createToken({ timeout: "1m" });
  assert.equal((await fetch(url.slice(0, -4) + "0000", { method: "POST", body: "{}" })).status, 401);
  const answer = await fetch(url, { method: "POST", body: JSON.stringify({ from: "outside" }) });
  assert.deepEqual(await answer.json(), { success: true });
  assert.deepEqual((await wait.retrieveToken(id)).output, { from: "outside" });
});

test("its public access token completes it and no other", async () => {
  const made = await wait.createToken({ timeout: "1m" });
  const other = await wait.createToken({ timeout: "1m" });
  const as = (work) => auth.withAuth({ baseURL: host.url, accessToken: made.publicAccessToken }, work);
  assert.equal((await failure(as(() => wait.completeToken(other.id, 1, once)))).status, 403);
  assert.deepEqual(await as(() => wait.completeToken(made.id, 1, once)), { success: true });
});

test("tokens are listed by status and tag, page by page", async () => {
  for (let i = 0; i < 3; i++) await wait.createToken({ timeout: "1m", tags: ["listed"] });
  const ids = [];
  for await (const token of wait.listTokens({ tags: ["listed"], status: ["WAITING"], limit: 2 })) ids.push(token.id);
  assert.equal(ids.length, 3);
  assert.equal(new Set(ids).size, 3);
});

test("tokens are found by key, period and time, and pages lead both ways", async () => {
  const before = new Date();
  const { id } = await wait.createToken({ timeout: "1m", tags: ["found"], idempotencyKey: "the key" });
  const ids = async (options) => (await wait.listTokens(options)).data.map((token) => token.id);
  assert.deepEqual(await ids({ idempotencyKey: "the key" }), [id]);
  assert.deepEqual(await ids({ tags: ["found", "none"] }), [id]);
  assert.deepEqual(await ids({ tags: "found", period: "1h" }), [id]);
  assert.deepEqual(await ids({ tags: "found", from: before, to: new Date(Date.now() + 1000) }), [id]);
  assert.deepEqual(await ids({ tags: "found", to: new Date(before - 1000) }), []);
  assert.deepEqual(await ids({ tags: "found", status: "COMPLETED" }), []);
  for (let i = 0; i < 2; i++) await wait.createToken({ timeout: "1m", tags: ["found"] });
  const first = await wait.listTokens({ tags: "found", limit: 2 });
  const second = await first.getNextPage();
  assert.deepEqual(second.data.map((token) => token.id), [id]);
  assert.deepEqual(await ids({ tags: "found", limit: 2, before: second.pagination.previous }), first.data.map((token) => token.id));
});

test("a token's time can be a Date", async () => {
  const at = new Date(Date.now() + 3_600_000);
  const { id } = await wait.createToken({ timeout: at });
  assert.equal(+(await wait.retrieveToken(id)).timeoutAt, +at);
});

test("a run goes on with what its token is completed with", { timeout: 30_000 }, async () => {
  const { id } = await wait.createToken({ timeout: "1h" });
  const handle = await tasks.trigger("wait-token", { token: id });
  for await (const run of runs.subscribeToRun(handle.id)) if (run.status === "WAITING") break;
  await wait.completeToken(id, { by: "me" });
  assert.deepEqual((await runs.poll(handle.id, { pollIntervalMs: 20 })).output, { by: "me" });
});

test("its URL takes what it can, and says what it cannot", async () => {
  const { id, url } = await wait.createToken({ timeout: "1m" });
  assert.equal((await fetch(url)).status, 405);
  const elsewhere = url.replace(id, "waitpoint_000000000000000000000");
  assert.equal((await fetch(elsewhere, { method: "POST", body: "{}" })).status, 404);
  const lengthless = new ReadableStream({ start: (controller) => (controller.enqueue(new TextEncoder().encode("{}")), controller.close()) });
  assert.equal((await fetch(url, { method: "POST", body: lengthless, duplex: "half" })).status, 411);
  assert.equal((await wait.retrieveToken(id)).status, "WAITING");
  const answer = await fetch(url, { method: "POST", body: "no JSON" });
  assert.deepEqual(await answer.json(), { success: true });
  assert.deepEqual((await wait.retrieveToken(id)).output, {});
  assert.equal((await fetch(url, { method: "POST", body: '{"late":1}' })).status, 200);
  assert.deepEqual((await wait.retrieveToken(id)).output, {}, "the first counts");
});

test("an unknown token is a NotFoundError", async () => {
  assert.equal((await failure(wait.retrieveToken("waitpoint_none", once))).status, 404);
  assert.equal((await failure(wait.completeToken("waitpoint_none", 1, once))).status, 404);
});

test("a page of another origin completes a token by its public access token", async () => {
  const made = await wait.createToken({ timeout: "10m" });
  const answer = await fetch(`${host.url}/api/v1/waitpoints/tokens/${made.id}/complete`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${made.publicAccessToken}`,
      "content-type": "application/json",
      origin: "https://shop.example",
    },
    body: '{"data":"done"}',
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  assert.equal((await wait.retrieveToken(made.id)).output, "done");
});

test("a further key gets a token of its own to complete with", async () => {
  const key = (await host.cli("keys", "create", "--scope", "trigger")).trim();
  const made = await auth.withAuth({ baseURL: host.url, accessToken: key }, () => wait.createToken({ timeout: "10m" }));
  await auth.withAuth({ baseURL: host.url, accessToken: made.publicAccessToken }, () => wait.completeToken(made, 1));
  assert.equal((await wait.retrieveToken(made.id)).status, "COMPLETED");
});
