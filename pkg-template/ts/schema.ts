/** What an environment has: with its functions, from data or from a document. */
import { invalid } from "./errors.js";
import { Handle } from "./handle.js";
import { loader } from "./init.js";
import { objectToJson } from "./json.js";
import { type ByteSource, Pieces } from "./package/sources.js";
import { Reporter, type RunOptions, Turns } from "./run.js";
import { type Drift, partsOf, type Schema, type SchemaData } from "./schema-data.js";
import type { Wire, WireMetadataReader } from "./wire.js";

export interface MetadataOptions extends RunOptions {
  /** Only these collections. Default: all, which is an answer of tens of megabytes. */
  collections?: string[];
  /**
   * Asks for labels too, in this language; `true`: "en-us". Takes a request for each entity, so it needs `collections`. Default: no
   * labels.
   */
  labels?: boolean | string;
}

/** The functions of a schema; its data are enumerable members, so that it is JSON like any data. */
class TenantSchema implements Schema {
  entities!: SchemaData["entities"];
  enums!: SchemaData["enums"];

  constructor(data: SchemaData) {
    Object.assign(this, data);
  }

  drift(): Drift[] {
    return JSON.parse(call((wire) => wire.schemaDrift(textOf(this))));
  }

  toTypeScript(collections?: string[]): string {
    return call((wire) => wire.schemaTypes(textOf(this), namesOf(collections)));
  }
}

/**
 * A schema from its data, which may have been JSON meanwhile.
 *
 * @throws {ClmError} INVALID_ARGUMENT where it is none
 * @example
 * const kept = JSON.stringify(await scm.metadata({ collections: ["VendorsV2"] }));
 * const drift = schema(JSON.parse(kept)).drift();
 */
export function schema(data: SchemaData): Schema {
  if (!Array.isArray(data?.entities) || typeof data.enums !== "object" || data.enums === null) {
    throw invalid("a schema has entities and enums", { hint: "Give what metadata() or readMetadata() yielded." });
  }
  return new TenantSchema(partsOf(data) as SchemaData);
}

/**
 * Reads a `$metadata` document that is at hand, in pieces as they come. Progress counts bytes, stage "metadata".
 *
 * @throws {ClmError} SERVICE_ERROR with the line in `at`; UNKNOWN_ENTITY for a collection that neither the document nor the catalogue
 * has; INVALID_ARGUMENT, ABORTED
 * @example
 * const tenant = await readMetadata(await openAsBlob("metadata.xml"), { collections: ["VendorsV2"] });
 */
export async function readMetadata(
  source: ByteSource,
  options: RunOptions & { collections?: string[] } = {},
): Promise<Schema> {
  const { signal } = options;
  const names = namesOf(options.collections);
  const pieces = new Pieces(source, "the metadata", signal);
  try {
    const wire = await loader.ready();
    const reader = new Handle<WireMetadataReader>(loader, "the metadata", () => new wire.MetadataReader(names));
    try {
      return schema(JSON.parse(await pushed(reader, pieces, options)));
    } finally {
      reader.dispose();
    }
  } finally {
    await pieces.close();
  }
}

async function pushed(reader: Handle<WireMetadataReader>, pieces: Pieces, options: RunOptions): Promise<string> {
  const reporter = new Reporter(options.onProgress);
  const turns = new Turns(options.signal);
  let done = 0;
  for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
    const bytes = piece;
    reader.use((r) => r.push(bytes));
    done += bytes.length;
    reporter.report({ stage: "metadata", done, unit: "bytes" });
    await turns.yield();
  }
  const json = reader.use((r) => r.finish());
  reporter.report({ stage: "metadata", done, total: done, unit: "bytes" }, true);
  return json;
}

/** Options of `metadata()` on their way into the module. */
export function metadataJson({ collections, labels }: MetadataOptions): string {
  const language = labels === true ? "en-us" : labels || undefined;
  return objectToJson({ collections: namesOf(collections), labels: language }, "the options");
}

function namesOf(collections: unknown): string[] | undefined {
  if (collections === undefined) return undefined;
  if (Array.isArray(collections) && collections.every((name) => typeof name === "string")) return collections;
  throw invalid("collections is a list of names");
}

function textOf(data: SchemaData): string {
  return objectToJson(partsOf(data), "the schema");
}

function call<T>(run: (wire: Wire) => T): T {
  const wire = loader.current();
  try {
    return run(wire);
  } catch (e) {
    throw loader.failure(e);
  }
}
