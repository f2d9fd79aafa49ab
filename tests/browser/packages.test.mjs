// Packages in real Chromium: the bytes of Node, threads, files, ranges, and workbooks.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildPackage } from "d365-clm";
import { chromium } from "playwright-core";
import { startServer } from "./server.mjs";
import { rows, spec } from "./spec.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const COUNT = 60_000;
const skip = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}; CHROMIUM names another one`;
if (skip && process.env.CI === "true") throw new Error(`${skip}; CI=true forbids skipping`);
const inPage = (name, run) => test(name, { skip, timeout: 300_000 }, run);

describe("packages in a page", () => {
  let folder;
  let server;
  let browser;
  let page;
  let expected;

  before(async () => {
    if (skip) return;
    folder = await mkdtemp(join(tmpdir(), "d365-clm-packages-"));
    await writeFile(join(folder, "p.zip"), await buildPackage(spec(3)));
    server = await startServer({
      folders: { pkg: join(ROOT, "pkg"), files: folder, page: join(ROOT, "tests/browser") },
      allowed: [],
      token: async () => ({}),
    });
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
    });
    page = await browser.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(`${server.origin}/page/packages.html`);
    await page
      .waitForFunction(() => globalThis.pageReady, undefined, { timeout: 60_000 })
      .catch((error) => assert.fail(problems.join() || String(error)));
    expected = createHash("sha256")
      .update(await buildPackage(spec(COUNT)))
      .digest("hex");
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  inPage("every entry, with and without threads, gives the bytes of Node", async () => {
    for (const [entry, workers] of [
      ["all", 1],
      ["all", 2],
      ["only", 1],
      ["only", 3],
      ["inline", 2],
    ]) {
      const got = await page.evaluate(([entry, workers]) => globalThis.build(entry, workers), [entry, workers]);
      assert.equal(got, expected, `${entry}, ${workers} workers`);
    }
  });

  inPage("threads are really started", async () => {
    const started = new Promise((resolve) => page.once("worker", (worker) => resolve(worker.url())));
    await page.evaluate(() => globalThis.build("only", 2));
    assert.match(await started, /\/pkg\/dist\/worker\/web-package\.js$/);
  });

  inPage("a file of the user is read by its parts", async () => {
    const { rows: count, text, bytes, size } = await page.evaluate(() => globalThis.readBack());
    assert.equal(count, COUNT);
    assert.equal(
      text,
      [...rows(COUNT)].reduce((sum, { Name }) => sum + Name.length, 0),
    );
    assert.equal(bytes, size);
    assert.ok(bytes > 1_000_000);
  });

  inPage("a URL of a server without ranges", async () => {
    const row = await page.evaluate(() => globalThis.openUrl("/files/p.zip"));
    assert.deepEqual(row, { CURRENCYCODE: "C0", NAME: [...rows(1)][0].Name, DECIMALSCOUNT_MX: "0" });
  });

  inPage("a workbook loads its module", async () => {
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    const names = await page.evaluate(() => globalThis.workbook());
    assert.deepEqual(
      names,
      [...rows(3)].map(({ Name }) => Name),
    );
    assert.ok(asked.includes("/pkg/dist/excel.wasm"), asked.join());
  });
});
