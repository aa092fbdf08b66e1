// @trigger.dev/react-hooks, unmodified, in a real browser: on a page of another origin, with public access tokens alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { auth, runs, tasks, wait } from "@trigger.dev/sdk";
import { startChromium } from "./chromium.mjs";
import { startHost } from "./host.mjs";
import { openShop } from "./shop.mjs";

const [host, shop, browser] = await Promise.all([
  startHost(),
  openShop("shop.example"),
  startChromium(process.env.PERDURE_TEST_CHROMIUM, "shop.example"),
]);
const patience = { timeout: 30_000 };

/** Shows components of page.jsx with `props`, and does `work` with the page, on which nothing may go wrong but `tolerated`. */
async function showing(show, { token, refresh, tolerated = /^$/, ...props }, work) {
  const auth = { baseURL: host.url, accessToken: token, refresh };
  const page = await browser.open(`${shop}/#${encodeURIComponent(JSON.stringify({ show: [show].flat(), auth, ...props }))}`);
  try {
    await work(page);
    assert.deepEqual(page.troubles.filter((trouble) => !tolerated.test(trouble)), []);
    const preflights = page.answers.filter((answer) => answer.startsWith("OPTIONS ") && !tolerated.test(answer));
    assert.ok(preflights.length > 0, "the browser asked whether it may");
    assert.ok(preflights.every((answer) => answer.endsWith(" 204")), preflights.join("\n"));
  } finally {
    await page.close();
  }
}

// The hooks that trigger and complete leave it to the page to catch what their promises are rejected with, and give no promise.
const uncaught = /^Uncaught \(in promise\) TriggerApiError/;

const refusals = (page) => page.answers.filter((answer) => / [45]\d\d$/.test(answer));

test("useRealtimeRun shows each status and change of metadata live, to the end", patience, async () => {
  const waitpoint = await wait.createToken({ timeout: "10m" });
  const handle = await tasks.trigger("wait-token", { token: waitpoint.id }, { delay: "1h", metadata: { n: 0 } });
  await showing("OneRun", { run: handle.id, token: handle.publicAccessToken }, async (page) => {
    await page.shows(".status", "DELAYED");
    await page.shows(".metadata", '{"n":0}');
    await runs.reschedule(handle.id, { delay: new Date() });
    await page.shows(".status", "WAITING");
    await host.fetch(`/api/v1/runs/${handle.id}/metadata`, { method: "PUT", body: '{"metadata":{"n":1}}' });
    await page.shows(".metadata", '{"n":1}');
    await wait.completeToken(waitpoint.id, { by: "Ada" });
    await page.shows(".status", "COMPLETED");
    await page.shows(".output", '{"by":"Ada"}');
    await page.shows(".completed", '["COMPLETED"]');
    assert.deepEqual(refusals(page), []);
  });
});

test("a failed run shows its error", patience, async () => {
  const handle = await tasks.trigger("fail", {}, { maxAttempts: 1 });
  await showing("OneRun", { run: handle.id, token: handle.publicAccessToken }, async (page) => {
    await page.shows(".status", "FAILED");
    await page.shows(".failure", "boom");
  });
});

test("a component that leaves lets go of its request, and one that comes again goes on", patience, async () => {
  const handle = await tasks.trigger("echo", "back again", { delay: "1h" });
  await showing("OneRunForAWhile", { run: handle.id, token: handle.publicAccessToken }, async (page) => {
    for (let i = 0; i < 10; i++) {  // more often than a browser has connections to a host
      await page.shows(".status", "DELAYED");
      await page.click("button");
      await page.until(() => !document.querySelector(".status"));
      await page.click("button");
    }
    await runs.reschedule(handle.id, { delay: new Date() });
    await page.shows(".output", "back again");
  });
});

test("useRun asks until the run is over", patience, async () => {
  const handle = await tasks.trigger("sleep", { ms: 200 });
  await showing("Asked", { run: handle.id, token: handle.publicAccessToken }, async (page) => {
    await page.shows(".status", "COMPLETED");
    await page.shows(".output", '{"slept":200}');
  });
});

test("useRealtimeRunsWithTag shows the runs of its tag, those that come as well", patience, async () => {
  const token = await auth.createPublicToken({ scopes: { read: { tags: ["order:7"] } } });
  const old = await tasks.trigger("echo", 1, { tags: ["order:7"] });
  await runs.poll(old.id, { pollIntervalMs: 20 });
  await showing("Tagged", { tag: "order:7", token }, async (page) => {
    await page.shows(`#${old.id}`, "COMPLETED");
    const other = await tasks.trigger("echo", 2, { tags: ["order:8"] });
    const next = await tasks.trigger("echo", 3, { tags: ["order:7"], delay: "1h" });
    await page.shows(`#${next.id}`, "DELAYED");
    await runs.reschedule(next.id, { delay: new Date() });
    await page.shows(`#${next.id}`, "COMPLETED");
    await page.until((id) => !document.getElementById(id), [other.id]);
    assert.deepEqual(refusals(page), []);
  });
});

test("useRealtimeBatch shows the runs of its batch", patience, async () => {
  const made = await tasks.batchTrigger("sleep", [{ payload: { ms: 1 } }, { payload: { ms: 50 } }, { payload: { ms: 100 } }]);
  await showing("Batch", { batch: made.batchId, token: made.publicAccessToken }, async (page) => {
    await page.until(() => [...document.querySelectorAll("li")].filter((run) => run.textContent === "COMPLETED").length === 3);
    assert.deepEqual(refusals(page), []);
  });
});

test("useRealtimeRunWithStreams shows metadata and lines while the task makes them", patience, async () => {
  const handle = await tasks.trigger("count", { to: 1000, ms: 10 });
  await showing("OneRunWithStreams", { run: handle.id, token: handle.publicAccessToken }, async (page) => {
    for (const n of [2, 10]) {
      await page.until((least) => JSON.parse(document.querySelector(".metadata")?.textContent ?? "{}").counted >= least, [n]);
      await page.until((line) => document.querySelector(".lines")?.textContent.includes(line), [`\n${n} of 1000\n`]);
    }
    assert.equal(await page.text(".status"), "EXECUTING");
    await runs.cancel(handle.id);
    await page.shows(".status", "CANCELED");
    assert.match(await page.text(".lines"), /^1 of 1000\n2 of 1000\n/);
    assert.deepEqual(refusals(page), []);
  });
});

test("useRealtimeStream shows a stream", patience, async () => {
  const handle = await tasks.trigger("count", { to: 3 });
  await showing("OneStream", { run: handle.id, stream: "lines", token: handle.publicAccessToken }, async (page) => {
    await page.shows(".lines", "1 of 3\n2 of 3\n3 of 3\n");
  });
});

test("useTaskTrigger triggers as often as its token is good for", patience, async () => {
  const token = await auth.createTriggerPublicToken("echo");
  const asked = { task: "echo", payload: { a: [1] }, options: { tags: ["page"] } };
  await showing("Trigger", { ...asked, token, tolerated: uncaught }, async (page) => {
    await page.click("button");
    const id = await page.text(".handle");
    const run = await runs.poll(id, { pollIntervalMs: 20 });
    assert.deepEqual(run.output, { a: [1] });
    assert.deepEqual(run.tags, ["page"]);
    await page.click("button");
    assert.match(await page.text(".error"), /^422 /);
  });
});

test("useRealtimeTaskTrigger triggers, and follows with the token that it gets", patience, async () => {
  const token = await auth.createTriggerPublicToken("hello-world");
  await showing("TriggerAndFollow", { task: "hello-world", payload: { name: "Ada" }, token }, async (page) => {
    await page.click("button");
    await page.shows(".status", "COMPLETED");
    await page.shows(".output", '{"message":"Hello, Ada!"}');
    assert.deepEqual(refusals(page), []);
  });
});

test("useRealtimeTaskTriggerWithStreams shows the stream too", patience, async () => {
  const token = await auth.createTriggerPublicToken("count");
  await showing("TriggerAndRead", { task: "count", payload: { to: 2 }, token }, async (page) => {
    await page.click("button");
    await page.shows(".lines", "1 of 2\n2 of 2\n");
    await page.shows(".status", "COMPLETED");
  });
});

test("useWaitToken completes its token, for which a run waits", patience, async () => {
  const waitpoint = await wait.createToken({ timeout: "10m" });
  const handle = await tasks.trigger("wait-token", { token: waitpoint.id });
  const props = { waitpoint: waitpoint.id, answer: { approved: true }, token: waitpoint.publicAccessToken };
  await showing("Approval", props, async (page) => {
    await page.shows(".completed", "false");
    await page.click("button");
    await page.shows(".completed", "true");
    assert.deepEqual((await runs.poll(handle.id, { pollIntervalMs: 20 })).output, { approved: true });
  });
});

test("useRealtimeRun fetches a payload of a megabyte", patience, async () => {
  const handle = await tasks.trigger("echo", "ä".repeat(500_000));
  await showing("OneRun", { run: handle.id, token: handle.publicAccessToken }, async (page) => {
    await page.until(() => document.querySelector(".output")?.textContent.length === 500_000);
  });
});

test("useRealtimeStream asks for another token when its own has expired", patience, async () => {
  const handle = await tasks.trigger("count", { to: 1 });
  const token = await expired_token(handle.id);
  const props = { run: handle.id, stream: "lines", token, refresh: handle.publicAccessToken };
  await showing("OneStream", props, async (page) => {
    await page.shows(".lines", "1 of 1\n");
    assert.match(refusals(page).join(), /^GET \S+ 401$/);
  });
});

const expired_token = (run) =>
  auth.createPublicToken({ scopes: { read: { runs: [run] } }, expirationTime: new Date(Date.now() - 1000) });

test("each hook shows why it was refused", patience, async () => {
  const handle = await tasks.trigger("count", { to: 1 });
  const other = await tasks.trigger("echo", 1);
  const waitpoint = await wait.createToken({ timeout: "10m" });
  const readers = ["OneRun", "OneRunWithStreams", "Asked", "OneStream", "Tagged", "Batch"];
  const doers = ["Trigger", "TriggerAndFollow", "Approval"];
  const asked = {
    run: handle.id, stream: "lines", tag: "x", batch: "batch_x", task: "echo", payload: 1, waitpoint: waitpoint.id,
  };
  const all_runs = await auth.createPublicToken({ scopes: { read: { runs: true }, write: { waitpoints: true } } });
  for (const [token, status, more] of [
    ["wrong", 401],
    [await expired_token(handle.id), 401],
    [other.publicAccessToken, 403],
    [all_runs, 404, { run: "run_x", waitpoint: "waitpoint_x" }],
  ]) {
    const shown = status === 404 ? ["OneRun", "OneRunWithStreams", "Asked", "OneStream", "Batch", "Approval"] : [...readers, ...doers];
    await showing(shown, { ...asked, ...more, token, tolerated: uncaught }, async (page) => {
      for (const name of shown) {
        if (doers.includes(name)) await page.click(`#${name} button`);
        const text = await page.text(`#${name} .error`);
        assert.ok(text.startsWith(`${status} `), `${name} with ${token}: ${text}`);
      }
    });
  }
});

test("a payload that is too large is refused at once, and the page is told", patience, async () => {
  const token = await auth.createTriggerPublicToken("echo");
  await showing("Trigger", { task: "echo", mebibytes: 9, token, tolerated: uncaught }, async (page) => {
    await page.click("button");
    await page.shows(".error", "413 the body is too large");
    assert.match(refusals(page).join(), /^POST \S+ 413$/);
  });
});

test("what pages have no business with stays closed to them", patience, async () => {
  const handle = await tasks.trigger("echo", 1);
  const props = { run: handle.id, token: handle.publicAccessToken, tolerated: /perdure|net::ERR_FAILED/ };
  await showing("OneRun", props, async (page) => {
    await page.shows(".status", "COMPLETED");
    const failure = await page.until(
      (url, key) => fetch(url, { headers: { authorization: `Bearer ${key}` } }).then(() => "", (error) => error.message),
      [`${host.url}/perdure/v1/status`, host.key],
    );
    assert.equal(failure, "Failed to fetch");
    assert.match(page.troubles.join("\n"), /perdure\/v1\/status: PreflightMissingAllowOriginHeader/);
  });
});

test("a page follows its run through the death of the host", patience, async () => {
  const waitpoint = await wait.createToken({ timeout: "10m" });
  const handle = await tasks.trigger("wait-token", { token: waitpoint.id });
  const props = { run: handle.id, token: handle.publicAccessToken, tolerated: /net::ERR_CONNECTION|ERR_EMPTY_RESPONSE/ };
  await showing("OneRun", props, async (page) => {
    await page.shows(".status", "WAITING");
    await host.replace();
    await wait.completeToken(waitpoint.id, "and on");
    await page.shows(".output", "and on");
    await page.shows(".completed", '["COMPLETED"]');
  });
});
