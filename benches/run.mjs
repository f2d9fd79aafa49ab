/**
 * `node benches/run.mjs [--quick] [--only NAME] [--rounds N]`: every row of the table side by side with its peers, in one process;
 * text on stdout, and bench-results.json at the root of the checkout. Fails where an output is wrong, never on a ratio.
 * The package must have been built: `cargo xtask bench` does both.
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { FULL_ROWS } from "./input.mjs";
import { measure } from "./measure.mjs";
import { machine, machineLine, rowText } from "./report.mjs";
import * as fileToPackage from "./rows/file-to-package.mjs";
import * as level1 from "./rows/level-1.mjs";
import * as listVendors from "./rows/list-vendors.mjs";
import * as metadata from "./rows/metadata.mjs";
import * as modules from "./rows/modules.mjs";
import * as openByUrl from "./rows/open-by-url.mjs";
import * as packageToBytes from "./rows/package-to-bytes.mjs";
import * as packageToRows from "./rows/package-to-rows.mjs";
import * as rowsToPackage from "./rows/rows-to-package.mjs";
import * as workers from "./rows/workers.mjs";
import { Shared } from "./shared.mjs";

const ROWS = [
  rowsToPackage,
  workers,
  fileToPackage,
  level1,
  packageToBytes,
  packageToRows,
  openByUrl,
  listVendors,
  metadata,
  modules,
];

const { values: options } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string" }, rounds: { type: "string" } },
});
const rounds = Number(options.rounds ?? (options.quick ? 2 : 5));
if (!(Number.isInteger(rounds) && rounds > 0))
  throw new Error(`--rounds ${options.rounds}: a whole number, at least 1`);
const chosen = ROWS.filter(({ name }) => options.only === undefined || name === options.only);
if (chosen.length === 0) {
  throw new Error(`--only ${options.only}: the rows are ${ROWS.map(({ name }) => name).join(", ")}`);
}

const rowCount = options.quick ? FULL_ROWS / 10 : FULL_ROWS;
const shared = new Shared(await import("d365-clm/package"), rowCount);
const input = { rows: rowCount, columns: 13, utf8Bytes: shared.csv.length };
const here = machine();
console.log(
  `${machineLine(here)}\n${rowCount} rows, ${(input.utf8Bytes / 1e6).toFixed(1)} MB as UTF-8, median of ${rounds}`,
);

const rows = [];
for (const row of chosen) {
  const result = await run(row);
  rows.push(result);
  console.log(`\n${rowText(result, result.inputBytes ?? input.utf8Bytes)}`);
}
const results = new URL("../bench-results.json", import.meta.url);
await writeFile(results, `${JSON.stringify({ machine: here, input, rounds, rows }, undefined, 2)}\n`);
const open = rows.flatMap(({ targets }) => targets).filter(({ reached }) => !reached).length;
console.log(
  `\n${open === 0 ? "every target is reached" : `${open} targets are not reached`}; bench-results.json has it all`,
);

async function run({ name, title, contenders, count, targets, inputBytes }) {
  if (count !== undefined) return { name, title, ...(await counted(count, targets)) };
  const list = await contenders(shared);
  const results = await measure(list, rounds);
  const own = inputBytes === undefined ? {} : { inputBytes: inputBytes(shared) };
  return { name, title, ...own, contenders: results, targets: judged(targets, results) };
}

async function counted(count, targets) {
  try {
    const figures = await count(shared);
    return { figures, targets: judged(targets, figures) };
  } catch (error) {
    if (error?.code === "ERR_ASSERTION") throw error;
    return { unavailable: String(error?.code ?? error), figures: {}, targets: judged(targets, {}) };
  }
}

function judged(targets, results) {
  return targets.map(({ label, judge }) => ({ label, ...judge(results) }));
}
