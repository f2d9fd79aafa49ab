// The admin page as a page of an unpacked extension: no relay, the extension may reach the environment itself.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { LEGAL_ENTITIES, sandboxMissing, startSandbox } from "../js/sandbox.mjs";
import { ARGS, axe, browserMissing, buildPage, CHROMIUM, traces } from "./admin-page.mjs";

const skip = browserMissing() || sandboxMissing();

test("as a page of an extension it connects and imports without a relay", { skip, timeout: 180_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "d365-clm-extension-"));
  const sandbox = await startSandbox({ seed: { LegalEntities: LEGAL_ENTITIES }, settings: { defaultCompany: "usmf" } });
  let context;
  try {
    const extension = join(folder, "extension");
    const origins = [sandbox.baseUrl, new URL(sandbox.storageUrl).origin];
    buildPage(extension, origins.join(" "));
    await writeFile(
      join(extension, "manifest.json"),
      JSON.stringify({
        manifest_version: 3,
        name: "d365-clm administration",
        version: "1",
        action: {},
        background: { service_worker: "background.js" },
        // A match pattern knows no port: it stands for all of them.
        host_permissions: ["http://127.0.0.1/*"],
        content_security_policy: { extension_pages: "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'" },
      }),
    );
    await writeFile(join(extension, "background.js"), "");
    await writeFile(
      join(extension, "config.json"),
      JSON.stringify({ environments: [{ name: "Sandbox", url: sandbox.baseUrl, company: "usmf" }] }),
    );
    context = await chromium.launchPersistentContext(join(folder, "profile"), {
      executablePath: CHROMIUM,
      headless: false,
      args: [
        ...ARGS,
        `--disable-extensions-except=${extension}`,
        `--load-extension=${extension}`,
        "--disable-features=DisableLoadExtensionCommandLineSwitch",
      ],
    });
    const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker", { timeout: 30_000 }));
    const page = await context.newPage();
    const wrong = [];
    page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
    page.on("pageerror", (error) => wrong.push(String(error)));
    await page.goto(new URL("index.html", worker.url()).href);
    const { token } = await sandbox.token();
    await page.getByLabel("Access token").fill(token);
    await page.keyboard.press("Enter");
    await page.getByText("Connected to Sandbox, company usmf.").waitFor();
    await page.getByLabel("Package, CSV file or workbook").setInputFiles({
      name: "types.csv",
      mimeType: "text/csv",
      buffer: Buffer.from("Name,Description\nNDA,Non-disclosure\n"),
    });
    await page.getByRole("button", { name: "Build package" }).click();
    await page.getByRole("button", { name: "Import", exact: true }).click();
    await page.getByText("The import ended: Succeeded.").waitFor({ timeout: 60_000 });
    assert.deepEqual(await axe(page), []);
    assert.ok(!(await traces(page)).includes(token));
    assert.deepEqual(wrong, []);
  } finally {
    await context?.close();
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
