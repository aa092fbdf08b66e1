// Headless Chromium, driven through a pipe by its DevTools protocol, so that no port is open and no package is needed.
// What a page asks for, and what goes wrong on it, is noted. The browser and its profile go when the file's tests are over.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/** The browser's end of the protocol: calls, their answers, and events by the session that they are of. */
class DevTools {
  #pipe;
  #calls = new Map();
  #listeners = new Map();
  #last = 0;
  #read = [];  // of a message that is not yet complete

  constructor(to, from) {
    this.#pipe = to;
    to.on("error", () => {});  // of a browser that has ended; those who await an answer hear of it by end()
    from.setEncoding("utf8");
    from.on("data", (text) => {
      const [first, ...more] = text.split("\0");
      this.#read.push(first);
      for (const begun of more) {
        this.#receive(JSON.parse(this.#read.join("")));
        this.#read = [begun];
      }
    });
  }

  #receive({ id, result, error, method, params, sessionId }) {
    if (id === undefined) {
      this.#listeners.get(sessionId)?.(method, params);
      return;
    }
    const { resolve, reject, name } = this.#calls.get(id);
    this.#calls.delete(id);
    if (error) reject(new Error(`${name}: ${error.message}`));
    else resolve(result);
  }

  call(name, params = {}, sessionId) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject, name });
      this.#pipe.write(JSON.stringify({ id, method: name, params, sessionId }) + "\0");
    });
  }

  listen(sessionId, listener) {
    this.#listeners.set(sessionId, listener);
  }

  end(reason) {
    for (const { reject } of this.#calls.values()) reject(reason);
    this.#calls.clear();
  }
}

// Runs in the page: what `look` gives once it is true, looked at anew whenever the document has changed.
function watch(look, args, patience) {
  return new Promise((resolve, reject) => {
    const observer = new MutationObserver(check);
    const timer = setTimeout(() => {
      observer.disconnect();
      const asked = `${look}\nof ${JSON.stringify(args)}`;
      reject(new Error(`not within ${patience} ms:\n${asked}\non the page:\n${document.body.innerHTML}`));
    }, patience);
    function check() {
      const found = look(...args);
      if (!found) return;
      observer.disconnect();
      clearTimeout(timer);
      resolve(found);
    }
    observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    check();
  });
}

class Page {
  /** Requests that failed (refused by CORS, for one), exceptions, and what was written to the console as an error. */
  troubles = [];
  /** "METHOD PATH STATUS" of each answer from elsewhere than the page's own server; preflights are those of OPTIONS. */
  answers = [];
  #call;
  #requests = new Map();

  constructor(call, origin) {
    this.#call = call;
    this.origin = origin;
  }

  hear(method, params) {
    if (method === "Network.requestWillBeSent") {
      this.#requests.set(params.requestId, params.request);
    } else if (method === "Network.responseReceived") {
      const { url, status } = params.response;
      if (url.startsWith(this.origin)) return;
      this.answers.push(`${this.#requests.get(params.requestId)?.method} ${new URL(url).pathname} ${status}`);
    } else if (method === "Network.loadingFailed" && !params.canceled) {
      const request = this.#requests.get(params.requestId);
      const why = params.corsErrorStatus?.corsError ?? params.blockedReason ?? params.errorText;
      this.troubles.push(`${request?.method} ${request?.url}: ${why}`);
    } else if (method === "Runtime.exceptionThrown") {
      const { exception, text } = params.exceptionDetails;
      this.troubles.push(`${text} ${exception?.description ?? exception?.value}`);
    } else if (method === "Runtime.consoleAPICalled" && ["error", "assert", "warning"].includes(params.type)) {
      this.troubles.push(params.args.map((value) => value.description ?? value.value).join(" "));
    } else if (method === "Log.entryAdded" && params.entry.level === "error") {
      // An answer of 400 and more is not yet wrong; it is in `answers`.
      if (!/the server responded with a status of/.test(params.entry.text)) this.troubles.push(params.entry.text);
    } else if (method === "Inspector.targetCrashed") {
      this.troubles.push("the page crashed");
    }
  }

  /** What `look(...args)` gives in the page, or what its promise does, once that is true. Fails after `patience` ms. */
  async until(look, args = [], patience = 10_000) {
    const { result, exceptionDetails } = await this.#call("Runtime.evaluate", {
      expression: `(${watch})(${look}, ${JSON.stringify(args)}, ${patience})`,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) {
      throw new Error([exceptionDetails.exception?.description, ...this.troubles, ...this.answers].join("\n"));
    }
    return result.value;
  }

  /** Waits until the element has this text. */
  shows(selector, text) {
    return this.until((where, what) => document.querySelector(where)?.textContent === what, [selector, text]);
  }

  /** The element's text, once there is some. */
  text(selector) {
    return this.until((where) => document.querySelector(where)?.textContent, [selector]);
  }

  /** Clicks the element once it is there. */
  click(selector) {
    return this.until(
      (where) => {
        const element = document.querySelector(where);
        element?.click();
        return element !== null;
      },
      [selector],
    );
  }
}

/** Starts the browser of `command`, to which `name` is this machine. */
export async function startChromium(command, name) {
  const profile = mkdtempSync(join(tmpdir(), "perdure-chromium-"));
  const child = spawn(
    command,
    [
      "--headless",
      "--remote-debugging-pipe",
      `--user-data-dir=${profile}`,
      `--host-resolver-rules=MAP ${name} 127.0.0.1`,
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--no-first-run",
      "--no-sandbox",  // which root and many containers cannot have; the only page is our own
      "about:blank",
    ],
    // Detached is a process group of its own, to be ended as one: the command may be a script.
    { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"], detached: true },
  );
  let log = "";
  child.stderr.on("data", (text) => (log += text));
  const tools = new DevTools(child.stdio[3], child.stdio[4]);
  const ended = new Promise((resolve) => child.once("close", resolve));
  ended.then((status) => tools.end(new Error(`the browser ended with ${status}:\n${log}`)));
  after(async () => {
    const patience = setTimeout(() => process.kill(-child.pid, "SIGKILL"), 10_000);
    tools.call("Browser.close").catch(() => {});
    await ended;
    clearTimeout(patience);
    rmSync(profile, { recursive: true, force: true });
  });
  await tools.call("Browser.getVersion");
  return {
    /** Opens a page in a profile of its own: no connection and no cache of another page's. Any certificate will do. */
    async open(url) {
      const { browserContextId } = await tools.call("Target.createBrowserContext");
      const { targetId } = await tools.call("Target.createTarget", { url: "about:blank", browserContextId });
      const { sessionId } = await tools.call("Target.attachToTarget", { targetId, flatten: true });
      const call = (name, params) => tools.call(name, params, sessionId);
      const page = new Page(call, new URL(url).origin);
      tools.listen(sessionId, (method, params) => page.hear(method, params));
      await Promise.all(["Runtime", "Log", "Inspector"].map((domain) => call(`${domain}.enable`)));
      await call("Network.enable", { maxPostDataSize: 1 });
      await call("Security.setIgnoreCertificateErrors", { ignore: true });
      const { errorText } = await call("Page.navigate", { url });
      if (errorText) throw new Error(`${url}: ${errorText}`);
      page.close = () => tools.call("Target.disposeBrowserContext", { browserContextId });
      return page;
    },
  };
}
