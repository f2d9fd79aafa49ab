// Serves the built admin page beside a relay to one sandbox, which gets its token from here: the page holds none.
//
//   D365_SANDBOX='<the line that d365-sandbox prints>' node www/serve.mjs
//
// Prints the page's address. Ends when its input ends, or on a signal.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createRelay } from "d365-clm/relay";

const FOLDER = fileURLToPath(new URL("dist", import.meta.url));
const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
/** What a host adds to the policy in the page itself: who may put the page into a frame. */
const HEADERS = {
  "content-security-policy": "frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};
/** A token is asked for anew this long before it expires. */
const EARLY = 5 * 60_000;

const sandbox = JSON.parse(process.env.D365_SANDBOX ?? "null");
if (!sandbox) {
  console.error("D365_SANDBOX must hold the line that d365-sandbox prints");
  process.exit(2);
}

let held;
async function token() {
  if (held && held.until > Date.now()) return held.token;
  const answer = await fetch(sandbox.tokenUrl, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: sandbox.clientId,
      client_secret: sandbox.clientSecret,
      scope: `${sandbox.baseUrl}/.default`,
    }),
  });
  if (!answer.ok) throw new Error(`the token endpoint answered ${answer.status}`);
  const { access_token, expires_in } = await answer.json();
  held = { token: access_token, until: Date.now() + expires_in * 1000 - EARLY };
  return access_token;
}

const relay = createRelay({
  environments: [sandbox.baseUrl],
  secret: crypto.getRandomValues(new Uint8Array(32)),
  authorize: token,
});
const config = {
  environments: [{ name: "Sandbox", url: sandbox.baseUrl, company: "usmf" }],
  token: ["relay", "paste"],
  relay: "./relay",
};

const server = createServer(async (incoming, outgoing) => {
  try {
    const { pathname } = new URL(incoming.url, "http://page.invalid");
    if (pathname === "/relay") await passOn(incoming, outgoing);
    else if (pathname === "/config.json") json(outgoing, config);
    else await file(outgoing, pathname === "/" ? "/index.html" : pathname);
  } catch {
    if (!outgoing.headersSent) outgoing.writeHead(400);
    outgoing.end();
  }
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
process.stdin.resume().once("end", () => process.exit());

async function passOn(incoming, outgoing) {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  const { method } = incoming;
  const body = method === "GET" || method === "HEAD" ? {} : { body: Readable.toWeb(incoming), duplex: "half" };
  const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values]) =>
    values.map((one) => [name, one]),
  );
  const url = new URL(incoming.url, `http://${incoming.headers.host}`);
  const answer = await relay(new Request(url, { method, headers, signal: gone.signal, ...body }));
  outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body) await pipeline(Readable.fromWeb(answer.body), outgoing);
  else outgoing.end();
}

async function file(outgoing, path) {
  const wanted = normalize(join(FOLDER, decodeURIComponent(path)));
  const found = wanted.startsWith(FOLDER + sep) ? await stat(wanted).catch(() => undefined) : undefined;
  if (!found?.isFile()) {
    outgoing.writeHead(404, HEADERS).end();
    return;
  }
  outgoing.writeHead(200, { ...HEADERS, "content-type": TYPES[extname(wanted)] ?? "application/octet-stream" });
  await pipeline(createReadStream(wanted), outgoing);
}

function json(outgoing, value) {
  outgoing.writeHead(200, { ...HEADERS, "content-type": "application/json", "cache-control": "no-store" });
  outgoing.end(JSON.stringify(value));
}
