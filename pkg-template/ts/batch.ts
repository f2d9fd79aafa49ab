/** Operations that travel together, and what came of each. */
import type { EntityOf } from "./catalog.js";
import { ClmError, type ErrorCode, invalid } from "./errors.js";
import { objectToJson, toJson } from "./json.js";
import type { Entity, Query } from "./query.js";
import type { HttpRequest } from "./requests.js";
import type { WireResult } from "./wire.js";

/** One operation of a batch; `get` without a key is a list, of which one page comes back. Names as in EntitySet. */
export type BatchOperation =
  | { op: "get"; entity: string; key?: object; query?: Query }
  | { op: "count"; entity: string; query?: Query }
  | { op: "create"; entity: string; value: object }
  | { op: "update"; entity: string; key: object; value: object; ifMatch?: string }
  | { op: "delete"; entity: string; key: object; ifMatch?: string }
  | { op: "action"; entity: string; name: string; key?: object; parameters?: object };

/** How a batch is carried out. */
export interface BatchOptions {
  /** All writes in one change set: all happen or none. At most 5,000 operations then, and never split. Default: each write by itself. */
  atomic?: boolean;
  /** Later operations are carried out although one failed. Default false. */
  continueOnError?: boolean;
  /** Operations of one request, 1 to 5,000; default 100. */
  size?: number;
}

/** A page of a list. */
export interface BatchPage<T> {
  items: T[];
  /** Number of all matching rows, where the query asks for it. */
  count?: number;
  /** The request for the page behind this one; absent with the last. */
  next?: HttpRequest;
}

/** What came of one operation. A row that is not there is no failure: `value` is undefined. */
export type BatchResult<V = unknown> = { ok: true; status: number; value?: V } | { ok: false; error: ClmError };

/** A result for each operation, typed by what it asks for. */
export type BatchResults<O extends readonly BatchOperation[]> = {
  -readonly [K in keyof O]: BatchResult<ValueOf<O[K]>>;
};

type ValueOf<O> = O extends { op: "get"; entity: infer N extends string }
  ? O extends { key: object }
    ? Entity<EntityOf<N>>
    : BatchPage<Entity<EntityOf<N>>>
  : O extends { op: "create"; entity: infer N extends string }
    ? Entity<EntityOf<N>>
    : O extends { op: "count" }
      ? number
      : O extends { op: "update" | "delete" }
        ? undefined
        : unknown;

/** An operation whose fields are JSON already. */
export function operationJson(op: string, entity: string, fields: Record<string, string | undefined>): string {
  let text = `{"op":"${op}","entity":${toJson(String(entity), "the collection")}`;
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) text += `,"${name}":${value}`;
  }
  return `${text}}`;
}

/** An etag as it goes into an operation. */
export function etagJson(ifMatch: string | undefined): string | undefined {
  return ifMatch === undefined ? undefined : toJson(ifMatch, "ifMatch");
}

/** A batch as the module takes it; `more` is put beside its fields. */
export function batchJson(operations: readonly BatchOperation[], options: BatchOptions, more: object = {}): string {
  if (!Array.isArray(operations)) throw invalid("a batch takes a list of operations");
  const list = operations.map((operation, i) => objectToJson(operation, `operation ${i + 1}`));
  const rest = objectToJson({ ...more, ...options }, "the options of the batch");
  return `{"operations":[${list.join(",")}]${rest === "{}" ? "}" : `,${rest.slice(1)}`}`;
}

/** Of WireResult[] as JSON. */
export function batchResults(text: string, parse: (text: string) => unknown = JSON.parse): BatchResult[] {
  return (parse(text) as WireResult[]).map((result) =>
    result.ok
      ? result
      : { ok: false, error: new ClmError(result.error.code as ErrorCode, result.error.message, result.error) },
  );
}
