// The host's own origin: serves the page, the built package and the compiled quickstart, hands out tokens as a backend would, and
// is the relay that a page needs, because the service and its storage answer no page of another origin.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, request as send } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { pipeline } from "node:stream";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
/** Headers that go along: what the requests and answers of the service need, and nothing of the page's own. */
const TO_SERVICE = /^(authorization|accept|content-length|content-type|if-match|prefer|odata-.*|x-ms-.*)$/;
const TO_PAGE = /^(content-length|content-type|etag|location|retry-after|odata-.*|x-ms-.*|ms-dyn-aid)$/;

/**
 * `folders`: first part of a path → folder; `allowed`: origins that the relay reaches; `token`: what the backend hands out.
 *
 * `bearer`: the token that the relay adds for the first of `allowed` where the page sends none. `answers`: path → value that is
 * served as JSON; `policy`: a content security policy in place of the own one.
 *
 * @param {{ folders: Record<string, string>, allowed: string[], token: () => Promise<object>, bearer?: () => Promise<string>,
 *   answers?: Record<string, unknown>, policy?: string }} options
 */
export async function startServer({ folders, allowed, token, bearer, answers = {}, policy }) {
  const proxied = [];

  const server = createServer(async (request, response) => {
    try {
      const url = new URL(request.url, "http://page");
      if (url.pathname === "/proxy") await relay(request, response, url.searchParams.get("u") ?? "");
      else if (url.pathname === "/relay") await relay(request, response, url.searchParams.get("url") ?? "");
      else if (Object.hasOwn(answers, url.pathname)) json(response, answers[url.pathname]);
      else if (url.pathname === "/token") json(response, await token());
      else await file(response, resolve(url.pathname), policy ? { "content-security-policy": policy } : policyFor(url));
    } catch (error) {
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
      response.end(String(error));
    }
  });

  function resolve(path) {
    const [, first, ...rest] = decodeURIComponent(path).split("/");
    const folder = Object.hasOwn(folders, first) ? normalize(folders[first]) : undefined;
    const file = folder && normalize(join(folder, ...rest));
    return file?.startsWith(folder.endsWith(sep) ? folder : folder + sep) ? file : undefined;
  }

  /** Streams both ways, and follows no redirect. */
  async function relay(request, response, target) {
    const url = URL.canParse(target) ? new URL(target) : undefined;
    if (!url || !allowed.includes(url.origin)) {
      response.writeHead(403).end();
      return;
    }
    proxied.push({ origin: url.origin, relay: request.headers["x-d365-clm-relay"] });
    const headers = pick(request.headers, TO_SERVICE);
    if (bearer && url.origin === allowed[0]) headers.authorization ??= `Bearer ${await bearer()}`;
    const onward = send(url, { method: request.method, headers }, (answer) => {
      // A page that followed a redirect would leave its origin: the service means "sign in" by it.
      const redirected = answer.statusCode >= 300 && answer.statusCode < 400 && answer.statusCode !== 304;
      response.writeHead(redirected ? 401 : answer.statusCode, pick(answer.headers, redirected ? /^$/ : TO_PAGE));
      pipeline(answer, response, () => {});
    });
    onward.on("error", () => {
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
    pipeline(request, onward, () => {});
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

function pick(headers, wanted) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => wanted.test(name)));
}

/** As strict as a careful host's: WebAssembly is allowed by name, and not at all for a page with `?no-wasm`. */
function policyFor(url) {
  const wasm = url.searchParams.has("no-wasm") ? "" : " 'wasm-unsafe-eval'";
  const policy = `default-src 'self'; script-src 'self' 'nonce-map'${wasm}; connect-src *; img-src data:`;
  return { "content-security-policy": policy };
}

async function file(response, path, headers) {
  const found = path && (await stat(path).catch(() => undefined));
  if (!found?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", ...headers });
  pipeline(createReadStream(path), response, () => {});
}

function json(response, value) {
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(value));
}
