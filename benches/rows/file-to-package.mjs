import { ENTITY } from "../input.mjs";
import { atLeast, noLarger } from "../shared.mjs";
import { checkSameBytes, dataFile } from "../verify.mjs";
import { deflateWith, FILE, zipWith } from "../zip-peers.mjs";

export const name = "file-to-package";
export const title = "CSV file → package, default level";

/** Ours checks the file (header, rows, encoding) while it is packed; the peers pack it. */
export function ours({ csv, library }, label, level) {
  const entity = { entity: ENTITY, format: "CSV", encoding: "utf-8", fileName: FILE, data: csv };
  return {
    name: label,
    ours: true,
    run: () => library.buildPackage({ name: "Bench", entities: [entity], ...(level === undefined ? {} : { level }) }),
    check: (zip) => checkSameBytes(dataFile(zip, { whole: true }), csv),
    bytes: (zip) => zip.length,
  };
}

export function zipPeer(csv, label, write) {
  return { name: label, run: write, check: (zip) => checkSameBytes(dataFile(zip), csv), bytes: (zip) => zip.length };
}

export function deflatePeer(label, run) {
  return { name: label, run, bytes: (deflated) => deflated.length };
}

export function contenders(shared) {
  const { csv } = shared;
  return [
    ours(shared, "d365-clm"),
    zipPeer(csv, "fflate 6", () => zipWith.fflate(csv, 6)),
    zipPeer(csv, "JSZip 6", () => zipWith.jszip(csv, 6)),
    zipPeer(csv, "zip.js 6", () => zipWith.zipjs(csv, 6)),
    zipPeer(csv, "client-zip (stores)", () => zipWith.clientZip(csv)),
    deflatePeer("Node deflateRawSync 6", () => deflateWith.nodeSync(csv, 6)),
    deflatePeer("Node deflateRaw 6", () => deflateWith.nodeAsync(csv, 6)),
    deflatePeer("CompressionStream", () => deflateWith.compressionStream(csv)),
  ];
}

export const targets = [
  atLeast(2.2, "d365-clm", ["fflate 6"]),
  atLeast(1.1, "d365-clm", ["Node deflateRawSync 6", "Node deflateRaw 6"], "≥ 1.1 × Node's native zlib 6"),
  noLarger("d365-clm", ["fflate 6"]),
];
