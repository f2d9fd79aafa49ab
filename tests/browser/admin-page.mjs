// What every test of the admin page needs: the page built and served, a browser, and somebody who watches.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { startServer } from "./server.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
/** The page's own policy is in its HTML; this one stands for a careful host's, and reports what the page would break. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; frame-src *; base-uri 'none'; form-action 'none'";

export const browserMissing = () => {
  if (existsSync(CHROMIUM)) return false;
  if (process.env.CI === "true") throw new Error(`there is no ${CHROMIUM}, and CI=true forbids skipping`);
  return `there is no ${CHROMIUM}; CHROMIUM names another one`;
};

export const ARGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Builds the page into the folder; `connect`: origins that it may reach beside its own. */
export function buildPage(folder, connect = "") {
  const vite = spawnSync(
    process.execPath,
    [join(ROOT, "node_modules/vite/bin/vite.js"), "build", "-c", join(ROOT, "www/vite.config.mjs"), "--outDir", folder],
    { cwd: ROOT, encoding: "utf8", env: { ...process.env, D365_ADMIN_CONNECT: connect } },
  );
  assert.equal(vite.status, 0, vite.stdout + vite.stderr);
}

/** Builds the page, and serves it as `/admin/` with the `config.json` that `answers` gives it. */
export async function startAdmin({ allowed = [], config, token = async () => ({}), bearer }) {
  const folder = await mkdtemp(join(tmpdir(), "d365-clm-admin-"));
  const built = join(folder, "dist");
  buildPage(built);
  const answers = {};
  const page = join(ROOT, "tests/browser");
  const server = await startServer({
    folders: { admin: built, page },
    allowed,
    token,
    bearer,
    answers,
    policy: POLICY,
  });
  const setConfig = (value) => {
    answers["/admin/config.json"] = value;
  };
  setConfig(config(server.origin));
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ARGS,
  });
  return {
    origin: server.origin,
    server,
    browser,
    built,
    setConfig,
    async stop() {
      await browser.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A page with somebody who notes all that must not happen. */
export async function watched(admin, { context, path = "/admin/index.html", origins = [], ...options } = {}) {
  const own = context ?? (await admin.browser.newContext(options));
  const page = await own.newPage();
  const wrong = [];
  const urls = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) wrong.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error.stack}`));
  page.on("request", (request) => {
    urls.push(request.url());
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "blob:" && ![admin.origin, ...origins].includes(origin)) wrong.push(`foreign: ${request.url()}`);
  });
  await page.addInitScript(() => {
    globalThis.violations = [];
    globalThis.largest = 0;
    addEventListener("securitypolicyviolation", (event) => {
      globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
    // What the main thread is handed in one turn: bytes of everything but Blobs, which are handles.
    const size = (value) =>
      JSON.stringify(value, (_, one) => (ArrayBuffer.isView(one) ? "x".repeat(one.byteLength) : one));
    const Native = globalThis.Worker;
    globalThis.Worker = class extends Native {
      constructor(...given) {
        super(...given);
        this.addEventListener("message", ({ data }) => {
          globalThis.largest = Math.max(globalThis.largest, 2 * (size(data)?.length ?? 0));
        });
      }
    };
  });
  await page.goto(`${admin.origin}${path}`);
  return {
    page,
    context: own,
    urls,
    /** Fails where anything did happen that must not. */
    async fine() {
      assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
      assert.deepEqual(wrong, []);
      assert.ok((await page.evaluate(() => globalThis.largest)) < 1024 * 1024);
    },
  };
}

/** A picture for review, in target/screenshots. */
export async function picture(page, name) {
  await page.screenshot({ path: join(ROOT, "target/screenshots", `${name}.png`), fullPage: true });
}

/** Violations of the accessibility rules; each with the elements that it is about. */
export async function axe(page) {
  await page.evaluate(await readFile(AXE, "utf8"));
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(" | ")}`,
  );
}

/** Everything that the page keeps or shows: storages, databases, the document with its shadows. */
export async function traces(page) {
  return page.evaluate(async () => {
    const said = [
      JSON.stringify({ ...localStorage }),
      JSON.stringify({ ...sessionStorage }),
      document.cookie,
      location.href,
    ];
    for (const { name } of await indexedDB.databases()) {
      const db = await new Promise((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      for (const table of db.objectStoreNames) {
        const all = await new Promise((resolve) => {
          const request = db.transaction(table).objectStore(table).getAll();
          request.onsuccess = () => resolve(request.result);
        });
        said.push(JSON.stringify(all));
      }
      db.close();
    }
    const walk = (node) => {
      said.push(node.outerHTML ?? "", typeof node.value === "string" ? node.value : "");
      for (const child of node.querySelectorAll("*")) {
        if (typeof child.value === "string") said.push(child.value);
        if (child.shadowRoot) said.push(child.shadowRoot.innerHTML);
      }
    };
    walk(document.documentElement);
    return said.join("\n");
  });
}
