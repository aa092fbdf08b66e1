// What pages in browsers may ask: those of other origins only what public access tokens are for, those of the host's own
// address everything; and no page by a name that was made to lead here.
import assert from "node:assert/strict";
import { request } from "node:http";
import { before, test } from "node:test";
import { auth, tasks, wait } from "@trigger.dev/sdk";
import { startHost } from "./host.mjs";

const host = await startHost({ config: '[host]\nnames = ["perdure.example"]\n' });
const elsewhere = "https://shop.example";

const ids = { run: "", batch: "", waitpoint: "" };
let token;
before(async () => {
  ids.run = (await tasks.trigger("echo", 1, { tags: ["t"] })).id;
  ids.batch = (await tasks.batchTrigger("echo", [{ payload: 1 }])).batchId;
  ids.waitpoint = (await wait.createToken({ timeout: "1h" })).id;
  token = await auth.createPublicToken({
    scopes: { read: { runs: true, tags: true, batch: ids.batch }, write: { waitpoints: ids.waitpoint }, trigger: { tasks: ["echo"] } },
  });
});

const open = () => [
  ["POST", "/api/v1/tasks/echo/trigger"],
  ["POST", "/api/v3/batches"],
  ["POST", `/api/v3/batches/${ids.batch}/items`],
  ["GET", `/api/v3/runs/${ids.run}`],
  ["GET", `/api/v2/batches/${ids.batch}`],
  ["GET", "/api/v1/runs"],
  ["POST", `/api/v2/runs/${ids.run}/cancel`],
  ["POST", `/api/v1/waitpoints/tokens/${ids.waitpoint}/complete`],
  ["GET", `/realtime/v1/runs/${ids.run}`],
  ["GET", "/realtime/v1/runs?tags=t"],
  ["GET", `/realtime/v1/batches/${ids.batch}`],
  ["GET", `/realtime/v1/streams/${ids.run}/lines`],
  ["GET", `/api/v1/runs/${ids.run}/packets/payload`],
];
const closed = () => [
  ["POST", `/api/v1/runs/${ids.run}/replay`],
  ["POST", "/api/v1/waitpoints/tokens"],
  ["GET", `/api/v1/waitpoints/tokens/${ids.waitpoint}`],
  ["GET", "/api/v1/schedules"],
  ["POST", "/api/v1/queues/echo/pause"],
  ["GET", "/api/v1/queues"],
  ["POST", "/api/v1/auth/jwt/claims"],
  ["GET", "/api/v1/projects/p/envvars/prod"],
  ["GET", "/api/v1/whoami"],
  ["GET", "/perdure/v1/status"],
  ["GET", "/perdure/v1/keys"],
  ["GET", "/api/v1/nothing"],
];
const preflight = (method, path, origin = elsewhere) =>
  fetch(host.url + path, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": method, "access-control-request-headers": "authorization,content-type,x-trigger-client" },
  });

test("a preflight lets pages ask for what tokens are for", async () => {
  for (const [method, path] of open()) {
    const answer = await preflight(method, path);
    assert.equal(answer.status, 204, path);
    assert.equal(answer.headers.get("access-control-allow-origin"), "*", path);
    assert.equal(answer.headers.get("access-control-allow-headers"), "authorization,content-type,x-trigger-client", path);
    assert.ok(answer.headers.get("access-control-allow-methods").includes(method), path);
    assert.equal(answer.headers.get("access-control-allow-credentials"), null, path);
  }
});

test("a preflight for anything else is refused, and so is the request", async () => {
  for (const [method, path] of closed()) {
    for (const answer of [await preflight(method, path), await host.fetch(path, { method, headers: { origin: elsewhere } })]) {
      assert.equal(answer.status, 403, path);
      assert.equal(answer.headers.get("access-control-allow-origin"), null, path);
      assert.match((await answer.json()).error, /pages of the origin "https:\/\/shop.example"/);
    }
  }
});

test("a page is let see the answer, the refusal too", async () => {
  const as = (bearer, path, options) => fetch(host.url + path, { ...options, headers: { authorization: `Bearer ${bearer}`, origin: elsewhere, "content-type": "application/json" } });
  const triggered = await as(token, "/api/v1/tasks/echo/trigger", { method: "POST", body: "{}" });
  assert.equal(triggered.status, 200);
  assert.ok(triggered.headers.get("x-trigger-jwt"), "what the client would make for itself with a key");
  assert.match(triggered.headers.get("access-control-expose-headers"), /\*|x-trigger-jwt/);
  for (const path of [`/api/v3/runs/${ids.run}`, "/api/v1/runs", `/realtime/v1/runs/${ids.run}?offset=-1`, `/realtime/v1/runs?tags=t&offset=-1`, `/realtime/v1/batches/${ids.batch}?offset=-1`]) {
    const answer = await as(token, path);
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers.get("access-control-allow-origin"), "*", path);
    assert.ok(answer.headers.get("access-control-expose-headers"), path);
  }
  for (const [bearer, path, status] of [[token.slice(0, -3) + "abc", "/api/v1/runs", 401], [token, "/api/v3/runs/run_00000000000000000000000000", 404]]) {
    const answer = await as(bearer, path);
    assert.equal(answer.status, status, path);
    assert.equal(answer.headers.get("access-control-allow-origin"), "*", path);
  }
});

test("pages of this machine, and of the host's own names, may ask for everything", async () => {
  for (const origin of [host.url, "http://localhost:5173", "http://127.0.0.1:1", "http://[::1]:8080", "https://perdure.example"]) {
    assert.equal((await host.fetch("/perdure/v1/status", { headers: { origin } })).status, 200, origin);
  }
  for (const origin of ["null", "http://127.0.0.1.evil.example", "http://localhost.evil.example", "file://", "http://perdure.example.evil.example"]) {
    assert.equal((await host.fetch("/perdure/v1/status", { headers: { origin } })).status, 403, origin);
  }
});

test("a name that leads here is not enough", async () => {
  const { hostname, port } = new URL(host.url);
  const ask = (name) =>
    new Promise((resolve, reject) => {
      const asked = request({ host: hostname, port, path: "/api/v1/runs", headers: { host: name, authorization: `Bearer ${host.key}` } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.on("error", reject).end();
    });
  for (const name of [`localhost:${port}`, "127.0.0.1", "[::1]:80", "192.168.1.7:3030", "perdure.example", "PERDURE.example:443", "a.localhost"]) {
    assert.equal(await ask(name), 200, name);
  }
  for (const name of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "localhost.evil.example"]) {
    assert.equal(await ask(name), 403, name);
  }
  for (const name of ["a b", "[::1", "x:y"]) assert.equal(await ask(name), 400, name);
});
