import assert from "node:assert/strict";
import { atLeast } from "../shared.mjs";
import { checkSameBytes } from "../verify.mjs";
import { deflatedBytes, FILE, inflateWith, unzipWith } from "../zip-peers.mjs";

const NATIVE = ["Node inflateRawSync", "Node inflateRawSync, 256 KiB", "Node createInflateRaw", "DecompressionStream"];

export const name = "package-to-bytes";
export const title = "package → bytes";

export function contenders(shared) {
  const { csv, library } = shared;
  const zip = shared.csvPackage;
  const deflated = deflatedBytes(zip);

  /** Counts while timed; compares, piece by piece, in the round that is checked. */
  const sink = () => {
    let at = 0;
    let compare = true;
    return {
      take(piece) {
        if (compare) assert.equal(Buffer.compare(piece, csv.subarray(at, at + piece.length)), 0, `bytes from ${at}`);
        at += piece.length;
      },
      end() {
        assert.equal(at, csv.length);
        at = 0;
        compare = false;
      },
    };
  };
  const streamed = (label, ours, run) => {
    const { take, end } = sink();
    return {
      name: label,
      ours,
      run: async () => {
        await run(take);
        end();
      },
    };
  };
  const whole = (label, run) => ({ name: label, run, check: (bytes) => checkSameBytes(bytes, csv) });

  return [
    streamed("d365-clm, fresh arrays", true, (take) => readFresh(library, zip, take)),
    streamed("d365-clm, BYOB reader", true, (take) => readIntoOneBuffer(library, zip, take)),
    whole("fflate", () => unzipWith.fflate(zip)),
    whole("JSZip", () => unzipWith.jszip(zip)),
    whole("zip.js", () => unzipWith.zipjs(zip)),
    whole(NATIVE[0], () => inflateWith.nodeSync(deflated)),
    whole(NATIVE[1], () => inflateWith.nodeSyncLarge(deflated)),
    streamed(NATIVE[2], false, (take) => inflateWith.nodeStream(deflated, take)),
    streamed(NATIVE[3], false, (take) => inflateWith.decompressionStream(deflated, take)),
  ];
}

async function readFresh({ openPackage }, zip, take) {
  const opened = await openPackage(zip);
  const reader = opened.file(FILE).getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) take(piece.value);
  opened.dispose();
}

async function readIntoOneBuffer({ openPackage }, zip, take) {
  const opened = await openPackage(zip);
  const reader = opened.file(FILE).getReader({ mode: "byob" });
  let view = new Uint8Array(256 * 1024);
  for (;;) {
    const { done, value } = await reader.read(view);
    if (done) break;
    take(value);
    view = new Uint8Array(value.buffer);
  }
  opened.dispose();
}

export const targets = [
  atLeast(1.6, "d365-clm, fresh arrays", ["fflate"]),
  atLeast(0.75, "d365-clm, fresh arrays", NATIVE, "fresh arrays ≥ 0.75 × Node's native inflate (fastest form)"),
  atLeast(0.85, "d365-clm, BYOB reader", NATIVE, "BYOB ≥ 0.85 × Node's native inflate (fastest form)"),
];
