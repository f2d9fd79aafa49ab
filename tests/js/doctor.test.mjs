// The package doctor across the boundary: its findings are tested in Rust; here, how they arrive.
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPackage, openPackage } from "d365-clm";
import { MANIFEST, packageOf, utf16 } from "./zip.mjs";

const utf8 = (text) => new TextEncoder().encode(text);
const broken = () => packageOf({ "Currencies.csv": utf8("CURRENCYCODE,NAME\nEUR,Euro\nUSD,US dollar\n") });
const sound = (count = 3) =>
  buildPackage({
    name: "P",
    entities: [{ entity: "Currencies", rows: Array.from({ length: count }, (_, i) => ({ CurrencyCode: `C${i}` })) }],
  });
const rowsOf = async (bytes) => {
  const rows = [];
  for await (const row of (await openPackage(bytes)).entities[0].rows()) rows.push(row);
  return rows;
};

test("findings have code, severity, hint and place, from any source", async () => {
  const zip = broken();
  for (const source of [zip, new Blob([zip]), { size: zip.length, read: async (a, b) => zip.slice(a, b) }]) {
    const opened = await openPackage(source);
    const errors = (await opened.diagnose()).filter(({ severity }) => severity === "error");
    assert.ok(errors.length > 0);
    for (const { code, message, hint, repairable, file } of errors) {
      assert.match(code, /^PKG-[A-Z0-9-]+$/);
      assert.ok(message && hint);
      assert.equal(repairable, true);
      assert.equal(file, "Currencies.csv");
    }
    opened.dispose();
  }
});

test("a sound package has no errors; a duplicate key has its line", async () => {
  const of = async (bytes) => (await (await openPackage(bytes)).diagnose()).filter((one) => one.severity === "error");
  assert.deepEqual(await of(await sound()), []);
  const data = utf16("CURRENCYCODE,NAME\r\nEUR,Euro\r\nUSD,US dollar\r\nEUR,again\r\n");
  const [{ code, line, file }, ...more] = await of(packageOf({ "Currencies.csv": data }));
  assert.deepEqual(more, []);
  assert.match(code, /KEY/);
  assert.deepEqual([file, line], ["Currencies.csv", 4]);
});

test("a schema of the tenant is judged by", async () => {
  const schema = {
    enums: {},
    entities: [
      {
        aot: "CurrencyEntity",
        label: "Currencies",
        collection: "Currencies",
        type: "Currency",
        direction: "setup",
        keys: ["CurrencyCode"],
        properties: [
          { name: "CurrencyCode", type: "Edm.String" },
          { name: "Name", type: "Edm.String", maxLength: 3 },
        ],
      },
    ],
    toTypeScript() {},
  };
  const found = async (options) => {
    const opened = await openPackage(packageOf(), options);
    return (await opened.diagnose())
      .filter(({ severity }) => severity === "error")
      .map(({ line, column }) => [line, column]);
  };
  assert.deepEqual(await found({}), []);
  assert.deepEqual(await found({ schema }), [
    [2, "NAME"],
    [3, "NAME"],
  ]);
  await assert.rejects(openPackage(packageOf(), { schema: { entities: 5 } }), { code: "INVALID_ARGUMENT" });
});

test("repair gives a package without errors, and says what it did", async () => {
  const opened = await openPackage(broken());
  const progress = [];
  const { bytes, changes } = await opened.repair({ onProgress: (p) => progress.push(p) });
  assert.ok(changes.length > 0);
  assert.ok(changes.every(({ code, message }) => code.startsWith("PKG-") && message));
  assert.equal(progress.at(-1).stage, "repair");
  assert.deepEqual(await rowsOf(bytes), [
    { CURRENCYCODE: "EUR", NAME: "Euro" },
    { CURRENCYCODE: "USD", NAME: "US dollar" },
  ]);
  const again = await (await openPackage(bytes)).diagnose();
  assert.deepEqual(
    again.filter(({ severity }) => severity === "error"),
    [],
  );
  const { stream, changes: later } = opened.repairStream();
  assert.equal(Buffer.compare(new Uint8Array(await new Response(stream).arrayBuffer()), bytes), 0);
  assert.deepEqual(await later, changes);
});

test("the changes of a stream that is cancelled are never known", async () => {
  const { stream, changes } = (await openPackage(broken())).repairStream();
  await stream.cancel("enough");
  await assert.rejects(changes);
});

test("elements out of order are reported and repaired", async () => {
  const moved = MANIFEST.replace("<EntityName>Currencies</EntityName>", "").replace(
    "<ValidationStatus>Yes</ValidationStatus>",
    "<ValidationStatus>Yes</ValidationStatus><EntityName>Currencies</EntityName>",
  );
  const opened = await openPackage(packageOf({ "Manifest.xml": utf16(moved) }));
  const found = (await opened.diagnose()).filter(({ severity }) => severity === "error");
  assert.ok(found.some(({ file, repairable }) => file === "Manifest.xml" && repairable));
  const { bytes } = await opened.repair();
  const manifest = await new Response((await openPackage(bytes)).file("Manifest.xml")).arrayBuffer();
  assert.equal(Buffer.compare(Buffer.from(manifest), Buffer.from(utf16(MANIFEST))), 0);
});

test("diagnosing reports progress, and stops when the signal fires", async () => {
  const zip = await sound(50_000);
  const opened = await openPackage(zip);
  const progress = [];
  await opened.diagnose({ onProgress: (p) => progress.push(p) });
  const last = progress.at(-1);
  assert.deepEqual([last.stage, last.unit, last.done === last.total], ["diagnose", "bytes", true]);
  assert.ok(last.done > 0);
  const slow = await openPackage({
    size: zip.length,
    read: async (a, b) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return zip.slice(a, b);
    },
  });
  const controller = new AbortController();
  const diagnosing = slow.diagnose({ signal: controller.signal });
  controller.abort("enough");
  await assert.rejects(diagnosing, (e) => e.code === "ABORTED" && e.cause === "enough");
});
