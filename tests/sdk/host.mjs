// A real `perdure serve` with the shipped plugins on a data directory of its own, for one file of tests.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { promisify } from "node:util";
import { configure } from "@trigger.dev/sdk";

const bin = process.env.PERDURE_TEST_BIN_DIR;
const shipped = process.env.PERDURE_TEST_PLUGIN_DIR;

// Not retried: what fails here is to fail at once, and a refusal that the client repeats would hide behind its retries.
export const once = { retry: { maxAttempts: 1 } };

/** Starts the host, with `config` as its perdure.toml and the shipped plugins, points the client at it, and ends it after the file's tests. */
export async function startHost({ config = "", plugins = shipped } = {}) {
  const data = mkdtempSync(join(tmpdir(), "perdure-sdk-"));
  const file = join(data, "perdure.toml");
  writeFileSync(file, config);
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PERDURE|TRIGGER)_/.test(name)));
  let child, ended, log = "";
  async function serve(address) {
    child = spawn(join(bin, "perdure"), ["serve", "--config", file, "--data", data, "--plugins", plugins, "--listen", address], {
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stderr.on("data", (text) => (log += text));
    ended = new Promise((resolve) => child.once("exit", resolve));
    return await new Promise((resolve, reject) => {
      let out = "";
      child.stdout.on("data", (text) => {
        out += text;
        const ready = /perdure is ready at (\S+)/.exec(out);
        if (ready) resolve(ready[1]);
      });
      ended.then((status) => reject(new Error(`the host ended with ${status}:\n${log}`)));
    });
  }
  const url = await serve("127.0.0.1:0");
  const key = readFileSync(join(data, "secret"), "utf8").trim();
  const host = {
    url,
    key,
    data,
    log: () => log,
    /** Runs `perdure ARGUMENTS…` against the host; what it printed. */
    async cli(...args) {
      const { stdout } = await promisify(execFile)(join(bin, "perdure"), args, {
        env: { ...environment, PERDURE_URL: url, PERDURE_DATA: data },
      });
      return stdout;
    },
    /** A request without the client; its answer. */
    fetch(path, options = {}) {
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", ...options.headers };
      return fetch(url + path, { ...options, headers });
    },
    /** Kills the host and starts another one on its data, at its address. */
    async replace() {
      child.kill("SIGKILL");
      await ended;
      await serve(new URL(url).host);
    },
  };
  after(async () => {
    child.kill("SIGTERM");
    const patience = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(patience);
    rmSync(data, { recursive: true, force: true });
  });
  configure({ baseURL: url, accessToken: key });
  return host;
}

/** What `promise` was rejected with. */
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it was expected to fail");
}

/** What the host keeps, so far as people could have changed it: to be compared with itself. */
export async function stored(host) {
  const document = async (path) => {
    const answer = await host.fetch(path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  };
  const list = (await document("/api/v1/runs?page[size]=100")).data;
  const [tokens, bulk] = await Promise.all(["/api/v1/waitpoints/tokens", "/api/v1/bulk-actions"].map(document));
  const [schedules, queues, keys, status] = await Promise.all(
    ["/perdure/v1/schedules", "/api/v1/queues", "/perdure/v1/keys", "/perdure/v1/status"].map(document));
  return {
    runs: list.map((run) => `${run.id} ${run.status}`),
    details: list.map((run) => [run.updatedAt, run.delayedUntil, run.tags, run.metadata]),
    counts: status.runs,
    attempts: status.engine.attemptsStarted,
    tokens: tokens.data.map((token) => [token.id, token.status]),
    bulk: bulk.data.map((action) => [action.id, action.status]),
    schedules: schedules.data.map(({ lastRun, nextRun, ...schedule }) => schedule),
    queues: queues.data.map(({ name, type, paused, queued, running, concurrencyLimit }) => [name, type, paused, queued, running, concurrencyLimit]),
    keys: keys.data.map((key) => [key.id, key.name]),
  };
}
