// Lists as a host reads them, over a fetch of the test's own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ScmClient } from "d365-clm";

const BASE = "https://contoso.operations.dynamics.com";
const NEXT = (n) => `${BASE}/data/X?$skiptoken=${n}`;
const encoder = new TextEncoder();

/** A client over `answer(url, init, n)`, where n counts the requests from 1. */
function clientOver(answer, options = {}) {
  const urls = [];
  const fetch = async (url, init) => {
    urls.push(String(url));
    return answer(String(url), init, urls.length);
  };
  return { urls, client: new ScmClient({ baseUrl: BASE, getToken: () => "t", fetch, ...options }) };
}

function json(value, init) {
  return new Response(JSON.stringify(value), init);
}

/** A body in pieces; an Error among them breaks it off. */
function body(pieces) {
  const left = [...pieces];
  return new Response(
    new ReadableStream({
      pull(controller) {
        const piece = left.shift();
        if (piece === undefined) controller.close();
        else if (piece instanceof Error) controller.error(piece);
        else controller.enqueue(encoder.encode(piece));
      },
    }),
  );
}

async function all(rows) {
  const list = [];
  for await (const row of rows) list.push(row);
  return list;
}

/** Until it holds; the test's own time limit ends it otherwise. */
async function until(holds) {
  while (!holds()) await sleep(2);
}

const page = (from, to, next) => ({
  value: Array.from({ length: to - from + 1 }, (_, i) => ({ A: from + i })),
  ...(next === undefined ? {} : { "@odata.nextLink": NEXT(next) }),
});

test("rows come over all pages, whatever the pieces of the body", async () => {
  const texts = [JSON.stringify(page(1, 3, 2)), `\u{feff}${JSON.stringify(page(4, 5))}`];
  for (const size of [1, 7, 1_000]) {
    const { client, urls } = clientOver((_url, _init, n) => {
      const pieces = [];
      for (let at = 0; at < texts[n - 1].length; at += size) pieces.push(texts[n - 1].slice(at, at + size));
      return body(pieces);
    });
    assert.deepEqual(await all(client.entity("X").list()), [{ A: 1 }, { A: 2 }, { A: 3 }, { A: 4 }, { A: 5 }]);
    assert.deepEqual(
      urls,
      [`${BASE}/data/X?cross-company=true`, NEXT(2)].map((url, i) => (i ? url : urls[0])),
    );
    client.dispose();
  }
});

test("Int64 and Decimal come as the host wants them", async () => {
  const text = `{"value":[{"VendorProductHierarchyId":9223372036854775807,"CreditLimit":12345678901234567.89,"PersonBirthYear":1970,
    "Custom":9007199254740993,"__proto__":{"Deep":9007199254740993}}]}`;
  const read = async (numbers) => {
    const { client } = clientOver(() => new Response(text), { numbers });
    const [row] = await all(client.entity("VendorsV2").list());
    return [row.VendorProductHierarchyId, row.CreditLimit, row.PersonBirthYear, row.Custom, Object.getPrototypeOf(row)];
  };
  const plain = Object.prototype;
  const exact = ["9223372036854775807", "12345678901234567.89", 1970, "9007199254740993", plain];
  assert.deepEqual(await read(undefined), exact);
  assert.deepEqual(await read("string"), exact);
  assert.deepEqual(await read("number"), [2 ** 63, 12345678901234568, 1970, 9007199254740992, plain]);
  assert.deepEqual(await read("bigint"), [
    9223372036854775807n,
    "12345678901234567.89",
    1970,
    9007199254740993n,
    plain,
  ]);
});

test("bigint goes for single records and results of actions too", async () => {
  const { client } = clientOver(
    (url) => new Response(url.includes("Count") ? '{"value":9007199254740993}' : '{"RecId":9007199254740993}'),
    {
      numbers: "bigint",
    },
  );
  const set = client.entity("Things");
  assert.deepEqual(await set.get({ Id: "1" }), { RecId: 9007199254740993n });
  assert.deepEqual(await set.create({ Id: "1" }), { RecId: 9007199254740993n });
  assert.equal(await set.action("Count"), 9007199254740993n);
});

test("the page behind the present one is asked for ahead, and no further one", async () => {
  const { client, urls } = clientOver((_url, _init, n) => json(page(n, n, n + 1)));
  const rows = client.entity("X").list()[Symbol.asyncIterator]();
  assert.equal(urls.length, 0);
  assert.deepEqual(await rows.next(), { value: { A: 1 }, done: false });
  await until(() => urls.length === 2);
  await sleep(30);
  assert.equal(urls.length, 2);
  assert.deepEqual(await rows.next(), { value: { A: 2 }, done: false });
  await until(() => urls.length === 3);
  await sleep(30);
  assert.equal(urls.length, 3);
  assert.deepEqual(await rows.return(), { value: undefined, done: true });
  assert.deepEqual(await rows.next(), { value: undefined, done: true });
  await sleep(30);
  assert.equal(urls.length, 3);
});

test("nothing is asked for beyond the rows that are wanted", async () => {
  const { client, urls } = clientOver((_url, _init, n) => json(page(n * 10, n * 10 + 1, n + 1)));
  assert.deepEqual(await all(client.entity("X").list({ top: 3 })), [{ A: 10 }, { A: 11 }, { A: 20 }]);
  await sleep(20);
  assert.equal(urls.length, 2);
  assert.deepEqual(await all(client.entity("X").list({ top: 0 })), []);
  assert.equal(urls.length, 2);
});

test("what is read ahead of the host is bounded, and goes on as it takes", async () => {
  let sent = 0;
  const record = `{"T":"${"x".repeat(100_000)}"}`;
  const { client } = clientOver(
    () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += 1;
            if (sent > 200) {
              controller.enqueue(encoder.encode("]}"));
              controller.close();
            } else controller.enqueue(encoder.encode((sent === 1 ? '{"value":[' : ",") + record));
          },
        }),
      ),
  );
  let taken = 0;
  for await (const { T } of client.entity("X").list()) {
    assert.equal(T.length, 100_000);
    taken += 1;
    if (taken === 1) await sleep(100);
    if (taken === 1) assert.ok(sent > 20 && sent < 60, `${sent} records were read ahead`);
  }
  assert.equal(taken, 200);
});

test("a body that breaks off is asked for again, and no row comes twice", async () => {
  const text = JSON.stringify(page(1, 3));
  const { client, urls } = clientOver(
    (_url, _init, n) => body(n === 1 ? [text.slice(0, 30), new Error("reset")] : [text]),
    { retry: { maxDelay: 1 } },
  );
  assert.deepEqual(await all(client.entity("X").list()), [{ A: 1 }, { A: 2 }, { A: 3 }]);
  assert.equal(urls.length, 2);
});

test("a page that broke off and has changed meanwhile is an error behind the rows that came", async () => {
  const { client } = clientOver(
    (_url, _init, n) =>
      body(n === 1 ? ['{"value":[{"A":1},{"A":2},', new Error("reset")] : ['{"value":[{"A":1},{"A":3}]}']),
    { retry: { maxDelay: 1 } },
  );
  const rows = [];
  await assert.rejects(
    async () => {
      for await (const row of client.entity("X").list()) rows.push(row);
    },
    { code: "NETWORK" },
  );
  assert.deepEqual(rows, [{ A: 1 }, { A: 2 }]);
});

test("pages come whole, with the count", async () => {
  const { client } = clientOver((_url, _init, n) =>
    json({ "@odata.count": 3, ...page(n * 2 - 1, Math.min(n * 2, 3), n === 1 ? 2 : undefined) }),
  );
  assert.deepEqual(await all(client.entity("X").pages({ count: true })), [
    { items: [{ A: 1 }, { A: 2 }], count: 3 },
    { items: [{ A: 3 }], count: 3 },
  ]);
  const { client: empty } = clientOver(() => json({ value: [] }));
  assert.deepEqual(await all(empty.entity("X").pages()), [{ items: [] }]);
});

test("an answer that is no list, or is cut short, is told", async () => {
  for (const text of ['{"value":{}}', '{"value":[{"A":1}', '{"value":[{"A":1]}', "null", "", '{"x":1}']) {
    const { client } = clientOver(() => new Response(text));
    await assert.rejects(all(client.entity("X").list()), { code: "SERVICE_ERROR" }, text);
  }
  const { client } = clientOver(
    () => new Response(new Uint8Array([...encoder.encode('{"value":[{"A":"'), 0xff, 0x22, 0x7d, 0x5d, 0x7d])),
  );
  await assert.rejects(all(client.entity("X").list()), { code: "SERVICE_ERROR" });
  const evil = clientOver(() => json({ value: [{ A: 1 }], "@odata.nextLink": "https://evil.example/data/X" }));
  await assert.rejects(all(evil.client.entity("X").list()), { code: "SERVICE_ERROR" });
  assert.equal(evil.urls.length, 1);
});

test("a fetch whose answers have no stream will do", async () => {
  const { client } = clientOver(() => ({
    status: 200,
    headers: new Headers(),
    arrayBuffer: async () => encoder.encode(JSON.stringify(page(1, 2))).buffer,
  }));
  assert.deepEqual(await all(client.entity("X").list()), [{ A: 1 }, { A: 2 }]);
});

test("rows asked for at the same time come in order; a signal ends the list", async () => {
  const { client } = clientOver(async (_url, init, n) => {
    if (n < 3) return json(page(n, n, n + 1));
    return new Promise((_, reject) => init.signal.addEventListener("abort", () => reject(init.signal.reason)));
  });
  const controller = new AbortController();
  const rows = client.entity("X").list({}, { signal: controller.signal })[Symbol.asyncIterator]();
  const [a, b, c] = [rows.next(), rows.next(), rows.next()];
  assert.deepEqual([(await a).value, (await b).value], [{ A: 1 }, { A: 2 }]);
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(c, (e) => e.code === "ABORTED" && e.cause === reason);
  assert.deepEqual(await rows.next(), { value: undefined, done: true });
});

test("who leaves a list ends its requests", async () => {
  let aborted = 0;
  const { client } = clientOver((_url, init, n) => {
    init.signal.addEventListener("abort", () => {
      if (n === 2) aborted += 1;
    });
    return n === 1 ? json(page(1, 1, 2)) : new Promise(() => {});
  });
  for await (const row of client.entity("X").list()) {
    assert.deepEqual(row, { A: 1 });
    break;
  }
  await until(() => aborted === 1);
});

test("a list needs no turn while its host reads others", async () => {
  const { client } = clientOver((url) => (url.includes("(") ? json({ B: 1 }) : json(page(1, 2))), { concurrency: 1 });
  const set = client.entity("X");
  for await (const { A } of set.list()) assert.deepEqual(await set.get({ Id: String(A) }), { B: 1 });
});
