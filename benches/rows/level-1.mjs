import { atLeast } from "../shared.mjs";
import { deflateWith, zipWith } from "../zip-peers.mjs";
import { deflatePeer, ours, zipPeer } from "./file-to-package.mjs";

export const name = "level-1";
export const title = "CSV file → package, level 1";

export function contenders(shared) {
  const { csv } = shared;
  return [
    ours(shared, "d365-clm 1", 1),
    zipPeer(csv, "fflate 1", () => zipWith.fflate(csv, 1)),
    zipPeer(csv, "JSZip 1", () => zipWith.jszip(csv, 1)),
    zipPeer(csv, "zip.js 1", () => zipWith.zipjs(csv, 1)),
    deflatePeer("Node deflateRawSync 1", () => deflateWith.nodeSync(csv, 1)),
  ];
}

export const targets = [atLeast(4, "d365-clm 1", ["fflate 1"])];
