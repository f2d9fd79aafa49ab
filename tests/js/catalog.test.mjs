import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { render } from "../../pkg-template/scripts/catalog.mjs";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");

test("the catalogue's types are those of the catalogue", () => {
  const made = render(JSON.parse(read("../../src/catalog/catalog.json")));
  assert.ok(made === read("../../pkg-template/ts/catalog.ts"), "run `node pkg-template/scripts/catalog.mjs`");
});

test("types follow the metadata", () => {
  const property = (name, type, nullable = false) => ({ name, type, nullable });
  const enums = { NoYes: ["No", "Yes"] };
  const text = render({
    enums,
    entities: [
      { label: "No set", keys: [], properties: [property("A", "Edm.String")] },
      {
        collection: "Things",
        label: "Things",
        company: true,
        keys: ["dataAreaId", "Id"],
        properties: [
          property("dataAreaId", "Edm.String"),
          property("Id", "Edm.Int64"),
          property("Amount", "Edm.Decimal", true),
          property("Day", "Edm.DateTimeOffset"),
          property("Count", "Edm.Int32"),
          property("Open", "NoYes", true),
          { name: "Status", type: "Enum", members: ["A", "B"] },
        ],
      },
    ],
  });
  assert.match(
    text,
    /export interface Catalog \{\n {2}\/\*\* Things\. Key: dataAreaId, Id, by company\. \*\/\n {2}Things: \{\n {4}dataAreaId: string;\n {4}Id: string;\n {4}Amount: string \| null;\n {4}Day: string;\n {4}Count: number;\n {4}Open: NoYes \| null;\n {4}Status: "A" \| "B";\n {2}\};\n\}/,
  );
  assert.match(text, /export type NoYes = "No" \| "Yes";/);
  const unknown = { enums, entities: [{ collection: "X", label: "X", keys: [], properties: [property("P", "Odd")] }] };
  assert.throws(() => render(unknown), /Odd/);
});
