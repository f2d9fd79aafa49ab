// Tokens, OData and data projects against the sandbox, and redirects against a server of its own.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { f, ScmClient } from "d365-clm";
import { LEGAL_ENTITIES, sandboxed, sandboxMissing, startSandbox } from "./sandbox.mjs";

const retry = { attempts: 2, maxDelay: 10 };
const caught = (promise) =>
  promise.then(
    () => assert.fail("it succeeded"),
    (e) => e,
  );

async function serve(handler) {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push({ url: request.url, authorization: request.headers.authorization });
    handler(request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

test("a redirect to a sign-in page is not followed, neither with the token nor without", async () => {
  const signIn = await serve((_, response) => response.end("<html>sign in</html>"));
  const service = await serve((_, response) => response.writeHead(302, { location: `${signIn.url}/authorize` }).end());
  const scm = new ScmClient({ baseUrl: service.url, getToken: () => "t0ken", retry });
  try {
    const error = await caught(scm.entity("Currencies").count());
    assert.equal(error.code, "AUTH_REJECTED");
    assert.ok(error.hint);
    assert.deepEqual(signIn.requests, []);
    assert.ok(service.requests.length >= 1);
    assert.ok(service.requests.every(({ authorization }) => authorization === "Bearer t0ken"));
  } finally {
    scm.dispose();
    await Promise.all([signIn.stop(), service.stop()]);
  }
});

test("a next link to another host does not get the token", async () => {
  const thief = await serve((_, response) => response.end("{}"));
  const service = await serve((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ value: [{ CurrencyCode: "EUR" }], "@odata.nextLink": `${thief.url}/data/Currencies` }),
    );
  });
  const scm = new ScmClient({ baseUrl: service.url, getToken: () => "t0ken", retry });
  try {
    const read = async () => {
      for await (const _ of scm.entity("Currencies").list());
    };
    assert.equal((await caught(read())).name, "ClmError");
    assert.deepEqual(thief.requests, []);
  } finally {
    scm.dispose();
    await Promise.all([thief.stop(), service.stop()]);
  }
});

test("no answer at all is NETWORK, after the tries that were allowed", async () => {
  const events = [];
  const scm = new ScmClient({
    baseUrl: "https://c.example",
    getToken: () => "t",
    retry: { attempts: 3, maxDelay: 10 },
    onEvent: ({ type }) => events.push(type),
    fetch: async () => {
      throw Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNRESET" } });
    },
  });
  assert.equal((await caught(scm.entity("Currencies").count())).code, "NETWORK");
  assert.equal(events.filter((type) => type === "request").length, 3);
  assert.equal(events.filter((type) => type === "retry").length, 2);
});

test("in a page the same is CORS_OR_NETWORK", async () => {
  globalThis.location = { origin: "https://app.example" };
  try {
    const scm = new ScmClient({
      baseUrl: "https://c.example",
      getToken: () => "t",
      retry,
      fetch: async () => {
        throw new TypeError("Failed to fetch");
      },
    });
    const error = await caught(scm.entity("Currencies").count());
    assert.equal(error.code, "CORS_OR_NETWORK");
    assert.match(error.hint, /rewriteUrl/);
  } finally {
    delete globalThis.location;
  }
});

test("options that can't be meant", async () => {
  const used = (options) => caught(new ScmClient(options).entity("Currencies").count());
  for (const options of [
    {},
    { baseUrl: "http://c.example" },
    { baseUrl: "c.example" },
    { baseUrl: "https://c.example", compny: 1 },
  ]) {
    assert.equal((await used(options)).code, "INVALID_ARGUMENT", JSON.stringify(options));
  }
  for (const options of [
    undefined,
    { baseUrl: "https://c.example", fetch: 5 },
    { getToken: () => "t", credential: {} },
  ]) {
    assert.throws(() => new ScmClient(options), { code: "INVALID_ARGUMENT" });
  }
});

test("values that JSON would change in silence are refused", async () => {
  const scm = new ScmClient({ baseUrl: "https://c.example", fetch: () => assert.fail("it was sent") });
  const set = scm.entity("Currencies");
  for (const value of [Number.NaN, new Date("x"), "\ud83d", () => 1]) {
    const error = await caught(set.create({ CurrencyCode: "X", Name: value }));
    assert.equal(error.code, "INVALID_ARGUMENT");
    assert.deepEqual(error.at, { column: "Name" });
  }
  for (const key of [undefined, "EUR", ["EUR"]]) assert.equal((await caught(set.get(key))).code, "INVALID_ARGUMENT");
});

const skip = sandboxMissing();

describe("against the sandbox", () => {
  let sandbox;
  before(async () => {
    if (skip) return;
    sandbox = await startSandbox({
      seed: {
        LegalEntities: LEGAL_ENTITIES,
        Currencies: ["AED", "CHF", "EUR", "GBP", "JPY", "NOK", "USD"].map((CurrencyCode) => ({
          CurrencyCode,
          Name: `${CurrencyCode} *`,
        })),
        VendorsV2: [
          { dataAreaId: "usmf", VendorAccountNumber: "V1", VendorOrganizationName: "O'Neil & Søn" },
          { dataAreaId: "demf", VendorAccountNumber: "V1", VendorOrganizationName: "Müller" },
        ],
      },
      settings: { changeTracking: { "Vendors V2": "ALL" }, defaultCompany: "usmf" },
      args: ["--page-size", "3", "--token-lifetime-seconds", "2"],
    });
  });
  after(() => sandbox?.stop());

  const client = (options) =>
    new ScmClient({ baseUrl: sandbox.baseUrl, getToken: () => sandbox.token(), company: "usmf", retry, ...options });

  sandboxed("an expired token is renewed once; the second refusal is AUTH_REJECTED", async () => {
    const { token: old } = await sandbox.token();
    const { exp } = JSON.parse(Buffer.from(old.split(".")[1], "base64url"));
    while (Date.now() < (exp + 1) * 1000) await sleep(100);
    const reasons = [];
    const stubborn = client({
      getToken: ({ reason, resource, scope }) => {
        assert.equal(resource, sandbox.baseUrl);
        assert.equal(scope, `${sandbox.baseUrl}/.default`);
        reasons.push(reason);
        return old;
      },
    });
    const error = await caught(stubborn.entity("Currencies").count());
    assert.equal(error.code, "AUTH_REJECTED");
    assert.equal(error.status, 401);
    assert.deepEqual(reasons, ["first", "rejected"]);

    let asked = 0;
    const renewing = client({
      getToken: async () => {
        asked += 1;
        return asked === 1 ? old : (await sandbox.token()).token;
      },
    });
    assert.equal(await renewing.entity("Currencies").count(), 7);
    assert.equal(asked, 2);
  });

  sandboxed("a token source that fails is told, with its error as cause", async () => {
    const cause = new Error("no consent");
    const error = await caught(
      client({
        getToken: () => {
          throw cause;
        },
      })
        .entity("Currencies")
        .count(),
    );
    assert.equal(error.code, "AUTH_REJECTED");
    assert.equal(error.cause, cause);
  });

  sandboxed("an application that is not registered is told where to register it", async () => {
    const scm = client({ getToken: () => sandbox.token("unregistered") });
    const error = await caught(scm.entity("Currencies").count());
    assert.equal(error.code, "APP_NOT_REGISTERED");
    assert.match(error.hint, /Microsoft Entra ID applications/);
  });

  sandboxed("simultaneous requests ask for one token", async () => {
    let asked = 0;
    const scm = client({
      getToken: async () => {
        asked += 1;
        await sleep(20);
        return (await sandbox.token()).token;
      },
    });
    const counts = await Promise.all([1, 2, 3].map(() => scm.entity("Currencies").count()));
    assert.deepEqual([counts, asked], [[7, 7, 7], 1]);
  });

  sandboxed("a list comes page after page, one page ahead of who reads and no further", async () => {
    const urls = [];
    const scm = client({ onEvent: ({ type, url }) => type === "request" && urls.push(url) });
    const codes = [];
    for await (const { CurrencyCode } of scm.entity("Currencies").list({ select: ["CurrencyCode"] })) {
      codes.push(CurrencyCode);
      // Time enough to read on, if it did.
      await sleep(200);
      if (codes.length === 2) break;
    }
    assert.deepEqual(codes, ["AED", "CHF"]);
    assert.equal(urls.length, 2, "the page that is read, and one ahead");
    const pages = [];
    for await (const { items, count } of scm.entity("Currencies").pages({ count: true })) {
      pages.push([items.length, count]);
    }
    assert.equal(pages.length, 3);
    assert.deepEqual(pages[0], [3, 7]);
    const top = [];
    for await (const { CurrencyCode } of scm
      .entity("Currencies")
      .list({ orderBy: "CurrencyCode desc", top: 5, skip: 1 })) {
      top.push(CurrencyCode);
    }
    assert.deepEqual(top, ["NOK", "JPY", "GBP", "EUR", "CHF"]);
  });

  sandboxed("filters reach the service typed; companies are never mixed up", async () => {
    const vendors = client().entity("VendorsV2");
    assert.equal(await vendors.count(), 1);
    assert.equal(await vendors.count(undefined, { crossCompany: true }), 2);
    assert.equal(await vendors.count(undefined, { company: "demf" }), 1);
    assert.equal(await vendors.count(f.eq("VendorOrganizationName", "O'Neil & Søn")), 1);
    assert.equal(await vendors.count(f.like("VendorOrganizationName", "M*"), { crossCompany: true }), 1);
    assert.equal(await vendors.count(f.anyOf("OnHoldStatus", ["All", "Payment"])), 0);
    const starred = await caught(client().entity("Currencies").count(f.eq("Name", "EUR *")));
    assert.equal(starred.code, "UNSUPPORTED_QUERY");
    const unknown = await caught(vendors.count(f.eq("VendorOrganisationName", "x")));
    assert.equal(unknown.code, "UNKNOWN_PROPERTY");
    assert.match(unknown.hint, /VendorOrganizationName/);
  });

  sandboxed("rows are made, read, changed and deleted", async () => {
    const set = client().entity("Currencies");
    const made = await set.create({ CurrencyCode: "XTS", Name: 'Test, "quoted"\n😀', DecimalsCount_MX: 2 });
    assert.equal(made.Name, 'Test, "quoted"\n😀');
    assert.equal((await caught(set.create({ CurrencyCode: "XTS", Name: "again" }))).code, "CONFLICT");
    await set.update({ CurrencyCode: "XTS" }, { Name: "Changed" });
    const found = await set.get({ CurrencyCode: "XTS" });
    assert.equal(found.Name, "Changed");
    assert.equal(found.DecimalsCount_MX, 2);
    const stale = await caught(set.update({ CurrencyCode: "XTS" }, { Name: "x" }, { ifMatch: made["@odata.etag"] }));
    assert.equal(stale.code, "PRECONDITION_FAILED");
    await set.delete({ CurrencyCode: "XTS" }, { ifMatch: found["@odata.etag"] });
    assert.equal(await set.get({ CurrencyCode: "XTS" }), undefined);
    const vendor = await client().entity("VendorsV2").get({ VendorAccountNumber: "V1" });
    assert.equal(vendor.VendorOrganizationName, "O'Neil & Søn");
  });

  sandboxed("an action gives its value", async () => {
    const url = await client()
      .entity("VendorsV2")
      .action("GenerateVendorDetailFormURL", { _vendAccount: "V1", _companyId: "USMF" });
    assert.match(url, /^http.*mi=display:VendTable/);
  });

  sandboxed("the service's reason arrives", async () => {
    const contracts = client().entity("CLMIntegrationContracts");
    const error = await caught(
      contracts.create({ dataAreaId: "usmf", ContractId: "C1", ContractType: "NOPE", ContractName: "x" }),
    );
    assert.equal(error.code, "VALIDATION_FAILED");
    assert.match(error.message, /Contract type NOPE was not found/);
    assert.equal(error.status, 400);
  });

  sandboxed("a data project is made once, corrected, and never turned round", async () => {
    const { projects } = client();
    const project = {
      name: "CLM-Test",
      operation: "Export",
      entities: [{ entity: "Vendors V2", refresh: "FullPush" }],
    };
    assert.equal((await projects.ensure(project)).created, true);
    assert.deepEqual(await projects.ensure(project), { created: false, changed: [] });
    const changed = await projects.ensure({
      ...project,
      entities: [{ entity: "Vendors V2", refresh: "IncrementalPush" }],
    });
    assert.equal(changed.created, false);
    assert.notDeepEqual(changed.changed, []);
    const error = await caught(projects.ensure({ ...project, operation: "Import" }));
    assert.equal(error.code, "CONFLICT");
  });

  sandboxed("a signal ends a call, before and while it waits; so does dispose", async () => {
    const reason = new Error("the user left");
    const gone = new AbortController();
    gone.abort(reason);
    const early = await caught(client().entity("Currencies").count(undefined, { signal: gone.signal }));
    assert.deepEqual([early.code, early.cause], ["ABORTED", reason]);

    const hanging = (_, { signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const controller = new AbortController();
    const waiting = client({ fetch: hanging }).entity("Currencies").count(undefined, { signal: controller.signal });
    await sleep(20);
    controller.abort(reason);
    const late = await caught(waiting);
    assert.deepEqual([late.code, late.cause], ["ABORTED", reason]);

    const scm = client({ fetch: hanging });
    const ended = scm.entity("Currencies").count();
    await sleep(20);
    scm.dispose();
    scm[Symbol.dispose]();
    assert.equal((await caught(ended)).code, "DISPOSED");
    assert.equal((await caught(scm.entity("Currencies").count())).code, "DISPOSED");
  });
});
