/** One file into a zip, and out of it, as each peer does it best in ordinary use. */
import { promisify } from "node:util";
import zlib from "node:zlib";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader, ZipWriter } from "@zip.js/zip.js";
import { downloadZip } from "client-zip";
import { unzipSync, zipSync } from "fflate";
import JSZip from "jszip";

export const FILE = "Vendors V2.csv";

export const zipWith = {
  fflate: (data, level) => zipSync({ [FILE]: data }, { level }),
  jszip: (data, level) =>
    new JSZip()
      .file(FILE, data)
      .generateAsync({ type: "uint8array", compression: "DEFLATE", compressionOptions: { level } }),
  async zipjs(data, level) {
    const writer = new ZipWriter(new Uint8ArrayWriter(), { level });
    await writer.add(FILE, new Uint8ArrayReader(data));
    return writer.close();
  },
  /** Can't compress: shown for its size. */
  clientZip: async (data) => new Uint8Array(await downloadZip([{ name: FILE, input: data }]).arrayBuffer()),
};

/** Raw deflate only, without a zip around it or a checksum: less work than ours. */
export const deflateWith = {
  nodeSync: (data, level) => zlib.deflateRawSync(data, { level, chunkSize: 1 << 20 }),
  nodeAsync: (data, level) => promisify(zlib.deflateRaw)(data, { level, chunkSize: 1 << 20 }),
  async compressionStream(data) {
    return drain(pieces(data).pipeThrough(new CompressionStream("deflate-raw")));
  },
};

export const unzipWith = {
  fflate: (zip) => unzipSync(zip, { filter: ({ name }) => name === FILE })[FILE],
  jszip: async (zip) => (await JSZip.loadAsync(zip)).file(FILE).async("uint8array"),
  async zipjs(zip) {
    const reader = new ZipReader(new Uint8ArrayReader(zip));
    const entry = (await reader.getEntries()).find(({ filename }) => filename === FILE);
    const bytes = await entry.getData(new Uint8ArrayWriter());
    await reader.close();
    return bytes;
  },
};

/** Raw inflate only, of the deflated bytes: no zip to be read, no checksum. */
export const inflateWith = {
  nodeSync: (deflated) => zlib.inflateRawSync(deflated),
  nodeSyncLarge: (deflated) => zlib.inflateRawSync(deflated, { chunkSize: 256 * 1024 }),
  /** Pieces, as fresh arrays: `take` gets each. */
  async nodeStream(deflated, take) {
    const inflate = zlib.createInflateRaw({ chunkSize: 64 * 1024 });
    inflate.end(deflated);
    for await (const piece of inflate) take(piece);
  },
  async decompressionStream(deflated, take) {
    for await (const piece of pieces(deflated).pipeThrough(new DecompressionStream("deflate-raw"))) take(piece);
  },
};

/** The deflated bytes of the data file in a zip, found by its local header. */
export function deflatedBytes(zip) {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  let end = zip.length - 22;
  while (view.getUint32(end, true) !== 0x06054b50) end -= 1;
  let at = view.getUint32(end + 16, true);
  for (;;) {
    if (view.getUint32(at, true) !== 0x02014b50) throw new Error(`no ${FILE} in the directory`);
    const nameLength = view.getUint16(at + 28, true);
    const name = Buffer.from(zip.buffer, zip.byteOffset + at + 46, nameLength).toString();
    if (name === FILE) break;
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  const local = view.getUint32(at + 42, true);
  const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  return zip.subarray(start, start + view.getUint32(at + 20, true));
}

/** In pieces of 64 KiB. */
function pieces(data) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= data.length) return controller.close();
      controller.enqueue(data.subarray(at, at + 65_536));
      at += 65_536;
    },
  });
}

async function drain(stream) {
  const list = [];
  for await (const piece of stream) list.push(piece);
  return Buffer.concat(list);
}
