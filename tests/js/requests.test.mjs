// Requests that a host sends itself: before the module is there, the same as the client's, and read by any stack.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { f, init, requests, ScmClient } from "d365-clm";
import { requests as slim } from "d365-clm/slim";

const BASE = "https://c.example";
const company = "usmf";
const key = { VendorAccountNumber: "1001" };
const etag = 'W/"JzEsNSc="';

test("before the module is loaded each call says so", () => {
  assert.throws(() => requests.list(BASE, "VendorsV2"), { code: "NOT_INITIALIZED", hint: /await init\(\)/ });
  assert.throws(() => slim.list(BASE, "VendorsV2"), { code: "NOT_INITIALIZED" });
});

describe("with the module", () => {
  before(() => init());

  const query = { filter: f.eq("VendorGroupId", "10"), select: ["VendorAccountNumber"], top: 5 };
  const link = { name: "GenerateVendorDetailFormURL", parameters: { _vendAccount: "1001" } };
  const mixed = [
    { op: "get", entity: "VendorsV2", query },
    { op: "create", entity: "VendorsV2", value: { ...key, VendorGroupId: undefined } },
  ];
  /** Each kind, shaped and sent. */
  const kinds = {
    list: [
      () => requests.list(BASE, "VendorsV2", query, { company }),
      async (scm) => {
        for await (const _ of scm.entity("VendorsV2").list(query));
      },
    ],
    count: [
      () => requests.count(BASE, "VendorsV2", query.filter, { company }),
      (scm) => scm.entity("VendorsV2").count(query.filter),
    ],
    get: [() => requests.get(BASE, "VendorsV2", key, {}, { company }), (scm) => scm.entity("VendorsV2").get(key)],
    create: [
      () => requests.create(BASE, "VendorsV2", { ...key, VendorGroupId: null, Notes: undefined }, { company }),
      (scm) => scm.entity("VendorsV2").create({ ...key, VendorGroupId: null, Notes: undefined }),
    ],
    update: [
      () => requests.update(BASE, "VendorsV2", key, { VendorGroupId: "20" }, { company, ifMatch: etag }),
      (scm) => scm.entity("VendorsV2").update(key, { VendorGroupId: "20" }, { ifMatch: etag }),
    ],
    delete: [
      () => requests.delete(BASE, "VendorsV2", key, { company, ifMatch: "*" }),
      (scm) => scm.entity("VendorsV2").delete(key, { ifMatch: "*" }),
    ],
    action: [
      () => requests.action(BASE, "VendorsV2", link.name, link.parameters, undefined, { company }),
      (scm) => scm.entity("VendorsV2").action(link.name, link.parameters),
    ],
    batch: [() => requests.batch(BASE, mixed, { company, atomic: true }), (scm) => scm.batch(mixed, { atomic: true })],
  };

  for (const [name, [shape, send]] of Object.entries(kinds)) {
    test(`${name}: what is shaped is what the client sends`, async () => {
      let sent;
      const fetch = async (url, init) => {
        const body = init.body == null ? undefined : await new Response(init.body).text();
        sent = { method: init.method, url, headers: Object.fromEntries(new Headers(init.headers)), body };
        return new Response("", { status: 418 });
      };
      const scm = new ScmClient({ baseUrl: BASE, getToken: () => "t", company, fetch });
      await assert.rejects(send(scm));
      scm.dispose();
      const shaped = shape();
      assert.deepEqual(sent.headers.authorization, "Bearer t");
      delete sent.headers.authorization;
      if (sent.body === undefined || sent.body === "") delete sent.body;
      assert.deepEqual(sent, shaped);
    });
  }

  test("an answer is read by a request that was rebuilt from plain data", () => {
    const again = (request) => JSON.parse(JSON.stringify(request));
    const read = (kind, status, body, headers = {}) =>
      requests.read(again(kinds[kind][0]()), { status, headers, body });
    const bytes = new TextEncoder().encode('\ufeff{"value":[{"VendorAccountNumber":"1001"}],"@odata.count":1}');
    assert.deepEqual(read("list", 200, bytes), { items: [{ VendorAccountNumber: "1001" }], count: 1 });
    assert.equal(read("count", 200, "7"), 7);
    assert.deepEqual(read("get", 200, '{"VendorAccountNumber":"1001"}'), { VendorAccountNumber: "1001" });
    assert.equal(read("get", 404, ""), undefined);
    assert.deepEqual(read("create", 201, '{"VendorAccountNumber":"1001"}'), { VendorAccountNumber: "1001" });
    assert.equal(read("update", 204, ""), undefined);
    assert.equal(read("delete", 204, ""), undefined);
    assert.equal(read("action", 200, '{"value":"https://x"}'), "https://x");
    assert.throws(() => read("update", 412, ""), { code: "PRECONDITION_FAILED", status: 412 });
    const html = { "Content-Type": "text/html" };
    assert.throws(() => read("list", 200, "<html>", html), { code: "AUTH_REJECTED" });
    assert.throws(
      () => read("list", 429, "", { "Retry-After": "7", "MS-DYN-AID": "A" }),
      (e) => {
        assert.deepEqual([e.code, e.retryAfter, e.service.activityId], ["THROTTLED", 7000, "A"]);
        return true;
      },
    );
    assert.throws(() => requests.read({ method: "GET", url: "https://c.example/x" }, { status: 200, body: "" }), {
      code: "INVALID_ARGUMENT",
    });
    assert.throws(() => requests.read(undefined, { status: 200, body: "" }), { code: "INVALID_ARGUMENT" });
    assert.throws(() => read("get", undefined, ""), { code: "INVALID_ARGUMENT", message: /status/ });
  });

  test("the answer to a batch", () => {
    const part = (message, id) => `Content-Type: application/http\n${id ? `Content-ID: ${id}\n` : ""}\n${message}\n`;
    const body = `--x\n${part('HTTP/1.1 200 OK\n\n{"value":[]}')}--x\n${part('HTTP/1.1 400 Bad\n\n{"Message":"no"}', 2)}--x--`;
    const headers = { "content-type": "multipart/mixed; boundary=x" };
    const request = kinds.batch[0]();
    for (const sent of [request, { ...request, body: new TextEncoder().encode(request.body) }]) {
      const [list, created] = requests.read(sent, { status: 200, headers, body });
      assert.deepEqual(list, { ok: true, status: 200, value: { items: [] } });
      assert.equal(created.error.code, "VALIDATION_FAILED");
    }
    assert.throws(() => requests.read({ ...request, body: undefined }, { status: 200, headers, body }), {
      code: "INVALID_ARGUMENT",
    });
    assert.throws(() => requests.batch(BASE, []), { code: "INVALID_ARGUMENT" });
  });

  test("pages are followed by the requests that come with them", () => {
    const page = (next) => JSON.stringify({ value: [{ CurrencyCode: "EUR" }], "@odata.nextLink": next });
    const first = requests.list(BASE, "Currencies");
    const answer = (body) => ({ status: 200, headers: {}, body });
    const { next } = requests.read(first, answer(page(`${BASE}/data/Currencies?$skiptoken=1`)));
    assert.deepEqual(next, { ...first, url: `${BASE}/data/Currencies?$skiptoken=1` });
    assert.equal(requests.read(next, answer('{"value":[]}')).next, undefined);
    assert.throws(() => requests.read(first, answer(page("https://evil.example/data/Currencies"))), {
      code: "SERVICE_ERROR",
    });
  });

  test("Int64 and Decimal as wanted", () => {
    const request = requests.get(BASE, "Currencies", { CurrencyCode: "EUR" });
    const answer = { status: 200, headers: {}, body: '{"GeneralRoundingRule":0.010}' };
    assert.deepEqual(requests.read(request, answer), { GeneralRoundingRule: "0.010" });
    assert.deepEqual(requests.read(request, answer, { numbers: "number" }), { GeneralRoundingRule: 0.01 });
  });

  test("a tenant's own entities", () => {
    const entity = {
      collection: "TenantThings",
      aot: "TenantThingEntity",
      label: "Tenant things",
      direction: "scmToClm",
      keys: ["ThingId"],
      properties: [
        { name: "ThingId", type: "Edm.Int32" },
        { name: "Kind", type: "Edm.String" },
      ],
    };
    const schema = { entities: [entity], enums: {} };
    const { url } = requests.get(BASE, "TenantThings", { ThingId: 7 }, {}, { schema });
    assert.equal(url, `${BASE}/data/TenantThings(7)`);
    assert.throws(() => requests.create(BASE, "TenantThings", { Knd: "x" }, { schema }), { code: "UNKNOWN_PROPERTY" });
  });

  test("what can't be meant is refused", () => {
    for (const shape of [
      () => requests.list("http://c.example", "Currencies"),
      () => requests.get(BASE, "VendorsV2", key),
      () => requests.get(BASE, "VendorsV2", "1001"),
      () => requests.create(BASE, "Currencies", { CurrencyCode: Number.NaN }),
      () => requests.update(BASE, "Currencies", { CurrencyCode: "EUR" }, {}, { ifMatch: "x\r\ny: z" }),
      () => requests.list(BASE, "Currencies", {}, { compny: "usmf" }),
      () => requests.list(BASE, "Currencies", { wher: 1 }),
    ]) {
      assert.throws(shape, { code: "INVALID_ARGUMENT" }, String(shape));
    }
    assert.throws(() => requests.list(BASE, "Vendors V2"), { code: "UNKNOWN_ENTITY" });
  });
});

test("the entries with the full module have it", () => {
  const names = JSON.parse(readFileSync(new URL("../../pkg/package.json", import.meta.url), "utf8")).exports;
  assert.ok(names["./slim"]);
  assert.equal(typeof slim.read, "function");
});
