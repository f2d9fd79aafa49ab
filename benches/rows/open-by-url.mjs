import assert from "node:assert/strict";
import { createServer } from "node:http";
import { ENTITY } from "../input.mjs";
import { atMost } from "../limits.mjs";
import { HEADER_XML, manifestXml } from "../manifest.mjs";
import { FILE } from "../zip-peers.mjs";

const SIZE = 2 ** 31 + 12_345;

export const name = "open-by-url";
export const title = "open + manifest of a 2 GiB package by URL";

/** Not timed: what is transferred is counted. */
export async function count(shared) {
  const zip = new SparseZip([
    { name: "Manifest.xml", bytes: manifestXml("CSV-Unicode", FILE) },
    { name: FILE, size: SIZE },
    { name: "PackageHeader.xml", bytes: HEADER_XML },
  ]);
  const traffic = { requests: 0, bytes: 0 };
  const server = createServer((request, response) => serve(zip, traffic, request, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const opened = await shared.library.openPackage(new URL(`http://127.0.0.1:${server.address().port}/package.zip`));
    assert.equal(opened.entities.length, 1);
    assert.equal(opened.entities[0].entity, ENTITY);
    assert.equal(opened.files.find(({ name }) => name === FILE).size, SIZE);
    opened.dispose();
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return { "bytes transferred": traffic.bytes, requests: traffic.requests };
}

export const targets = [
  atMost("bytes transferred", 199_999, "< 200 kB transferred"),
  atMost("requests", 4, "< 5 requests"),
];

function serve(zip, traffic, request, response) {
  traffic.requests += 1;
  const range = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/.exec(request.headers.range ?? "");
  const headers = { "accept-ranges": "bytes", etag: '"1"', "content-type": "application/zip" };
  if (request.method === "HEAD") {
    response.writeHead(200, { ...headers, "content-length": zip.size }).end();
    return;
  }
  if (range === null) {
    // The whole of it: whoever does not hang up is counted for it, piece by piece.
    response.writeHead(200, { ...headers, "content-length": zip.size });
    send(zip, 0, zip.size, traffic, response);
    return;
  }
  const start = range[3] === undefined ? Number(range[1]) : Math.max(0, zip.size - Number(range[3]));
  const end = range[2] ? Math.min(zip.size, Number(range[2]) + 1) : zip.size;
  response.writeHead(206, {
    ...headers,
    "content-length": end - start,
    "content-range": `bytes ${start}-${end - 1}/${zip.size}`,
  });
  send(zip, start, end, traffic, response);
}

function send(zip, start, end, traffic, response) {
  if (response.destroyed) return;
  const next = Math.min(end, start + 65_536);
  traffic.bytes += next - start;
  const more = () => (next < end ? send(zip, next, end, traffic, response) : response.end());
  if (response.write(zip.read(start, next))) setImmediate(more);
  else response.once("drain", more);
}

/** A zip of stored entries, where an entry of a `size` alone is zeros that nobody holds (and whose checksum nobody asks for). */
class SparseZip {
  #parts = [];
  size = 0;

  constructor(entries) {
    const directory = [];
    for (const { name, bytes, size = bytes.length } of entries) {
      const fields = record([2, 0], [2, 0], [4, 0x5821_0000], [4, bytes ? crc32(bytes) : 0], [4, size], [4, size]);
      const label = Buffer.from(name);
      directory.push(
        record([4, 0x0201_4b50], [2, 20], [2, 20]),
        fields,
        record([2, label.length], [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, this.size]),
        label,
      );
      this.#add(Buffer.concat([record([4, 0x0403_4b50], [2, 20]), fields, record([2, label.length], [2, 0]), label]));
      if (bytes) this.#add(bytes);
      else this.#skip(size);
    }
    const bytes = Buffer.concat(directory);
    const start = this.size;
    this.#add(bytes);
    const n = entries.length;
    this.#add(record([4, 0x0605_4b50], [2, 0], [2, 0], [2, n], [2, n], [4, bytes.length], [4, start], [2, 0]));
  }

  read(start, end) {
    const out = new Uint8Array(end - start);
    for (const { at, bytes } of this.#parts) {
      const from = Math.max(start, at);
      const to = Math.min(end, at + bytes.length);
      if (from < to) out.set(bytes.subarray(from - at, to - at), from - start);
    }
    return out;
  }

  #add(bytes) {
    this.#parts.push({ at: this.size, bytes });
    this.size += bytes.length;
  }

  #skip(size) {
    this.size += size;
  }
}

/** Little-endian numbers: `[width, value]` each. */
function record(...fields) {
  const bytes = Buffer.alloc(fields.reduce((sum, [width]) => sum + width, 0));
  let at = 0;
  for (const [width, value] of fields) at = bytes.writeUIntLE(value, at, width);
  return bytes;
}

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  return ~crc >>> 0;
}
