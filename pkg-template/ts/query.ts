/** What is asked of an OData collection. */
import { invalid } from "./errors.js";
import type { Filter } from "./filter.js";
import { objectToJson } from "./json.js";
import type { Cell } from "./package/cells.js";

/** Which rows and properties are wanted. */
// biome-ignore lint/suspicious/noExplicitAny: an entity that the catalogue lacks has any properties
export interface Query<T = any> {
  /**
   * A condition of `f`, or the text of `$filter`. Both are checked alike: names, types, members of enums (`Status eq 'Draft'` is
   * completed), and what the service does not support is UNSUPPORTED_QUERY by name. In a text `eq` with `*` is a pattern.
   *
   * A filter whose URL would pass 8,000 characters is sent in parts of its longest `anyOf`, where every row must fit one: `list` and
   * `pages` only, at most 100 requests; with `orderBy` their rows are merged, with `count` the sum is given.
   */
  filter?: Filter | string;
  /** Properties; default: all. */
  select?: (keyof T & string)[];
  /** "Name", "Name desc". */
  orderBy?: string | string[];
  /** Navigation properties whose rows come along; the service expands the first level only. */
  expand?: string[];
  /** At most so many rows, over all pages. */
  top?: number;
  /** Rows to leave out. */
  skip?: number;
  /** Ask for the number of all matching rows too; see `pages`. */
  count?: boolean;
  /**
   * Rows of all companies that the user may see. Default: those of the company of the query, the client, or the service user.
   * Where `company` or the filter names a company, the option is sent anyway; with an explicit `false` to name another company than
   * the client's is INVALID_ARGUMENT, since the service would answer with nothing.
   */
  crossCompany?: boolean;
  /** Rows of this company; refused for entities that are shared by all. */
  company?: string;
}
/** A row as the service gives it. */
export type Entity<T> = T & { readonly "@odata.etag"?: string };
/** What may be written: numbers for Decimal and Int64 too, Date for times. */
export type Input<T> = { [K in keyof T]?: T[K] | Cell };

/** The query as the module takes it. */
export function queryJson(query: Query | undefined): string {
  if (query === undefined) return "{}";
  return objectToJson(query, "the query");
}

/** A query that has a condition and companies only. */
export function countJson(
  filter: Filter | string | undefined,
  companies: { company?: string; crossCompany?: boolean },
): string {
  if (filter !== undefined && typeof filter !== "string" && filter?.kind !== "filter") {
    throw invalid("a filter is made by `f`, or is a text");
  }
  const { company, crossCompany } = companies;
  return objectToJson({ filter, company, crossCompany }, "the query");
}
