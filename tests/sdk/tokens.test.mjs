// Waitpoint tokens: made, found, completed by the client, by a page, by the address that goes to third parties.
import assert from "node:assert/strict";
import { test } from "node:test";
import { auth, wait } from "@trigger.dev/sdk";
import { failure, once, startHost } from "./host.mjs";

const host = await startHost();
const patience = { timeout: 30_000 };

test("a token is made, found and completed", patience, async () => {
  const made = await wait.createToken({ timeout: "10m", tags: ["a"], idempotencyKey: "ik", idempotencyKeyTTL: "1h" });
  assert.match(made.id, /^waitpoint_/);
  assert.equal((await wait.createToken({ idempotencyKey: "ik" })).id, made.id);
  const found = await wait.retrieveToken(made.id);
  assert.equal(found.status, "WAITING");
  assert.deepEqual(found.tags, ["a"]);
  assert.ok(found.timeoutAt > new Date());
  assert.equal((await wait.completeToken(made, { answer: 42 })).success, true);
  const done = await wait.retrieveToken(made.id);
  assert.equal(done.status, "COMPLETED");
  assert.deepEqual(done.output, { answer: 42 });
  assert.equal((await wait.completeToken(made, { answer: 43 })).success, true);
  assert.deepEqual((await wait.retrieveToken(made.id)).output, { answer: 42 });
});

test("a token that nobody completed has timed out", patience, async () => {
  const made = await wait.createToken({ timeout: "1s" });
  let found = await wait.retrieveToken(made.id);
  while (found.status === "WAITING") found = await wait.retrieveToken(made.id);
  assert.equal(found.status, "TIMED_OUT");
  assert.match(found.error.message, /timed out/i);
});

test("tokens are listed, newest first, and filtered", patience, async () => {
  const one = await wait.createToken({ tags: ["list"] });
  const two = await wait.createToken({ tags: ["list", "more"] });
  await wait.completeToken(two, "x");
  const ids = async (options) => {
    const found = [];
    for await (const token of wait.listTokens(options)) found.push(token.id);
    return found;
  };
  assert.deepEqual(await ids({ tags: ["list"], limit: 1 }), [two.id, one.id]);
  assert.deepEqual(await ids({ tags: ["list"], status: ["WAITING"] }), [one.id]);
});

test("a page completes a token by its public access token", patience, async () => {
  const made = await wait.createToken({ timeout: "10m" });
  const other = await wait.createToken({ timeout: "10m" });
  const complete = (token) =>
    fetch(`${host.url}/api/v1/waitpoints/tokens/${token.id}/complete`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${made.publicAccessToken}`,
        "content-type": "application/json",
        origin: "https://shop.example",
      },
      body: '{"data":"done"}',
    });
  assert.equal((await complete(other)).status, 403);
  const answer = await complete(made);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  assert.equal((await wait.retrieveToken(made.id)).output, "done");
});

test("the address of a token completes it, another does not", patience, async () => {
  const made = await wait.createToken({ timeout: "10m" });
  const post = (url) => fetch(url, { method: "POST", body: '{"by":"callback"}' });
  assert.equal((await post(`${made.url.slice(0, -4)}0000`)).status, 401);
  assert.equal((await post(made.url)).status, 200);
  assert.deepEqual((await wait.retrieveToken(made.id)).output, { by: "callback" });
});

test("a further key gets a token of its own to complete with", patience, async () => {
  const key = (await host.cli("keys", "create", "--scope", "trigger")).trim();
  const made = await auth.withAuth({ baseURL: host.url, accessToken: key }, () => wait.createToken({ timeout: "10m" }));
  await auth.withAuth({ baseURL: host.url, accessToken: made.publicAccessToken }, () => wait.completeToken(made, 1));
  assert.equal((await wait.retrieveToken(made.id)).status, "COMPLETED");
});

test("an unknown token is a NotFoundError", async () => {
  assert.equal((await failure(wait.retrieveToken("waitpoint_000000000000000000000", once))).status, 404);
});
