// A web shop with one page, page.jsx, bundled as products are and served on loopback by HTTPS under a name of its own: to a
// browser it is of an origin that the host knows nothing of.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { build } from "esbuild";

const html = `<!doctype html><title>shop</title><link rel="icon" href="data:,"><div id="root"></div>
<script type="module" src="/page.js"></script>`;

// A key and a certificate that nobody has signed.
function credentials(name) {
  const place = mkdtempSync(join(tmpdir(), "perdure-shop-"));
  try {
    const [key, cert] = [join(place, "key"), join(place, "cert")];
    const of = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", `/CN=${name}`, "-days", "1"];
    execFileSync("openssl", ["req", "-x509", ...of, "-keyout", key, "-out", cert], { stdio: "pipe" });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** Starts it under this name; its origin. It ends after the file's tests. */
export async function openShop(name) {
  const { outputFiles } = await build({
    entryPoints: ["page.jsx"],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    external: ["node:http2"],  // a dependency imports it in Node only
    logLevel: "error",
  });
  const script = outputFiles[0].contents;
  const server = createServer(credentials(name), (request, response) => {
    const [type, body] = request.url === "/page.js" ? ["text/javascript", script] : ["text/html", html];
    response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://${name}:${server.address().port}`;
}
