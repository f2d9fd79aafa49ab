/** Workbooks: the data files of EXCEL entities, read and written by a module of their own, each held in memory as a whole. */
import { ClmError } from "../errors.js";
import { Handle } from "../handle.js";
import type { WireModule, WireRowCursor, WireRows, WireWorkbookReader, WireWorkbookWriter } from "../wire.js";
import { workbooks } from "../workbooks.js";
import type { Opened } from "./data-package.js";
import { fileStream } from "./file-stream.js";
import { DEFAULT_WORKBOOK } from "./limits.js";
import { readAll } from "./sources.js";

interface Workbook {
  fileName: string;
  entity: string;
  columns: readonly string[];
}

/** The rows of an EXCEL entity. */
export async function openWorkbook(
  opened: Opened,
  { fileName, entity, columns }: Workbook,
  sheet: string | undefined,
  signal: AbortSignal | undefined,
): Promise<{ rows: Handle<WireRowCursor>; wire: () => WireModule; failed: (e: unknown) => unknown }> {
  const limit = opened.limits.workbook ?? DEFAULT_WORKBOOK;
  const bytes = await readWhole(opened, fileName, limit, signal);
  const at = { file: fileName, entity };
  const rows = await readWorkbook(bytes, { sheet, limit, mapped: columns }, at);
  // The same getters; it never wants bytes and has no members.
  return {
    rows: rows as unknown as Handle<WireRowCursor>,
    wire: () => workbooks.current(),
    failed: (e) => placed(e, at),
  };
}

interface Reading {
  sheet: string | undefined;
  /** Bytes, of the file and of its inflated parts. */
  limit: number;
  /** Columns of a sheet without any text. */
  mapped: readonly string[];
}

/** The rows of a workbook at hand. */
export async function readWorkbook(
  bytes: Uint8Array,
  options: Reading,
  at: { file: string; entity: string },
): Promise<Handle<WireRows>> {
  try {
    return await openRows(bytes, options);
  } catch (e) {
    throw placed(e, at);
  }
}

/** The same; errors say nothing of the file. */
export async function openRows(bytes: Uint8Array, options: Reading): Promise<Handle<WireWorkbookReader>> {
  const wire = await workbooks.ready();
  const { sheet, limit, mapped } = options;
  return new Handle<WireWorkbookReader>(
    workbooks,
    "the workbook",
    () => new wire.WorkbookReader(bytes, sheet, limit, [...mapped]),
  );
}

/** What the package's writer says of a workbook. */
interface Plan {
  sheet: string;
  columns: { name: string; header: string; target: string }[];
}

/** Writes the workbook of a plan. */
export async function workbookWriter(plan: string): Promise<Handle<WireWorkbookWriter>> {
  const wire = await workbooks.ready();
  const { sheet, columns } = JSON.parse(plan) as Plan;
  const told = columns.flatMap(({ name, header, target }) => [name, header, target]);
  return new Handle<WireWorkbookWriter>(workbooks, "the workbook", () => new wire.WorkbookWriter(sheet, told));
}

async function readWhole(
  opened: Opened,
  fileName: string,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (!opened.has(fileName)) {
    throw new ClmError("DATA_INVALID", `the package has no file ${fileName}`, {
      at: { file: fileName },
      hint: "The manifest names a file that the zip lacks.",
    });
  }
  try {
    return await readAll(fileStream(opened, fileName), fileName, signal, limit);
  } catch (e) {
    if (!(e instanceof ClmError)) throw e;
    if (e.code === "PACKAGE_LIMIT" && e.at === undefined) {
      throw new ClmError("PACKAGE_LIMIT", `the workbook ${fileName} has more than ${limit} bytes`, {
        at: { file: fileName },
        hint: "A workbook is held in memory as a whole: raise `limits.workbook`, or export in another format.",
      });
    }
    throw e;
  }
}

/** The module knows no file names. */
export function placed(e: unknown, at: { file: string; entity: string }): unknown {
  if (!(e instanceof ClmError) || e.code !== "DATA_INVALID") return e;
  return new ClmError(e.code, e.message, { at: { ...at, ...e.at }, hint: e.hint, cause: e.cause });
}
