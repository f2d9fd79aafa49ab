// Ranges of a package: from bytes, blobs, URLs and the caller, and what is read of them.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { Handle } from "../../pkg/dist/handle.js";
import { Loader } from "../../pkg/dist/loader.js";
import { accessTo } from "../../pkg/dist/package/access.js";
import { Feed } from "../../pkg/dist/package/feed.js";

const SIZE = 3_000_000;
const bytes = new Uint8Array(SIZE).map((_, i) => (i * 7) % 253);
const { signal } = new AbortController();
const part = (start, end) => [...bytes.subarray(start, end)];

/** A server whose answers `answer(range, request)` decides; gives what was asked. */
async function serve(answer) {
  const asked = [];
  const server = createServer((request, response) => {
    const { range } = request.headers;
    asked.push(range);
    answer(range, response, request);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: new URL(`http://127.0.0.1:${server.address().port}/p.zip?sig=s3cret`),
    asked,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function ranged(range, response, { etag = '"1"', data = bytes, more = {} } = {}) {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(range);
  const start = from === "" ? Math.max(0, data.length - Number(to)) : Number(from);
  const end = from === "" || to === "" ? data.length : Number(to) + 1;
  response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${data.length}`, etag, ...more });
  response.end(data.subarray(start, end));
}

const withServer = async (answer, use) => {
  const server = await serve(answer);
  try {
    await use(server);
  } finally {
    await server.stop();
  }
};

test("a URL is read by ranges: the end first, and neighbours together", () =>
  withServer(ranged, async ({ url, asked }) => {
    const access = await accessTo(url, {});
    assert.equal(access.size, SIZE);
    assert.deepEqual([...(await access.read(SIZE - 65_557, SIZE, signal))], part(SIZE - 65_557, SIZE));
    assert.deepEqual([...(await access.read(1000, 1030, signal))], part(1000, 1030));
    assert.deepEqual([...(await access.read(1030, 33_000, signal))], part(1030, 33_000));
    assert.deepEqual([...(await access.read(40_000, 80_000, signal))], part(40_000, 80_000));
    // Beside the tail nothing of it is fetched again.
    assert.deepEqual([...(await access.read(2_934_400, 2_934_410, signal))], part(2_934_400, 2_934_410));
    assert.deepEqual(asked, ["bytes=-65557", "bytes=1000-33767", "bytes=40000-79999", "bytes=2934400-2934442"]);
  }));

test("a server that knows no range from the end is asked by number", () => {
  const azure = (range, response) => {
    if (/^bytes=\d/.test(range)) return ranged(range, response);
    response.writeHead(200, { "content-length": SIZE });
    response.end(bytes);
  };
  return withServer(azure, async ({ url, asked }) => {
    const access = await accessTo(url, {});
    assert.deepEqual([...(await access.read(5, 9, signal))], part(5, 9));
    assert.deepEqual(asked, ["bytes=-65557", "bytes=2934443-2999999", "bytes=5-32772"]);
  });
});

test("a server without ranges is spooled, up to the limit", () =>
  withServer(
    (_, response) => response.end(bytes),
    async ({ url }) => {
      const access = await accessTo(url, {});
      assert.equal(access.held, true);
      assert.deepEqual([...access.read(5, 9)], part(5, 9));
      await assert.rejects(accessTo(url, { limits: { spool: 1000 } }), (e) => {
        assert.equal(e.code, "PACKAGE_LIMIT");
        assert.match(e.hint, /RandomAccess.*limits\.spool/);
        return true;
      });
    },
  ));

test("a file that changes under way is told, by its mark, its size or the whole in place of a part", async () => {
  const changes = [
    (range, response) => ranged(range, response, { etag: '"2"' }),
    (range, response) => ranged(range, response, { data: bytes.subarray(1) }),
    (_, response) => response.end(bytes),
    (range, response) => ranged(range, response, { more: { "last-modified": "Tue, 02 Jan 2024 00:00:00 GMT" } }),
  ];
  for (const change of changes) {
    let later = false;
    const answer = (range, response) => {
      if (later) change(range, response);
      else ranged(range, response, { more: { "last-modified": "Mon, 01 Jan 2024 00:00:00 GMT" } });
    };
    await withServer(answer, async ({ url }) => {
      const access = await accessTo(url, {});
      later = true;
      await assert.rejects(access.read(0, 10, signal), (e) => {
        assert.equal(e.code, "PACKAGE_CORRUPT");
        assert.match(e.message, /changed while it was read/);
        return true;
      });
    });
  }
});

test("a server that sends another part, or less of it, is not believed", async () => {
  for (const wrong of [
    { status: 206, range: "bytes 1-10/1000000", length: 10 },
    { status: 206, range: "bytes 0-32767/1000000", length: 9 },
    { status: 206, range: "bytes 0-32767/1000001", length: 32_768 },
    { status: 206, range: "nonsense", length: 32_768 },
  ]) {
    const answers = [{ status: 206, range: "bytes 934443-999999/1000000", length: 65_557 }, wrong];
    const own = async () => {
      const { status, range, length } = answers.shift();
      return new Response(new Uint8Array(length), { status, headers: { "content-range": range } });
    };
    const access = await accessTo(new URL("https://c.example/p.zip"), { fetch: own });
    await assert.rejects(access.read(0, 10, signal), { code: "PACKAGE_CORRUPT" }, wrong.range);
  }
});

test("later requests carry If-Range: a strong ETag, else the date", async () => {
  const date = "Mon, 01 Jan 2024 00:00:00 GMT";
  for (const [etag, expected] of [
    ['"1"', '"1"'],
    ['W/"1"', date],
  ]) {
    const seen = [];
    const answer = (range, response, request) => {
      seen.push(request.headers["if-range"]);
      ranged(range, response, { etag, more: { "last-modified": date } });
    };
    await withServer(answer, async ({ url }) => {
      await (await accessTo(url, {})).read(0, 10, signal);
      assert.deepEqual(seen, [undefined, expected]);
    });
  }
});

test("what the server refuses has its code, and no signature in its words", async () => {
  for (const [status, code] of [
    [403, "FORBIDDEN"],
    [404, "NOT_FOUND"],
    [500, "SERVICE_ERROR"],
  ]) {
    await withServer(
      (_, response) => response.writeHead(status).end(),
      async ({ url }) => {
        const error = await accessTo(url, {}).catch((e) => e);
        assert.equal(error.code, code);
        assert.equal(error.status, status);
        assert.doesNotMatch(JSON.stringify(error), /s3cret/);
      },
    );
  }
  await assert.rejects(accessTo(new URL("http://127.0.0.1:1/p.zip"), {}), { code: "NETWORK" });
});

test("the host's own fetch is used", async () => {
  const asked = [];
  const own = async (url, { headers }) => {
    asked.push([String(url), headers.range]);
    return new Response(bytes.subarray(0, 10), { status: 206, headers: { "content-range": "bytes 0-9/10" } });
  };
  const access = await accessTo(new URL("https://c.example/p.zip"), { fetch: own });
  assert.equal(access.size, 10);
  assert.deepEqual(asked, [["https://c.example/p.zip", "bytes=-65557"]]);
});

test("blobs and the caller's own source are read by ranges", async () => {
  const blob = await accessTo(new Blob([bytes]), {});
  assert.deepEqual([blob.size, blob.held], [SIZE, false]);
  assert.deepEqual([...(await blob.read(10, 20, signal))], part(10, 20));
  const asked = [];
  const own = await accessTo(
    {
      size: SIZE,
      read: async (start, end) => {
        asked.push([start, end]);
        return bytes.subarray(start, end);
      },
    },
    {},
  );
  assert.deepEqual([...(await own.read(10, 20, signal))], part(10, 20));
  assert.deepEqual(asked, [[10, 20]]);
  for (const size of [undefined, -1, 1.5, "5"]) {
    await assert.rejects(accessTo({ size, read: async () => bytes }, {}), { code: "INVALID_ARGUMENT" });
  }
  const failing = await accessTo({ size: 5, read: () => Promise.reject(new Error("disk")) }, {});
  await assert.rejects(failing.read(0, 1, signal), (e) => e.code === "INVALID_ARGUMENT" && e.cause.message === "disk");
  const wrong = await accessTo({ size: 5, read: async () => "text" }, {});
  await assert.rejects(wrong.read(0, 1, signal), { code: "INVALID_ARGUMENT" });
});

/** A machine that wants these ranges, one after another, and keeps what it gets. */
async function machine(ranges) {
  const loader = new Loader({ default: async () => {}, version: () => version }, "core.wasm");
  const { version } = await import("../../pkg/dist/version.js");
  await loader.ready(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const got = [];
  const object = {
    want: () => ranges[got.length] && Float64Array.from(ranges[got.length]),
    give: (given) => got.push(given.slice()),
    free: () => {},
  };
  return { got, handle: new Handle(loader, "the machine", () => object) };
}

/** The caller's source, with what was asked of it. */
async function counted(size = SIZE, read = (start, end) => bytes.subarray(start, end)) {
  const asked = [];
  const access = await accessTo(
    {
      size,
      read: async (start, end) => {
        asked.push([start, end]);
        return read(start, end);
      },
    },
    {},
  );
  return { asked, access };
}

const K = 1024;

test("reading in order goes ahead in growing pieces, and not beyond what is expected", async () => {
  const ranges = Array.from({ length: 16 }, (_, i) => [i * 64 * K + 5, (i + 1) * 64 * K + 5]);
  const { got, handle } = await machine(ranges);
  const { asked, access } = await counted();
  const feed = new Feed(access, 1024 * K);
  for (const _ of ranges) assert.equal(await feed.serve(handle), true);
  assert.equal(await feed.serve(handle), false);
  assert.deepEqual(Buffer.concat(got).equals(Buffer.from(bytes.subarray(5, 1024 * K + 5))), true);
  assert.deepEqual(asked, [
    [5, 64 * K + 5],
    [64 * K + 5, 192 * K + 5],
    [192 * K + 5, 320 * K + 5],
    [320 * K + 5, 576 * K + 5],
    [576 * K + 5, 1024 * K + 5],
  ]);
  assert.equal(feed.taken, 1024 * K);
});

test("opening reads what is wanted and no more", async () => {
  const ranges = [
    [SIZE - 1000, SIZE],
    [100, 200],
    [200, 300],
  ];
  const { got, handle } = await machine(ranges);
  const { asked, access } = await counted();
  const feed = new Feed(access, 0);
  while (await feed.serve(handle));
  assert.deepEqual(asked, ranges);
  assert.deepEqual([...got[2]], part(200, 300));
});

test("a source may give less than it was asked for, but not nothing", async () => {
  const little = await machine([[0, 1000]]);
  const { access } = await counted(SIZE, (start, end) => bytes.subarray(start, Math.min(end, start + 300)));
  assert.equal(await new Feed(access, 0).serve(little.handle), true);
  assert.deepEqual([...little.got[0]], part(0, 1000));
  const none = await machine([[0, 1000]]);
  const { access: empty } = await counted(SIZE, () => new Uint8Array());
  await assert.rejects(new Feed(empty, 0).serve(none.handle), { code: "PACKAGE_CORRUPT" });
});

test("a feed that is closed calls off what it reads ahead", async () => {
  const ranges = [0, 1, 2].map((i) => [i * 64 * K + 5, (i + 1) * 64 * K + 5]);
  const { handle } = await machine(ranges);
  const signals = [];
  const read = async (start, end, given) => {
    signals.push(given);
    return bytes.subarray(start, end);
  };
  const feed = new Feed(await accessTo({ size: SIZE, read }, {}), SIZE);
  for (const _ of ranges) await feed.serve(handle);
  assert.equal(signals.length, 3, "the last of them read ahead");
  assert.equal(signals[2].aborted, false);
  feed.close();
  assert.equal(signals[2].aborted, true);
});

test("a wait ends when the signal fires", async () => {
  const { handle } = await machine([[0, 10]]);
  const { access } = await counted(SIZE, () => new Promise(() => {}));
  const controller = new AbortController();
  const waiting = new Feed(access, 0, controller.signal).serve(handle);
  controller.abort("enough");
  await assert.rejects(waiting, (e) => e.code === "ABORTED" && e.cause === "enough");
});
