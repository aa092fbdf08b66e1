// What the client never sends, byte by byte: broken bodies on every route that takes one, heads that are too large or no
// HTTP, paths that lead nowhere. Each has an answer of the shape that the client makes its errors of, and stores nothing.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { before, test } from "node:test";
import { runs, schedules, tasks, wait } from "@trigger.dev/sdk";
import { startHost, stored } from "./host.mjs";

const host = await startHost();
const { hostname, port } = new URL(host.url);

/** Sends `bytes` as they are; the first answer, whatever its connection does then. */
function exchange(bytes) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port });
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      const [line, ...lines] = text.slice(0, end).split("\r\n");
      const headers = Object.fromEntries(lines.map((each) => each.split(/: */, 2).map((part, i) => (i ? part : part.toLowerCase()))));
      const body = text.slice(end + 4);
      if (body.length < Number(headers["content-length"] ?? 0)) return;
      resolve({ status: Number(line.split(" ")[1]), headers, body });
      socket.destroy();
    });
    socket.on("error", (error) => (text ? undefined : reject(error)));
    socket.on("close", () => reject(new Error(`closed without an answer: ${text}`)));
    for (const piece of [bytes].flat()) socket.write(piece);
  });
}

function request(method, path, { headers = {}, body, type = "application/json" } = {}) {
  const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(body);
  const all = { host: `${hostname}:${port}`, authorization: `Bearer ${host.key}` };
  if (bytes) Object.assign(all, { "content-type": type, "content-length": bytes.length });
  const head = Object.entries({ ...all, ...headers }).filter(([, value]) => value !== undefined);
  const text = `${method} ${path} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return bytes ? [text, bytes] : [text];
}

function is_refusal(answer, status, sentence) {
  assert.equal(answer.status, status, answer.body);
  assert.match(answer.headers["content-type"], /^application\/json/);
  assert.equal(answer.headers["x-should-retry"], "false");
  assert.match(answer.headers["x-request-id"], /./);
  const { error } = JSON.parse(answer.body);
  assert.equal(typeof error, "string");
  assert.match(error, sentence);
}

/** A test of one request that is refused with `status`, in a sentence like `sentence`. */
function refused(status, what, make, sentence) {
  test(`${status}: ${what}`, async () => {
    const earlier = await stored(host);
    is_refusal(await exchange(make()), status, sentence);
    assert.deepEqual(await stored(host), earlier);
  });
}

// Of everything that paths name, one.
const places = {};
before(async () => {
  places.run = (await tasks.trigger("echo", 1, { delay: "1h", metadata: { n: 1 } })).id;
  places.delayed = places.run;
  places.waitpoint = (await wait.createToken({ timeout: "1h" })).id;
  places.schedule = (await schedules.create({ task: "echo", cron: "0 1 * * *", deduplicationKey: "one" })).id;
  places.batch = (await (await host.fetch("/api/v3/batches", { method: "POST", body: '{"runCount":2}' })).json()).id;
  places.queue = (await (await host.fetch("/api/v1/queues?perPage=1")).json()).data[0].id;
  Object.assign(places, { task: "echo", key: "k", plugin: "playground", project: "p", environment: "prod", variable: "NONE" });
  await runs.retrieve(places.run);
});

// ---- bodies, on every route that takes one

const deep = "[".repeat(100_000) + "]".repeat(100_000);
const bodies = [
  ["that ends in the middle", '{"'],
  ["that is no JSON", "payload=1&delay=2"],
  ["of two documents", "{}{}"],
  ["that is a list", "[1]"],
  ["that is a string", '"x"'],
  ["with a byte that is no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ["with half a surrogate in UTF-8", Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
  ["nested a hundred thousand deep", `{"payload":${deep},"task":${deep}}`],
  ["with a number that is none", '{"payload":NaN}'],
  ["with a number beyond all doubles", '{"payload":1e999,"data":1e999,"metadata":{"n":1e999}}'],
];
const spec = await (await host.fetch("/perdure/v1/openapi.json")).json();
// An upload is whatever bytes come, and a callback that is no JSON counts as {}, by contract.
const untyped = ["/packets/{address}", "/api/v1/waitpoints/tokens/{waitpoint}/callback/{hash}"];
for (const [path, operations] of Object.entries(spec.paths)) {
  for (const [method, operation] of Object.entries(operations)) {
    if (!operation.requestBody || untyped.includes(path)) continue;
    const [type] = Object.keys(operation.requestBody.content);
    test(`400 or 422: ${method} ${path} with a body that is none`, async () => {
      const target = path.replace(/\{(\w+)\}/g, (_, place) => places[place] ?? assert.fail(place));
      const earlier = await stored(host);
      for (const [what, body] of bodies) {
        const answer = await exchange(request(method.toUpperCase(), target, { body, type }));
        assert.ok([400, 422].includes(answer.status), `a body ${what}: ${answer.status} ${answer.body}`);
        is_refusal(answer, answer.status, /\w+ \w+/);
      }
      assert.deepEqual(await stored(host), earlier);
    });
  }
}

const trigger = (options) => request("POST", "/api/v1/tasks/echo/trigger", options);
const issues = (body) => JSON.parse(body).issues;

test("a body that is no JSON tells its issues, and so does an option", async () => {
  const bad = await exchange(trigger({ body: "{" }));
  is_refusal(bad, 400, /^Invalid request body/);
  assert.deepEqual(Object.keys(issues(bad.body)[0]).sort(), ["code", "message", "path"]);
  const option = await exchange(trigger({ body: '{"options":{"ttl":"long"}}' }));
  is_refusal(option, 422, /options.ttl/);
  assert.deepEqual(issues(option.body)[0].path, ["options", "ttl"]);
});

test("of a member that is there twice the last counts, as in JavaScript", async () => {
  const body = '{"payload":1,"payload":2,"options":{"delay":"2d","delay":"1h","tags":"a","tags":"b"}}';
  const answer = await exchange(trigger({ body }));
  assert.equal(answer.status, 200, answer.body);
  const run = await runs.retrieve(JSON.parse(answer.body).id);
  assert.deepEqual([run.payload, run.status, run.tags], [2, "DELAYED", ["b"]]);
});

refused(400, "a payload nested 129 deep", () => trigger({ body: `{"payload":${"[".repeat(129)}${"]".repeat(129)}}` }), /nest|deep|128/);
refused(400, "a payload whose text is no JSON", () => trigger({ body: '{"payload":"{"}' }), /payload/);
refused(400, "superjson without json", () => trigger({ body: '{"payload":"{}","options":{"payloadType":"application/super+json"}}' }), /json/);
refused(422, "a payload type that is none", () => trigger({ body: '{"payload":"1","options":{"payloadType":"text/html"}}' }), /payloadType/);
refused(422, "an option that is misspelt", () => trigger({ body: '{"options":{"delya":"1h"}}' }), /did you mean delay/);
refused(413, "a payload of more than 3 MB", () => trigger({ body: `{"payload":"${"1".repeat(3 << 20)}1"}` }), /3145728|more than/);
refused(413, "a body of more than 8 MB", () => trigger({ body: Buffer.alloc((8 << 20) + 1, 0x20) }), /large/);
refused(413, "a chunked body of more than 8 MB",
        () => [...trigger({ headers: { "transfer-encoding": "chunked", "content-type": "application/json" } }),
               ...Array.from({ length: 9 }, () => `100000\r\n${" ".repeat(1 << 20)}\r\n`)], /large/);
refused(413, "a body that only says it were so large",
        () => trigger({ headers: { "content-length": "9007199254740991", "content-type": "application/json" } }), /large/);
refused(415, "a trigger that is a form", () => trigger({ body: "payload=1", type: "application/x-www-form-urlencoded" }), /application\/json/);
refused(415, "items of a batch that are no lines", () => request("POST", `/api/v3/batches/${places.batch}/items`, { body: "[]", type: "application/json" }),
        /application\/x-ndjson/);

for (const [status, what, line, sentence] of [
  [400, "a broken line", '{"index":0,"task":"echo"}\n{"index"', /line 2/],
  [422, "an index beyond the count", '{"index":2,"task":"echo"}', /line 1.*index 2/],
  [422, "a negative index", '{"index":-1,"task":"echo"}', /line 1.*index/],
  [422, "an item without a task", '{"index":0}', /line 1.*task/],
  [422, "an item with an option that is none", '{"index":0,"task":"echo","options":{"ttl":"x"}}', /line 1.*ttl/],
]) {
  refused(status, `items with ${what}`,
          () => request("POST", `/api/v3/batches/${places.batch}/items`, { body: line, type: "application/x-ndjson" }), sentence);
}
refused(404, "items of no batch", () => request("POST", "/api/v3/batches/batch_none/items", { body: "", type: "application/x-ndjson" }), /batch_none/);

// ---- heads

refused(431, "a header that is too large", () => trigger({ body: "{}", headers: { "x-long": "x".repeat(20_000) } }), /bytes|large/);
refused(431, "too many headers",
        () => trigger({ body: "{}", headers: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x-${i}`, "1"])) }), /many headers/);
refused(414, "a path that is too long", () => request("GET", `/api/v1/runs/${"x".repeat(9000)}`), /long/);
refused(400, "a path with a broken escape", () => request("GET", "/api/v3/runs/%zz"), /percent escape/);
refused(400, "a request without a host", () => request("GET", "/api/v1/runs", { headers: { host: undefined } }), /Host/);
refused(403, "a host that is somebody else", () => request("GET", "/api/v1/runs", { headers: { host: "evil.example" } }), /evil\.example/);
refused(401, "no key", () => request("GET", "/api/v1/runs", { headers: { authorization: undefined } }), /API key is missing/);
refused(401, "a key of another scheme", () => request("GET", "/api/v1/runs", { headers: { authorization: "Basic eDp5" } }), /Bearer/);
refused(400, "what is no HTTP", () => ["\x16\x03\x01 hello\r\n\r\n"], /HTTP/);
refused(501, "a coding that nobody knows", () => trigger({ headers: { "transfer-encoding": "gzip" } }), /chunked/);

// ---- paths

refused(404, "a path that leads nowhere", () => request("GET", "/api/v1/nothing"), /nothing at \/api\/v1\/nothing/);
refused(404, "retrieve by the version of cancel", () => request("GET", `/api/v2/runs/${places.run}`), /nothing at/);
refused(404, "an empty segment", () => request("GET", "/api/v3/runs/"), /nothing at/);
for (const [method, path, allowed] of [
  ["GET", "/api/v1/tasks/echo/trigger", /^POST$/],
  ["DELETE", "/api/v1/runs", /GET/],
  ["PATCH", "/api/v1/schedules", /GET.*POST|POST.*GET/],
  ["POST", "/api/v1/timezones", /GET/],
  ["GET", "/api/v1/waitpoints/tokens/waitpoint_x/callback/y", /^POST$/],
  ["DELETE", "/api/v1/whoami", /GET/],
]) {
  test(`405: ${method} ${path}`, async () => {
    const answer = await exchange(request(method, path));
    is_refusal(answer, 405, /only/);
    assert.match(answer.headers.allow, allowed);
  });
}

test("a refusal leaves the connection to the next request", async () => {
  const socket = connect({ host: hostname, port });
  const text = await new Promise((resolve, reject) => {
    let all = "";
    socket.on("data", (data) => {
      all += data;
      if (/"data":/.test(all)) resolve(all);
    });
    socket.on("error", reject);
    for (const piece of [...trigger({ body: "{" }), ...request("GET", "/api/v1/runs")]) socket.write(piece);
  });
  socket.destroy();
  assert.match(text, /^HTTP\/1.1 400 /);
  assert.match(text, /\r\nHTTP\/1.1 200 |\}HTTP\/1.1 200 /);
});
