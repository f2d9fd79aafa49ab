/** Conditions as values. How they are written, and which of them the service understands, is decided in Rust. */
import { invalid } from "./errors.js";
import type { Cell } from "./package/cells.js";
import type { WireFilter } from "./wire.js";

/** A symbol of an enum that the catalogue does not tell by itself: its type and its member. */
export interface EnumValue {
  enum: string;
  member: string;
}

/** An expression tree. Literals are written by the property's type when a request is shaped. */
export interface Filter {
  readonly kind: "filter";
  /** The same text for the same condition; for logs and cache keys, it is not what is sent. */
  toString(): string;
}

type Scalar = { t: "s" | "n" | "d" | "b" | "z" | "e"; v: string; enum?: string };
type Comparison = "eq" | "ne" | "gt" | "ge" | "lt" | "le" | "like";
type Tree =
  | { op: Comparison; p: string; v: Scalar; exact?: true }
  | { op: "anyOf"; p: string; v: Scalar[] }
  | { op: "and" | "or" | "not"; x: Tree[] };

class Node implements Filter {
  readonly kind = "filter";
  readonly #tree: Tree;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  static tree(filter: unknown): Tree {
    if (typeof filter === "object" && filter !== null && #tree in filter) return filter.#tree;
    throw invalid("a part of the filter is none", { hint: "Parts of and, or, not are made by f.eq and its like." });
  }

  /** What goes into the module. */
  toJSON(): WireFilter {
    return this.#tree as WireFilter;
  }

  toString(): string {
    return render(this.#tree);
  }
}

/**
 * Builders of filters.
 *
 * @example
 * const open = f.and(f.eq("dataAreaId", "usmf"), f.anyOf("ContractStatus", ["Draft", "Executed"]), f.like("ContractName", "*rent*"));
 * for await (const contract of scm.entity("CLMIntegrationContracts").list({ filter: open })) console.log(contract.ContractId);
 */
export const f: {
  /**
   * Equal. The service takes a `*` in the text for a wildcard, so such a text is refused with UNSUPPORTED_QUERY when the request
   * is shaped; see `like`. With `exact`, `list` and `pages` fetch what fits the pattern and compare here (without regard to case, as
   * the service does); `top` and `skip` then count what is left, and `count` is refused.
   */
  eq(p: string, v: Cell | EnumValue, options?: { exact?: boolean }): Filter;
  /** Not equal. */
  ne(p: string, v: Cell | EnumValue): Filter;
  /** Greater. */
  gt(p: string, v: Cell): Filter;
  /** Greater or equal. */
  ge(p: string, v: Cell): Filter;
  /** Less. */
  lt(p: string, v: Cell): Filter;
  /** Less or equal. */
  le(p: string, v: Cell): Filter;
  /** Matches the pattern, in which `*` stands for any text. */
  like(p: string, pattern: string): Filter;
  /** Equal to one of the values; at least one. A list too long for a URL is sent in several requests, see `Query.filter`. */
  anyOf(p: string, values: (Cell | EnumValue)[]): Filter;
  /** All of them; at least one. */
  and(...x: Filter[]): Filter;
  /** Any of them; at least one. */
  or(...x: Filter[]): Filter;
  /** Not this. */
  not(x: Filter): Filter;
} = {
  eq: (p, v, options) =>
    new Node({ op: "eq", p: property(p), v: scalar(p, v), ...(options?.exact ? { exact: true as const } : {}) }),
  ne: (p, v) => compare("ne", p, v),
  gt: (p, v) => compare("gt", p, v),
  ge: (p, v) => compare("ge", p, v),
  lt: (p, v) => compare("lt", p, v),
  le: (p, v) => compare("le", p, v),
  like: (p, pattern) => {
    if (typeof pattern !== "string") throw invalid(`the pattern for "${p}" must be a text`);
    return compare("like", p, pattern);
  },
  anyOf: (p, values) => {
    if (!Array.isArray(values) || values.length === 0) throw invalid(`anyOf("${p}") needs at least one value`);
    return new Node({ op: "anyOf", p: property(p), v: values.map((value) => scalar(p, value)) });
  },
  and: (...x) => join("and", x),
  or: (...x) => join("or", x),
  not: (x) => new Node({ op: "not", x: [Node.tree(x)] }),
};

function compare(op: Comparison, p: string, v: Cell | EnumValue): Filter {
  return new Node({ op, p: property(p), v: scalar(p, v) });
}

function join(op: "and" | "or", x: Filter[]): Filter {
  if (x.length === 0) throw invalid(`${op}() needs at least one condition`);
  return new Node({ op, x: x.map(Node.tree) });
}

function property(p: string): string {
  if (typeof p === "string" && p !== "") return p;
  throw invalid("a filter needs the name of a property");
}

function scalar(p: string, v: Cell | EnumValue): Scalar {
  if (v === null || v === undefined) return { t: "z", v: "" };
  switch (typeof v) {
    case "string":
      return { t: "s", v };
    case "boolean":
      return { t: "b", v: String(v) };
    case "bigint":
      return { t: "n", v: String(v) };
    case "number":
      if (Number.isFinite(v)) return { t: "n", v: String(v) };
      break;
    case "object":
      if (v instanceof Date) {
        if (Number.isNaN(v.getTime())) throw invalid(`the value for "${p}" is an invalid Date`, { at: { column: p } });
        return { t: "d", v: v.toISOString() };
      }
      if (typeof v.enum === "string" && typeof v.member === "string") return { t: "e", enum: v.enum, v: v.member };
  }
  throw invalid(`the value for "${p}" is nothing that a property can hold`, { at: { column: p } });
}

function render(tree: Tree): string {
  switch (tree.op) {
    case "and":
    case "or":
      return tree.x.map((part) => `(${render(part)})`).join(` ${tree.op} `);
    case "not":
      return `not (${render(tree.x[0] as Tree)})`;
    case "anyOf":
      return `${tree.p} in (${tree.v.map(literal).join(", ")})`;
    default:
      return `${tree.p} ${tree.op}${tree.exact ? " exactly" : ""} ${literal(tree.v)}`;
  }
}

function literal(v: Scalar): string {
  const quoted = `'${v.v.replaceAll("'", "''")}'`;
  if (v.t === "e") return `${v.enum}${quoted}`;
  return v.t === "s" ? quoted : v.t === "z" ? "null" : v.v;
}
