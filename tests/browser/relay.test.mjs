// The relay and what a real browser tells it: pages of its own origin, listed ones, and strangers.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { createRelay, relayUrl } from "d365-clm/relay";
import { chromium } from "playwright-core";
import { nodeHandler } from "../../examples/relay/node.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const skip = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}; CHROMIUM names another one`;
if (skip && process.env.CI === "true") throw new Error(`${skip}; CI=true forbids skipping`);
const inPage = (name, run) => test(name, { skip, timeout: 60_000 }, run);

describe("the relay in a browser", () => {
  const servers = [];
  /** What reached the service. */
  let reached = [];
  let browser;
  let service;
  let host;
  let listed;
  let stranger;

  const serve = async (handler) => {
    const server = createServer(handler);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
    return server.address().port;
  };
  const page = (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<title>page</title>");

  before(async () => {
    if (skip) return;
    const port = await serve((request, response) => {
      reached.push([request.method, request.url, request.headers.cookie]);
      response.writeHead(200, { "content-type": "application/json", "retry-after": "7", "set-cookie": "a=b" });
      response.end('{"value":[]}');
    });
    service = `http://127.0.0.1:${port}`;
    listed = `http://localhost:${await serve(page)}`;
    stranger = `http://localhost:${await serve(page)}`;
    const secret = "0123456789abcdef0123456789abcdef";
    const relay = nodeHandler(createRelay({ environments: [service], secret, origins: [listed] }));
    const own = await serve((request, response) =>
      request.url.startsWith("/relay") ? relay(request, response) : page(request, response),
    );
    host = `http://127.0.0.1:${own}`;
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
    });
  });
  after(async () => {
    await browser?.close();
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  /** Fetches in a page of that origin; what it saw. */
  async function fetched(origin, init = {}) {
    reached = [];
    const context = await browser.newContext();
    const tab = await context.newPage();
    try {
      await tab.goto(`${origin}/`);
      return await tab.evaluate(
        async ([url, init]) => {
          // biome-ignore lint/suspicious/noDocumentCookie: the simplest way to have one
          document.cookie = "session=1";
          try {
            const response = await fetch(url, init);
            const { status, type } = response;
            const header = (name) => response.headers.get(name);
            return {
              status,
              type,
              retryAfter: header("retry-after"),
              text: await response.text(),
              jar: document.cookie,
            };
          } catch (e) {
            return { error: e.name };
          }
        },
        [relayUrl(`${host}/relay`)(`${service}/data/X`), { headers: { "x-d365-clm-relay": "1" }, ...init }],
      );
    } finally {
      await context.close();
    }
  }

  inPage("a page of its own origin reads and writes; cookies pass in neither direction", async () => {
    for (const method of ["GET", "POST", "PATCH"]) {
      const seen = await fetched(host, { method, ...(method === "GET" ? {} : { body: "{}" }) });
      assert.deepEqual([seen.status, seen.text, seen.jar], [200, '{"value":[]}', "session=1"], method);
      assert.deepEqual(reached, [[method, "/data/X", undefined]]);
    }
  });

  inPage("a listed page of another site may, and sees the headers that it needs", async () => {
    const seen = await fetched(listed, { method: "PUT", body: "x" });
    assert.deepEqual([seen.status, seen.type, seen.retryAfter], [200, "cors", "7"]);
    assert.equal(reached.length, 1);
  });

  inPage("a stranger's page reaches nothing, whichever way it asks", async () => {
    assert.deepEqual(await fetched(stranger), { error: "TypeError" });
    assert.deepEqual(reached, []);
    // Without the header the browser does not ask beforehand.
    assert.deepEqual(await fetched(stranger, { headers: {} }), { error: "TypeError" });
    assert.deepEqual(reached, []);
    const opaque = await fetched(stranger, { headers: {}, mode: "no-cors", method: "POST", body: "{}" });
    assert.equal(opaque.type, "opaque");
    assert.deepEqual(reached, []);
  });

  inPage("no navigation and no frame, of the own origin either", async () => {
    reached = [];
    const tab = await browser.newPage();
    const url = relayUrl(`${host}/relay`)(`${service}/data/X`);
    const answer = await tab.goto(url);
    assert.equal(answer.status(), 403);
    await tab.goto(`${host}/`);
    const [framed] = await Promise.all([
      tab.waitForResponse((response) => response.url() === url),
      tab.evaluate((src) => {
        document.body.append(Object.assign(document.createElement("iframe"), { src }));
      }, url),
    ]);
    assert.equal(framed.status(), 403);
    assert.deepEqual(reached, []);
    await tab.close();
  });
});
