// The host's own origin: serves the page, the built package and the compiled quickstart, hands out tokens as a backend would, and
// is the relay that a page needs, because the service and its storage answer no page of another origin.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { Readable } from "node:stream";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
/** Headers that go along: what the requests and answers of the service need, and nothing of the page's own. */
const TO_SERVICE = /^(authorization|accept|content-type|if-match|prefer|odata-.*|x-ms-.*)$/;
const TO_PAGE = /^(content-type|etag|location|retry-after|odata-.*|x-ms-.*|ms-dyn-aid)$/;

/**
 * `folders`: first part of a path → folder; `allowed`: origins that the relay reaches; `token`: what the backend hands out.
 *
 * @param {{ folders: Record<string, string>, allowed: string[], token: () => Promise<object> }} options
 */
export async function startServer({ folders, allowed, token }) {
  const proxied = [];

  const server = createServer(async (request, response) => {
    try {
      const url = new URL(request.url, "http://page");
      if (url.pathname === "/proxy") await relay(request, response, url.searchParams.get("u") ?? "");
      else if (url.pathname === "/token") json(response, await token());
      else await file(response, resolve(url.pathname), headersFor(url));
    } catch (error) {
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
      response.end(String(error));
    }
  });

  function resolve(path) {
    const [, first, ...rest] = decodeURIComponent(path).split("/");
    const folder = folders[first];
    const file = folder && normalize(join(folder, ...rest));
    return file?.startsWith(normalize(folder)) ? file : undefined;
  }

  async function relay(request, response, target) {
    const origin = URL.canParse(target) ? new URL(target).origin : "";
    if (!allowed.includes(origin)) {
      response.writeHead(403).end();
      return;
    }
    proxied.push({ origin, relay: request.headers["x-d365-clm-relay"] });
    const headers = Object.entries(request.headers).filter(([name]) => TO_SERVICE.test(name));
    // Storage wants to know the length beforehand.
    const body = request.method === "GET" ? undefined : Buffer.concat(await request.toArray());
    const answer = await fetch(target, { method: request.method, headers, redirect: "manual", body });
    const back = [...answer.headers].filter(([name]) => TO_PAGE.test(name));
    response.writeHead(answer.status, Object.fromEntries(back));
    if (answer.body) Readable.fromWeb(answer.body).pipe(response);
    else response.end();
  }

  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** What the relay has sent, in order. */
    proxied,
    stop: () =>
      new Promise((stopped) => {
        server.close(stopped);
        server.closeAllConnections();
      }),
  };
}

/** `?no-wasm` asks for a page whose policy forbids WebAssembly. */
const headersFor = (url) =>
  url.searchParams.has("no-wasm")
    ? { "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline'; img-src data:" }
    : {};

async function file(response, path, headers) {
  const found = path && (await stat(path).catch(() => undefined));
  if (!found?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", ...headers });
  createReadStream(path).pipe(response);
}

function json(response, value) {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
