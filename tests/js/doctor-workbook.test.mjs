// Workbooks in the package doctor: another module reads them, so here it is that both work together. The rules are tested in Rust.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { buildPackage, openPackage } from "d365-clm";
import * as packages from "d365-clm/package";
import { MANIFEST, packageOf, utf16, zipOf } from "./zip.mjs";

const FILE = "Currencies.xlsx";
const TWO = ["CURRENCYCODE", "NAME"];

const row = (cells) => `<row>${cells.map((cell) => `<c t="inlineStr"><is><t>${cell}</t></is></c>`).join("")}</row>`;

/** A workbook with these sheets; rows are arrays of texts, or XML. */
const book = (sheets) => {
  const names = Object.keys(sheets);
  const relation = (id, type, target) => `<Relationship Id="${id}" Type="x/${type}" Target="${target}"/>`;
  const relations = (list) => `<Relationships>${list}</Relationships>`;
  const content = (rows) => rows.map((one) => (typeof one === "string" ? one : row(one))).join("");
  return zipOf({
    "_rels/.rels": relations(relation("r", "officeDocument", "xl/workbook.xml")),
    "xl/workbook.xml": `<workbook><sheets>${names.map((name, i) => `<sheet name="${name}" r:id="s${i}"/>`).join("")}</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": relations(names.map((_, i) => relation(`s${i}`, "worksheet", `s${i}.xml`)).join("")),
    ...Object.fromEntries(
      names.map((name, i) => [
        `xl/s${i}.xml`,
        `<worksheet><sheetData>${content(sheets[name])}</sheetData></worksheet>`,
      ]),
    ),
  });
};

const manifestOf = (sheet = "Currencies$", edit = (xml) => xml) =>
  utf16(
    edit(
      MANIFEST.replace("Currencies.csv", FILE)
        .replace("CSV-Unicode", "EXCEL")
        .replace("<ExcelSheetName />", `<ExcelSheetName>${sheet}</ExcelSheetName>`),
    ),
  );

/** A package whose only data file is that workbook. */
const packageWith = (workbook, manifest = manifestOf()) =>
  packageOf({ "Currencies.csv": undefined, "Manifest.xml": manifest, [FILE]: workbook });
const ofRows = (...rows) => packageWith(book({ Currencies: [TWO, ...rows] }));

/** Without what the manifest alone tells. */
const apart = (found) => found.filter(({ code }) => !["PKG-SHARED-ENTITY", "PKG-SHEET-NAME"].includes(code));
const diagnose = async (zip, options, api = packages) => {
  const opened = await api.openPackage(zip, options);
  try {
    return apart(await opened.diagnose());
  } finally {
    opened.dispose();
  }
};
const short = (found) => found.map(({ severity, code, line, column }) => [severity, code, line, column]);

test("valid workbooks have no findings: by hand, and as this library writes them", async () => {
  const built = await buildPackage({
    name: "P",
    entities: [
      {
        entity: "Currencies",
        format: "EXCEL",
        rows: [{ Code: "EUR", Name: "Ευρώ 𝄞" }],
        fields: { Code: "CURRENCYCODE" },
      },
    ],
  });
  for (const api of [packages, { openPackage }]) {
    assert.deepEqual(await diagnose(ofRows(["EUR", "Ευρώ 𝄞"], ["USD", "Dollar"]), {}, api), []);
    assert.deepEqual(await diagnose(built, {}, api), []);
  }
});

test("packages built of rows or of a workbook map the columns as the sheet spells them", async () => {
  const fields = { Code: "CURRENCYCODE" };
  const data = book({
    Currencies: [
      ["Code", "Name"],
      ["EUR", "Euro"],
    ],
  });
  const currencies = { entity: "Currencies", format: "EXCEL", fields };
  for (const [entity, columns] of [
    [{ ...currencies, rows: [{ Code: "EUR", Name: "Euro" }] }, ["CODE", "NAME"]],
    [{ ...currencies, data }, ["Code", "Name"]],
  ]) {
    const opened = await openPackage(await buildPackage({ name: "P", entities: [entity] }));
    assert.deepEqual(opened.entities[0].columns, columns);
    assert.deepEqual(opened.entities[0].fields, { [columns[0]]: "CURRENCYCODE", [columns[1]]: "NAME" });
    assert.deepEqual(apart(await opened.diagnose()), []);
  }
});

test("a sheet that the workbook lacks, an empty one, and one without a row", async () => {
  const sheets = book({ Notes: [["x"]], Currencies: [TWO, ["EUR", "Euro"]] });
  assert.deepEqual(await diagnose(packageWith(sheets)), []);
  const [finding, ...more] = await diagnose(packageWith(sheets, manifestOf("Sheet1$")));
  assert.deepEqual(more, []);
  assert.deepEqual(
    [finding.severity, finding.code, finding.file, finding.entity, finding.repairable],
    ["error", "PKG-EXCEL-SHEET", FILE, "Currencies", false],
  );
  assert.match(finding.message, /no sheet "Sheet1", only Notes, Currencies/);
  assert.ok(finding.hint);
  // The reader would take the only sheet there is; the service does not.
  const one = packageWith(book({ Currencies: [TWO, ["EUR", "Euro"]] }), manifestOf("Sheet1$"));
  assert.deepEqual(short(await diagnose(one)), [["error", "PKG-EXCEL-SHEET", undefined, undefined]]);
  const other = packageWith(book({ Sheet1: [TWO, ["EUR", "Euro"]] }));
  assert.deepEqual(short(await diagnose(other)), [["error", "PKG-EXCEL-SHEET", undefined, undefined]]);
  assert.deepEqual(short(await diagnose(packageWith(book({ Currencies: [] })))), [
    ["error", "PKG-CSV-NO-HEADER", 1, undefined],
  ]);
  assert.deepEqual(short(await diagnose(ofRows())), [["error", "PKG-NO-ROW", undefined, undefined]]);
});

test("what is no workbook, more than 255 columns, and more than the limit", async () => {
  assert.deepEqual(short(await diagnose(packageWith(utf16("CURRENCYCODE\r\nEUR\r\n")))), [
    ["error", "PKG-EXCEL-UNREADABLE", undefined, undefined],
  ]);
  const wide = ["CURRENCYCODE", "NAME", ...Array.from({ length: 254 }, (_, i) => `C${i}`)];
  const found = await diagnose(packageWith(book({ Currencies: [wide, ["EUR"]] })));
  assert.equal(found.filter(({ code }) => code === "PKG-EXCEL-COLUMNS").length, 1);
  const good = ofRows(["EUR", "Euro"]);
  const [{ code, message, hint, file }, ...more] = await diagnose(good, { limits: { workbook: 300 } });
  assert.deepEqual([code, file, more], ["PKG-LIMIT", FILE, []]);
  assert.match(message, /limit is 300|more than 300 bytes/);
  assert.match(hint, /limit workbook/);
});

test("a bad cell ends the reading: what is wrong above it is told first", async () => {
  const error = '<row><c t="inlineStr"><is><t>SEK</t></is></c><c t="e"><v>#N/A</v></c></row>';
  const long = "x".repeat(255);
  assert.deepEqual(short(await diagnose(ofRows(["EUR", "Euro"], ["USD", long], error, ["EUR", "again"]))), [
    ["warning", "PKG-EXCEL-CUT", 3, undefined],
    ["error", "PKG-EXCEL-UNREADABLE", 4, undefined],
  ]);
  // A column without a name has the place of its cell.
  assert.deepEqual(short(await diagnose(ofRows(["EUR", long], ["USD", "", "more"]))), [
    ["warning", "PKG-EXCEL-CUT", 2, undefined],
    ["error", "PKG-COLUMN-UNNAMED", 3, undefined],
  ]);
});

test("a value against the schema, with row and column", async () => {
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
  };
  // Four characters of which one is two code units: lengths and ends must survive the way between the modules.
  const found = await diagnose(ofRows(["EUR", "äöü"], ["USD", "abcd"], ["SEK", "a𝄞b"]), { schema });
  assert.deepEqual(short(found), [
    ["error", "PKG-VALUE-LENGTH", 3, "NAME"],
    ["error", "PKG-VALUE-LENGTH", 4, "NAME"],
  ]);
});

test("a duplicate key is found across chunks, from any source", async () => {
  // Chunks end at 64 KiB.
  const rows = Array.from({ length: 5000 }, (_, i) => [`K${i}`, `Währung ${i} ${"x".repeat(30)}`]);
  const zip = ofRows(...rows, ["K7", "again"]);
  for (const source of [zip, new Blob([zip]), { size: zip.length, read: async (a, b) => zip.slice(a, b) }]) {
    const [{ severity, code, message, line, file, entity }, ...more] = await diagnose(source);
    assert.deepEqual(more, []);
    assert.deepEqual([severity, code, line, file, entity], ["error", "PKG-KEY-DUPLICATE", 5002, FILE, "Currencies"]);
    assert.match(message, /K7 stands in line 9 already|"K7" stands in line 9 already/);
  }
});

test("repair makes maps of the sheet's header, and keeps the workbook", async () => {
  const workbook = book({ Currencies: [TWO, ["EUR", "Euro"]] });
  const bare = manifestOf("Currencies$", (xml) =>
    xml.replace(/<EntityMapList>.*<\/EntityMapList>/, "<EntityMapList />"),
  );
  const opened = await openPackage(packageWith(workbook, bare));
  const [{ code, repairable }] = apart(await opened.diagnose());
  assert.deepEqual([code, repairable], ["PKG-MAP-MISSING", true]);
  const { bytes, changes } = await opened.repair();
  assert.deepEqual(
    changes.map((one) => one.code),
    ["PKG-MAP-MISSING"],
  );
  const { stream, changes: later } = opened.repairStream();
  assert.equal(Buffer.compare(new Uint8Array(await new Response(stream).arrayBuffer()), bytes), 0);
  assert.deepEqual(await later, changes);
  const again = await openPackage(bytes);
  assert.deepEqual(again.entities[0].columns, TWO);
  assert.deepEqual(apart(await again.diagnose()), []);
  const kept = new Uint8Array(await new Response(again.file(FILE)).arrayBuffer());
  assert.equal(Buffer.compare(kept, workbook), 0);
});

test("it stops when the signal fires, and when the package is disposed of", async () => {
  const zip = ofRows(...Array.from({ length: 20_000 }, (_, i) => [`K${i}`, "x".repeat(40)]));
  const controller = new AbortController();
  const opened = await openPackage(zip);
  const stopped = opened.diagnose({
    signal: controller.signal,
    onProgress: () => setTimeout(() => controller.abort("enough")),
  });
  await assert.rejects(stopped, (e) => e.code === "ABORTED" && e.cause === "enough");
  const gone = opened.diagnose({ onProgress: () => setTimeout(() => opened.dispose()) });
  await assert.rejects(gone, { code: "DISPOSED" });
});

test("without excel.wasm the workbook is not examined: why, and what to do; the rest is", () => {
  const zip = Buffer.from(ofRows(["EUR", "Euro"], ["EUR", "again"])).toString("base64");
  const run = (setUp) => {
    const script = `
      import { readFileSync } from "node:fs";
      import { createRequire } from "node:module";
      import * as api from "d365-clm/slim";
      const file = (name) => readFileSync(createRequire(import.meta.url).resolve("d365-clm/" + name));
      ${setUp}
      const opened = await api.openPackage(Buffer.from("${zip}", "base64"));
      const found = await opened.diagnose();
      const { changes } = await opened.repair();
      console.log(JSON.stringify([found, changes]));`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: new URL(".", import.meta.url),
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout).map(apart);
  };
  const [[finding, ...more], changes] = run('api.initSync(file("core.wasm"));');
  assert.deepEqual([more, changes], [[], []]);
  assert.deepEqual(
    [finding.severity, finding.code, finding.file, finding.entity],
    ["info", "PKG-NOT-EXAMINED", FILE, "Currencies"],
  );
  assert.match(finding.message, /excel\.wasm, which nobody gave/);
  assert.match(finding.hint, /init\(module, \{ excel \}\)/);
  const [[broken, ...others]] = run('api.initSync(file("core.wasm"), { excel: new Uint8Array(8) });');
  assert.deepEqual([broken.code, others], ["PKG-NOT-EXAMINED", []]);
  assert.match(broken.message, /no WebAssembly/);
  assert.match(broken.hint, /excel\.wasm/);
  const [found] = run('api.initSync(file("core.wasm"), { excel: file("excel.wasm") });');
  assert.deepEqual(short(found), [["error", "PKG-KEY-DUPLICATE", 3, undefined]]);
});
