// Rows on their way into the module and back, without the module.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isWellFormed } from "../../pkg/dist/package/cells.js";
import { decodeRows as decode, rowMaker } from "../../pkg/dist/package/decode.js";
import { RowEncoder as Encoder } from "../../pkg/dist/package/encode.js";
import { RecordEncoder, TreeBuilder } from "../../pkg/dist/package/records.js";

/** With room in JavaScript, where its text can be looked at. */
class RowEncoder extends Encoder {
  constructor(entity, columns) {
    const room = Buffer.alloc(1 << 20);
    super(entity, columns, { put: (text, at) => room.write(text, at, "utf8") });
    this.room = room;
  }
  joined({ bytes }) {
    return this.room.toString("utf8", 0, bytes);
  }
}
const decodeRows = (rows, text, ends, columns) => decode(rows, text, ends, columns.length, rowMaker(columns));

const refusal = (row, at) => (e) => {
  assert.equal(e.code, "INVALID_ARGUMENT");
  assert.deepEqual(e.at, { entity: "E", ...at });
  assert.match(e.message, new RegExp(`row ${row}\\b`));
  return true;
};

test("every kind of value has its text and kind", () => {
  const encoder = new RowEncoder("E", ["a", "b", "c", "d", "e", "f", "g"]);
  encoder.push({
    a: "x😀",
    b: 1.5,
    c: 12345678901234567890n,
    d: true,
    e: new Date(Date.UTC(2026, 2, 1, 12)),
    f: null,
    g: undefined,
  });
  encoder.push({ d: false, b: -0 });
  const chunk = encoder.take();
  assert.equal(
    encoder.joined(chunk),
    "x😀\u001f1.5\u001e12345678901234567890\u001dtrue\u001c2026-03-01T12:00:00.000Z\u001b\u001a\u001a" +
      "\u001a0\u001e\u001afalse\u001c\u001a\u001a\u001a",
  );
  assert.equal(chunk.cells, 14);
  const { text, ends, kinds } = chunk.split();
  assert.equal(text, "x😀1.512345678901234567890true2026-03-01T12:00:00.000Z0false");
  assert.deepEqual([...ends], [3, 6, 26, 30, 54, 54, 54, 54, 55, 55, 60, 60, 60, 60]);
  assert.deepEqual([...kinds], [0, 1, 2, 3, 4, 5, 5, 5, 1, 5, 3, 5, 5, 5]);
  assert.equal(encoder.take(), undefined);
});

test("a chunk is full at 128 Ki code units with the ends of its cells, and the next one begins anew", () => {
  const encoder = new RowEncoder("E", ["a"]);
  encoder.push({ a: "x".repeat(128 * 1024 - 3) });
  assert.equal(encoder.full, false);
  encoder.push({ a: "" });
  assert.equal(encoder.full, false);
  encoder.push({ a: "y" });
  assert.equal(encoder.full, true);
  assert.deepEqual([...encoder.take().split().ends], [131069, 131069, 131070]);
  encoder.push({ a: "z" });
  assert.equal(encoder.joined(encoder.take()), "z\u001f");
  assert.equal(encoder.rows, 4);
});

test("a cell may hold the characters that end cells", () => {
  const encoder = new RowEncoder("E", ["a", "b"]);
  encoder.push({ a: "x\u001fy", b: "\u001a" });
  const { text, ends, kinds } = encoder.take().split();
  assert.equal(text, "x\u001fy\u001a");
  assert.deepEqual([...ends], [3, 4]);
  assert.deepEqual([...kinds], [0, 0]);
});

test("a key that is no column is named with its row", () => {
  const encoder = new RowEncoder("E", ["a"]);
  encoder.push({ a: "1" });
  assert.throws(() => encoder.push({ a: "1", nmae: "x" }), refusal(2, { line: 2, column: "nmae" }));
  assert.throws(() => new RowEncoder("E", ["a"]).push({ b: undefined }), refusal(1, { line: 1, column: "b" }));
});

test("half of a surrogate pair is refused, also where two cells would make a pair", () => {
  for (const bad of ["\ud83d", "a\ude00", "\ude00\ud83d", "ab\ud83d"]) {
    const encoder = new RowEncoder("E", ["a", "b"]);
    encoder.push({ a: bad, b: "\ude00" });
    assert.throws(() => encoder.take(), refusal(1, { line: 1, column: "a" }));
  }
  const encoder = new RowEncoder("E", ["a", "b"]);
  encoder.push({ a: "😀", b: "y" });
  encoder.take();
  encoder.push({ a: "x", b: "y" });
  encoder.push({ a: "😀", b: "\ude00" });
  assert.throws(() => encoder.take(), refusal(3, { line: 3, column: "b" }));
  assert.equal(isWellFormed("😀"), true);
  assert.equal(isWellFormed("\ud83d"), false);
});

test("of two mistakes the first is told", () => {
  const wrong = [{ a: "1", nmae: "x" }, { a: Number.NaN }, { a: {} }, "row"];
  for (const second of wrong) {
    const encoder = new RowEncoder("E", ["a", "b"]);
    encoder.push({ a: "x", b: "\ud83d" });
    assert.throws(() => encoder.push(second), refusal(1, { line: 1, column: "b" }));
  }
  const encoder = new RowEncoder("E", ["a", "b"]);
  encoder.push({});
  assert.throws(() => encoder.push({ a: "\ud83d", b: Number.NaN }), refusal(2, { line: 2, column: "a" }));
});

test("what is no value is refused, not made a text", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, new Date("x"), {}, [], () => 1, Symbol("s")]) {
    const encoder = new RowEncoder("E", ["a"]);
    assert.throws(() => encoder.push({ a: bad }), refusal(1, { line: 1, column: "a" }), String(typeof bad));
  }
  for (const bad of [null, "row", 7, ["x"]]) {
    assert.throws(() => new RowEncoder("E", ["a"]).push(bad), refusal(1, { line: 1 }));
  }
});

test("a column with the name of something inherited is empty where the row lacks it", () => {
  const encoder = new RowEncoder("E", ["constructor", "toString", "__proto__"]);
  encoder.push({});
  encoder.push({ constructor: "c", ["__proto__"]: "p" });
  const { text, kinds } = encoder.take().split();
  assert.equal(text, "cp");
  assert.deepEqual([...kinds], [5, 5, 5, 0, 5, 0]);
});

test("keys in another order, and missing ones, give the same", () => {
  const encoder = new RowEncoder("E", ["a", "b", "c"]);
  for (const row of [{ a: "1", b: 2, c: "3" }, { c: "3", b: 2, a: "1" }, { a: "1", b: 2 }, { b: 2 }, {}])
    encoder.push(row);
  encoder.push(Object.create({ b: "inherited" }, { a: { value: "1", enumerable: true } }));
  const rows = ["1\u001f2\u001e3\u001f", "1\u001f2\u001e3\u001f", "1\u001f2\u001e\u001a", "\u001a2\u001e\u001a"];
  const rest = ["\u001a\u001a\u001a", "1\u001finherited\u001f\u001a"];
  const chunk = encoder.take();
  assert.equal(encoder.joined(chunk), [...rows, ...rest].join(""));
  assert.deepEqual([...chunk.split().kinds], [0, 1, 0, 0, 1, 0, 0, 1, 5, 5, 1, 5, 5, 5, 5, 0, 0, 5]);
});

test("long chunks of text that is not ASCII", () => {
  const encoder = new RowEncoder("E", ["a", "b"]);
  const rows = Array.from({ length: 5000 }, (_, i) => ({ a: `東京 ${i}`, b: i % 3 ? "👩‍🔧" : null }));
  for (const row of rows) encoder.push(row);
  const chunk = encoder.take();
  assert.equal(
    encoder.joined(chunk),
    rows.map(({ a, b }) => `${a}\u001f${b === null ? "\u001a" : `${b}\u001f`}`).join(""),
  );
  const { text, ends } = chunk.split();
  assert.equal(text, rows.map(({ a, b }) => a + (b ?? "")).join(""));
  assert.equal(ends.length, 10_000);
});

test("cells become rows again", () => {
  assert.deepEqual(decodeRows(2, "ab😀c", Uint32Array.of(1, 1, 4, 5), ["X", "Y"]), [
    { X: "a", Y: "" },
    { X: "b😀", Y: "c" },
  ]);
  for (let width = 1; width < 36; width++) {
    const columns = Array.from({ length: width }, (_, c) => `C${c}`);
    const cells = Array.from({ length: 3 * width }, (_, i) => "x".repeat(i % 4) + i);
    let end = 0;
    const ends = Uint32Array.from(cells, (cell) => {
      end += cell.length;
      return end;
    });
    const expected = [0, 1, 2].map((r) => Object.fromEntries(columns.map((name, c) => [name, cells[r * width + c]])));
    const rows = decodeRows(3, cells.join(""), ends, columns);
    assert.deepEqual(rows, expected, `${width} columns`);
    assert.equal(Object.getPrototypeOf(rows[0]), Object.prototype);
    assert.deepEqual(Object.keys(rows[2]), columns);
  }
  const [row] = decodeRows(1, "p", Uint32Array.of(1), ["__proto__"]);
  assert.equal(Object.getOwnPropertyDescriptor(row, "__proto__").value, "p");
});

const ORDER = {
  element: "ORDER",
  columns: ["ID"],
  children: [
    { element: "LINE", columns: ["NO", "ITEM"], children: [{ element: "CHARGE", columns: ["CODE"] }] },
    { element: "NOTE", columns: [] },
  ],
};

test("records go in pre-order, each with its member", () => {
  const encoder = new RecordEncoder("Orders", ORDER);
  encoder.push({
    values: { ID: "A" },
    children: [
      { element: "LINE", values: { ITEM: "x", NO: 1 }, children: [{ values: { CODE: "F" } }, { values: {} }] },
      { element: "NOTE", values: {} },
    ],
  });
  encoder.push({ element: "ORDER", values: { ID: null } });
  const { text, ends, kinds, members } = encoder.take();
  assert.equal(text, "A1xF");
  assert.deepEqual([...members], [0, 1, 2, 2, 3, 0]);
  assert.deepEqual([...ends], [1, 2, 3, 4, 4, 4]);
  assert.deepEqual([...kinds], [0, 1, 0, 0, 5, 5]);
  assert.equal(encoder.rows, 2);
  assert.equal(encoder.take(), undefined);
});

test("a record that does not fit its composite is refused with its number", () => {
  const refused = (record, words, column) => {
    const encoder = new RecordEncoder("Orders", ORDER);
    encoder.push({ values: {} });
    assert.throws(
      () => encoder.push(record),
      (e) => {
        assert.equal(e.code, "INVALID_ARGUMENT");
        assert.deepEqual(e.at, { entity: "Orders", line: 2, ...(column && { column }) });
        assert.match(e.message, words);
        return true;
      },
    );
  };
  refused(null, /no object/);
  refused({ ID: "A" }, /no `values` in ORDER/);
  refused({ values: { ID: "A", X: "" } }, /"X" in ORDER/, "X");
  refused({ element: "LINE", values: {} }, /"LINE" below the root; possible: ORDER/);
  refused({ values: {}, children: [{ values: {} }] }, /no `element` below ORDER; possible: LINE, NOTE/);
  refused({ values: {}, children: {} }, /no array/);
  refused({ values: { ID: "\ud83d" } }, /surrogate/, "ID");
  refused({ values: { ID: [] } }, /an array/, "ID");
});

test("rows with members become trees, also over the border of two chunks", () => {
  const trees = new TreeBuilder();
  const known = [
    { element: "ORDER", parent: null, columns: ["ID"] },
    { element: "LINE", parent: 0, columns: ["NO", "__proto__"] },
    { element: "CHARGE", parent: 1, columns: ["CODE"] },
  ];
  assert.deepEqual(trees.add("A1xF", Uint32Array.of(1, 2, 3, 4), Uint8Array.of(0, 1, 2), known), []);
  const [first] = trees.add("2yB", Uint32Array.of(1, 2, 3), Uint8Array.of(1, 0), known);
  const line = (NO, proto, children) => {
    const values = JSON.parse(`{"NO":"${NO}","__proto__":"${proto}"}`);
    return { element: "LINE", values, children };
  };
  const charge = { element: "CHARGE", values: { CODE: "F" }, children: [] };
  assert.deepEqual(first, {
    element: "ORDER",
    values: { ID: "A" },
    children: [line("1", "x", [charge]), line("2", "y", [])],
  });
  assert.equal(Object.hasOwn(first.children[1].values, "__proto__"), true);
  assert.deepEqual(trees.end(), [{ element: "ORDER", values: { ID: "B" }, children: [] }]);
});
