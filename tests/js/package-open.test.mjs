// Opening by ranges and reading what is asked for: how much is read, in which shapes it comes, and what a loop leaves behind.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { buildPackage, openPackage } from "d365-clm";
import { loader } from "../../pkg/dist/init.js";
import { HEADER, MANIFEST, packageOf, utf16, virtualZipOf } from "./zip.mjs";

const GIB = 1024 ** 3;
const rowsOf = (count) =>
  Array.from({ length: count }, (_, i) => ({ CurrencyCode: `C${i}`, Name: `name ${i * 7919}` }));
const currencies = (count) => buildPackage({ name: "P", entities: [{ entity: "Currencies", rows: rowsOf(count) }] });
/** A package of 2 GiB, nearly all of it in a file that nobody asks for. */
const large = () =>
  virtualZipOf({
    "Currencies.csv": utf16("CURRENCYCODE,NAME\r\nEUR,Euro\r\n"),
    "filler.bin": { size: 2 * GIB },
    "Manifest.xml": utf16(MANIFEST),
    "PackageHeader.xml": utf16(HEADER),
  });

const first = async (rows) => {
  for await (const row of rows) return row;
};

test("of a package of 2 GiB behind a URL little is read", async () => {
  const zip = large();
  let sent = 0;
  const asked = [];
  const server = createServer(async (request, response) => {
    const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range);
    const start = from === "" ? zip.size - Number(to) : Number(from);
    const end = from === "" ? zip.size : Number(to) + 1;
    const bytes = await zip.read(start, end);
    sent += bytes.length;
    asked.push(request.headers.range);
    response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${zip.size}`, etag: '"1"' });
    response.end(bytes);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  try {
    const opened = await openPackage(new URL(`http://127.0.0.1:${server.address().port}/p.zip`));
    assert.equal(opened.entities[0].entity, "Currencies");
    assert.ok(sent < 200_000, `${sent} bytes`);
    assert.ok(asked.length < 5, asked.join());
    assert.deepEqual(await first(opened.entities[0].rows()), { CURRENCYCODE: "EUR", NAME: "Euro" });
    assert.ok(sent < 400_000, `${sent} bytes with the rows`);
    opened.dispose();
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test("of the caller's own source only the end is read, and an entity when it is asked for", async () => {
  const zip = large();
  const asked = [];
  const read = (start, end) => {
    asked.push([start, end]);
    return zip.read(start, end);
  };
  const opened = await openPackage({ size: zip.size, read });
  assert.ok(asked.every(([start]) => start >= 2 * GIB - 65_557));
  assert.ok(asked.reduce((sum, [start, end]) => sum + end - start, 0) < 200_000);
  asked.length = 0;
  assert.deepEqual(await first(opened.entities[0].rows()), { CURRENCYCODE: "EUR", NAME: "Euro" });
  assert.ok(asked.length > 0 && asked.every(([, end]) => end < 2_000_000));
});

test("a source that changed is told", async () => {
  const zip = packageOf();
  const short = { size: zip.length, read: async (start, end) => zip.subarray(start, Math.min(end, 100)) };
  await assert.rejects(openPackage(short), { code: "PACKAGE_CORRUPT" });
});

test("rows come as objects, batches and columns, from any source", async () => {
  const zip = await currencies(20_000);
  const expected = rowsOf(20_000);
  for (const source of [zip, new Blob([zip]), { size: zip.length, read: async (a, b) => zip.slice(a, b) }]) {
    const opened = await openPackage(source);
    const [entity] = opened.entities;
    let i = 0;
    for await (const { CURRENCYCODE, NAME } of entity.rows()) {
      assert.equal(CURRENCYCODE, expected[i].CurrencyCode);
      assert.equal(NAME, expected[i++].Name);
    }
    assert.equal(i, 20_000);
    i = 0;
    for await (const { rows, columns } of entity.columnBatches(3_000)) {
      assert.ok(rows > 0 && rows <= 3_000);
      assert.deepEqual(
        columns.map(({ name, ends }) => [name, ends.length]),
        [
          ["CURRENCYCODE", rows],
          ["NAME", rows],
        ],
      );
      const cell = ({ text, ends }, r) => text.slice(r ? ends[r - 1] : 0, ends[r]);
      for (let r = 0; r < rows; r++) {
        assert.equal(cell(columns[0], r), expected[i].CurrencyCode);
        assert.equal(cell(columns[1], r), expected[i++].Name);
      }
    }
    assert.equal(i, 20_000);
    assert.throws(() => entity.columnBatches(0), { code: "INVALID_ARGUMENT" });
    opened.dispose();
  }
});

test("columns hold what is not ASCII, and keep it after the loop went on", async () => {
  const rows = Array.from({ length: 5_000 }, (_, i) => ({
    CurrencyCode: `C${i}`,
    Name: i % 2 ? "東京 👩‍🔧" : "plain",
  }));
  const opened = await openPackage(await buildPackage({ name: "P", entities: [{ entity: "Currencies", rows }] }));
  const batches = [];
  for await (const batch of opened.entities[0].columnBatches(1_000)) batches.push(batch);
  const names = batches.flatMap(({ columns: [, { text, ends }] }) =>
    [...ends].map((end, i) => text.slice(i ? ends[i - 1] : 0, end)),
  );
  assert.deepEqual(
    names,
    rows.map(({ Name }) => Name),
  );
});

test("an entry streams in pieces, into the reader's own buffer, to its last byte", async () => {
  const content = new Uint8Array(1_500_000).map((_, i) => (i * i) >> 9);
  const zip = await buildPackage({
    name: "P",
    entities: [{ entity: "Currencies", rows: rowsOf(1) }],
    files: [
      { name: "x.bin", data: content },
      { name: "empty.bin", data: new Uint8Array() },
    ],
  });
  for (const source of [zip, new Blob([zip])]) {
    const opened = await openPackage(source);
    const whole = new Uint8Array(await new Response(opened.file("x.bin")).arrayBuffer());
    assert.equal(Buffer.compare(whole, content), 0);
    for (const length of [1_000, 300_000, 2_000_000]) {
      const reader = opened.file("x.bin").getReader({ mode: "byob" });
      const parts = [];
      const lengths = [];
      let buffer = new ArrayBuffer(length);
      while (true) {
        const { done, value } = await reader.read(new Uint8Array(buffer));
        if (done) break;
        assert.equal(value.buffer.byteLength, length);
        lengths.push(value.length);
        parts.push(value.slice());
        buffer = value.buffer;
      }
      assert.equal(Buffer.compare(Buffer.concat(parts), content), 0, `buffer of ${length}`);
      // Where no bytes have to be waited for, the buffer is filled.
      if (source === zip)
        assert.ok(
          lengths.slice(0, -1).every((filled) => filled === length),
          lengths.join(),
        );
    }
    assert.equal((await new Response(opened.file("empty.bin")).arrayBuffer()).byteLength, 0);
    await assert.rejects(new Response(opened.file("nothing")).arrayBuffer(), { code: "INVALID_ARGUMENT" });
    opened.dispose();
  }
});

test("a damaged entry fails its stream", async () => {
  const zip = packageOf();
  zip[60] ^= 0xff;
  const opened = await openPackage(zip);
  await assert.rejects(new Response(opened.file("Currencies.csv")).arrayBuffer(), { code: "PACKAGE_CORRUPT" });
});

/** Counts objects of the module that are made and freed meanwhile. */
async function counting(className, make, run) {
  const wire = await loader.ready();
  const opened = await openPackage(await currencies(50_000));
  let made = 0;
  let freed = 0;
  const { prototype } = wire.PackageReader;
  const original = prototype[make];
  prototype[make] = function (...args) {
    const object = original.apply(this, args);
    made += 1;
    const free = object.free;
    object.free = () => {
      freed += 1;
      free.call(object);
    };
    return object;
  };
  try {
    await run(opened);
  } finally {
    prototype[make] = original;
    opened.dispose();
  }
  assert.ok(made > 0, `no ${className} was made`);
  assert.equal(freed, made, className);
}

test("leaving a loop early frees what it held", async () => {
  const ways = [
    async (rows) => {
      for await (const _ of rows) break;
    },
    (rows) =>
      assert.rejects(
        async () => {
          for await (const _ of rows) throw new Error("mine");
        },
        { message: "mine" },
      ),
    async (rows) => {
      for await (const _ of rows);
    },
  ];
  for (const read of [(e) => e.rows(), (e) => e.batches(10), (e) => e.columnBatches(10)]) {
    for (const way of ways) await counting("row cursor", "rows", ({ entities: [entity] }) => way(read(entity)));
  }
  await counting("row cursor", "rows", ({ entities: [entity] }) => {
    const controller = new AbortController();
    return assert.rejects(
      async () => {
        for await (const _ of entity.batches(10, { signal: controller.signal })) controller.abort();
      },
      { code: "ABORTED" },
    );
  });
});

test("cancelling the stream of an entry frees what it held", () =>
  counting("file cursor", "file", async (opened) => {
    const reader = opened.file("Currencies.csv").getReader();
    await reader.read();
    await reader.cancel();
    for await (const _ of opened.file("Currencies.csv"));
  }));

test("disposing ends what is being read, also while bytes are waited for", async () => {
  const zip = await currencies(50_000);
  let stuck = false;
  const read = (start, end) => (stuck ? new Promise(() => {}) : Promise.resolve(zip.slice(start, end)));
  const opened = await openPackage({ size: zip.length, read });
  stuck = true;
  const rows = opened.entities[0].rows()[Symbol.asyncIterator]().next();
  const bytes = opened.file("Currencies.csv").getReader().read();
  await new Promise((resolve) => setImmediate(resolve));
  opened.dispose();
  await assert.rejects(rows, { code: "DISPOSED" });
  await assert.rejects(bytes, { code: "DISPOSED" });
  await assert.rejects(opened.diagnose(), { code: "DISPOSED" });
  await assert.rejects(opened.subset(["Currencies"]), { code: "DISPOSED" });
  await assert.rejects(opened.repair(), { code: "DISPOSED" });
});

test("disposing ends a stream that has begun, also where all bytes are at hand", async () => {
  const opened = await openPackage(await currencies(50_000));
  const reader = opened.file("Currencies.csv").getReader();
  assert.ok((await reader.read()).value.length > 0);
  opened.dispose();
  await assert.rejects(reader.read(), { code: "DISPOSED" });
});

test("rows are no records", async () => {
  const opened = await openPackage(packageOf());
  assert.equal(opened.entities[0].composite, false);
  await assert.rejects(first(opened.entities[0].records()), { code: "INVALID_ARGUMENT" });
});
