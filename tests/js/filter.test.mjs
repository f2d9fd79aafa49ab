import assert from "node:assert/strict";
import { test } from "node:test";
import { f, ScmClient } from "d365-clm";

const json = (filter) => JSON.parse(JSON.stringify(filter));

test("comparisons carry the type of the value", () => {
  assert.deepEqual(json(f.eq("Name", "O'Neil")), { op: "eq", p: "Name", v: { t: "s", v: "O'Neil" } });
  assert.deepEqual(json(f.ne("N", 1.5)), { op: "ne", p: "N", v: { t: "n", v: "1.5" } });
  assert.deepEqual(json(f.gt("N", 9007199254740993n)), { op: "gt", p: "N", v: { t: "n", v: "9007199254740993" } });
  assert.deepEqual(json(f.ge("D", new Date(0))), { op: "ge", p: "D", v: { t: "d", v: "1970-01-01T00:00:00.000Z" } });
  assert.deepEqual(json(f.lt("B", true)), { op: "lt", p: "B", v: { t: "b", v: "true" } });
  assert.deepEqual(json(f.le("Z", null)), { op: "le", p: "Z", v: { t: "z", v: "" } });
  assert.deepEqual(json(f.like("Name", "*rent*")), { op: "like", p: "Name", v: { t: "s", v: "*rent*" } });
  assert.deepEqual(json(f.eq("S", { enum: "NoYes", member: "Yes" })), {
    op: "eq",
    p: "S",
    v: { t: "e", enum: "NoYes", v: "Yes" },
  });
  assert.deepEqual(json(f.eq("Name", "a*", { exact: true })), {
    op: "eq",
    p: "Name",
    v: { t: "s", v: "a*" },
    exact: true,
  });
});

test("conditions nest", () => {
  const tree = f.and(f.anyOf("C", ["EUR", "USD"]), f.not(f.or(f.eq("A", 1), f.eq("A", 2))));
  assert.deepEqual(json(tree), {
    op: "and",
    x: [
      {
        op: "anyOf",
        p: "C",
        v: [
          { t: "s", v: "EUR" },
          { t: "s", v: "USD" },
        ],
      },
      {
        op: "not",
        x: [
          {
            op: "or",
            x: [
              { op: "eq", p: "A", v: { t: "n", v: "1" } },
              { op: "eq", p: "A", v: { t: "n", v: "2" } },
            ],
          },
        ],
      },
    ],
  });
  assert.equal(String(tree), "(C in ('EUR', 'USD')) and (not ((A eq 1) or (A eq 2)))");
});

test("the text tells a number from a text, and quotes", () => {
  assert.equal(String(f.eq("A", "1")), "A eq '1'");
  assert.equal(String(f.eq("A", 1)), "A eq 1");
  assert.equal(String(f.eq("A", "it's")), "A eq 'it''s'");
  assert.equal(String(f.eq("A", null)), "A eq null");
  assert.equal(String(f.eq("A", { enum: "NoYes", member: "Yes" })), "A eq NoYes'Yes'");
  assert.equal(f.eq("A", 1).kind, "filter");
});

test("what is no condition is refused at once", () => {
  const refused = { code: "INVALID_ARGUMENT" };
  for (const make of [
    () => f.eq("", 1),
    () => f.eq("A", Number.NaN),
    () => f.eq("A", new Date("x")),
    () => f.eq("A", {}),
    () => f.anyOf("A", []),
    () => f.and(),
    () => f.or("A eq 1"),
    () => f.not({ kind: "filter" }),
    () => f.like("A", 1),
  ]) {
    assert.throws(make, refused, String(make));
  }
});

/** A client whose requests are answered by `service(url)`; and what was asked for, decoded. */
function scripted(service, company) {
  const asked = [];
  const scm = new ScmClient({
    baseUrl: "https://c.example",
    getToken: () => "t",
    ...(company ? { company } : {}),
    fetch: async (input) => {
      const url = decodeURIComponent(typeof input === "string" ? input : input.url);
      asked.push(url.slice("https://c.example/data/".length));
      return new Response(JSON.stringify(service(url)), { headers: { "content-type": "application/json" } });
    },
  });
  return { scm, asked };
}
const rows = async (list) => {
  const all = [];
  for await (const row of list) all.push(row);
  return all;
};
const refusal = (promise) =>
  promise.then(
    () => assert.fail("it succeeded"),
    (e) => e,
  );

test("an exact text with * is compared here, and top counts what is left", async () => {
  const value = [
    { CurrencyCode: "A", Name: "50 x 60" },
    { CurrencyCode: "B", Name: "50*60" },
    { CurrencyCode: "C", Name: "50*60" },
  ];
  const { scm, asked } = scripted(() => ({ value }));
  const filter = f.eq("Name", "50*60", { exact: true });
  const currencies = scm.entity("Currencies");
  assert.deepEqual(await rows(currencies.list({ filter, select: ["CurrencyCode"], top: 1 })), [{ CurrencyCode: "B" }]);
  assert.deepEqual(asked, ["Currencies?$filter=Name eq '50*60'&$select=CurrencyCode,Name"]);
  for (const refused of [
    rows(currencies.list({ filter, count: true })),
    rows(currencies.list({ filter: f.eq("Name", "50*60") })),
    currencies.count(filter),
  ]) {
    assert.equal((await refusal(refused)).code, "UNSUPPORTED_QUERY");
  }
  assert.equal(asked.length, 1, "refused before anything is sent");
  scm.dispose();
});

test("a long anyOf is sent in parts, and every row comes once", async () => {
  const codes = Array.from({ length: 500 }, (_, n) => `C${n}`);
  const { scm, asked } = scripted((url) => ({
    value: [...url.matchAll(/eq '(C\d+)'/g)].map(([, CurrencyCode]) => ({ CurrencyCode })),
  }));
  const found = await rows(scm.entity("Currencies").list({ filter: f.anyOf("CurrencyCode", codes) }));
  assert.ok(asked.length > 1);
  assert.deepEqual(found.map((row) => row.CurrencyCode).sort(), codes.sort());
  scm.dispose();
});

test("a text is checked as a condition is, and completed", async () => {
  const { scm, asked } = scripted(() => ({ value: [] }));
  const contracts = scm.entity("CLMIntegrationContracts");
  await rows(contracts.list({ filter: "ContractStatus eq 'Draft' or ContractName eq '*rent*'" }));
  assert.deepEqual(asked, [
    "CLMIntegrationContracts?$filter=ContractStatus eq Microsoft.Dynamics.DataEntities.CLMIntegrationContractStatus'Draft'" +
      " or ContractName eq '*rent*'",
  ]);
  for (const [filter, code, hint] of [
    ["ContractNmae eq 'x'", "UNKNOWN_PROPERTY", /ContractName/],
    ["ContractName in ('a','b')", "UNSUPPORTED_QUERY", /anyOf/],
    ["contains(ContractName,'a')", "UNSUPPORTED_QUERY", /like/],
    ["ContractStatus gt 'Draft'", "UNSUPPORTED_QUERY", /anyOf/],
    ["ContractName eq 'O'Neil'", "INVALID_ARGUMENT"],
  ]) {
    const error = await refusal(rows(contracts.list({ filter })));
    assert.equal(error.code, code, filter);
    if (hint) assert.match(error.hint, hint);
  }
  scm.dispose();
});

test("expand is sent for navigation of the entity itself", async () => {
  const { scm, asked } = scripted(() => ({ value: [] }));
  const vendors = scm.entity("VendorsV2");
  await rows(vendors.list({ expand: ["Warehouses"] }));
  assert.deepEqual(asked, ["VendorsV2?$expand=Warehouses"]);
  assert.equal((await refusal(rows(vendors.list({ expand: ["Warehouses/Lines"] })))).code, "UNSUPPORTED_QUERY");
  assert.equal((await refusal(rows(vendors.list({ expand: ["Warehuses"] })))).code, "UNKNOWN_PROPERTY");
  scm.dispose();
});

test("another company without crossing companies is caught", async () => {
  const { scm, asked } = scripted(() => ({ value: [] }), "usmf");
  const vendors = scm.entity("VendorsV2");
  const other = f.eq("dataAreaId", "demf");
  for (const query of [
    { company: "demf", crossCompany: false },
    { filter: other, crossCompany: false },
    { filter: other, company: "usmf" },
  ]) {
    assert.equal((await refusal(rows(vendors.list(query)))).code, "INVALID_ARGUMENT");
  }
  assert.deepEqual(asked, []);
  await rows(vendors.list({ filter: other }));
  assert.deepEqual(asked, ["VendorsV2?$filter=dataAreaId eq 'demf'&cross-company=true"]);
  scm.dispose();
});
