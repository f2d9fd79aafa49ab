// The shapes in which bytes and rows may come.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pieces, Puller, readAll } from "../../pkg/dist/package/sources.js";

const bytes = Uint8Array.of(1, 2, 3, 4, 5);
const streamOf = (...parts) =>
  new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });

test("bytes come from arrays, views, buffers, blobs and streams", async () => {
  const view = new Uint8Array(Uint8Array.of(9, 1, 2, 3, 4, 5, 9).buffer, 1, 5);
  for (const source of [bytes, view, bytes.buffer, new DataView(bytes.buffer), new Blob([bytes])]) {
    assert.deepEqual([...(await readAll(source, "it"))], [1, 2, 3, 4, 5]);
  }
  assert.deepEqual([...(await readAll(streamOf(bytes.slice(0, 2), bytes.slice(2)), "it"))], [1, 2, 3, 4, 5]);
  assert.deepEqual([...(await readAll(streamOf(), "it"))], []);
});

test("anything else is refused", async () => {
  for (const source of ["text", 7, null, undefined, {}, [1, 2], streamOf("text")]) {
    await assert.rejects(readAll(source, "it"), { code: "INVALID_ARGUMENT" });
  }
});

test("a stream is held up to the limit, and cancelled beyond", async () => {
  let cancelled = false;
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(600)),
    cancel() {
      cancelled = true;
    },
  });
  await assert.rejects(readAll(endless, "the package", undefined, 1000), (e) => {
    assert.equal(e.code, "PACKAGE_LIMIT");
    assert.match(e.message, /1000 bytes.*1200/);
    return true;
  });
  assert.equal(cancelled, true);
});

async function all(source, signal) {
  const puller = new Puller(source, "rows", signal);
  const list = [];
  try {
    for (let step = await puller.next(); !step.done; step = await puller.next()) list.push(step.value);
  } finally {
    await puller.close();
  }
  return list;
}

test("rows come from iterables, async iterables and streams", async () => {
  const sync = function* () {
    yield* [1, 2];
  };
  const later = async function* () {
    yield* [1, 2];
  };
  for (const source of [[1, 2], new Set([1, 2]), sync(), later(), streamOf(1, 2)]) {
    assert.deepEqual(await all(source), [1, 2]);
  }
  for (const source of [undefined, 5, {}, "text"]) await assert.rejects(all(source), { code: "INVALID_ARGUMENT" });
});

test("an array needs no waiting", () => {
  assert.deepEqual(new Puller([1], "rows").next(), { done: false, value: 1 });
});

test("a source that fails is the cause; one that is not read to its end is told so", async () => {
  const failing = async function* () {
    yield 1;
    throw new Error("disk");
  };
  await assert.rejects(all(failing()), (e) => e.code === "INVALID_ARGUMENT" && e.cause.message === "disk");
  let ended = false;
  const puller = new Puller(
    (function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        ended = true;
      }
    })(),
    "rows",
  );
  puller.next();
  await puller.close();
  assert.equal(ended, true);
});

test("a source that hangs is left when the signal fires", async () => {
  const controller = new AbortController();
  const hanging = async function* () {
    await new Promise(() => {});
    yield 1;
  };
  const reading = all(hanging(), controller.signal);
  controller.abort("enough");
  await assert.rejects(reading, (e) => e.code === "ABORTED" && e.cause === "enough");
});

test("pieces are at most 256 KiB, of every shape, and a stream that is not wanted any more is cancelled", async () => {
  const large = new Uint8Array(600_000).map((_, i) => i % 251);
  const lengths = async (source) => {
    const pieces = new Pieces(source, "it");
    const parts = [];
    for (let piece = await pieces.next(); piece; piece = await pieces.next()) parts.push(piece.slice());
    assert.deepEqual(new Uint8Array(Buffer.concat(parts)), large);
    return parts.map(({ length }) => length);
  };
  const even = [262_144, 262_144, 75_712];
  assert.deepEqual(await lengths(large), even);
  assert.deepEqual(await lengths(large.buffer), even);
  assert.deepEqual(await lengths(new Blob([large])), even);
  assert.deepEqual(
    await lengths(streamOf(large.slice(0, 1), large.slice(1, 1), large.slice(1))),
    [1, 262_144, 262_144, 75_711],
  );
  assert.throws(() => new Pieces("text", "it"), { code: "INVALID_ARGUMENT" });
  let cancelled = false;
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(bytes),
    cancel() {
      cancelled = true;
    },
  });
  const pieces = new Pieces(endless, "it");
  await pieces.next();
  await pieces.close();
  assert.equal(cancelled, true);
});
