// The admin page as a person uses it: by role and label, in real Chromium, against the sandbox.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { buildPackage, openPackage } from "d365-clm";
import { LEGAL_ENTITIES, sandboxMissing, startSandbox } from "../js/sandbox.mjs";
import { packageOf, utf16 } from "../js/zip.mjs";
import { axe, browserMissing, picture, startAdmin, traces, watched } from "./admin-page.mjs";

const skip = browserMissing() || sandboxMissing();
const inPage = (name, run) => test(name, { skip, timeout: 180_000 }, run);
const ROWS = 20_000;
const TYPES = "CLM integration contract types";

describe("the admin page", () => {
  let sandbox;
  let admin;
  let token;

  before(async () => {
    if (skip) return;
    sandbox = await startSandbox({
      seed: { LegalEntities: LEGAL_ENTITIES },
      settings: { defaultCompany: "usmf" },
    });
    ({ token } = await sandbox.token());
    admin = await startAdmin({
      allowed: [new URL(sandbox.baseUrl).origin, new URL(sandbox.storageUrl).origin],
      config: () => ({
        environments: [{ name: "Sandbox", url: sandbox.baseUrl, company: "usmf" }],
        token: ["paste", "relay", "host"],
        relay: "../relay",
        host: "../page/admin-host.mjs",
      }),
      token: () => sandbox.token(),
      bearer: async () => (await sandbox.token()).token,
    });
  });
  after(async () => {
    await admin?.stop();
    await sandbox?.stop();
  });

  async function connect(page) {
    await page.getByLabel("Access token").fill(token);
    await page.getByRole("button", { name: "Connect", exact: true }).click();
    await page.getByText("Connected to Sandbox, company usmf.").waitFor();
  }
  const choose = (page, name, buffer) =>
    page
      .getByLabel("Package, CSV file or workbook")
      .setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.from(buffer) });
  const go = (page, view) => page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: view }).click();
  /** A row of a table by a text of it. */
  const rowWith = (page, table, text) =>
    page.getByRole("region", { name: table, exact: true }).getByRole("row").filter({ hasText: text });

  inPage("a sound package: entities, rows as they come into sight, a clean bill", async () => {
    const { page, context, fine } = await watched(admin);
    const zip = await buildPackage({
      name: "Money",
      entities: [
        {
          entity: "Currencies",
          rows: Array.from({ length: ROWS }, (_, i) => ({ CurrencyCode: `C${i}`, Name: `<b>Größe ${i}</b>` })),
        },
      ],
    });
    await choose(page, "money.zip", zip);
    await page.getByRole("heading", { name: "Package Money" }).waitFor();
    await rowWith(page, "Entities", "Currencies.csv").getByRole("button", { name: "Show rows: Currencies" }).click();
    const rows = page.getByRole("table", { name: "Rows of Currencies" });
    await rows.getByRole("cell", { name: "<b>Größe 3</b>" }).waitFor();
    assert.ok((await rows.getByRole("row").count()) < 60, "only rows in sight are elements");
    // By keyboard alone.
    const scroll = page.getByRole("region", { name: "Rows of Currencies, scrolls" });
    await scroll.focus();
    for (let i = 0; i < 6; i++) await page.keyboard.press("End");
    await rows.getByRole("cell", { name: "C199", exact: true }).waitFor();
    await page.getByText("No findings: the service will take this package.").or(page.getByText("0 errors")).waitFor();
    assert.deepEqual(await axe(page), []);
    await fine();
    await context.close();
  });

  inPage("rows with long cells reach the page in small pieces", async () => {
    const { page, context, fine } = await watched(admin);
    const Name = "x".repeat(6_000);
    const zip = await buildPackage({
      name: "Long",
      entities: [
        { entity: "Currencies", rows: Array.from({ length: 1_000 }, (_, i) => ({ CurrencyCode: `C${i}`, Name })) },
      ],
    });
    await choose(page, "long.zip", zip);
    await page.getByRole("button", { name: "Show rows: Currencies" }).click();
    const rows = page.getByRole("table", { name: "Rows of Currencies" });
    const cell = rows.getByRole("cell", { name: /^x+…$/ }).first();
    assert.equal((await cell.textContent()).length, 1_001);
    const scroll = page.getByRole("region", { name: "Rows of Currencies, scrolls" });
    await scroll.focus();
    // 200 rows were asked for; 128 thousand characters hold 130.
    await page.getByText("130 rows so far").waitFor();
    await page.keyboard.press("End");
    await page.getByText("260 rows so far").waitFor();
    assert.ok((await page.evaluate(() => globalThis.largest)) > 100_000, "messages are measured");
    await fine();
    await context.close();
  });

  inPage("a broken package: findings, a jump to the line, the repaired one downloaded", async () => {
    const { page, context, fine } = await watched(admin);
    const twice = utf16("CURRENCYCODE,NAME\r\nEUR,Euro\r\nUSD,US dollar\r\nEUR,again\r\n");
    await choose(page, "twice.zip", packageOf({ "Currencies.csv": twice }));
    await page.getByRole("button", { name: "Show line 4 of Currencies.csv" }).click();
    const lines = page.getByRole("region", { name: "Lines of Currencies.csv" });
    await lines.waitFor();
    await picture(page, "admin-package");
    assert.match(await lines.getByRole("row").filter({ hasText: "again" }).textContent(), /^4\s*EUR,again/);
    assert.deepEqual(await axe(page), []);

    const utf8 = new TextEncoder().encode("CURRENCYCODE,NAME\nEUR,Euro\nUSD,US dollar\n");
    await choose(page, "utf8.zip", packageOf({ "Currencies.csv": utf8 }));
    const doctor = page.getByRole("region", { name: "Package doctor" });
    await doctor.getByText("Can be repaired").first().waitFor();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      doctor.getByRole("button", { name: "Repair and download" }).click(),
    ]);
    assert.equal(file.suggestedFilename(), "utf8-repaired.zip");
    const opened = await openPackage(new Uint8Array(await readFile(await file.path())));
    assert.deepEqual(
      (await opened.diagnose()).filter(({ severity }) => severity === "error"),
      [],
    );
    const codes = [];
    for await (const row of opened.entities[0].rows()) codes.push(row.CURRENCYCODE);
    assert.deepEqual(codes, ["EUR", "USD"]);

    await choose(page, "none.zip", new Uint8Array([1, 2, 3]));
    await page.getByText("NOT_A_PACKAGE").waitFor();
    await choose(page, "letter.docx", new Uint8Array([1, 2, 3]));
    await page.getByText("Only .zip, .csv").waitFor();
    await fine();
    await context.close();
  });

  inPage(
    "a CSV file: mapped by name, imported, rejected rows corrected and sent again; the token leaves no trace",
    async () => {
      const { page, context, fine, urls } = await watched(admin);
      await connect(page);
      const types = `Name;DESCRIPTION;Remark\r\n"NDA ""mutual""";Non-disclosure;x\r\nMSA;Master;y\r\n`;
      await choose(page, "types.csv", new TextEncoder().encode(types));
      assert.equal(await page.getByLabel("Entity", { exact: true }).inputValue(), TYPES);
      assert.equal(await page.getByLabel("Property for Name").inputValue(), "Name");
      assert.equal(await page.getByLabel("Property for DESCRIPTION").inputValue(), "Description");
      assert.equal(await page.getByLabel("Property for Remark").inputValue(), "");
      await page.getByText("1 column is left out.").waitFor();
      assert.deepEqual(await axe(page), []);
      await page.getByRole("button", { name: "Build package" }).click();
      await page.getByText(/The package has 2 rows/).waitFor();
      await page.getByRole("button", { name: "Import", exact: true }).click();
      await page.getByText("The import ended: Succeeded.").waitFor({ timeout: 90_000 });

      const contracts = [
        "Contract ID,Contract name,Contract type,Effective date,Expiration date",
        'A1,"Eins, zwei",MSA,2026-01-01T12:00:00Z,2027-01-01T12:00:00Z',
        "A2,Drei,NOPE,2026-01-01T12:00:00Z,2027-01-01T12:00:00Z",
      ];
      await choose(page, "contracts.csv", new TextEncoder().encode(contracts.join("\n")));
      await page.getByLabel("Entity", { exact: true }).selectOption("CLM integration contract");
      await page.getByText("Every column has a property.").waitFor();
      await page.getByRole("button", { name: "Build package" }).click();
      await page.getByRole("button", { name: "Import", exact: true }).click();
      await page.getByText("The import ended: PartiallySucceeded.").waitFor({ timeout: 90_000 });
      await rowWith(page, "Rejected rows", "Contract type NOPE was not found").waitFor();
      assert.deepEqual(await axe(page), []);
      await picture(page, "admin-import");
      await page.getByLabel(/^ContractType of /).fill("MSA");
      await page.getByRole("button", { name: "Send corrected rows" }).click();
      await page.getByText("The import ended: Succeeded.").waitFor({ timeout: 90_000 });
      const runs = await sandbox.control("runs");
      assert.deepEqual(
        runs.map(({ submissions }) => submissions),
        [1, 1, 1],
      );

      await go(page, "Jobs");
      const mine = page.getByRole("region", { name: "Imports of this browser" });
      await mine.getByRole("row").nth(3).waitFor();
      assert.deepEqual(
        await mine.getByRole("row").evaluateAll((rows) => rows.slice(1).map((row) => row.cells[3].textContent)),
        ["Succeeded", "PartiallySucceeded", "Succeeded"],
      );
      await page.getByRole("img", { name: "Rows of the runs by the time they began" }).waitFor();
      await page.getByText("3 runs with 4 rows and 1 error").waitFor();
      await rowWith(page, "Runs of the environment", "CLM-types").waitFor();
      await page.getByRole("button", { name: "Errors of CLM-contracts" }).click();
      await rowWith(page, "Errors of CLM-contracts", "Contract type NOPE was not found").waitFor();
      assert.deepEqual(await axe(page), []);

      await picture(page, "admin-jobs");
      const left = await traces(page);
      assert.match(left, /CLM-types/, "the traces are read where there are some");
      for (const text of [left, urls.join("\n")]) assert.ok(!text.includes(token), "the token left a trace");
      await fine();
      await context.close();
    },
  );

  inPage("a workbook is read like a CSV file", async () => {
    const { page, context, fine } = await watched(admin);
    const zip = await buildPackage({
      name: "W",
      entities: [{ entity: "Currencies", format: "EXCEL", rows: [{ CurrencyCode: "EUR", Name: "Euro" }] }],
    });
    const opened = await openPackage(zip);
    const book = await new Response(opened.file(opened.entities[0].fileName)).arrayBuffer();
    await choose(page, "money.xlsx", new Uint8Array(book));
    await page.getByLabel("Entity", { exact: true }).selectOption("Currencies");
    await page.getByText("Every column has a property.").waitFor();
    await page.getByRole("button", { name: "Build package" }).click();
    await page.getByText(/The package has 1 row /).waitFor();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download package" }).click(),
    ]);
    const made = await openPackage(new Uint8Array(await readFile(await file.path())));
    const rows = [];
    for await (const row of made.entities[0].rows()) rows.push(row);
    assert.deepEqual(rows, [{ CURRENCYCODE: "EUR", NAME: "Euro" }]);
    await fine();
    await context.close();
  });

  inPage("an import that a reload cut off is gone on with, and submitted once", async () => {
    const before = (await sandbox.control("runs")).length;
    const { page, context, fine } = await watched(admin);
    await connect(page);
    await choose(page, "late.csv", new TextEncoder().encode("Name,Description\nLATE,Later\n"));
    await page.getByRole("button", { name: "Build package" }).click();
    await page.getByRole("button", { name: "Import", exact: true }).click();
    await page
      .getByText(/running/)
      .first()
      .waitFor({ timeout: 60_000 });
    await page.reload();
    await go(page, "Jobs");
    await rowWith(page, "Imports of this browser", "CLM-late").getByText("not ended").waitFor();
    await connect(page);
    await page.getByRole("button", { name: "Resume CLM-late" }).click();
    await page.getByText("The import ended: Succeeded.").waitFor({ timeout: 90_000 });
    const runs = (await sandbox.control("runs")).slice(before);
    assert.deepEqual(
      runs.map(({ submissions }) => submissions),
      [1],
    );
    await rowWith(page, "Imports of this browser", "CLM-late").getByText("Succeeded").waitFor();
    await fine();
    await context.close();
  });

  inPage("every view by keyboard, in both looks, narrow and wide", async () => {
    for (const colorScheme of ["light", "dark"]) {
      const { page, context, fine } = await watched(admin, { colorScheme, viewport: { width: 320, height: 640 } });
      await page.getByRole("navigation", { name: "Views" }).waitFor();
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
      for (const view of ["Jobs", "Connection", "Sync", "Contracts", "Packages"]) {
        const link = page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: view });
        await link.focus();
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { level: 2, name: view }).waitFor();
        assert.equal(await page.evaluate(() => document.activeElement.id), "content");
        assert.equal(await link.getAttribute("aria-current"), "page");
        assert.deepEqual(await axe(page), [], `${view}, ${colorScheme}`);
        if (view === "Packages") await picture(page, `admin-narrow-${colorScheme}`);
        const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(wide <= room, `${view} is ${wide} px wide in ${room}`);
      }
      await fine();
      await context.close();
    }
  });

  inPage("a token of the host's module, or one that the relay adds, connects it", async () => {
    const { page, context, fine } = await watched(admin);
    for (const way of ["From the host", "Added by the relay"]) {
      await page.getByLabel("Token", { exact: true }).selectOption(way);
      assert.ok(await page.getByLabel("Access token").isHidden());
      // By keyboard alone.
      await page.getByLabel("Company").fill("demf");
      await page.keyboard.press("Enter");
      await page.getByText("Connected to Sandbox, company demf.").waitFor();
      await page.getByRole("button", { name: "Disconnect" }).click();
      await page.getByText("Not connected.").waitFor();
    }
    await fine();
    await context.close();
  });

  inPage("what connects badly says why", async () => {
    const { page, context } = await watched(admin);
    const press = () => page.getByRole("button", { name: "Connect", exact: true }).click();
    await press();
    await page.getByText("Paste a token first.").waitFor();
    await page.getByLabel("Access token").fill("two words");
    await press();
    await page.getByText("This is no access token").waitFor();
    await page.getByLabel("Access token").fill("nonsense");
    await press();
    await page.getByText("The service refused the pasted token").waitFor();
    assert.equal(await page.getByLabel("Access token").inputValue(), "");
    await context.close();
  });

  inPage("a config.json that can't be meant stops the page with the entry's name", async () => {
    const sound = { environments: [{ name: "E", url: "https://e.operations.dynamics.com" }], token: ["paste"] };
    try {
      for (const [config, words] of [
        [{ ...sound, parents: ["*"] }, "parents[0]"],
        [{ ...sound, parents: ["https://*.clm.example"] }, "parents[0]"],
        [{ ...sound, parents: ["https://clm.example/page"] }, "parents[0]"],
        [{ ...sound, environments: [] }, "environments"],
        [{ ...sound, environments: [{ url: "http://e.operations.dynamics.com" }] }, "environments[0].url"],
        [{ ...sound, relay: "https://relay.example/" }, "relay"],
        [{ ...sound, token: ["host"] }, "token"],
      ]) {
        admin.setConfig(config);
        const { page, context } = await watched(admin);
        await page.getByText(`config.json: ${words} must be`).waitFor({ timeout: 10_000 });
        assert.equal(await page.getByRole("navigation").count(), 0);
        await context.close();
      }
    } finally {
      admin.setConfig({
        environments: [{ name: "Sandbox", url: sandbox.baseUrl, company: "usmf" }],
        token: ["paste", "relay"],
        relay: "../relay",
      });
    }
  });
});
