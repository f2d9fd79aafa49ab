/** What a package is built from, as callers say it. */
import { invalid } from "../errors.js";
import { isWellFormed, type Row } from "./cells.js";
import type { ByteSource, RowSource } from "./sources.js";

/** Formats of a data file that can be built and read. Others are listed when a package is opened, but not read. */
export type SourceFormat = "CSV-Unicode" | "CSV" | "XML-Element" | "XML-Attribute" | "EXCEL";

/** What a package is built from. */
export interface PackageSpec {
  /** Data project (definition group) that the manifest names. */
  name: string;
  /** Default: empty. */
  description?: string;
  /** At least one. */
  entities: EntityData[];
  /** Further entries, passed through as they are. */
  files?: { name: string; data: ByteSource }[];
  /** Deflate level 0–9; default 5. The same spec gives the same bytes, on every runtime and with any number of workers. */
  level?: number;
  /** Blocks deflated side by side; default 1. Taken as 1 where threads do not exist or can't start. */
  workers?: number;
}

/** How an entity takes part in a data project. */
export interface EntityLine {
  /** Label of the data entity ("Vendors V2"), or the OData collection of a catalogued one ("VendorsV2"). */
  entity: string;
  /** Default "CSV-Unicode". */
  format?: SourceFormat;
  /** EXCEL: name of the sheet. Default: the label with "_" for spaces, cut to 30 characters. */
  sheet?: string;
  /** Units run side by side. Default 1. */
  executionUnit?: number;
  /** Levels of a unit run one after another. Default 1. */
  level?: number;
  /** Order within a level. Default 1 in a package; in a data project the place among its lines. */
  sequence?: number;
  /** A failure of this entity ends its level. Default false. */
  failLevelOnError?: boolean;
  /** A failure of this entity ends its unit. Default false. */
  failExecutionUnitOnError?: boolean;
  /** Insert and update methods of the target run. Default true. */
  runBusinessLogic?: boolean;
  /** `validateWrite` of the target runs. Default true. */
  runBusinessValidation?: boolean;
  /** Rows go to the target without staging. Default false. */
  skipStaging?: boolean;
  /** Left out of runs. Default false. */
  disabled?: boolean;
  /** What an export takes: all rows, or those changed since the last run. Default "FullPush". */
  refresh?: "FullPush" | "IncrementalPush";
}

/** One entity of a package, with its rows, its records or its file: exactly one of the three. */
export interface EntityData extends EntityLine {
  /** Rows to be written … */
  rows?: RowSource | (() => RowSource);
  /** … or, of a composite entity, records with their children; needs `composite` … */
  records?: RecordSource | (() => RecordSource);
  /** … or a file that is already in `format`, taken as it is after it is checked. */
  data?: ByteSource;
  /** Composite entities only: the tree of their members. XML formats only. */
  composite?: CompositeMember;
  /** Header order; default: the keys of the first row. A row with any other key is an error, never a dropped value. */
  columns?: string[];
  /** column → staging field; default: the upper-case column name. */
  fields?: Record<string, string>;
  /** CSV only; default "windows-1252". */
  encoding?: "utf-8" | "windows-1252";
  /** Default: the label without what file systems forbid. */
  fileName?: string;
  /** Name of the target entity in the application; default: the catalogue's. */
  targetEntity?: string;
}

/** A member of a composite entity: its element in the file, its columns, and the members below it. */
export interface CompositeMember {
  /** Name of the XML element: the upper-case name of the entity in the application. */
  element: string;
  columns: string[];
  children?: CompositeMember[];
}

/** A record of a composite entity that is to be written. `element` may be left out where its place allows one member only. */
export interface CompositeInput {
  element?: string;
  values: Row;
  children?: CompositeInput[];
}
/** Records of a composite entity, each with everything below it. Read once, and only as fast as the package grows. */
export type RecordSource = Iterable<CompositeInput> | AsyncIterable<CompositeInput> | ReadableStream<CompositeInput>;

const CONTENT = ["rows", "records", "data"] as const;

/** What the module can't see, because it stays in JavaScript. */
export function checkSpec(spec: PackageSpec): void {
  if (typeof spec !== "object" || spec === null) throw invalid("a package is built from an object");
  if (!Array.isArray(spec.entities)) throw invalid("`entities` of the package must be an array");
  for (const [i, entity] of spec.entities.entries()) {
    if (typeof entity !== "object" || entity === null || typeof entity.entity !== "string") {
      throw invalid(`entities[${i}] has no \`entity\``, {
        hint: 'Give the label of the data entity, for example "Vendors V2".',
      });
    }
    checkEntity(entity);
  }
  const { files, workers } = spec;
  if (files !== undefined && !Array.isArray(files)) throw invalid("`files` of the package must be an array");
  for (const [i, file] of files?.entries() ?? []) {
    if (typeof file !== "object" || file === null || typeof file.name !== "string") {
      throw invalid(`files[${i}] has no \`name\``);
    }
  }
  if (workers !== undefined && (!Number.isInteger(workers) || workers < 1 || workers > 64)) {
    throw invalid(`\`workers\` is ${String(workers)}; it must be an integer from 1 to 64`);
  }
}

function checkEntity(entity: EntityData): void {
  const at = { entity: entity.entity };
  const given = CONTENT.filter((key) => entity[key] !== undefined);
  if (given.length !== 1) {
    const which = given.length === 0 ? "neither rows nor records nor data" : `both ${given.join(" and ")}`;
    throw invalid(`${entity.entity} has ${which}`, { at, hint: "Give exactly one of them." });
  }
  if (entity.columns !== undefined && !isTexts(entity.columns)) {
    throw invalid(`\`columns\` of ${entity.entity} must be an array of texts`, { at });
  }
  const { composite, records } = entity;
  if (composite === undefined) {
    if (records === undefined) return;
    throw invalid(`${entity.entity} has records but no \`composite\``, {
      at,
      hint: "Say in `composite` which members the composite entity has.",
    });
  }
  if (entity.rows !== undefined) {
    throw invalid(`${entity.entity} is composite: it has records, not rows`, { at, hint: "Give `records` or `data`." });
  }
  checkMember(composite, entity.entity);
}

function checkMember(member: CompositeMember, entity: string): void {
  const at = { entity };
  if (typeof member !== "object" || member === null || typeof member.element !== "string") {
    throw invalid(`a member of the composite ${entity} has no \`element\``, { at });
  }
  if (!isTexts(member.columns)) {
    throw invalid(`\`columns\` of ${member.element} in ${entity} must be an array of texts`, { at });
  }
  if (member.children === undefined) return;
  if (!Array.isArray(member.children)) {
    throw invalid(`\`children\` of ${member.element} in ${entity} must be an array`, { at });
  }
  for (const child of member.children) checkMember(child, entity);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "string" && isWellFormed(one));
}
