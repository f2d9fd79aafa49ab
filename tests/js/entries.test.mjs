// The entries of the package: which module each loads, and what it says where one is missing. Each in a process of its own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const DIST = new URL("../../pkg/dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("../package.json", DIST), "utf8"));

/** What the script prints, where `touched` are the modules that were read and `open()` opens a small package. */
function run(script, ...args) {
  const prelude = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const touched = [];
    const real = fs.readFileSync;
    fs.readFileSync = (path, ...more) => {
      const name = /[^/\\\\]*\\.wasm$/.exec(String(path))?.[0];
      if (name) touched.push(name);
      return real(path, ...more);
    };
    syncBuiltinESMExports();
    const file = (name) => real(new URL(name, ${JSON.stringify(DIST.href)}));
    const spec = { name: "P", entities: [{ entity: "Currencies", rows: [{ CurrencyCode: "EUR" }] }] };
    const trip = async ({ buildPackage, openPackage }) => (await openPackage(await buildPackage(spec))).entities[0].entity;
  `;
  const child = spawnSync(process.execPath, [...args, "--input-type=module", "-e", prelude + script], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    encoding: "utf8",
  });
  return child.stdout || child.stderr;
}

test("each entry loads its own module and no other", () => {
  for (const [entry, module] of [
    ["d365-clm", "core.wasm"],
    ["d365-clm/package", "package.wasm"],
  ]) {
    const script = `const api = await import("${entry}"); console.log(touched.join(), await trip(api), touched.join());`;
    assert.equal(run(script), ` Currencies ${module}\n`, entry);
  }
});

test("the entry for packages has packages and nothing else", () => {
  const names = run('console.log(Object.keys(await import("d365-clm/package")).sort().join())');
  const expected = "ClmError,DataPackage,buildPackage,init,initSync,isClmError,openPackage,packageStream,version";
  assert.equal(names, `${expected}\n`);
});

test("both entries work side by side", () => {
  const script = `
    const [all, packages] = [await import("d365-clm"), await import("d365-clm/package")];
    console.log(await trip(packages), await trip(all), touched.join(), all.ClmError === packages.ClmError);`;
  assert.equal(run(script), "Currencies Currencies package.wasm,core.wasm true\n");
});

test("workers have the entry's own module", () => {
  for (const entry of ["d365-clm", "d365-clm/package"]) {
    const script = `
      const { buildPackage } = await import("${entry}");
      const rows = () => Array.from({ length: 60_000 }, (_, i) => ({ CurrencyCode: "C" + i, Name: "n" + i * 7919 }));
      const build = (workers) => buildPackage({ name: "P", workers, entities: [{ entity: "Currencies", rows: rows() }] });
      console.log(Buffer.compare(await build(1), await build(2)), process.getActiveResourcesInfo().join());`;
    assert.match(run(script), /^0 /, entry);
  }
});

test("slim takes the module from the host, at once or later", () => {
  const missing = run('await trip(await import("d365-clm/slim")).catch((e) => console.log(e.code, touched.length))');
  assert.equal(missing, "NOT_INITIALIZED 0\n");
  const sync =
    'const api = await import("d365-clm/slim"); api.initSync(file("core.wasm")); console.log(await trip(api));';
  assert.equal(run(sync), "Currencies\n");
  const later = `
    const api = await import("d365-clm/slim");
    await api.init(new WebAssembly.Module(file("core.wasm")));
    console.log(await trip(api));`;
  assert.equal(run(later), "Currencies\n");
});

test("inline has the module in the JavaScript", () => {
  assert.equal(run('console.log(await trip(await import("d365-clm/inline")), touched.length)'), "Currencies 0\n");
});

test("the modules can be imported by name, for hosts that serve them themselves", () => {
  for (const name of ["core", "package", "excel"]) {
    const script = `
      import { createRequire } from "node:module";
      console.log(createRequire(import.meta.url).resolve("d365-clm/${name}.wasm").endsWith("${name}.wasm"));`;
    assert.equal(run(script), "true\n");
  }
});

test("a workbook without its module says what to hand over", () => {
  for (const entry of ["d365-clm/slim", "d365-clm/inline"]) {
    const script = `
      const api = await import("${entry}");
      api.initSync(file("core.wasm"));
      const zip = api.buildPackage({ name: "P", entities: [{ ...spec.entities[0], format: "EXCEL" }] });
      await zip.catch((e) => console.log(e.code, e.message, e.hint));`;
    assert.match(run(script), /^WASM_LOAD_FAILED workbooks need .*excel\.wasm.*init\(module, \{ excel \}\)/, entry);
  }
});

test("edge workers get compiled modules by import, also for workbooks", () => {
  // Stands for what these hosts make of the import of a module.
  const hooks = `import { readFileSync } from "node:fs";
  export async function load(url, context, next) {
    if (!url.endsWith(".wasm")) return next(url, context);
    const text = readFileSync(new URL(url)).toString("base64");
    const source = 'export default new WebAssembly.Module(Buffer.from("' + text + '", "base64"));';
    return { format: "module", shortCircuit: true, source };
  }`;
  const data = (code) => `data:text/javascript,${encodeURIComponent(code)}`;
  const register = data(`import { register } from "node:module"; register(${JSON.stringify(data(hooks))});`);
  for (const entry of ["d365-clm", "d365-clm/package"]) {
    const script = `
      const api = await import("${entry}");
      const book = { name: "P", workers: 2, entities: [{ ...spec.entities[0], format: "EXCEL" }] };
      const opened = await api.openPackage(await api.buildPackage(book));
      for await (const row of opened.entities[0].rows()) console.log(await trip(api), JSON.stringify(row), touched.length);`;
    assert.equal(
      run(script, "--conditions=workerd", "--import", register),
      'Currencies {"CURRENCYCODE":"EUR"} 0\n',
      entry,
    );
  }
});

test("conditions: workerd before node before the rest, and every file is there", () => {
  for (const entry of [".", "./package"]) {
    assert.deepEqual(Object.keys(manifest.exports[entry]), ["workerd", "node", "import"]);
  }
  const workerd = readFileSync(new URL("entry/workerd.js", DIST), "utf8");
  assert.match(workerd, /^import module from "\.\.\/core\.wasm";\nimport excel from "\.\.\/excel\.wasm";/m);
  assert.doesNotMatch(workerd, /import\.meta/);
  for (const script of ["worker/web.js", "worker/web-package.js", "worker/node.js", "worker/node-package.js"]) {
    assert.ok(existsSync(new URL(script, DIST)), script);
  }
});
