// Batches over a fetch of the test's own; against the sandbox where it knows $batch.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isClmError, ScmClient } from "d365-clm";
import { LEGAL_ENTITIES, sandboxed, sandboxMissing, startSandbox } from "./sandbox.mjs";

const retry = { attempts: 2, maxDelay: 10 };
const http = (message, id) =>
  `Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n${id ? `Content-ID: ${id}\r\n` : ""}\r\n${message}\r\n`;
const changeSet = (...parts) =>
  `Content-Type: multipart/mixed; boundary=cs\r\n\r\n${parts.map((part) => `--cs\r\n${part}`).join("")}--cs--\r\n`;
const multipart = (...items) =>
  new Response(`${items.map((item) => `--answer\r\n${item}`).join("")}--answer--\r\n`, {
    headers: { "content-type": 'multipart/mixed; boundary="answer"' },
  });

/** A client whose requests get these answers, one after another, and are kept. */
function client(...answers) {
  const sent = [];
  const fetch = async (url, init) => {
    sent.push({ url, method: init.method, headers: init.headers, body: await new Response(init.body).text() });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const scm = new ScmClient({ baseUrl: "https://c.example", getToken: () => "t0ken", company: "usmf", retry, fetch });
  return { scm, sent };
}

test("each operation gets its own result", async () => {
  const { scm, sent } = client(
    multipart(
      http('HTTP/1.1 200 OK\r\n\r\n{"value":[{"CurrencyCode":"EUR"}],"@odata.count":1}'),
      http("HTTP/1.1 404 Not Found\r\n\r\n"),
      changeSet(http('HTTP/1.1 201 Created\r\n\r\n{"CurrencyCode":"CHF","GeneralRoundingRule":0.05}', 3)),
      http('HTTP/1.1 400 Bad Request\r\nms-dyn-aid: A1\r\n\r\n{"error":{"message":"It is in use."}}'),
    ),
  );
  const [list, one, created, deleted] = await scm.batch(
    [
      { op: "get", entity: "Currencies", query: { count: true } },
      { op: "get", entity: "Currencies", key: { CurrencyCode: "XXX" } },
      { op: "create", entity: "Currencies", value: { CurrencyCode: "CHF", Name: undefined, Symbol: null } },
      { op: "delete", entity: "Currencies", key: { CurrencyCode: "EUR" }, ifMatch: 'W/"x"' },
    ],
    { continueOnError: true },
  );
  scm.dispose();
  assert.deepEqual(list, { ok: true, status: 200, value: { items: [{ CurrencyCode: "EUR" }], count: 1 } });
  assert.deepEqual(one, { ok: true, status: 404 });
  assert.deepEqual(created, { ok: true, status: 201, value: { CurrencyCode: "CHF", GeneralRoundingRule: "0.05" } });
  assert.equal(deleted.ok, false);
  assert.ok(isClmError(deleted.error) && deleted.error instanceof Error);
  assert.equal(deleted.error.code, "VALIDATION_FAILED");
  assert.equal(deleted.error.message, "It is in use.");
  assert.equal(deleted.error.service.activityId, "A1");
  assert.equal(sent.length, 1);
  assert.equal(sent[0].url, "https://c.example/data/$batch");
  assert.match(sent[0].body, /\{"CurrencyCode":"CHF","Symbol":null\}/);
  assert.match(sent[0].body, /If-Match: W\/"x"\r\n/);
  assert.equal(new Headers(sent[0].headers).get("authorization"), "Bearer t0ken");
  assert.equal(new Headers(sent[0].headers).get("prefer"), "odata.continue-on-error");
});

test("an atomic batch is one change set, whose failure is told of all", async () => {
  const { scm, sent } = client(multipart(http('HTTP/1.1 400 Bad Request\r\n\r\n{"error":{"message":"Too long."}}', 2)));
  const create = (CurrencyCode) => ({ op: "create", entity: "Currencies", value: { CurrencyCode } });
  const results = await scm.batch([create("AAA"), create("BBBBB")], { atomic: true });
  scm.dispose();
  assert.deepEqual(
    results.map(({ ok, error }) => [ok, error.code, error.at.line]),
    [
      [false, "VALIDATION_FAILED", 2],
      [false, "VALIDATION_FAILED", 2],
    ],
  );
  assert.equal(sent[0].body.match(/boundary=changeset_/g).length, 1);
});

test("a batch whose answer was lost is not sent again", async () => {
  const { scm, sent } = client(new TypeError("fetch failed"));
  const create = { op: "create", entity: "Currencies", value: { CurrencyCode: "AAA" } };
  await assert.rejects(scm.batch([create]), { code: "NETWORK", hint: /read the records/ });
  scm.dispose();
  assert.equal(sent.length, 1);
});

test("what can't be meant is refused before anything is sent", async () => {
  const { scm, sent } = client();
  const create = { op: "create", entity: "Currencies", value: { CurrencyCode: "AAA" } };
  await assert.rejects(
    scm.batch([create, { ...create, value: { Nmae: "x" } }]),
    (e) => e.code === "UNKNOWN_PROPERTY" && e.at.line === 2,
  );
  await assert.rejects(scm.batch([create, { ...create, key: {} }]), {
    code: "INVALID_ARGUMENT",
    message: /operation 2.*key/,
  });
  await assert.rejects(scm.batch("x"), { code: "INVALID_ARGUMENT" });
  await assert.rejects(scm.batch([null]), { code: "INVALID_ARGUMENT", message: /operation 1/ });
  await assert.rejects(scm.batch([create], { size: 0 }), { code: "INVALID_ARGUMENT" });
  await assert.rejects(scm.batch([create], { atomc: true }), { code: "INVALID_ARGUMENT", message: /atomc/ });
  assert.deepEqual(await scm.batch([]), []);
  scm.dispose();
  assert.equal(sent.length, 0);
});

test("a signal ends it", async () => {
  const controller = new AbortController();
  const fetch = (_, { signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      controller.abort(new Error("enough"));
    });
  const scm = new ScmClient({ baseUrl: "https://c.example", getToken: () => "t", retry, fetch });
  const asked = scm.batch([{ op: "get", entity: "Currencies" }], { signal: controller.signal });
  await assert.rejects(asked, { code: "ABORTED" });
  scm.dispose();
});

test("after a lost answer a create with its whole key is settled by a read", async () => {
  const row = { CurrencyCode: "AAA", Name: "Test" };
  const { scm, sent } = client(new TypeError("fetch failed"), Response.json(row));
  assert.deepEqual(await scm.entity("Currencies").create(row), row);
  scm.dispose();
  assert.deepEqual(
    sent.map(({ method, url }) => `${method} ${url}`),
    ["POST https://c.example/data/Currencies", "GET https://c.example/data/Currencies('AAA')"],
  );
  const other = client(new TypeError("fetch failed"), new Response("", { status: 404 }));
  await assert.rejects(other.scm.entity("Currencies").create(row), { code: "OUTCOME_UNKNOWN" });
  other.scm.dispose();
  const again = client(new TypeError("fetch failed"), Response.json(row, { status: 201 }));
  assert.deepEqual(await again.scm.entity("Currencies").create(row, { allowRepeat: true }), row);
  again.scm.dispose();
  assert.deepEqual(
    again.sent.map(({ method }) => method),
    ["POST", "POST"],
  );
});

const skip = sandboxMissing();

describe("against the sandbox", () => {
  let sandbox;
  before(async () => {
    if (skip) return;
    sandbox = await startSandbox({
      seed: {
        LegalEntities: LEGAL_ENTITIES,
        Currencies: [{ CurrencyCode: "EUR", Name: "Euro" }],
        VendorsV2: [{ dataAreaId: "demf", VendorAccountNumber: "V1", VendorGroupId: "10" }],
      },
      settings: { defaultCompany: "usmf" },
    });
  });
  after(() => sandbox?.stop());

  const connect = () =>
    new ScmClient({ baseUrl: sandbox.baseUrl, getToken: () => sandbox.token(), company: "usmf", retry });
  const create = (CurrencyCode) => ({ op: "create", entity: "Currencies", value: { CurrencyCode, Name: "n" } });

  sandboxed("operations of every kind, in more than one batch", async () => {
    const scm = connect();
    const key = { dataAreaId: "demf", VendorAccountNumber: "V1" };
    const results = await scm.batch(
      [
        create("BA1"),
        { op: "get", entity: "VendorsV2", key },
        { op: "update", entity: "VendorsV2", key, value: { VendorGroupId: "20" } },
        { op: "get", entity: "VendorsV2", key, query: { select: ["VendorGroupId"] } },
        { op: "get", entity: "Currencies", key: { CurrencyCode: "ZZZ" } },
        { op: "delete", entity: "Currencies", key: { CurrencyCode: "BA1" } },
      ],
      { size: 2, continueOnError: true },
    );
    assert.deepEqual(
      results.map(({ ok, status }) => [ok, status]),
      [201, 200, 204, 200, 404, 204].map((status) => [true, status]),
    );
    assert.equal(results[1].value.VendorGroupId, "10");
    assert.equal(results[3].value.VendorGroupId, "20");
    assert.equal(await scm.entity("Currencies").get({ CurrencyCode: "BA1" }), undefined);
    scm.dispose();
  });

  sandboxed("an atomic batch leaves nothing behind where one operation fails", async () => {
    const scm = connect();
    const results = await scm.batch([create("BA2"), create("EUR"), create("BA3")], { atomic: true });
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [false, false, false],
    );
    assert.equal(await scm.entity("Currencies").get({ CurrencyCode: "BA2" }), undefined);
    const alone = await scm.batch([create("BA2"), create("EUR"), create("BA3")], { continueOnError: true });
    assert.deepEqual(
      alone.map(({ ok }) => ok),
      [true, false, true],
    );
    const stopped = await scm.batch([create("BA4"), create("EUR"), create("BA5")]);
    assert.deepEqual(
      stopped.map((result) => result.ok || result.error.code === "ABORTED"),
      [true, false, true],
    );
    assert.equal(await scm.entity("Currencies").get({ CurrencyCode: "BA5" }), undefined);
    scm.dispose();
  });

  sandboxed("a change set of 1,000 rows", async () => {
    const scm = connect();
    const value = (i) => ({ dataAreaId: "demf", VendorAccountNumber: `B${i}`, VendorGroupId: "10" });
    const rows = Array.from({ length: 1000 }, (_, i) => ({ op: "create", entity: "VendorsV2", value: value(i) }));
    const results = await scm.batch(rows, { atomic: true });
    assert.ok(results.every(({ ok, status }) => ok && status === 201));
    assert.equal(results[999].value.VendorAccountNumber, "B999");
    assert.equal(await scm.entity("VendorsV2").count(undefined, { company: "demf" }), 1001);
    scm.dispose();
  });
});
