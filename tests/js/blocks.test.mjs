// Blocks and the threads that deflate them, with stand-ins for both: order, number under way, and threads that die.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Handle } from "../../pkg/dist/handle.js";
import { Loader } from "../../pkg/dist/loader.js";
import { BlockPool } from "../../pkg/dist/package/blocks.js";
import { version } from "../../pkg/dist/version.js";
import { answer } from "../../pkg/dist/worker/serve.js";

const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A thread whose answers the test decides. */
class FakeThread {
  got = [];
  ended = false;
  onMessage(call) {
    this.reply = call;
  }
  onFailure(call) {
    this.die = call;
  }
  postMessage(message) {
    this.got.push(message);
  }
  terminate() {
    this.ended = true;
  }
}

/** A loader with these threads, and a writer with so many blocks: block i is one byte, i. */
async function setting(threads, count) {
  const here = [];
  const wire = {
    default: async () => {},
    version: () => version,
    deflateBlock: (_level, _last, _dictionary, data) => {
      here.push(data[0]);
      return Uint8Array.of(data[0] + 100);
    },
  };
  const loader = new Loader(wire, "core.wasm", { source: () => EMPTY, startWorker: () => threads.shift() });
  await loader.ready();
  const queue = Array.from({ length: count }, (_, id) => ({
    id,
    level: 5,
    last: id === count - 1,
    dictionary: new Uint8Array(),
    data: Uint8Array.of(id),
    free: () => {},
  }));
  const given = new Map();
  const writer = new Handle(loader, "the writer", () => ({
    external: () => {},
    takeBlock: () => queue.shift(),
    giveBlock: (id, bytes) => given.set(id, bytes[0]),
    free: () => {},
  }));
  return { loader, writer, queue, given, here };
}

const done = (thread, id) => thread.reply({ id, bytes: Uint8Array.of(id + 100) });
const blocksOf = (thread) => thread.got.filter(({ id }) => id !== undefined).map(({ id }) => id);

test("two threads share the blocks, four are under way at most, and any order of answers will do", async () => {
  const threads = [new FakeThread(), new FakeThread()];
  const [a, b] = threads;
  const { loader, writer, queue, given } = await setting([...threads], 6);
  const pool = BlockPool.start(loader, writer, 2);
  let drained = false;
  const draining = pool.drain(undefined).then(() => {
    drained = true;
  });
  await turn();
  assert.deepEqual([blocksOf(a), blocksOf(b)], [[], []], "nothing is sent before a thread is ready");
  a.reply({ ready: true });
  b.reply({ ready: true });
  assert.deepEqual([blocksOf(a), blocksOf(b), queue.length], [[0, 2], [1, 3], 2]);
  await turn();
  assert.equal(drained, false);
  done(b, 3);
  await turn();
  done(a, 2);
  done(a, 0);
  await draining;
  assert.equal(queue.length, 0);
  const rest = pool.drain(undefined, true);
  for (const thread of threads) for (const id of blocksOf(thread)) if (!given.has(id)) done(thread, id);
  await rest;
  assert.deepEqual(
    [...given].sort(),
    [0, 1, 2, 3, 4, 5].map((id) => [id, id + 100]),
  );
  pool.stop();
  assert.deepEqual([a.ended, b.ended], [true, true]);
});

test("the blocks of a thread that dies go to the other, and at last are done here", async () => {
  const threads = [new FakeThread(), new FakeThread()];
  const [a, b] = threads;
  const { loader, writer, given, here } = await setting([...threads], 3);
  const pool = BlockPool.start(loader, writer, 2);
  const draining = pool.drain(undefined, true);
  a.reply({ ready: true });
  b.reply({ ready: true });
  a.die();
  assert.deepEqual(blocksOf(b), [1, 0, 2]);
  done(b, 0);
  // It could not do this one.
  b.reply({ id: 1 });
  await draining;
  assert.deepEqual(here, [1, 2]);
  assert.deepEqual(
    [...given].sort(),
    [0, 1, 2].map((id) => [id, id + 100]),
  );
  assert.equal(a.ended, true);
});

test("a thread that never gets ready is done without", async () => {
  const [a] = [new FakeThread()];
  const { loader, writer, given } = await setting([a, undefined], 2);
  const pool = BlockPool.start(loader, writer, 2);
  const draining = pool.drain(undefined, true);
  await turn();
  a.die();
  await draining;
  assert.equal(given.size, 2);
});

test("without threads there is no pool, and nothing is changed in the writer", async () => {
  const none = await setting([], 1);
  assert.equal(BlockPool.start(none.loader, none.writer, 2), undefined);
  const one = await setting([new FakeThread()], 1);
  assert.equal(BlockPool.start(one.loader, one.writer, 1), undefined);
  const refusing = new Loader({ default: async () => {}, version: () => version }, "core.wasm", {
    source: () => EMPTY,
    startWorker: () => {
      throw new Error("forbidden by policy");
    },
  });
  await refusing.ready();
  assert.equal(BlockPool.start(refusing, one.writer, 2), undefined);
});

test("a wait for threads ends when the signal fires", async () => {
  const { loader, writer } = await setting([new FakeThread()], 9);
  const pool = BlockPool.start(loader, writer, 2);
  const controller = new AbortController();
  const draining = pool.drain(controller.signal);
  controller.abort("enough");
  await assert.rejects(draining, (e) => e.code === "ABORTED" && e.cause === "enough");
  pool.stop();
});

test("a thread makes its own instance, and says what it could not do", () => {
  const made = [];
  const wire = {
    initSync: ({ module }) => made.push(module),
    deflateBlock: (_level, _last, dictionary, data) => {
      if (data.length === 0) throw new Error("bug");
      return Uint8Array.of(dictionary.length, data.length);
    },
  };
  assert.deepEqual(answer(wire, { module: "m" }), { ready: true });
  assert.deepEqual(made, ["m"]);
  const block = { id: 7, level: 5, last: true, dictionary: new Uint8Array(3), data: new Uint8Array(2) };
  assert.deepEqual(answer(wire, block), { id: 7, bytes: Uint8Array.of(3, 2) });
  assert.deepEqual(answer(wire, { ...block, data: new Uint8Array() }), { id: 7 });
});
