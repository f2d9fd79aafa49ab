// What comes in place of a package, and what is wrong with packages: each has its code, its place and a hint.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPackage } from "d365-clm";
import { HEADER, MANIFEST, packageOf, utf16, zipOf } from "./zip.mjs";

const failure = async (bytes, options) => {
  const error = await openPackage(bytes, options).then(
    () => assert.fail("it was opened"),
    (e) => e,
  );
  assert.equal(error.name, "ClmError", error.stack);
  assert.ok(error.hint, `${error.code} has no hint`);
  return error;
};
const text = (content) => new TextEncoder().encode(content);
const rowsOf = async (bytes) => {
  const list = [];
  for await (const row of (await openPackage(bytes)).entities[0].rows()) list.push(row);
  return list;
};

test("a sound package made by hand opens", async () => {
  assert.deepEqual(await rowsOf(packageOf()), [
    { CURRENCYCODE: "EUR", NAME: "Euro" },
    { CURRENCYCODE: "USD", NAME: "US, dollar" },
  ]);
});

test("a header in another order than the maps", async () => {
  const data = utf16("NAME,CURRENCYCODE\r\nEuro,EUR\r\n");
  assert.deepEqual(await rowsOf(packageOf({ "Currencies.csv": data })), [{ NAME: "Euro", CURRENCYCODE: "EUR" }]);
});

test("bytes that are no zip", async () => {
  for (const bytes of [
    new Uint8Array(),
    text("CURRENCYCODE,NAME\r\n"),
    text("<!DOCTYPE html><html>"),
    text('{"error":1}'),
  ]) {
    assert.equal((await failure(bytes)).code, "NOT_A_PACKAGE");
  }
});

test("a zip that is cut off or damaged", async () => {
  const whole = packageOf();
  assert.equal((await failure(whole.slice(0, -30))).code, "PACKAGE_CORRUPT");
  const damaged = packageOf();
  damaged[60] ^= 0xff;
  await assert.rejects(rowsOf(damaged), { code: "PACKAGE_CORRUPT" });
});

test("a zip without header or manifest, or with them in a folder", async () => {
  const noHeader = await failure(packageOf({ "PackageHeader.xml": undefined }));
  assert.equal(noHeader.code, "NOT_A_PACKAGE");
  assert.equal(noHeader.at.file, "PackageHeader.xml");
  const noManifest = await failure(packageOf({ "Manifest.xml": undefined }));
  assert.equal(noManifest.code, "MANIFEST_INVALID");
  assert.equal(noManifest.at.file, "Manifest.xml");
  const folder = await failure(zipOf({ "p/Manifest.xml": utf16(MANIFEST), "p/PackageHeader.xml": utf16(HEADER) }));
  assert.match(folder.message, /p\/PackageHeader\.xml/);
  const workbook = await failure(zipOf({ "[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>" }));
  assert.equal(workbook.code, "NOT_A_PACKAGE");
  assert.match(workbook.message, /Excel/);
});

test("a wrong namespace on either root opens: the package doctor tells it", async () => {
  const wrong = (xml) => utf16(xml.replace("2015/01/DataManagement", "2015/02/DataManagement"));
  for (const file of [{ "Manifest.xml": wrong(MANIFEST) }, { "PackageHeader.xml": wrong(HEADER) }]) {
    const opened = await openPackage(packageOf(file));
    assert.deepEqual(
      opened.entities.map((entity) => entity.entity),
      ["Currencies"],
    );
  }
});

test("elements out of order, which the service would silently skip, are read", async () => {
  const moved = MANIFEST.replace("<EntityName>Currencies</EntityName>", "").replace(
    "<ValidationStatus>Yes</ValidationStatus>",
    "<ValidationStatus>Yes</ValidationStatus>\n<EntityName>Currencies</EntityName>",
  );
  assert.notEqual(moved, MANIFEST);
  const opened = await openPackage(packageOf({ "Manifest.xml": utf16(moved) }));
  assert.deepEqual(
    opened.entities.map((entity) => entity.entity),
    ["Currencies"],
  );
});

test("XML that is none", async () => {
  const error = await failure(packageOf({ "Manifest.xml": utf16("<DataManagementPackageManifest>") }));
  assert.equal(error.code, "MANIFEST_INVALID");
  assert.equal(error.at.file, "Manifest.xml");
});

test("rows that don't fit their header, with file and line", async () => {
  const data = utf16("CURRENCYCODE,NAME\r\nEUR,Euro\r\nUSD\r\n");
  await assert.rejects(rowsOf(packageOf({ "Currencies.csv": data })), (e) => {
    assert.equal(e.code, "DATA_INVALID");
    assert.equal(e.at.file, "Currencies.csv");
    assert.equal(e.at.line, 3);
    return true;
  });
});

test("a data file that the zip lacks: the package opens, its rows don't", async () => {
  const opened = await openPackage(packageOf({ "Currencies.csv": undefined }));
  assert.equal(opened.entities.length, 1);
  await assert.rejects(opened.entities[0].rows()[Symbol.asyncIterator]().next(), { code: "DATA_INVALID" });
});

test("limits, with both numbers", async () => {
  const entries = await failure(packageOf(), { limits: { entries: 2 } });
  assert.equal(entries.code, "PACKAGE_LIMIT");
  assert.match(entries.message, /3.*2/);
  const stream = new Blob([packageOf()]).stream();
  const spool = await failure(stream, { limits: { spool: 100 } });
  assert.equal(spool.code, "PACKAGE_LIMIT");
  await assert.rejects(openPackage(packageOf(), { limits: { entrys: 2 } }), { code: "INVALID_ARGUMENT" });
});

test("all shapes of a source open, and a response that is none is told", async () => {
  const zip = packageOf();
  for (const source of [zip, zip.buffer, new Blob([zip]), new Blob([zip]).stream(), new Response(zip)]) {
    assert.equal((await openPackage(source)).name, "P");
  }
  assert.equal((await failure(new Response(null))).code, "NOT_A_PACKAGE");
  await assert.rejects(openPackage(new Response("no", { status: 404 })), { code: "INVALID_ARGUMENT", status: 404 });
  for (const source of [undefined, "path.zip", 5, {}, { size: 5 }]) {
    await assert.rejects(openPackage(source), { code: "INVALID_ARGUMENT" });
  }
});
