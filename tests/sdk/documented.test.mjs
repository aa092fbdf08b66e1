// What is documented is so: each example of the API's description and of the README is executed against a real host,
// and what it answers has the documented status and shape, with no member that is not described.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { Validator } from "@seriousme/openapi-schema-validator";
import { runs, tasks, wait } from "@trigger.dev/sdk";
import addFormats from "ajv-formats";
import Ajv from "ajv/dist/2020.js";
import { startHost } from "./host.mjs";

// A plugin directory of its own, where one plugin comes in a second version, which can be taken back.
const plugins = mkdtempSync(join(tmpdir(), "perdure-plugins-"));
after(() => rmSync(plugins, { recursive: true, force: true }));
for (const name of ["playground.so", "hello-c.so"]) cpSync(join(process.env.PERDURE_TEST_PLUGIN_DIR, name), join(plugins, name));
const host = await startHost({ plugins });
const json = async (path, options) => await (await host.fetch(path, options)).json();
const post = (path, body) => json(path, { method: "POST", body: JSON.stringify(body) });
const document = await json("/perdure/v1/openapi.json");

// What the document says of an object is all that there is of it.
const strict = structuredClone(document.components);
for (const schema of Object.values(strict.schemas)) schema.additionalProperties = false;
const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
ajv.addSchema({ $id: "api", components: strict });
const shape_of = (schema) => ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/')));

// ---- One of everything that stands in braces

async function second_version() {
  const hash = async () => (await json("/perdure/v1/plugins")).data.find((plugin) => plugin.name === "hello-c")?.versionHash;
  const first = await hash();
  const next = join(plugins, ".hello-c.so.new");
  cpSync(join(plugins, "hello-c.so"), next);
  appendFileSync(next, "\0");
  renameSync(next, join(plugins, "hello-c.so"));
  while ((await hash()) === first) await new Promise((resolve) => setTimeout(resolve, 20));
  return "hello-c";
}

const counted = (await tasks.trigger("count", { to: 2 }, { tags: ["user:1"] })).id;
await runs.poll(counted, { pollIntervalMs: 20 });
const crashed = (await tasks.trigger("crash", {}, { maxAttempts: 1, tags: ["user:1"] })).id;
const family = (await tasks.trigger("family", { children: 1 })).id;
for (const id of [crashed, family]) await runs.poll(id, { pollIntervalMs: 20 });
let executing, token, upload;

const places = {
  task: () => "hello-world",
  key: async () => (await tasks.trigger("echo", 1, { idempotencyKey: "k".repeat(64), delay: "1h" }), "k".repeat(64)),
  run: () => counted,
  finished: () => counted,
  delayed: async () => (await tasks.trigger("echo", 1, { delay: "1h" })).id,
  async executing() {
    if (executing) return executing;
    executing = (await tasks.trigger("sleep", { ms: 600_000 })).id;
    for await (const run of runs.subscribeToRun(executing)) if (run.status === "EXECUTING") return executing;
  },
  bulk: async () => (await post("/api/v1/bulk-actions", { action: "cancel", filter: { tag: "nobody" } })).id,
  batch: async () => (await post("/api/v3/batches", { runCount: 1 })).id,
  stream: () => "lines",
  api_key: async () => (await post("/perdure/v1/keys", { scopes: ["read"] })).id,
  queue: async () => (await json("/api/v1/queues")).data[0].id,
  schedule: async () => (await post("/api/v1/schedules", { task: "echo", cron: "*/5 * * * *", deduplicationKey: "mine" })).id,
  plugin: second_version,
  async packet() {
    upload = (await json("/api/v2/packets/a%2Fb.json", { method: "PUT" })).presignedUrl;
    await fetch(upload, { method: "PUT", body: "1", headers: { "content-type": "application/json" } });
    return "a%2Fb.json";
  },
  field: () => "payload",
  waitpoint: async () => (token = await wait.createToken({ timeout: "1h" })).id,
  hash: () => token.url.split("/").at(-1),
  project: () => "proj_any",
  environment: () => "prod",
  variable: async () => (await post("/api/v1/projects/p/envvars/prod", { name: "API_URL", value: "x" }), "API_URL"),
};

test("the description is valid OpenAPI 3.1", async () => {
  const result = await new Validator().validate(structuredClone(document));
  assert.deepEqual(result.errors ?? [], []);
  assert.equal(result.valid, true);
});

/** Executes a curl command; its answer's status and body. */
async function curl(source, cwd) {
  assert.match(source, /^curl /);
  const command = source.replace("curl", 'curl -sS -g -w "\\n%{http_code}"');
  const { stdout } = await promisify(execFile)("sh", ["-c", command], { cwd, env: { ...process.env, KEY: host.key, URL: host.url } });
  const end = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
}

for (const [path, operations] of Object.entries(document.paths)) {
  for (const [method, operation] of Object.entries(operations)) {
    test(`${method.toUpperCase()} ${path} does what it says`, { timeout: 30_000 }, async () => {
      let [{ source }] = operation["x-codeSamples"];
      for (const parameter of operation.parameters) {
        if (parameter.in !== "path" || parameter.name === "address") continue;
        assert.ok(source.includes(parameter.example), parameter.name);
        source = source.replace(parameter.example, await places[parameter.name]());
      }
      if (path === "/packets/{address}") {
        await places.packet();
        const address = method === "get" ? (await json("/api/v1/packets/a%2Fb.json")).presignedUrl : upload;
        source = source.replace(/"\$URL[^"]*"/, `"${address}"`);
      }
      const { status, body } = await curl(source);
      const [expected] = Object.keys(operation.responses);
      assert.equal(status, Number(expected), `${source}\n${body}`);
      const [[type, { schema }]] = Object.entries(operation.responses[expected].content);
      if (type !== "application/json") return assert.match(body, /^id: .*\ndata: /);
      const fits = shape_of(schema);
      assert.ok(fits(JSON.parse(body)), `${JSON.stringify(fits.errors, null, 1)}\n${body}`);
    });
  }
}

test("runs of other kinds have the documented shape as well", async () => {
  const of = (path, method = "get") => shape_of(document.paths[path][method].responses["200"].content["application/json"].schema);
  const { batchId } = await tasks.batchTrigger("echo", [{ payload: 1 }, { payload: 2 }]);
  const scheduled = await post("/api/v1/schedules", { task: "echo", cron: "0 1 * * *", deduplicationKey: "s", window: "30m", externalId: "e" });
  await post(`/perdure/v1/schedules/${scheduled.id}/backfill`, { from: "2026-01-02T00:00:00Z", to: "2026-01-02T02:00:00Z" });
  await post(`/api/v1/waitpoints/tokens/${await places.waitpoint()}/complete`, { data: { a: 1 } });
  const child = (await json(`/api/v3/runs/${family}`)).relatedRuns.children[0].id;
  for (const id of [crashed, family, child, await places.delayed(), await places.executing()]) {
    for (const [path, target] of [
      ["/api/v3/runs/{run}", `/api/v3/runs/${id}`],
      ["/perdure/v1/runs/{run}", `/perdure/v1/runs/${id}`],
      ["/perdure/v1/runs/{run}/trace", `/perdure/v1/runs/${id}/trace`],
      ["/perdure/v1/runs/{run}/children", `/perdure/v1/runs/${id}/children`],
      ["/api/v1/runs/{run}/trace", `/api/v1/runs/${id}/trace`],
      ["/api/v1/runs/{run}/trace", `/api/v1/runs/${id}/trace?page[size]=10`],
      ["/api/v1/runs/{run}/events", `/api/v1/runs/${id}/events`],
    ]) {
      const fits = of(path);
      const answer = await json(target);
      assert.ok(fits(answer), `${target}: ${JSON.stringify(fits.errors)} ${JSON.stringify(answer)}`);
    }
  }
  for (const [path, target] of [
    ["/api/v1/runs/{finished}/result", `/api/v1/runs/${crashed}/result`],
    ["/api/v2/batches/{batch}", `/api/v2/batches/${batchId}`],
    ["/api/v1/batches/{batch}/results", `/api/v1/batches/${batchId}/results`],
    ["/perdure/v1/schedules", "/perdure/v1/schedules"],
    ["/api/v1/waitpoints/tokens/{waitpoint}", `/api/v1/waitpoints/tokens/${token.id}`],
    ["/perdure/v1/plugins", "/perdure/v1/plugins"],
  ]) {
    const fits = of(path);
    assert.ok(fits(await json(target)), `${target}: ${JSON.stringify(fits.errors)}`);
  }
});

// ---- The README

const readme = readFileSync(process.env.PERDURE_TEST_README, "utf8");
const blocks = (language) => [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map((found) => found[1]);

test("the README's curl commands do what they say", async () => {
  const place = mkdtempSync(join(tmpdir(), "perdure-readme-"));
  try {
    symlinkSync(host.data, join(place, "data"));
    const commands = blocks("sh").filter((block) => block.startsWith("curl "));
    assert.ok(commands.length > 0);
    for (const command of commands) {
      const { status, body } = await curl(command.trim().replaceAll("http://127.0.0.1:3030", host.url), place);
      assert.equal(status, 200, `${command}\n${body}`);
      assert.match(JSON.parse(body).id, /^run_/);
    }
  } finally {
    rmSync(place, { recursive: true });
  }
});

test("the README's JavaScript does what it says", { timeout: 30_000 }, async () => {
  const programs = blocks("js").filter((block) => block.includes("@trigger.dev/sdk"));
  assert.ok(programs.length > 0);
  for (const program of programs) {
    const source = program.replaceAll("http://127.0.0.1:3030", host.url);
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", source], {
      env: { ...process.env, PERDURE_KEY: host.key },
    });
    assert.match(stdout, /COMPLETED \{ message: 'Hello, Ada!' \}/);
  }
});

test("each route of the README is described", () => {
  const plain = (path) => path.replace(/\{[^}]*\}/g, "{}").replace(/\?.*/, "");
  const described = new Set();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of Object.keys(operations)) described.add(`${method.toUpperCase()} ${plain(path)}`);
  }
  const named = [...readme.matchAll(/`(GET|POST|PUT|DELETE) (\/(?:api|perdure|realtime|healthz|readyz)[^\s`[]*)`/g)];
  assert.ok(named.length > 20);
  for (const [, method, path] of named) {
    if (path.includes("…")) continue;
    assert.ok(described.has(`${method} ${plain(path)}`), `${method} ${path}`);
  }
});
