// Payloads that are too large for a request go beside it, and come back whole.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apiClientManager } from "@trigger.dev/core/v3";
import { runs, tasks } from "@trigger.dev/sdk";
import { startHost } from "./host.mjs";

const host = await startHost();

async function outcome(payload) {
  const handle = await tasks.trigger("echo", payload);
  return await runs.poll(handle.id, { pollIntervalMs: 20 });
}

test("an object of a megabyte", async () => {
  const payload = { text: "ä".repeat(500_000), at: new Date(0) };
  const run = await outcome(payload);
  assert.equal(run.status, "COMPLETED", JSON.stringify(run.error));
  assert.equal(run.output.text.length, 500_000);
  assert.equal(run.payload.text, payload.text);
});

test("a string of a megabyte", async () => {
  const text = `"${"x".repeat(1_000_000)}\\`;
  const run = await outcome(text);
  assert.equal(run.output, text);
});

test("a subscription brings a large payload and output", { timeout: 30_000 }, async () => {
  const handle = await tasks.trigger("echo", { text: "y".repeat(300_000) });
  let last;
  for await (const run of runs.subscribeToRun(handle.id)) last = run;
  assert.equal(last.payload.text.length, 300_000);
  assert.equal(last.output.text.length, 300_000);
});

test("a run's payload and output are downloaded from where the client is told", async () => {
  const client = apiClientManager.clientOrThrow();
  const run = await outcome({ text: "z".repeat(200_000) });
  for (const field of ["payload", "output"]) {
    const { presignedUrl } = await client.getRunPacketUrl(run.id, field);
    assert.equal((await (await fetch(presignedUrl)).json()).text.length, 200_000);
    assert.equal((await fetch(presignedUrl.replace(/signature=./, "signature=-"))).status, 403);
  }
  const { presignedUrl, storagePath } = await client.createUploadPayloadUrl("c/d.json");
  assert.equal(storagePath, "c/d.json");
  await fetch(presignedUrl, { method: "PUT", body: '{"json":1}', headers: { "content-type": "application/super+json" } });
  const found = await fetch((await client.getPayloadUrl("c/d.json")).presignedUrl);
  assert.equal(found.headers.get("content-type"), "application/super+json");
});

test("a stored packet is downloaded by its name", async () => {
  const prepared = await (await host.fetch("/api/v2/packets/a%2Fb.json", { method: "PUT" })).json();
  assert.equal(prepared.storagePath, "a/b.json");
  const put = await fetch(prepared.presignedUrl, { method: "PUT", body: "[1]", headers: { "content-type": "application/json" } });
  assert.equal(put.status, 200);
  const found = await (await host.fetch("/api/v1/packets/a%2Fb.json")).json();
  const got = await fetch(found.presignedUrl);
  assert.equal(got.headers.get("content-type"), "application/json");
  assert.deepEqual(await got.json(), [1]);
});
