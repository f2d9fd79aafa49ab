/**
 * `node benches/memory.mjs [--gib 2 | --mib 256] [--limit-mib 48]`: writes a package of that zipped size with packageStream, from rows
 * that are made while they are asked for, into a temporary file; then reads all of it back with openPackage over a RandomAccess and
 * batches(). Fails where the cells that come back are not those that went in, or where the memory of the WebAssembly module ever
 * was larger than the limit. It never shrinks, so its size at the end is its high-water mark.
 */
import assert from "node:assert/strict";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { COLUMNS, ENTITY, vendorRows } from "./input.mjs";
import { CellSum } from "./verify.mjs";

const { values: options } = parseArgs({
  options: { gib: { type: "string" }, mib: { type: "string" }, "limit-mib": { type: "string", default: "48" } },
});
const target = options.mib === undefined ? Number(options.gib ?? 2) * 2 ** 30 : Number(options.mib) * 2 ** 20;
const limit = Number(options["limit-mib"]) * 2 ** 20;
if (!(target > 0 && limit > 0)) throw new Error("--gib, --mib and --limit-mib are positive numbers");

const memories = watchMemories();
const { openPackage, packageStream } = await import("d365-clm/package");

const folder = await mkdtemp(join(tmpdir(), "d365-clm-memory-"));
try {
  const file = join(folder, "package.zip");
  const written = await write(file);
  report("written", written, (await stat(file)).size);
  const read = await readBack(file);
  report("read", read, (await stat(file)).size);
  assert.equal(String(read.sum), String(written.sum), "what was read is not what was written");
  const highest = wasmBytes();
  assert.ok(highest > 0, "the memory of the module was not seen");
  assert.ok(highest <= limit, `WebAssembly memory reached ${mib(highest)}, the limit is ${mib(limit)}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function write(path) {
  const sum = new CellSum();
  const rss = new Highest();
  const start = performance.now();
  const sink = await open(path, "w");
  let bytes = 0;
  // Enough is known only while it is written: the source ends when the file is large enough.
  const stream = packageStream({
    name: "Memory",
    entities: [{ entity: ENTITY, columns: COLUMNS, rows: endless(sum, () => bytes < target) }],
  });
  try {
    for await (const piece of stream) {
      await sink.write(piece);
      bytes += piece.length;
      rss.see();
    }
  } finally {
    await sink.close();
  }
  return { sum, rss, ms: performance.now() - start };
}

/** The 45,000 first vendors over and over: far apart enough that deflate can't see the repetition. */
function* endless(sum, more) {
  const rows = [...vendorRows(45_000)];
  for (;;) {
    for (const row of rows) {
      if (!more()) return;
      sumSome(sum, row);
      yield row;
    }
  }
}

async function readBack(path) {
  const sum = new CellSum();
  const rss = new Highest();
  const start = performance.now();
  const source = await open(path);
  const access = {
    size: (await source.stat()).size,
    async read(from, to) {
      const bytes = new Uint8Array(to - from);
      const { bytesRead } = await source.read(bytes, 0, bytes.length, from);
      assert.equal(bytesRead, bytes.length);
      return bytes;
    },
  };
  try {
    const opened = await openPackage(access);
    for await (const batch of opened.entity(ENTITY).batches()) {
      for (const row of batch) sumSome(sum, row);
      rss.see();
    }
    opened.dispose();
  } finally {
    await source.close();
  }
  return { sum, rss, ms: performance.now() - start };
}

/** Two of the cells are summed, and every row counted: to sum all would take longer than what is measured. */
function sumSome(sum, row) {
  sum.cell(row.VENDORACCOUNTNUMBER);
  sum.cell(String(row.CREDITLIMIT));
  sum.rows += 1;
}

function report(what, { sum, rss, ms }, zipped) {
  const speed = `${(ms / 1000).toFixed(1)} s, ${(zipped / 1e3 / ms).toFixed(0)} MB/s zipped`;
  console.log(
    `${what}: ${mib(zipped)} zipped, ${sum}, ${speed}; WebAssembly ${mib(wasmBytes())}, RSS at most ${mib(rss.bytes)}`,
  );
}

/** Resident memory of the process, looked at now and then. */
function Highest() {
  this.bytes = 0;
  this.see = () => {
    this.bytes = Math.max(this.bytes, process.memoryUsage.rss());
  };
}

/** Every instance made from now on: their memories are seen however the library loads its modules. */
function watchMemories() {
  const list = [];
  const see = (instance) => {
    for (const value of Object.values(instance.exports)) if (value instanceof WebAssembly.Memory) list.push(value);
  };
  const { instantiate, Instance } = WebAssembly;
  WebAssembly.instantiate = async (...given) => {
    const result = await instantiate(...given);
    see(result instanceof Instance ? result : result.instance);
    return result;
  };
  WebAssembly.instantiateStreaming = undefined;
  WebAssembly.Instance = new Proxy(Instance, {
    construct(target, given) {
      const instance = new target(...given);
      see(instance);
      return instance;
    },
  });
  return list;
}

function wasmBytes() {
  return memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}

function mib(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
