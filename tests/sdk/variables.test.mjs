// envvars.*: variables that attempts find in their environment; and what else clients ask a host about itself.
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { apiClientManager } from "@trigger.dev/core/v3";
import { auth, concurrencyLimits, envvars, runs, tasks } from "@trigger.dev/sdk";
import { failure, once, startHost } from "./host.mjs";

const host = await startHost({ config: '[plugins.exec]\nallow = ["/usr/bin/env"]\n' });
const client = () => apiClientManager.clientOrThrow();
const at = ["proj_any", "prod"];

// What an attempt of the plugin "exec" has in its environment, as far as it lets the program see it: LC_… among it.
async function seen(name) {
  const handle = await tasks.trigger("exec", { argv: ["/usr/bin/env"] });
  const run = await runs.poll(handle.id, { pollIntervalMs: 20 });
  assert.equal(run.status, "COMPLETED", JSON.stringify(run.error));
  return new Map(run.output.stdout.split("\0").join("\n").split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2))).get(name);
}

test("attempts that begin later have a variable, until it is removed", { timeout: 30_000 }, async () => {
  assert.equal(await seen("LC_TEST"), undefined);
  await envvars.create(...at, { name: "LC_TEST", value: 'a "b" \\ ä 🎉' , isSecret: true });
  assert.equal(await seen("LC_TEST"), 'a "b" \\ ä 🎉');
  await client().updateEnvVar(...at, "LC_TEST", { value: "other" });
  assert.equal(await seen("LC_TEST"), "other");
  await envvars.del(...at, "LC_TEST");
  assert.equal(await seen("LC_TEST"), undefined);
});

test("they are in a file that is its owner's alone, and in no log", async () => {
  await envvars.create(...at, { name: "KEPT", value: "sesame-open", isSecret: true });
  assert.equal(statSync(`${host.data}/variables`).mode & 0o777, 0o600);
  assert.match(readFileSync(`${host.data}/variables`, "utf8"), /sesame-open/);
  assert.match(host.log(), /KEPT/);
  assert.doesNotMatch(host.log(), /sesame-open/);
  await envvars.del(...at, "KEPT");
});

test("variables are set, listed, found, changed and removed", async () => {
  assert.deepEqual(await envvars.list(...at), []);
  assert.deepEqual(await envvars.create(...at, { name: "API_URL", value: "https://api.example" }), { success: true });
  assert.deepEqual(await envvars.create(...at, { name: "API_KEY", value: "s3cret", isSecret: true }), { success: true });
  assert.deepEqual(await envvars.list(...at), [
    { name: "API_KEY", value: "<redacted>", isSecret: true },
    { name: "API_URL", value: "https://api.example", isSecret: false },
  ]);
  assert.equal((await envvars.retrieve(...at, "API_URL")).value, "https://api.example");
  assert.equal((await envvars.retrieve(...at, "API_KEY")).value, "<redacted>");
  // envvars.update of this version of the client fails before it asks anything.
  assert.deepEqual(await client().updateEnvVar(...at, "API_URL", { value: "https://other.example" }), { success: true });
  assert.equal((await envvars.retrieve(...at, "API_URL")).value, "https://other.example");
  assert.deepEqual(await envvars.del(...at, "API_URL"), { success: true });
  assert.equal((await failure(envvars.retrieve(...at, "API_URL", once))).status, 404);
});

test("many are imported, all or none", async () => {
  await envvars.upload(...at, { variables: { ONE: "1", TWO: "zwei \u{1F600} \n \"\\" } });
  const clash = await failure(envvars.upload(...at, { variables: { TWO: "2", THREE: "3" } }, once));
  assert.equal(clash.status, 422);
  assert.match(clash.message, /TWO is set already/);
  assert.equal((await failure(envvars.retrieve(...at, "THREE", once))).status, 404);
  await envvars.upload(...at, { variables: { TWO: "2", THREE: "3" }, override: true });
  assert.deepEqual([(await envvars.retrieve(...at, "TWO")).value, (await envvars.retrieve(...at, "THREE")).value], ["2", "3"]);
});

test("what attempts cannot have is refused, without its value", async () => {
  for (const [name, status] of [["LD_PRELOAD", 422], ["PERDURE_AUTH_KEY", 422], ["TMPDIR", 422], ["with blank", 422], ["1ST", 422], ["", 422]]) {
    const error = await failure(envvars.create(...at, { name, value: "value-of-it" }, once));
    assert.equal(error.status, status, name);
    assert.doesNotMatch(error.message, /value-of-it/);
  }
  assert.equal((await failure(envvars.create(...at, { name: "BIG", value: "x".repeat(40_000) }, once))).status, 422);
  assert.equal((await failure(envvars.create(...at, { name: "NUL", value: "a\0b" }, once))).status, 422);
  assert.equal((await failure(client().createEnvVar(...at, { name: "NOTHING" }, once))).status, 400);
  assert.equal((await failure(envvars.del(...at, "NOT_THERE", once))).status, 404);
  assert.equal((await failure(client().updateEnvVar(...at, "NOT_THERE", { value: "x" }, once))).status, 404);
  assert.match((await failure(envvars.list("proj_any", "dev", once))).message, /one, "prod"/);
});

test("they are for keys that may do everything", async () => {
  const key = (await host.cli("keys", "create", "--scope", "trigger", "--scope", "read")).trim();
  const as = (accessToken, work) => auth.withAuth({ baseURL: host.url, accessToken }, work);
  assert.equal((await failure(as(key, () => envvars.list(...at, once)))).status, 403);
  const token = await auth.createPublicToken({ scopes: { read: { runs: true } } });
  assert.equal((await failure(as(token, () => envvars.list(...at, once)))).status, 401);
});

test("a key is told whose it is", async () => {
  for (const version of ["v1", "v2"]) {
    const answer = await (await host.fetch(`/api/${version}/whoami`)).json();
    assert.equal(answer.userId, "root");
    assert.match(answer.email, /@/);
    assert.equal(answer.dashboardUrl, host.url);
  }
});

test("named concurrency limits are not here, and the answer says what is", async () => {
  for (const call of [() => concurrencyLimits.list({}, once), () => concurrencyLimits.retrieve("x", once), () => concurrencyLimits.pause("x", once)]) {
    const error = await failure(call());
    assert.equal(error.status, 404);
    assert.match(error.message, /limit queues/);
  }
});
