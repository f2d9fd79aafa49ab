// The main job in real Chromium, through a proxy of its own origin and without one.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { currencies, writeSeed } from "../../examples/node-quickstart/seed.mjs";
import { sandboxMissing, startSandbox } from "../js/sandbox.mjs";
import { startServer } from "./server.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const VENDORS = 20_000;
const MINUTES = 60_000;

function missing() {
  if (existsSync(CHROMIUM)) return sandboxMissing();
  if (process.env.CI === "true") throw new Error(`there is no ${CHROMIUM}, and CI=true forbids skipping`);
  return `there is no ${CHROMIUM}; CHROMIUM names another one`;
}
const skip = missing();
const inPage = (name, run) => test(name, { skip, timeout: 5 * MINUTES }, run);

describe("in a page", () => {
  let folder;
  let sandbox;
  let server;
  let browser;

  before(async () => {
    if (skip) return;
    folder = await mkdtemp(join(tmpdir(), "d365-clm-browser-"));
    const seed = join(folder, "seed");
    const quickstart = join(folder, "quickstart");
    await writeSeed(seed, VENDORS);
    const project = join(ROOT, "examples/node-quickstart/tsconfig.json");
    const tsc = spawnSync(process.execPath, [
      join(ROOT, "node_modules/typescript/bin/tsc"),
      "-p",
      project,
      "--outDir",
      quickstart,
    ]);
    assert.equal(tsc.status, 0, String(tsc.stdout));
    sandbox = await startSandbox({ seedFolder: seed });
    server = await startServer({
      folders: {
        pkg: join(ROOT, "pkg"),
        quickstart,
        seed,
        page: fileURLToPath(new URL(".", import.meta.url)).replace(/\/$/, ""),
      },
      allowed: [new URL(sandbox.baseUrl).origin, new URL(sandbox.storageUrl).origin],
      token: () => sandbox.token(),
    });
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
    await sandbox?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function open(query = "") {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${server.origin}/page/page.html${query}`);
    await page.waitForFunction(() => globalThis.pageReady === true);
    return page;
  }
  const runJob = (page, proxy) =>
    page.evaluate((order) => globalThis.runJob(order), { baseUrl: sandbox.baseUrl, proxy });

  inPage("without a proxy the job ends in CORS_OR_NETWORK, with a hint", async () => {
    const page = await open();
    const { error, right } = await runJob(page, false);
    assert.equal(right, undefined);
    assert.equal(error.code, "CORS_OR_NETWORK", JSON.stringify(error));
    assert.match(error.hint, /rewriteUrl/);
    assert.deepEqual(server.proxied, []);
    await page.context().close();
  });

  inPage("through a proxy of its own origin the main job gives the same table as in Node", async () => {
    const page = await open();
    const { error, right, lines, checkpoints } = await runJob(page, true);
    assert.equal(error, undefined, JSON.stringify(error));
    const rows = lines.at(-1).rows.map(({ ms, ...row }) => row);
    const row = (entity, direction, figures) => ({
      entity,
      direction,
      sent: null,
      imported: null,
      exported: null,
      changed: null,
      incremental: null,
      ...figures,
      ok: true,
    });
    assert.deepEqual(rows, [
      row("CLM integration contract types", "CLM → SCM", { sent: 3, imported: 3 }),
      row("CLM integration contract", "CLM → SCM", { sent: 5000, imported: 5000 }),
      row("Vendors V2 (usmf)", "SCM → CLM", { exported: VENDORS / 2, changed: 2, incremental: 2 }),
      row("Currencies", "SCM → CLM", { exported: currencies().length, changed: 0, incremental: 0 }),
      row("Vendors V2 (demf)", "SCM → CLM", { exported: VENDORS / 2, changed: 2, incremental: 2 }),
    ]);
    assert.equal(right, true);
    assert.equal(checkpoints.length, 7);

    const origins = new Set(server.proxied.map(({ origin }) => origin));
    assert.deepEqual([...origins].sort(), [sandbox.baseUrl, new URL(sandbox.storageUrl).origin].sort());
    assert.ok(server.proxied.every(({ relay }) => relay === "1"));
    const submitted = await sandbox.control("runs");
    assert.deepEqual(
      submitted.map(({ submissions }) => submissions),
      [1, 1, 1, 1, 1, 1, 1],
    );
    await page.context().close();
  });

  inPage("the loader says what stands in its way", async () => {
    const page = await open();
    const missing = await page.evaluate(() => globalThis.tryInit("/nowhere/core.wasm"));
    assert.equal(missing.code, "WASM_LOAD_FAILED");
    assert.equal(missing.status, 404);
    const html = await page.evaluate(() => globalThis.tryInit("/page/page.html"));
    assert.equal(html.code, "WASM_LOAD_FAILED");
    assert.match(html.message, /HTML page/);
    assert.equal((await page.evaluate(() => globalThis.tryInit())).code, "LOADED");
    await page.context().close();

    const strict = await open("?no-wasm");
    const blocked = await strict.evaluate(() => globalThis.tryInit());
    assert.equal(blocked.code, "WASM_BLOCKED", JSON.stringify(blocked));
    assert.match(blocked.hint, /wasm-unsafe-eval/);
    await strict.context().close();
  });
});
