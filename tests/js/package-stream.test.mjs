// Packages as streams on their way out: same bytes, only as fast as they are read, and nothing left behind.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { buildPackage, openPackage, packageStream } from "d365-clm";

const collect = async (stream) => new Uint8Array(await new Response(stream).arrayBuffer());
/** Text that does not deflate to nothing, the same every time. */
function* rowsOf(count) {
  let state = 1;
  for (let i = 0; i < count; i++) {
    let name = "";
    for (let k = 0; k < 5; k++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      name += state.toString(36);
    }
    yield { CurrencyCode: `C${i}`, Name: name };
  }
}
const spec = (count = 1000, more = {}) => ({
  name: "P",
  entities: [{ entity: "Currencies", rows: () => rowsOf(count) }],
  ...more,
});

test("the stream has the bytes of buildPackage", async () => {
  for (const count of [1, 60_000]) {
    assert.deepEqual(await collect(packageStream(spec(count))), await buildPackage(spec(count)));
  }
});

test("any number of workers gives the same bytes", async () => {
  const files = () => [{ name: "notes.bin", data: new Blob([new Uint8Array(700_000).map((_, i) => (i * i) >> 7)]) }];
  const alone = await buildPackage(spec(60_000, { files: files() }));
  assert.ok(alone.length > 1_000_000);
  for (const workers of [1, 2, 3]) {
    const bytes = await buildPackage(spec(60_000, { files: files(), workers }));
    assert.equal(Buffer.compare(bytes, alone), 0, `${workers} workers`);
  }
  assert.equal(Buffer.compare(await collect(packageStream(spec(60_000, { files: files(), workers: 2 }))), alone), 0);
});

test("a number of workers that can't be meant is refused", async () => {
  for (const workers of [0, -1, 1.5, 65, "2"]) {
    await assert.rejects(buildPackage(spec(1, { workers })), { code: "INVALID_ARGUMENT" });
  }
});

test("rows are taken only as the stream is read", async () => {
  let taken = 0;
  let ended = false;
  const endless = function* () {
    try {
      for (const row of rowsOf(Number.POSITIVE_INFINITY)) {
        taken += 1;
        yield row;
      }
    } finally {
      ended = true;
    }
  };
  const stream = packageStream({ name: "P", entities: [{ entity: "Currencies", rows: endless }] });
  assert.equal(taken, 0);
  const reader = stream.getReader();
  const { value } = await reader.read();
  assert.ok(value.length > 0);
  const before = taken;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(taken, before, "without a reader nothing goes on");
  await reader.read();
  assert.ok(taken > before && taken < before + 400_000);
  await reader.cancel("enough");
  assert.equal(ended, true);
});

test("a cancelled stream leaves a source that hangs", async () => {
  let returned = false;
  const hanging = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: async () => {
        returned = true;
        return { done: true };
      },
    }),
  };
  const reader = packageStream({ name: "P", entities: [{ entity: "Currencies", rows: hanging }] }).getReader();
  const reading = reader.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await reader.cancel("enough");
  assert.equal((await reading).done, true);
  assert.equal(returned, true);
});

test("errors and the signal end the stream with their code", async () => {
  const failing = function* () {
    yield* rowsOf(50_000);
    throw new Error("disk");
  };
  const broken = packageStream({ name: "P", entities: [{ entity: "Currencies", rows: failing }] });
  await assert.rejects(collect(broken), (e) => e.code === "INVALID_ARGUMENT" && e.cause.message === "disk");
  await assert.rejects(collect(packageStream({ name: "P", entities: [] })), { code: "INVALID_ARGUMENT" });
  const controller = new AbortController();
  const reader = packageStream(spec(Number.POSITIVE_INFINITY), { signal: controller.signal }).getReader();
  await reader.read();
  controller.abort("enough");
  await assert.rejects(
    async () => {
      while (!(await reader.read()).done);
    },
    (e) => e.code === "ABORTED" && e.cause === "enough",
  );
});

test("files and data come in pieces, and a stream of them is cancelled with the package", async () => {
  let pulled = 0;
  let cancelled = false;
  const data = new ReadableStream({
    pull(controller) {
      pulled += 1;
      controller.enqueue(crypto.getRandomValues(new Uint8Array(65_536)));
    },
    cancel() {
      cancelled = true;
    },
  });
  const currency = { entity: "Currencies", rows: [{ CurrencyCode: "EUR" }] };
  const stream = packageStream({ name: "P", entities: [currency], files: [{ name: "x.bin", data }] });
  const reader = stream.getReader();
  // An entry is held up to 4 MiB before it is known whether it needs a descriptor.
  for (let i = 0; i < 4; i++) await reader.read();
  assert.ok(pulled < 400, `${pulled} pieces`);
  await reader.cancel();
  assert.equal(cancelled, true);
});

test("a BYOB reader gets the package in its own buffer", async () => {
  const reader = packageStream(spec(2000)).getReader({ mode: "byob" });
  const parts = [];
  let buffer = new ArrayBuffer(1000);
  while (true) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done) break;
    assert.ok(value.length <= 1000);
    parts.push(value.slice());
    buffer = value.buffer;
  }
  assert.equal(Buffer.compare(Buffer.concat(parts), await buildPackage(spec(2000))), 0);
});

test("what was written as a stream is read", async () => {
  const opened = await openPackage(packageStream(spec(30_000)));
  let count = 0;
  for await (const batch of opened.entity("Currencies").batches(7_000)) {
    for (const { CURRENCYCODE } of batch) assert.equal(CURRENCYCODE, `C${count++}`);
  }
  assert.equal(count, 30_000);
});

test("a process ends although a stream with workers was forgotten", () => {
  const script = `
    import { packageStream } from "d365-clm";
    const rows = function* () { while (true) yield { CurrencyCode: "EUR", Name: Math.random().toString(36) }; };
    const stream = packageStream({ name: "P", workers: 2, entities: [{ entity: "Currencies", rows }] });
    const { value } = await stream.getReader().read();
    console.log(value.length > 0);
  `;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: new URL(".", import.meta.url),
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.equal(child.stdout, "true\n", child.stderr);
  assert.equal(child.status, 0);
});
