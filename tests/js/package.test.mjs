// Building and opening packages with the real module.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildPackage, openPackage } from "d365-clm";

const collect = async (rows) => {
  const list = [];
  for await (const row of rows) list.push(row);
  return list;
};
const currencies = (rows, more = {}) => ({ name: "P", entities: [{ entity: "Currencies", rows, ...more }] });
const built = async (spec) => openPackage(await buildPackage(spec));
const refused = (code, at) => (e) => {
  assert.equal(e.code, code, e.message);
  assert.deepEqual({ ...e.at, ...at }, e.at);
  return true;
};

const ODD = [
  "plain",
  "",
  " spaces around ",
  'say "hi"',
  '"',
  '""',
  "a,b;c\td",
  "one\ntwo",
  "one\r\ntwo",
  "ends with\r\n",
  ",",
  "=1+1",
  "Ärger ß ñ",
  "Ζεύς Привет",
  "東京 漢字 𠜎",
  "👩‍🔧 🇳🇴",
  "שלום عربي",
  "\ufeffbom",
  "\u0001control",
  "\u001funit\u001e",
  "\u001a",
  "null",
  "0012",
  "1E5",
];

test("odd values survive the way into a CSV-Unicode package and back", async () => {
  const rows = ODD.map((Name, i) => ({ CurrencyCode: `C${i}`, Name }));
  const opened = await built(currencies(rows));
  const back = await collect(opened.entity("Currencies").rows());
  assert.deepEqual(
    back,
    rows.map(({ CurrencyCode, Name }) => ({ CURRENCYCODE: CurrencyCode, NAME: Name })),
  );
  opened.dispose();
});

test("CSV carries Windows-1252; anything else is refused with its place", async () => {
  const rows = [
    { CurrencyCode: "EUR", Name: "Ärger € „Zitat“, ñ\r\nx" },
    { CurrencyCode: "X", Name: "" },
  ];
  const opened = await built(currencies(rows, { format: "CSV" }));
  assert.equal(opened.entities[0].format, "CSV");
  assert.deepEqual(await collect(opened.entity("Currencies").rows()), [
    { CURRENCYCODE: "EUR", NAME: "Ärger € „Zitat“, ñ\r\nx" },
    { CURRENCYCODE: "X", NAME: "" },
  ]);
  await assert.rejects(
    buildPackage(currencies([{ CurrencyCode: "A" }, { CurrencyCode: "東" }], { format: "CSV" })),
    (e) => {
      assert.ok(["INVALID_ARGUMENT", "DATA_INVALID"].includes(e.code));
      assert.equal(e.at.line, 2);
      assert.equal(e.at.column.toUpperCase(), "CURRENCYCODE");
      assert.match(e.hint, /CSV-Unicode/);
      return true;
    },
  );
});

test("kinds of values are written as the service reads them", async () => {
  const row = {
    CurrencyCode: "EUR",
    GeneralRoundingRule: 0.0000001,
    DecimalsCount_MX: 2,
    ReferenceCurrencyForTriangulation: true,
    Symbol: null,
    Name: undefined,
  };
  const opened = await built(currencies([row]));
  assert.deepEqual(await collect(opened.entity("Currencies").rows()), [
    {
      CURRENCYCODE: "EUR",
      GENERALROUNDINGRULE: "0.0000001",
      DECIMALSCOUNT_MX: "2",
      REFERENCECURRENCYFORTRIANGULATION: "Yes",
      SYMBOL: "",
      NAME: "",
    },
  ]);
});

test("what is in the package is told", async () => {
  const opened = await built({
    name: "Two",
    description: "two entities",
    entities: [
      { entity: "CLMIntegrationContractTypes", rows: [{ Name: "NDA" }], level: 1 },
      { entity: "Vendors V2", rows: [{ VendorAccountNumber: "V1" }], level: 2, fileName: "v.csv", fields: {} },
    ],
    files: [{ name: "note.txt", data: new Blob(["hello"]) }],
  });
  assert.equal(opened.name, "Two");
  assert.equal(opened.description, "two entities");
  assert.deepEqual(
    opened.entities.map(({ entity, collection, format, fileName, columns, fields }) => [
      entity,
      collection,
      format,
      fileName,
      columns,
      fields,
    ]),
    [
      [
        "CLM integration contract types",
        "CLMIntegrationContractTypes",
        "CSV-Unicode",
        "CLM integration contract types.csv",
        ["NAME"],
        { NAME: "NAME" },
      ],
      [
        "Vendors V2",
        "VendorsV2",
        "CSV-Unicode",
        "v.csv",
        ["VENDORACCOUNTNUMBER"],
        { VENDORACCOUNTNUMBER: "VENDORACCOUNTNUMBER" },
      ],
    ],
  );
  assert.equal(opened.entity("VendorsV2"), opened.entities[1]);
  assert.equal(opened.entity("Vendors V2"), opened.entities[1]);
  assert.equal(opened.entity("Nothing"), undefined);
  assert.equal(opened.files.find(({ name }) => name === "note.txt").size, 5);
  assert.equal(await new Response(opened.file("note.txt")).text(), "hello");
  await assert.rejects(new Response(opened.file("nothing")).text());
});

test("a BYOB reader fills its own buffer", async () => {
  const opened = await built({
    ...currencies([{ CurrencyCode: "EUR" }]),
    files: [{ name: "x.bin", data: Uint8Array.of(1, 2, 3, 4, 5) }],
  });
  const reader = opened.file("x.bin").getReader({ mode: "byob" });
  const parts = [];
  let buffer = new ArrayBuffer(2);
  while (true) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done) break;
    parts.push(...value);
    buffer = value.buffer;
  }
  assert.deepEqual(parts, [1, 2, 3, 4, 5]);
});

test("rows may come from any kind of source, and a file may be handed over ready", async () => {
  const later = async function* () {
    yield { CurrencyCode: "EUR" };
    yield { CurrencyCode: "USD" };
  };
  const stream = () =>
    new ReadableStream({
      start(controller) {
        controller.enqueue({ CurrencyCode: "EUR" });
        controller.enqueue({ CurrencyCode: "USD" });
        controller.close();
      },
    });
  const ready = Buffer.from("\ufeffCURRENCYCODE\r\nEUR\r\nUSD\r\n", "utf16le");
  const expected = [{ CURRENCYCODE: "EUR" }, { CURRENCYCODE: "USD" }];
  for (const rows of [later(), later, stream(), stream, new Set([{ CurrencyCode: "EUR" }, { CurrencyCode: "USD" }])]) {
    const opened = await built(currencies(rows));
    assert.deepEqual(await collect(opened.entity("Currencies").rows()), expected);
  }
  for (const data of [ready, new Blob([ready])]) {
    const opened = await built({ name: "P", entities: [{ entity: "Currencies", data }] });
    assert.deepEqual(await collect(opened.entity("Currencies").rows()), expected);
  }
});

test("columns give the order, and what a row lacks is empty", async () => {
  const opened = await built(
    currencies([{ Name: "Euro", CurrencyCode: "EUR" }, { CurrencyCode: "USD" }], {
      columns: ["CurrencyCode", "Name"],
    }),
  );
  assert.deepEqual(opened.entities[0].columns, ["CURRENCYCODE", "NAME"]);
  assert.deepEqual(await collect(opened.entities[0].rows()), [
    { CURRENCYCODE: "EUR", NAME: "Euro" },
    { CURRENCYCODE: "USD", NAME: "" },
  ]);
});

test("a row that can't be written is refused with row and column", async () => {
  const bad = (row, column) =>
    assert.rejects(
      buildPackage(currencies([{ CurrencyCode: "EUR", Name: "x" }, row])),
      refused("INVALID_ARGUMENT", { entity: "Currencies", line: 2, column }),
    );
  await bad({ CurrencyCode: "USD", Nmae: "y" }, "Nmae");
  await bad({ CurrencyCode: "USD", Name: "\ud83d" }, "Name");
  await bad({ CurrencyCode: "USD", Name: Number.NaN }, "Name");
  await bad({ CurrencyCode: "USD", Name: { x: 1 } }, "Name");
  await assert.rejects(buildPackage(currencies([])), { code: "INVALID_ARGUMENT" });
  await assert.rejects(buildPackage(currencies([{ "a\ud83d": 1 }])), refused("INVALID_ARGUMENT", { line: 1 }));
});

test("a row of a later chunk is named by its own number", async () => {
  const rows = Array.from({ length: 30_000 }, (_, i) => ({ CurrencyCode: `C${i}`, Name: "n".repeat(20) }));
  rows[29_998].DecimalsCount_MX = "none";
  const spec = currencies(rows, { columns: ["CurrencyCode", "Name", "DecimalsCount_MX"] });
  rows[29_998].DecimalsCount_MX = 1.5;
  await assert.rejects(buildPackage(spec), (e) => {
    assert.equal(e.at.line, 29_999, e.message);
    assert.equal(e.at.column, "DecimalsCount_MX");
    return true;
  });
});

test("a spec that can't be meant is refused", async () => {
  for (const spec of [
    undefined,
    {},
    { name: "P" },
    { name: "P", entities: [] },
    { name: "P", entities: [{ rows: [] }] },
    { name: "P", entities: [{ entity: "Currencies" }] },
    { name: "P", entities: [{ entity: "Currencies", rows: [], data: new Uint8Array() }] },
    { name: "P", entities: [{ entity: "Currencies", rows: [{ A: 1 }], columns: "A" }] },
    { name: "P", entities: [{ entity: "Currencies", rows: 5 }] },
    { name: "it's", entities: [{ entity: "Currencies", rows: [{ CurrencyCode: "EUR" }] }] },
    { name: "P", entities: [{ entity: "Currencies", rows: [{ CurrencyCode: "EUR" }], colums: [] }] },
    { name: "P", level: 10, entities: [{ entity: "Currencies", rows: [{ CurrencyCode: "EUR" }] }] },
  ]) {
    await assert.rejects(buildPackage(spec), { code: "INVALID_ARGUMENT" }, JSON.stringify(spec));
  }
});

test("a file that the service would refuse is refused here", async () => {
  const utf8 = new TextEncoder().encode("CURRENCYCODE\r\nEUR\r\n");
  const lineFeeds = Buffer.from("\ufeffCURRENCYCODE\nEUR\n", "utf16le");
  const headerOnly = Buffer.from("\ufeffCURRENCYCODE\r\n", "utf16le");
  for (const data of [utf8, lineFeeds, headerOnly, new Uint8Array()]) {
    await assert.rejects(buildPackage({ name: "P", entities: [{ entity: "Currencies", data }] }), (e) => {
      assert.equal(e.code, "DATA_INVALID", e.message);
      assert.ok(e.hint);
      return true;
    });
  }
});

test("a source that fails ends the building with its cause", async () => {
  const failing = function* () {
    yield { CurrencyCode: "EUR" };
    throw new Error("disk");
  };
  await assert.rejects(buildPackage(currencies(failing)), (e) => e.cause.message === "disk");
});

test("the same spec gives the same bytes", async () => {
  const spec = () => currencies(ODD.map((Name, i) => ({ CurrencyCode: `C${i}`, Name })));
  assert.deepEqual(await buildPackage(spec()), await buildPackage(spec()));
});

test("building stops when the signal fires, before and in the middle", async () => {
  const controller = new AbortController();
  const reason = new Error("the user left");
  let taken = 0;
  const endless = function* () {
    while (true) {
      taken += 1;
      yield { CurrencyCode: "EUR", Name: "x".repeat(50) };
    }
  };
  const building = buildPackage(currencies(endless), { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 20);
  await assert.rejects(building, (e) => e.code === "ABORTED" && e.cause === reason);
  assert.ok(taken > 0);
  const before = taken;
  await assert.rejects(buildPackage(currencies(endless), { signal: controller.signal }), { code: "ABORTED" });
  assert.equal(taken, before);
});

test("progress counts rows up to their number", async () => {
  const seen = [];
  const rows = Array.from({ length: 20_000 }, (_, i) => ({ CurrencyCode: `C${i}`, Name: "n".repeat(30) }));
  const zip = await buildPackage(currencies(rows), { onProgress: (p) => seen.push({ ...p }) });
  assert.deepEqual(seen.at(-1), { stage: "build", done: 20_000, total: 20_000, unit: "rows" });
  assert.ok(seen.every(({ done }, i) => i === 0 || done >= seen[i - 1].done));
  const read = [];
  const opened = await openPackage(zip);
  const batches = await collect(opened.entity("Currencies").batches(6_000, { onProgress: (p) => read.push({ ...p }) }));
  assert.deepEqual(
    batches.map(({ length }) => length),
    [6_000, 6_000, 6_000, 2_000],
  );
  assert.equal(batches[3][1_999].CURRENCYCODE, "C19999");
  assert.deepEqual(read.at(-1), { stage: "read", done: 20_000, total: 20_000, unit: "rows" });
  assert.throws(() => opened.entity("Currencies").batches(0), { code: "INVALID_ARGUMENT" });
});

test("reading stops when the signal fires", async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => ({ CurrencyCode: `C${i}`, Name: "n".repeat(30) }));
  const opened = await built(currencies(rows));
  const controller = new AbortController();
  let seen = 0;
  await assert.rejects(
    async () => {
      for await (const _ of opened.entity("Currencies").rows({ signal: controller.signal })) {
        seen += 1;
        if (seen === 10) controller.abort("enough");
      }
    },
    (e) => e.code === "ABORTED" && e.cause === "enough",
  );
  assert.ok(seen < 20_000);
});

test("dispose may be called twice, and ends what is being read", async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => ({ CurrencyCode: `C${i}`, Name: "n".repeat(30) }));
  const opened = await built(currencies(rows));
  await assert.rejects(
    async () => {
      for await (const _ of opened.entity("Currencies").rows()) opened.dispose();
    },
    { code: "DISPOSED" },
  );
  opened.dispose();
  opened[Symbol.dispose]();
  await assert.rejects(collect(opened.entity("Currencies").rows()), { code: "DISPOSED" });
  await assert.rejects(new Response(opened.file("Manifest.xml")).text(), { code: "DISPOSED" });
});

test("an independent unzip finds a sound archive", async (t) => {
  if (spawnSync("python3", ["--version"]).status !== 0) return t.skip("python3 is not installed");
  const folder = await mkdtemp(join(tmpdir(), "d365-clm-zip-"));
  try {
    const file = join(folder, "p.zip");
    await writeFile(file, await buildPackage(currencies([{ CurrencyCode: "EUR", Name: "Euro" }])));
    const script = `import sys, zipfile
z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
print(z.namelist()); print(ascii(z.read("Currencies.csv").decode("utf-16")))`;
    const { stdout, stderr } = spawnSync("python3", ["-c", script, file], { encoding: "utf8" });
    assert.equal(
      stdout,
      "['Currencies.csv', 'Manifest.xml', 'PackageHeader.xml']\n'CURRENCYCODE,NAME\\r\\nEUR,Euro\\r\\n'\n",
      stderr,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
