// Rows on their way into the module and back: pkg/dist/rows.js alone, without the module.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRows, isWellFormed, RowEncoder } from "../../pkg/dist/rows.js";

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
  const { text, ends, kinds } = encoder.take();
  assert.equal(text, "x😀1.512345678901234567890true2026-03-01T12:00:00.000Z0false");
  assert.deepEqual([...ends], [3, 6, 26, 30, 54, 54, 54, 54, 55, 55, 60, 60, 60, 60]);
  assert.deepEqual([...kinds], [0, 1, 2, 3, 4, 5, 5, 5, 1, 5, 3, 5, 5, 5]);
  assert.equal(encoder.take(), undefined);
});

test("a chunk is full at 96 Ki code units, and the next one begins anew", () => {
  const encoder = new RowEncoder("E", ["a"]);
  encoder.push({ a: "x".repeat(96 * 1024 - 1) });
  assert.equal(encoder.full, false);
  encoder.push({ a: "y" });
  assert.equal(encoder.full, true);
  assert.deepEqual([...encoder.take().ends], [98303, 98304]);
  encoder.push({ a: "z" });
  assert.deepEqual([...encoder.take().ends], [1]);
  assert.equal(encoder.rows, 3);
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
    assert.throws(() => encoder.push({ a: bad, b: "\ude00" }), refusal(1, { line: 1, column: "a" }));
  }
  const encoder = new RowEncoder("E", ["a", "b"]);
  assert.throws(() => encoder.push({ a: "😀", b: "\ude00" }), refusal(1, { line: 1, column: "b" }));
  assert.equal(isWellFormed("😀"), true);
  assert.equal(isWellFormed("\ud83d"), false);
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
  const { text, kinds } = encoder.take();
  assert.equal(text, "cp");
  assert.deepEqual([...kinds], [5, 5, 5, 0, 5, 0]);
});

test("cells become rows again", () => {
  assert.deepEqual(decodeRows(2, "ab😀c", Uint32Array.of(1, 1, 4, 5), ["X", "Y"]), [
    { X: "a", Y: "" },
    { X: "b😀", Y: "c" },
  ]);
  const [row] = decodeRows(1, "p", Uint32Array.of(1), ["__proto__"]);
  assert.equal(Object.getOwnPropertyDescriptor(row, "__proto__").value, "p");
});
