// Streams of a run: followed by themselves, and beside the run that appends to them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apiClientManager } from "@trigger.dev/core/v3";
import { auth, runs, tasks } from "@trigger.dev/sdk";
import { failure, startHost } from "./host.mjs";

const host = await startHost();
const patience = { timeout: 30_000 };
const lines = (from, to, of = to) => Array.from({ length: to - from + 1 }, (_, i) => `${from + i} of ${of}\n`);

async function all(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

test("a stream is followed while its run appends to it, to the end of the run", patience, async () => {
  const handle = await tasks.trigger("count", { to: 5, ms: 30 });
  assert.deepEqual(await all(await runs.fetchStream(handle.id, "lines")), lines(1, 5));
  assert.equal((await runs.retrieve(handle.id)).status, "COMPLETED");
});

test("a stream is read from its start afterwards, by a token of its run, and from where one had stopped", patience, async () => {
  const handle = await tasks.trigger("count", { to: 4 });
  await runs.poll(handle.id, { pollIntervalMs: 20 });
  await auth.withAuth({ baseURL: host.url, accessToken: handle.publicAccessToken }, async () => {
    assert.deepEqual(await all(await runs.fetchStream(handle.id, "lines")), lines(1, 4));
  });
  const parts = [];
  const client = apiClientManager.clientOrThrow();
  await all(await client.fetchStream(handle.id, "lines", { onPart: (part) => parts.push(part) }));
  assert.ok(parts.every((part) => Math.abs(part.timestamp - Date.now()) < 60_000));
  const rest = await client.fetchStream(handle.id, "lines", { lastEventId: parts[1].id });
  assert.deepEqual(await all(rest), lines(3, 4));
});

test("both versions of the events say the same", patience, async () => {
  const handle = await tasks.trigger("count", { to: 2 });
  await runs.poll(handle.id, { pollIntervalMs: 20 });
  const path = `/realtime/v1/streams/${handle.id}/lines`;
  const first = await host.fetch(path, { headers: { accept: "text/event-stream" } });
  assert.match(first.headers.get("content-type"), /^text\/event-stream/);
  assert.equal(first.headers.get("x-stream-version"), null);
  const text = await first.text();
  assert.match(text, /^id: \d{13}-1\ndata: 1 of 2\ndata: \n\nid: \d{13}-2\n/);
  const second = await host.fetch(path, { headers: { accept: "text/event-stream", "x-trigger-realtime-streams-version": "v2" } });
  assert.equal(second.headers.get("x-stream-version"), "v2");
  const records = (await second.text()).trim().split("\n\n").map((event) => JSON.parse(/^data: (.*)$/m.exec(event)[1]).records[0]);
  assert.deepEqual(records.map((record) => [record.seq_num, JSON.parse(record.body).data]), [[1, "1 of 2\n"], [2, "2 of 2\n"]]);
  assert.equal(new Set(records.map((record) => JSON.parse(record.body).id)).size, 2);
});

test("a subscription with streams brings the run and what it appends", patience, async () => {
  const handle = await tasks.trigger("count", { to: 4, ms: 200 });
  const chunks = [];
  let last;
  for await (const part of runs.subscribeToRun(handle.id).withStreams()) {
    if (part.type === "run") {
      last = part.run;
    } else {
      assert.equal(part.type, "lines");
      assert.equal(part.run.id, handle.id);
      chunks.push(part.chunk);
    }
    if (last?.status === "COMPLETED" && chunks.length === 4) break;
  }
  assert.deepEqual(last.realtimeStreams, ["lines"]);
  assert.deepEqual(chunks, lines(1, 4));
});

test("a stream of no run is a NotFoundError, at once", patience, async () => {
  const error = await failure((async () => all(await runs.fetchStream("run_00000000000000000000000000", "lines")))());
  assert.equal(error.status, 404);
});
