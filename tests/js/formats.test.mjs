// Every format, both directions, through the real modules; composites, workbooks and subsets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPackage, openPackage, packageStream } from "d365-clm";
import { packageOf } from "./zip.mjs";

const collect = async (rows) => {
  const list = [];
  for await (const row of rows) list.push(row);
  return list;
};
const text = async (opened, name) => new TextDecoder().decode(await new Response(opened.file(name)).arrayBuffer());
const currencies = (rows, more = {}) => ({ name: "P", entities: [{ entity: "Currencies", rows, ...more }] });

const ROWS = [
  { CurrencyCode: "EUR", Name: 'Euro & "co" <x>', DecimalsCount_MX: 2 },
  { CurrencyCode: "東京", Name: "👩‍🔧,\tz", DecimalsCount_MX: null },
];
const BACK = [
  { CURRENCYCODE: "EUR", NAME: 'Euro & "co" <x>', DECIMALSCOUNT_MX: "2" },
  { CURRENCYCODE: "東京", NAME: "👩‍🔧,\tz", DECIMALSCOUNT_MX: "" },
];

for (const format of ["CSV-Unicode", "XML-Element", "XML-Attribute", "EXCEL"]) {
  test(`${format}: rows, batches and columns come back as they went in`, async () => {
    const zip = await buildPackage(currencies(ROWS, { format }));
    for (const source of [zip, new Blob([zip])]) {
      const opened = await openPackage(source);
      const [entity] = opened.entities;
      assert.equal(entity.format, format);
      assert.deepEqual(await collect(entity.rows()), BACK);
      assert.deepEqual(await collect(entity.batches(1)), [[BACK[0]], [BACK[1]]]);
      const [{ rows, columns }, ...more] = await collect(entity.columnBatches());
      assert.equal(rows, 2);
      assert.deepEqual(more, []);
      assert.deepEqual(
        columns.map(({ name, text, ends }) => [name, text, [...ends]]),
        [
          ["CURRENCYCODE", "EUR東京", [3, 5]],
          ["NAME", 'Euro & "co" <x>👩‍🔧,\tz', [15, 23]],
          ["DECIMALSCOUNT_MX", "2", [1, 1]],
        ],
      );
      opened.dispose();
    }
    const streamed = new Uint8Array(await new Response(packageStream(currencies(ROWS, { format }))).arrayBuffer());
    assert.equal(Buffer.compare(streamed, zip), 0);
  });

  test(`${format}: a value that can't be written is refused with row and column`, async () => {
    const bad = [
      { CurrencyCode: "A", Name: "x" },
      { CurrencyCode: "B", Name: Number.NaN },
    ];
    await assert.rejects(buildPackage(currencies(bad, { format })), (e) => {
      assert.equal(e.code, "INVALID_ARGUMENT");
      assert.deepEqual(e.at, { entity: "Currencies", line: 2, column: "Name" });
      return true;
    });
  });

  test(`${format}: a file that is ready is taken as it is`, async () => {
    const first = await openPackage(await buildPackage(currencies(ROWS, { format })));
    const data = new Uint8Array(await new Response(first.file(first.entities[0].fileName)).arrayBuffer());
    const opened = await openPackage(
      await buildPackage({ name: "P", entities: [{ entity: "Currencies", format, data }] }),
    );
    assert.deepEqual(await collect(opened.entities[0].rows()), BACK);
    const again = new Uint8Array(await new Response(opened.file(opened.entities[0].fileName)).arrayBuffer());
    assert.equal(Buffer.compare(again, data), 0);
  });
}

test("characters that XML lacks are refused with their place", async () => {
  await assert.rejects(buildPackage(currencies([{ CurrencyCode: "a\u0001" }], { format: "XML-Element" })), (e) => {
    assert.equal(e.at.line, 1);
    assert.equal(e.at.column.toUpperCase(), "CURRENCYCODE");
    return true;
  });
});

test("a CSV file may be UTF-8", async () => {
  const opened = await openPackage(await buildPackage(currencies(ROWS, { format: "CSV", encoding: "utf-8" })));
  assert.match(await text(opened, "Currencies.csv"), /^\ufeff?CURRENCYCODE,NAME,DECIMALSCOUNT_MX\r\nEUR,/);
  assert.match(await text(opened, "Currencies.csv"), /東京/);
  assert.deepEqual(await collect(opened.entities[0].rows()), BACK);
  await assert.rejects(buildPackage(currencies(ROWS, { format: "XML-Element", encoding: "utf-8" })), {
    code: "INVALID_ARGUMENT",
  });
});

const ORDERS = {
  entity: "Sales orders composite V4",
  format: "XML-Attribute",
  fileName: "orders.xml",
  composite: {
    element: "ORDER",
    columns: ["ID"],
    children: [{ element: "LINE", columns: ["NO", "ITEM"], children: [{ element: "CHARGE", columns: ["CODE"] }] }],
  },
};
const orders = (count) =>
  Array.from({ length: count }, (_, i) => ({
    values: { ID: `O${i}` },
    children: Array.from({ length: i % 3 }, (_, k) => ({
      values: { NO: k + 1, ITEM: "東京 & co" },
      children: k === 1 ? [{ element: "CHARGE", values: { CODE: "F" } }] : [],
    })),
  }));
const expected = (count) =>
  orders(count).map(({ values: { ID }, children }) => ({
    element: "ORDER",
    values: { ID },
    children: children.map(({ values: { NO, ITEM }, children }) => ({
      element: "LINE",
      values: { NO: String(NO), ITEM },
      children: children.map(({ element, values }) => ({ element, values, children: [] })),
    })),
  }));

for (const format of ["XML-Attribute", "XML-Element"]) {
  test(`a composite in ${format} comes back as trees, also over many chunks`, async () => {
    for (const count of [3, 9_000]) {
      const opened = await openPackage(
        await buildPackage({ name: "P", entities: [{ ...ORDERS, format, records: () => orders(count) }] }),
      );
      assert.equal(opened.entities[0].composite, true);
      assert.deepEqual(await collect(opened.entities[0].records()), expected(count));
    }
  });
}

test("a composite is written as the service nests it", async () => {
  const opened = await openPackage(await buildPackage({ name: "P", entities: [{ ...ORDERS, records: orders(3) }] }));
  const file = (await text(opened, "orders.xml")).replace(/>\s+</g, "><").replaceAll(" />", "/>");
  assert.match(file, /<ORDER ID="O0"><\/ORDER>/);
  assert.match(
    file,
    /<ORDER ID="O2"><LINE NO="1" ITEM="東京 &amp; co"><\/LINE><LINE NO="2" ITEM="東京 &amp; co"><CHARGE CODE="F"\/><\/LINE><\/ORDER>/,
  );
  const plain = await openPackage(packageOf());
  await assert.rejects(collect(plain.entities[0].records()), { code: "INVALID_ARGUMENT" });
});

test("what is no composite is refused", async () => {
  const build = (more) => buildPackage({ name: "P", entities: [{ ...ORDERS, records: orders(2), ...more }] });
  await assert.rejects(build({ format: "CSV" }), { code: "INVALID_ARGUMENT" });
  await assert.rejects(build({ composite: undefined }), { code: "INVALID_ARGUMENT" });
  await assert.rejects(build({ records: undefined, rows: [{ ID: "1" }] }), { code: "INVALID_ARGUMENT" });
  await assert.rejects(build({ composite: { element: "ORDER", columns: "ID" } }), { code: "INVALID_ARGUMENT" });
  await assert.rejects(build({ records: [{ values: { ID: "1", X: "2" } }] }), (e) => {
    assert.equal(e.code, "INVALID_ARGUMENT");
    assert.deepEqual(e.at, { entity: ORDERS.entity, line: 1, column: "X" });
    return true;
  });
});

test("workbooks: limits and what is none", async () => {
  const zip = await buildPackage(currencies(ROWS, { format: "EXCEL" }));
  const opened = await openPackage(zip, { limits: { workbook: 100 } });
  await assert.rejects(collect(opened.entities[0].rows()), (e) => {
    assert.equal(e.code, "PACKAGE_LIMIT");
    assert.match(e.message, /100 bytes/);
    assert.match(e.hint, /limits\.workbook/);
    return true;
  });
  const data = new TextEncoder().encode("CURRENCYCODE\r\nEUR\r\n");
  await assert.rejects(
    buildPackage({ name: "P", entities: [{ entity: "Currencies", format: "EXCEL", data }] }),
    (e) => {
      assert.equal(e.code, "DATA_INVALID");
      assert.equal(e.at.entity, "Currencies");
      return true;
    },
  );
});

test("a workbook has the sheet that the spec names", async () => {
  const opened = await openPackage(await buildPackage(currencies(ROWS, { format: "EXCEL", sheet: "My_rates" })));
  assert.match(
    await new Response(opened.file("Manifest.xml")).arrayBuffer().then(utf16),
    /<ExcelSheetName>My_rates\$</,
  );
  assert.deepEqual(await collect(opened.entities[0].rows()), BACK);
});

const utf16 = (bytes) => new TextDecoder("utf-16le").decode(bytes);

const three = () =>
  buildPackage({
    name: "P",
    entities: [
      { entity: "Currencies", rows: ROWS },
      { entity: "CLM integration contract types", rows: [{ Name: "NDA" }] },
      { entity: "Vendors V2", format: "XML-Element", rows: [{ VendorAccountNumber: "V1" }] },
    ],
    files: [{ name: "note.txt", data: new TextEncoder().encode("hello") }],
  });

test("a subset has these entities and their files, and what belongs to none", async () => {
  const opened = await openPackage(await three());
  const bytes = await opened.subset(["VendorsV2", "Currencies"]);
  const part = await openPackage(bytes);
  assert.deepEqual(
    part.entities.map(({ entity }) => entity),
    ["Currencies", "Vendors V2"],
  );
  assert.deepEqual(
    part.files.map(({ name }) => name),
    ["Currencies.csv", "Vendors V2.xml", "note.txt", "Manifest.xml", "PackageHeader.xml"],
  );
  assert.deepEqual(await collect(part.entities[0].rows()), BACK);
  assert.equal(await text(part, "note.txt"), "hello");
  const streamed = new Uint8Array(await new Response(opened.subsetStream(["Vendors V2", "Currencies"])).arrayBuffer());
  assert.equal(Buffer.compare(streamed, bytes), 0);
});

test("with all entities both descriptions are the same to the byte", async () => {
  const opened = await openPackage(await three());
  const whole = await openPackage(await opened.subset(opened.entities.map(({ entity }) => entity)));
  for (const name of ["Manifest.xml", "PackageHeader.xml", "Currencies.csv"]) {
    const [a, b] = await Promise.all([opened, whole].map((p) => new Response(p.file(name)).arrayBuffer()));
    assert.equal(Buffer.compare(Buffer.from(a), Buffer.from(b)), 0, name);
  }
});

test("a subset of what the package lacks is refused, on the stream too", async () => {
  const opened = await openPackage(await three());
  await assert.rejects(opened.subset(["Nothing"]), { code: "INVALID_ARGUMENT" });
  await assert.rejects(new Response(opened.subsetStream(["Nothing"])).arrayBuffer(), { code: "INVALID_ARGUMENT" });
  await assert.rejects(opened.subset("Currencies"), { code: "INVALID_ARGUMENT" });
  const reader = opened.subsetStream(["Currencies"]).getReader();
  await reader.read();
  opened.dispose();
  await assert.rejects(
    async () => {
      while (!(await reader.read()).done);
    },
    { code: "DISPOSED" },
  );
});
