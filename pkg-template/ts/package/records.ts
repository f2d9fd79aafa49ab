/** Records of composite entities: into the module in pre-order, and back into trees. */
import { type ClmError, invalid } from "../errors.js";
import type { WireMember } from "../wire.js";
import { CHUNK, isWellFormed, kindOf, refuseIllFormed, refuseValue, textOf } from "./cells.js";
import { split } from "./encode.js";
import type { CompositeInput, CompositeMember } from "./spec.js";

/** A record of a composite entity as it is read. Every value is text; no value is the empty text. */
export interface CompositeRecord {
  /** Name of the XML element. */
  element: string;
  values: Record<string, string>;
  children: CompositeRecord[];
}

interface Member {
  index: number;
  element: string;
  columns: readonly string[];
  known: ReadonlySet<string>;
  children: Member[];
}

/** Collects records into chunks. Every value is either carried over exactly or refused with its record and column. */
export class RecordEncoder {
  readonly #entity: string;
  readonly #root: Member;
  #record = 0;
  #cells: string[] = [];
  #kinds: number[] = [];
  #members: number[] = [];
  #length = 0;

  constructor(entity: string, composite: CompositeMember) {
    this.#entity = entity;
    let count = 0;
    const member = ({ element, columns, children = [] }: CompositeMember): Member => {
      const index = count++;
      return { index, element, columns, known: new Set(columns), children: children.map(member) };
    };
    this.#root = member(composite);
    if (count > 255)
      throw invalid(`the composite ${entity} has ${count} members; 255 are the most`, { at: { entity } });
  }

  /** Records so far, without those below them. */
  get rows(): number {
    return this.#record;
  }

  get full(): boolean {
    return this.#length >= CHUNK;
  }

  /** @throws {ClmError} INVALID_ARGUMENT for a value that can't be carried over, a key that is no column, an unknown element. */
  push(record: unknown): void {
    this.#record += 1;
    this.#add(record, [this.#root], "the root");
  }

  take(): { text: string; ends: Uint32Array; kinds: Uint8Array; members: Uint8Array } | undefined {
    if (this.#members.length === 0) return undefined;
    const chunk = { ...split(this.#cells, this.#kinds), members: Uint8Array.from(this.#members) };
    this.#cells = [];
    this.#kinds = [];
    this.#members = [];
    this.#length = 0;
    return chunk;
  }

  #add(record: unknown, possible: readonly Member[], below: string): void {
    if (typeof record !== "object" || record === null || Array.isArray(record)) throw this.#refuse("is no object");
    const { element, values, children } = record as Partial<CompositeInput>;
    const member = this.#memberOf(element, possible, below);
    if (typeof values !== "object" || values === null || Array.isArray(values)) {
      throw this.#refuse(`has no \`values\` in ${member.element}`);
    }
    this.#members.push(member.index);
    for (const key of Object.keys(values)) {
      if (!member.known.has(key))
        throw this.#refuse(`has "${key}" in ${member.element}, which is no column of it`, key);
    }
    for (const column of member.columns) this.#cell(Object.hasOwn(values, column) ? values[column] : undefined, column);
    if (children === undefined) return;
    if (!Array.isArray(children)) throw this.#refuse(`has \`children\` in ${member.element} that are no array`);
    for (const child of children) this.#add(child, member.children, member.element);
  }

  #cell(value: unknown, column: string): void {
    const place = { entity: this.#entity, row: this.#record, column };
    if (typeof value === "string" && !isWellFormed(value)) throw refuseIllFormed(place);
    const kind = kindOf(value);
    if (kind === undefined) throw refuseValue(value, place);
    const text = textOf(value, kind);
    this.#cells.push(text);
    this.#kinds.push(kind);
    this.#length += text.length + 1;
  }

  #memberOf(element: unknown, possible: readonly Member[], below: string): Member {
    const found =
      element === undefined && possible.length === 1
        ? possible[0]
        : possible.find((member) => member.element === element);
    if (found) return found;
    const names = possible.map((member) => member.element).join(", ") || "none";
    throw this.#refuse(
      `has ${element === undefined ? "no `element`" : `the element "${String(element)}"`} below ${below}; possible: ${names}`,
    );
  }

  #refuse(what: string, column?: string): ClmError {
    return invalid(`record ${this.#record} of ${this.#entity} ${what}`, {
      at: { entity: this.#entity, line: this.#record, ...(column === undefined ? {} : { column }) },
    });
  }
}

/** Puts records in pre-order together to trees; a tree is complete when the next one begins, or at the end. */
export class TreeBuilder {
  /** The last record of each member. */
  readonly #open: CompositeRecord[] = [];
  #root: CompositeRecord | undefined;

  /**
   * The trees that these rows complete. `ends` follow the width of each row's own member; `known` are the members that were met so
   * far.
   */
  add(text: string, ends: Uint32Array, members: Uint8Array, known: readonly WireMember[]): CompositeRecord[] {
    const complete: CompositeRecord[] = [];
    let cell = 0;
    let start = 0;
    for (const index of members) {
      const member = known[index] as WireMember;
      const record: CompositeRecord = { element: member.element, values: {}, children: [] };
      for (const column of member.columns) {
        const end = ends[cell++] as number;
        set(record.values, column, text.slice(start, end));
        start = end;
      }
      const parent = member.parent === null ? undefined : this.#open[member.parent];
      if (parent) {
        parent.children.push(record);
      } else {
        if (this.#root) complete.push(this.#root);
        this.#root = record;
      }
      this.#open[index] = record;
    }
    return complete;
  }

  /** The last tree. */
  end(): CompositeRecord[] {
    return this.#root ? [this.#root] : [];
  }
}

function set(values: Record<string, string>, column: string, value: string): void {
  if (column !== "__proto__") values[column] = value;
  else Object.defineProperty(values, column, { value, enumerable: true, configurable: true, writable: true });
}
