import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { FULL_ROWS } from "../input.mjs";
import { atMost } from "../limits.mjs";
import { median } from "../measure.mjs";

const PAGES = 10;
const ROUNDS = 3;

export const name = "list-vendors";
export const title = "list 100,000 vendors through 10 pages, beside fetch + res.json()";

/** Each contender has a process of its own, the service another one. In turn, so that the machine's other work meets both alike. */
export async function count(shared) {
  const quick = shared.rowCount < FULL_ROWS;
  const pageRows = quick ? 1_000 : 10_000;
  const server = spawn(process.execPath, [file("../list/server.mjs"), String(PAGES), String(pageRows)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [told] = await once(server.stdout, "data");
    const { port, pageBytes } = JSON.parse(told);
    const results = { "d365-clm": [], fetch: [] };
    for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
      for (const [contender, list] of Object.entries(results)) list.push(await read(contender, port, PAGES * pageRows));
    }
    return figuresOf(results["d365-clm"], results.fetch, pageBytes);
  } finally {
    server.kill();
  }
}

export const targets = [
  atMost("time ratio", 1.25, "≤ 1.25 × the time of fetch + res.json()"),
  atMost("peak heap ratio", 0.7, "≤ 0.7 × its peak heap"),
];

async function read(contender, port, rows) {
  const { stdout } = await promisify(execFile)(process.execPath, [
    file("../list/reader.mjs"),
    contender,
    `http://127.0.0.1:${port}`,
  ]);
  const result = JSON.parse(stdout);
  assert.equal(result.rows, rows);
  return result;
}

function figuresOf(ours, theirs, pageBytes) {
  assert.equal(ours[0].sum, theirs[0].sum, "other rows were read");
  const of = (list, figure) => median(list.map((result) => result[figure]));
  const ratio = (figure) => Number((of(ours, figure) / of(theirs, figure)).toFixed(3));
  const mib = (list, figure) => Math.round(of(list, figure) / 2 ** 20);
  return {
    "time ratio": ratio("ms"),
    "peak heap ratio": ratio("peak"),
    "processor time ratio": ratio("cpuMs"),
    "peak RSS ratio": ratio("peakRss"),
    "bytes of a page": pageBytes,
    "ms, ours": Math.round(of(ours, "ms")),
    "ms, fetch": Math.round(of(theirs, "ms")),
    "peak heap MiB, ours": mib(ours, "peak"),
    "peak heap MiB, fetch": mib(theirs, "peak"),
  };
}

function file(path) {
  return new URL(path, import.meta.url).pathname;
}
