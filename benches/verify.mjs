/** What an output must hold. Read by fflate and Papa Parse, never by the library that is measured. */
import assert from "node:assert/strict";
import { unzipSync } from "fflate";
import Papa from "papaparse";
import { COLUMNS } from "./input.mjs";

/** FNV-1a over the code units of every cell, in the order of rows and columns; a cell's end counts too. */
export class CellSum {
  rows = 0;
  #hash = 0x811c9dc5;

  cell(text) {
    let hash = this.#hash;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    this.#hash = Math.imul(hash ^ 0x1f, 0x01000193);
  }

  /** A row as object; it must have exactly the columns. */
  row(row) {
    assert.deepEqual(Object.keys(row), COLUMNS);
    for (const column of COLUMNS) this.cell(String(row[column]));
    this.rows += 1;
  }

  toString() {
    return `${this.rows} rows, checksum ${(this.#hash >>> 0).toString(16)}`;
  }
}

export function sumOfRows(rows) {
  const sum = new CellSum();
  for (const row of rows) sum.row(row);
  return String(sum);
}

/** Of an array of columns: `[{rows, columns: [{name, text, ends}]}]`. */
export function sumOfColumnBatches(batches) {
  const sum = new CellSum();
  for (const { rows, columns } of batches) {
    assert.deepEqual(
      columns.map(({ name }) => name),
      COLUMNS,
    );
    for (let r = 0; r < rows; r++) {
      for (const { text, ends } of columns) sum.cell(text.slice(r === 0 ? 0 : ends[r - 1], ends[r]));
      sum.rows += 1;
    }
  }
  return String(sum);
}

/** The one data file of a package, with the two files that make it one where `whole`. */
export function dataFile(zip, { whole = false } = {}) {
  const files = unzipSync(zip);
  const data = Object.keys(files).filter((name) => name.endsWith(".csv"));
  assert.equal(data.length, 1, `data files: ${data}`);
  if (whole) assert.ok("Manifest.xml" in files && "PackageHeader.xml" in files, `entries: ${Object.keys(files)}`);
  return files[data[0]];
}

/** A package of rows in CSV-Unicode holds exactly these cells. */
export function checkUnicodePackage(zip, expected, whole) {
  const bytes = dataFile(zip, { whole });
  assert.deepEqual([...bytes.subarray(0, 2)], [0xff, 0xfe], "byte order mark");
  const text = new TextDecoder("utf-16le").decode(bytes);
  const { data, errors } = Papa.parse(text, { header: true, delimiter: ",", newline: "\r\n", skipEmptyLines: true });
  assert.deepEqual(errors, []);
  assert.equal(sumOfRows(data), expected);
}

export function checkSameBytes(bytes, expected) {
  assert.equal(
    Buffer.compare(bytes, expected),
    0,
    `${bytes.length} bytes, expected ${expected.length}, or they differ`,
  );
}
