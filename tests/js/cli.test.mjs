// The command line as it is installed: what it prints, and its exit codes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildPackage } from "d365-clm";
import { HEADER, MANIFEST, packageOf, utf16, zipOf } from "./zip.mjs";

const PKG = new URL("../../pkg/", import.meta.url);
const { bin } = JSON.parse(readFileSync(new URL("package.json", PKG), "utf8"));
const MAIN = fileURLToPath(new URL(bin["d365-clm"], PKG));
const folder = mkdtempSync(join(tmpdir(), "d365-clm-cli-"));
after(() => rmSync(folder, { recursive: true }));

const run = (...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
};
const put = (name, bytes) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

test("it is a program", () => {
  assert.match(readFileSync(MAIN, "utf8"), /^#!\/usr\/bin\/env node\n/);
  const { status, stdout } = run("--help");
  assert.equal(status, 0);
  assert.match(stdout, /doctor FILE[\s\S]*show FILE/);
});

test("what can't be meant is usage, exit code 3", () => {
  for (const args of [
    [],
    ["dance"],
    ["show"],
    ["doctor"],
    ["show", "a.zip", "b.zip"],
    ["show", "a.zip", "--row", "5"],
    ["show", "a.zip", "--rows", "many"],
    ["doctor", "a.zip", "--json", "--rapair", "x"],
  ]) {
    const { status, stdout, stderr } = run(...args);
    assert.equal(status, 3, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, /Usage:/);
  }
});

test("what is no package is told, exit code 3", () => {
  for (const command of ["show", "doctor"]) {
    const missing = run(command, join(folder, "missing.zip"));
    assert.equal(missing.status, 3);
    assert.match(missing.stderr, /ENOENT.*missing\.zip/);
    const page = run(command, put("page.zip", "<!DOCTYPE html><html>"));
    assert.equal(page.status, 3);
    assert.match(page.stderr, /^NOT_A_PACKAGE: .+\n {2}.+\n$/);
    assert.equal(page.stdout, "");
  }
});

test("show lists entities, columns and the first rows", async () => {
  const rows = Array.from({ length: 12 }, (_, i) => ({
    CurrencyCode: `C${i}`,
    Name: i === 1 ? "two\nlines" : `name ${i}`,
  }));
  const zip = await buildPackage({
    name: "Two",
    description: "of both",
    entities: [
      { entity: "Currencies", rows },
      { entity: "CLM integration contract types", rows: [{ Name: "x".repeat(40) }], fileName: "t.csv" },
    ],
  });
  const file = put("two.zip", zip);
  const { status, stdout, stderr } = run("show", file);
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const lines = stdout.split("\n");
  assert.deepEqual(lines.slice(0, 8), [
    "Two: of both",
    "",
    "Currencies (Currencies, CSV-Unicode, Currencies.csv, 322 bytes)",
    "  columns: CURRENCYCODE, NAME",
    "  CURRENCYCODE  NAME",
    "  ------------  ----------",
    "  C0            name 0",
    "  C1            two\\nlines",
  ]);
  assert.equal(lines[15], "  C9            name 9");
  assert.equal(lines[16], "");
  assert.equal(lines[20], `  ${"-".repeat(24)}`);
  assert.equal(lines[21], `  ${"x".repeat(23)}…`);
  const one = run("show", file, "--entity", "CLMIntegrationContractTypes", "--rows", "0");
  assert.equal(one.status, 0);
  assert.equal(
    one.stdout,
    "Two: of both\n\nCLM integration contract types (CLMIntegrationContractTypes, CSV-Unicode, t.csv, 98 bytes)\n  columns: NAME\n",
  );
  const none = run("show", file, "--entity", "Vendors");
  assert.equal(none.status, 3);
  assert.match(none.stderr, /no entity "Vendors"; it has Currencies, CLM integration contract types/);
});

test("show says what can't be read, and goes on", () => {
  const { status, stdout } = run("show", put("nofile.zip", packageOf({ "Currencies.csv": undefined })));
  assert.equal(status, 3);
  assert.match(stdout, /^P[\s\S]*\nCurrencies \(Currencies, CSV-Unicode, Currencies\.csv, file missing\)\n/);
  assert.match(stdout, /\n {2}DATA_INVALID: /);
});

test("what stands in a package can't steer the terminal", () => {
  const name = "E\u001b[31m\u0007";
  const zip = packageOf({ "Currencies.csv": utf16(`CURRENCYCODE,NAME\r\nEUR,${name}\r\n`) });
  const { stdout } = run("show", put("steer.zip", zip));
  assert.match(stdout, /E\\u001b\[31m\\u0007/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
  assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f]/);
});

const sound = () =>
  buildPackage({ name: "P", entities: [{ entity: "Vendors V2", rows: [{ VendorAccountNumber: "V1" }] }] });
/** Its rows have no company: they are those of all. */
const shared = () => buildPackage({ name: "P", entities: [{ entity: "Currencies", rows: [{ CurrencyCode: "EUR" }] }] });
/** Its manifest names no data project. */
const unnamed = () => packageOf({ "Manifest.xml": utf16(MANIFEST.replace(/(<DefinitionGroupName>)[^<]*/, "$1")) });
const broken = () =>
  zipOf({
    "Currencies.csv": new TextEncoder().encode("CURRENCYCODE,NAME\nEUR,Euro\n"),
    "Manifest.xml": utf16(MANIFEST),
    "PackageHeader.xml": utf16(HEADER),
  });

test("doctor finds nothing in a sound package: exit code 0", async () => {
  const { status, stdout, stderr } = run("doctor", put("sound.zip", await sound()));
  assert.equal(stderr, "");
  assert.match(stdout, /sound\.zip: 0 errors, 0 warnings, \d+ remarks?\n$/);
  assert.equal(status, 0);
});

test("doctor tells remarks: exit code 0", async () => {
  const { status, stdout } = run("doctor", put("shared.zip", await shared()));
  assert.match(stdout, /\n {2}info {4}PKG-SHARED-ENTITY {2}/);
  assert.match(stdout, /shared\.zip: 0 errors, 0 warnings, [1-9]\d* remarks?\n$/);
  assert.equal(status, 0);
});

test("doctor tells warnings: exit code 1", () => {
  const { status, stdout } = run("doctor", put("unnamed.zip", unnamed()));
  assert.match(stdout, /\n {2}warning PKG-PROJECT-NAME {2}/);
  assert.match(stdout, /unnamed\.zip: 0 errors, 1 warning, /);
  assert.equal(status, 1);
});

test("doctor tells errors by file, with a hint: exit code 2", () => {
  const file = put("broken.zip", broken());
  const { status, stdout } = run("doctor", file);
  assert.equal(status, 2);
  assert.match(stdout, /^Currencies\.csv\n {2}error {3}PKG-[A-Z0-9-]+ {2}.+\n {10}\S.+ \(--repair can do it\)\n/m);
  assert.match(stdout, /broken\.zip: [1-9]\d* errors?, /);
  const json = JSON.parse(run("doctor", file, "--json").stdout);
  assert.equal(json.file, file);
  const [first] = json.diagnostics.filter(({ severity }) => severity === "error");
  assert.equal(first.file, "Currencies.csv");
  assert.match(first.code, /^PKG-/);
  assert.ok(first.hint && first.message);
  assert.equal(first.repairable, true);
});

test("doctor repairs into another file, which is sound then", () => {
  const file = put("torepair.zip", broken());
  const out = join(folder, "repaired.zip");
  const { status, stdout } = run("doctor", file, "--repair", out);
  assert.match(stdout, /\nrepaired: .*repaired\.zip\n {2}\S.+\n/);
  assert.match(stdout, /repaired\.zip: 0 errors, /);
  assert.ok(status < 2, stdout);
  assert.equal(run("doctor", out).status, status);
  assert.match(run("show", out).stdout, /EUR +Euro/);
  assert.equal(readdirSync(folder).filter((name) => name.endsWith(".part")).length, 0);
});

test("doctor says which schema it can't read", () => {
  const file = put("any.zip", packageOf());
  const { status, stderr } = run("doctor", file, "--schema", put("schema.json", "{"));
  assert.equal(status, 3);
  assert.match(stderr, /schema\.json is no JSON/);
});
