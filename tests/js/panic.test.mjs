// A real panic in a real module: one with an export that panics, which the published module lacks.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { buildPackage, init, openPackage } from "d365-clm/package";
import { Handle } from "../../pkg/dist/handle.js";
import { loader } from "../../pkg/dist/init-package.js";

const MODULE = process.env.D365_PANIC_MODULE;
const skip = MODULE ? false : "D365_PANIC_MODULE names no module";
const spec = {
  name: "P",
  entities: [{ entity: "Currencies", rows: Array.from({ length: 20_000 }, (_, i) => ({ CurrencyCode: `C${i}` })) }],
};

/** The glue has no function for the export: it is called by its name in the module's instance. */
async function load() {
  let instance;
  const real = WebAssembly.instantiate;
  WebAssembly.instantiate = async (...args) => {
    const made = await real(...args);
    instance = made.instance ?? made;
    return made;
  };
  try {
    await init(pathToFileURL(MODULE));
  } finally {
    WebAssembly.instantiate = real;
  }
  assert.equal(typeof instance?.exports.panicProbe, "function", "the module has the probe");
  return instance.exports.panicProbe;
}

test("a panic ends its instance: calls fail, older handles are gone, the next call starts afresh", {
  skip,
}, async () => {
  const panic = await load();
  const opened = await openPackage(await buildPackage(spec));
  const rows = opened.entities[0].batches(10)[Symbol.asyncIterator]();
  await rows.next();
  const stuck = await openPackage({ size: 100_000, read: () => Promise.resolve(new Uint8Array(0)) }).catch(
    (e) => e.code,
  );
  assert.equal(stuck, "PACKAGE_CORRUPT");
  let waiting;
  const slow = openPackage({ size: 100_000, read: () => new Promise((resolve) => (waiting = resolve)) });
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(waiting);

  const thing = new Handle(loader, "the thing", () => ({ free() {} }));
  assert.throws(
    () => thing.use(() => panic()),
    (e) => {
      assert.equal(e.code, "INTERNAL_PANIC");
      assert.ok(e.cause instanceof WebAssembly.RuntimeError);
      assert.match(e.message, /\.rs:\d+/);
      return true;
    },
  );
  await assert.rejects(rows.next(), { code: "DISPOSED" });
  await assert.rejects(opened.entities[0].rows().next(), { code: "DISPOSED" });
  await assert.rejects(new Response(opened.file("Manifest.xml")).text(), { code: "DISPOSED" });
  assert.throws(() => thing.use(() => 1), { code: "DISPOSED" });
  opened.dispose();
  waiting(new Uint8Array(65_557));
  await assert.rejects(slow, (e) => ["DISPOSED", "INTERNAL_PANIC"].includes(e.code));

  const again = await openPackage(await buildPackage(spec));
  let count = 0;
  for await (const _ of again.entities[0].rows()) count += 1;
  assert.equal(count, 20_000);
});

test("the published modules have no probe", () => {
  for (const name of ["core", "package", "excel"]) {
    const bytes = readFileSync(new URL(`../../pkg/dist/${name}.wasm`, import.meta.url));
    const exports = WebAssembly.Module.exports(new WebAssembly.Module(bytes));
    assert.ok(exports.length > 0);
    assert.equal(
      exports.some(({ name }) => /probe/i.test(name)),
      false,
    );
  }
});
