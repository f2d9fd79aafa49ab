// Writes ts/catalog.ts from the entity catalogue. `node pkg-template/scripts/catalog.mjs`, with --check only compares.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const SOURCE = new URL("../../src/catalog/catalog.json", import.meta.url);
const TARGET = new URL("../ts/catalog.ts", import.meta.url);

const EDM = {
  "Edm.String": "string",
  "Edm.Guid": "string",
  "Edm.Binary": "string",
  "Edm.DateTimeOffset": "string",
  "Edm.Decimal": "string",
  "Edm.Int64": "string",
  "Edm.Int32": "number",
  "Edm.Double": "number",
  "Edm.Boolean": "boolean",
};
const HEAD = `// Made by scripts/catalog.mjs from src/catalog/catalog.json: change those, not this file.

/**
 * The catalogued entities by OData collection. Int64 and Decimal are texts (see \`numbers\` of the client), times ISO 8601 texts;
 * a point in time without date is "1900-01-01T00:00:00Z". The service gives empty texts rather than null for most properties.
 */
`;
const TAIL = `
/** Entities of the host's own environment, by collection. The declarations that \`d365-clm types\` writes add to it. */
// biome-ignore lint/suspicious/noEmptyInterface: others fill it
export interface TenantCatalog {}

/** Typed for the environment's own entities and the catalogued ones; any properties for another one. */
export type EntityOf<N extends string> = N extends keyof TenantCatalog
  ? TenantCatalog[N]
  : N extends keyof Catalog
    ? Catalog[N]
    : // biome-ignore lint/suspicious/noExplicitAny: an entity that the catalogue lacks has any properties
      Record<string, any>;
`;

/** @param {{ enums: Record<string, string[]>, entities: any[] }} catalog */
export function render(catalog) {
  const used = new Set();
  const known = [];
  const members = [];
  for (const entity of catalog.entities.filter(({ collection }) => collection)) {
    const lines = entity.properties.map(
      (property) => `    ${property.name}: ${typeOf(property, catalog.enums, used)};`,
    );
    members.push(`  /** ${comment(entity)} */\n  ${entity.collection}: ${body(lines, known)};`);
    known.push({ collection: entity.collection, lines });
  }
  const enums = [...used].sort().map((name) => declaration(name, catalog.enums[name]));
  return `${HEAD}export interface Catalog {\n${members.join("\n")}\n}\n${TAIL}\n${enums.join("\n")}\n`;
}

function comment({ label, keys, company }) {
  const whose = company === undefined ? "" : company ? ", by company" : ", shared by all companies";
  return `${label.replaceAll("*/", "")}. Key: ${keys.join(", ")}${whose}.`;
}

/** The validation twins have the properties of an entity before them, and at most some more. */
function body(lines, known) {
  const own = new Set(lines);
  const twin = known.find((other) => other.lines.length > 20 && other.lines.every((line) => own.has(line)));
  if (!twin) return `{\n${lines.join("\n")}\n  }`;
  const before = new Set(twin.lines);
  const more = lines.filter((line) => !before.has(line));
  return `Catalog["${twin.collection}"]${more.length ? ` & {\n${more.join("\n")}\n  }` : ""}`;
}

function typeOf({ name, type, nullable, members }, enums, used) {
  let text = EDM[type] ?? (members ? union(members) : undefined);
  if (text === undefined && enums[type]) {
    used.add(type);
    text = type;
  }
  if (text === undefined)
    throw new Error(`${name} has type ${type}, which is neither known nor an enum of the catalogue`);
  return nullable ? `${text} | null` : text;
}

/** As the formatter wants it. */
function declaration(name, members) {
  const line = `export type ${name} = ${union(members)};`;
  if (line.length <= 120) return line;
  return `export type ${name} =\n${members.map((member) => `  | ${JSON.stringify(member)}`).join("\n")};`;
}

function union(members) {
  return members.map((member) => JSON.stringify(member)).join(" | ");
}

function main() {
  const text = render(JSON.parse(readFileSync(SOURCE, "utf8")));
  if (!process.argv.includes("--check")) return writeFileSync(TARGET, text);
  if (readFileSync(TARGET, "utf8") !== text) {
    console.error("ts/catalog.ts is not what scripts/catalog.mjs makes of src/catalog/catalog.json: run it again");
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
