/** What the rows work on; each part is made when a row first asks for it, once, and not timed. */
import { zipSync } from "fflate";
import { csvText, FULL_ROWS, utf16, vendorRows } from "./input.mjs";
import { HEADER_XML, manifestXml } from "./manifest.mjs";
import { metadataDocument } from "./metadata.mjs";
import { sumOfRows } from "./verify.mjs";
import { FILE } from "./zip-peers.mjs";

export class Shared {
  #made = new Map();

  /** @param library the exports of d365-clm/package */
  constructor(library, rowCount) {
    this.library = library;
    this.rowCount = rowCount;
  }

  #once(name, make) {
    if (!this.#made.has(name)) this.#made.set(name, make());
    return this.#made.get(name);
  }

  get rows() {
    return this.#once("rows", () => [...vendorRows(this.rowCount)]);
  }
  get text() {
    return this.#once("text", () => csvText(this.rows));
  }
  /** The file of format CSV, in UTF-8. Its length is what every MB/s of the table counts. */
  get csv() {
    return this.#once("csv", () => new TextEncoder().encode(this.text));
  }
  /** The same rows as CSV-Unicode. */
  get csvUnicode() {
    return this.#once("csvUnicode", () => utf16(this.text));
  }
  get cellSum() {
    return this.#once("cellSum", () => sumOfRows(this.rows));
  }
  /** `$metadata` of 30 MB, or a part as large as that of the rows. */
  get metadata() {
    return this.#once("metadata", () => metadataDocument((30e6 * this.rowCount) / FULL_ROWS));
  }
  get metadataBytes() {
    return this.#once("metadataBytes", () => new TextEncoder().encode(this.metadata.text));
  }
  /** Packages as another program writes them: fflate, level 6. */
  get csvPackage() {
    return this.#once("csvPackage", () => zipOf("CSV", this.csv));
  }
  get csvUnicodePackage() {
    return this.#once("csvUnicodePackage", () => zipOf("CSV-Unicode", this.csvUnicode));
  }
}

function zipOf(format, data) {
  const manifest = manifestXml(format, FILE);
  return zipSync({ "PackageHeader.xml": HEADER_XML, "Manifest.xml": manifest, [FILE]: data }, { level: 6 });
}

/** A target: how many times as fast as the fastest of `peers`, by name, ours must be. */
export function atLeast(factor, ours, peers, label) {
  return {
    label: label ?? `≥ ${factor} × ${peers.join(", ")}`,
    judge(results) {
      const mine = results.find(({ name }) => name === ours);
      const theirs = results.filter(({ name }) => peers.includes(name));
      if (theirs.length !== peers.length) throw new Error(`no such contender: ${peers}`);
      if (mine.ms === undefined) return { unavailable: mine.unavailable };
      const value = Math.min(...theirs.map(({ ms }) => ms)) / mine.ms;
      return { value, reached: value >= factor };
    },
  };
}

/** A target: the output of ours is no larger than the smallest of `peers`. */
export function noLarger(ours, peers) {
  return {
    label: `output no larger than ${peers.join(", ")}`,
    judge(results) {
      const mine = results.find(({ name }) => name === ours);
      if (mine.bytes === undefined) return { unavailable: mine.unavailable };
      const smallest = Math.min(...results.filter(({ name }) => peers.includes(name)).map(({ bytes }) => bytes));
      return { value: smallest / mine.bytes, reached: mine.bytes <= smallest };
    },
  };
}
