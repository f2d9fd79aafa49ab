import assert from "node:assert/strict";
import { test } from "node:test";
import { f } from "d365-clm";

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
