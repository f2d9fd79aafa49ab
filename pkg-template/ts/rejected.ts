/** Rows that an import refused, found again among those that were sent. Which belong together is decided in the module. */
import { isClmError, throwIfAborted } from "./errors.js";
import { executions } from "./executions.js";
import { type ImportSource, openAgain } from "./import-source.js";
import type { DataPackage } from "./package/data-package.js";
import type { PackageEntity } from "./package/entity.js";
import type { SourceFormat } from "./package/spec.js";
import { buildPackage, openPackage } from "./packages.js";
import type { RunOptions } from "./run.js";
import type { Client, ImportResult } from "./transfer.js";
import type { WireJoined } from "./wire.js";

/** A row that was refused. */
export interface Rejected {
  /** Label of the entity; empty where more than one had failures and the service does not say which. */
  entity: string;
  /** In the service's words, where it has any. */
  reason: string;
  /** The row as it was sent, by the columns of its file in the package. Missing where the source can't be read again, and where its key fits no row, or more than one. */
  row?: Record<string, string>;
  /** Number of the row among those of its entity, from 1. */
  line?: number;
  /** Text of the record's key, as the service gives it. */
  key?: string;
  /** An error file of the service (or a part of it) whose shape is not known. */
  raw?: string;
}

/** What the service said of one record. */
interface Reason {
  entity: string;
  recordId: string;
  message: string;
}

/** Reasons for which the source is read once. */
const REASONS = 1000;
/** An error file of more bytes is handed over raw. */
const FILE = 16 * 1024 * 1024;

export async function* rejectedRows(
  client: Client,
  source: ImportSource | undefined,
  result: Omit<ImportResult, "rejected">,
  { signal }: RunOptions = {},
): AsyncGenerator<Rejected, void, undefined> {
  const failing = result.entities.filter(({ errors }) => errors !== 0);
  const sent = source === undefined ? undefined : await openAgain(source, signal);
  const handle = await client();
  const join = new Join((query) => handle.use((c) => c.joinRejected(query)), sent, signal);
  try {
    const labels = failing.map(({ entity }) => entity);
    for (let at = 0; at < result.errors.length; at += REASONS) {
      yield* join.rows(result.errors.slice(at, at + REASONS), labels);
    }
    // What the service did not tell one by one may be in its files.
    for (const { entity, errors } of failing) {
      if (join.told(entity) >= (errors ?? Number.POSITIVE_INFINITY)) continue;
      for (const kind of ["staging", "target"] as const) {
        const file = await errorFile(client, result.executionId, entity, kind, signal);
        if (file) yield* join.file(entity, kind, file);
      }
    }
  } finally {
    sent?.dispose();
  }
}

async function errorFile(
  client: Client,
  executionId: string,
  entity: string,
  kind: "staging" | "target",
  signal: AbortSignal | undefined,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const handle = await client();
  const all = executions((signal, call) => handle.useAsync(signal, call), client);
  return all.errorFile(executionId, entity, kind, { signal });
}

class Join {
  readonly #answer: (query: string) => string;
  readonly #sent: DataPackage | undefined;
  readonly #signal: AbortSignal | undefined;
  /** Keys that were told, by entity. */
  readonly #keys = new Map<string, Set<string>>();

  constructor(answer: (query: string) => string, sent: DataPackage | undefined, signal: AbortSignal | undefined) {
    this.#answer = answer;
    this.#sent = sent;
    this.#signal = signal;
  }

  /** How many records of the entity were told. */
  told(entity: string): number {
    return this.#keys.get(entity)?.size ?? 0;
  }

  /** The reasons, in their order, with the rows of these entities that they are about. */
  async *rows(reasons: readonly Reason[], labels: readonly string[]): AsyncGenerator<Rejected, void, undefined> {
    const found: (Rejected | "many" | undefined)[] = [];
    for (const label of labels) {
      const entity = this.#sent?.entity(label);
      if (!entity) continue;
      const keys = reasons.map((reason) => (reason.entity === label || reason.entity === "" ? reason.recordId : ""));
      let line = 1;
      for await (const { rows, pairs } of this.#matches(entity, keys)) {
        for (const [at, key] of pairs) {
          const { message, recordId } = reasons[key] as Reason;
          const hit = { entity: label, reason: message, key: recordId, line: line + at, row: rows[at] };
          found[key] = found[key] === undefined ? (hit as Rejected) : "many";
        }
        line += rows.length;
      }
    }
    for (const [index, { entity, recordId, message }] of reasons.entries()) {
      throwIfAborted(this.#signal);
      const hit = found[index];
      const one = typeof hit === "object" ? hit : { entity, reason: message, ...(recordId && { key: recordId }) };
      if (recordId) this.#note(one.entity, recordId);
      yield one;
    }
  }

  async *file(
    entity: string,
    kind: "staging" | "target",
    stream: ReadableStream<Uint8Array>,
  ): AsyncGenerator<Rejected, void, undefined> {
    const reader = stream.getReader();
    const first: Uint8Array[] = [];
    let length = 0;
    let next = await reader.read();
    for (; !next.done && length <= FILE; next = await reader.read()) {
      first.push(next.value);
      length += next.value.length;
    }
    const opened = next.done ? await this.#open(entity, first) : undefined;
    if (opened) {
      try {
        const known = kind === "target" ? this.#keysOf(opened, entity) : this.#rowsOf(opened, entity);
        if (known) return yield* known;
      } finally {
        opened.dispose();
      }
    }
    const reason = `the service refused rows while it wrote to the ${kind}; its file of them has an unknown shape`;
    const decoder = new TextDecoder(isUtf16(first[0]) ? "utf-16le" : "utf-8");
    for (const piece of first) yield { entity, reason, raw: decoder.decode(piece, { stream: true }) };
    try {
      for (; !next.done; next = await reader.read()) {
        yield { entity, reason, raw: decoder.decode(next.value, { stream: true }) };
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  /** As a package, which knows how to read it; undefined where it is none of its formats. */
  async #open(entity: string, pieces: Uint8Array[]): Promise<DataPackage | undefined> {
    const format = (this.#sent?.entity(entity)?.format ?? "CSV-Unicode") as SourceFormat;
    try {
      const data = new Blob(pieces as BlobPart[]);
      const bytes = await buildPackage({ name: "errors", entities: [{ entity, format, data }] });
      return await openPackage(bytes, { signal: this.#signal });
    } catch (e) {
      if (isClmError(e) && e.code !== "ABORTED") return undefined;
      throw e;
    }
  }

  /** A file of keys. */
  #keysOf(file: DataPackage, label: string): AsyncGenerator<Rejected, void, undefined> | undefined {
    const entity = file.entities[0] as PackageEntity;
    const known = this.#ask({ entity: label, columns: entity.columns, cells: [], keys: [] });
    const id = known.recordId === undefined ? undefined : entity.columns[known.recordId];
    const message = known.message === undefined ? undefined : entity.columns[known.message];
    if (id === undefined) return undefined;
    const rows = async function* (this: Join): AsyncGenerator<Rejected, void, undefined> {
      for await (const batch of entity.batches(REASONS, { signal: this.#signal })) {
        const reasons = batch.map((row) => ({
          entity: label,
          recordId: row[id] ?? "",
          message: (message && row[message]) || "the service did not write the record",
        }));
        yield* this.rows(
          reasons.filter(({ recordId }) => !this.#keys.get(label)?.has(recordId)),
          [label],
        );
      }
    };
    return rows.call(this);
  }

  /** A file of rows as they were sent. */
  #rowsOf(file: DataPackage, label: string): AsyncGenerator<Rejected, void, undefined> | undefined {
    const entity = file.entities[0] as PackageEntity;
    const sent = this.#sent?.entity(label)?.columns;
    const known = sent
      ? entity.columns.every((column) => sent.includes(column))
      : this.#ask({ entity: label, columns: fieldsOf(entity), cells: [], keys: [] }).columns.length > 0;
    if (!known) return undefined;
    const rows = async function* (this: Join): AsyncGenerator<Rejected, void, undefined> {
      const keys = [...(this.#keys.get(label) ?? [])];
      for await (const { rows, pairs } of this.#matches(entity, keys)) {
        const told = new Set(pairs.map(([at]) => at));
        for (const [at, row] of rows.entries()) {
          if (!told.has(at)) yield { entity: label, reason: "the service did not take the row into staging", row };
        }
      }
    };
    return rows.call(this);
  }

  /** The rows, and which of them have which key. */
  async *#matches(
    entity: PackageEntity,
    keys: string[],
  ): AsyncGenerator<{ rows: Record<string, string>[]; pairs: [number, number][] }, void, undefined> {
    const columns = fieldsOf(entity);
    const { columns: places } = this.#ask({ entity: entity.entity, columns, cells: [], keys: [] });
    const names = places.map((at) => entity.columns[at] as string);
    for await (const rows of entity.batches(1000, { signal: this.#signal })) {
      const cells = rows.flatMap((row) => names.map((name) => row[name] ?? ""));
      const { found } = this.#ask({ entity: entity.entity, columns, cells, keys });
      const pairs: [number, number][] = [];
      for (let at = 0; at < found.length; at += 2) pairs.push([found[at] as number, found[at + 1] as number]);
      yield { rows, pairs };
    }
  }

  #ask(query: { entity: string; columns: readonly string[]; cells: string[]; keys: string[] }): WireJoined {
    return JSON.parse(this.#answer(JSON.stringify(query)));
  }

  #note(entity: string, key: string): void {
    let keys = this.#keys.get(entity);
    if (!keys) {
      keys = new Set();
      this.#keys.set(entity, keys);
    }
    keys.add(key);
  }
}

/** Staging fields of the columns: by them the key is known, whatever the columns are called. */
function fieldsOf({ columns, fields }: PackageEntity): string[] {
  return columns.map((column) => fields[column] ?? column);
}

function isUtf16(piece: Uint8Array | undefined): boolean {
  return piece?.[0] === 0xff && piece[1] === 0xfe;
}
