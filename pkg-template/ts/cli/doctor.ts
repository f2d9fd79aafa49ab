/** `d365-clm doctor`: findings for people and for CI. */
import { createWriteStream } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { openPackage } from "../entry/package-node.js";
import { type ClmError, isClmError } from "../errors.js";
import type { DataPackage } from "../package/data-package.js";
import type { Diagnostic } from "../package/diagnostic.js";
import type { CatalogSchema, SchemaData } from "../schema-data.js";
import {
  argumentsOf,
  counts,
  EXIT,
  exitCode,
  fileAccess,
  type Output,
  plain,
  textOption,
  UsageError,
} from "./terms.js";

interface Report {
  file: string;
  diagnostics: Diagnostic[];
  /** With --repair … */
  repaired?: { file: string; changes: Diagnostic[]; diagnostics: Diagnostic[] };
  /** … or why there was no safe correction. */
  unrepaired?: object;
}

export async function doctor(args: string[], output: Output): Promise<number> {
  const { file, values } = argumentsOf(args, {
    json: { type: "boolean" },
    repair: { type: "string" },
    schema: { type: "string" },
  });
  const repairTo = textOption(values.repair);
  const schemaFile = textOption(values.schema);
  const schema = schemaFile === undefined ? undefined : await schemaOf(schemaFile);
  const report: Report = await examined(file, schema, async (opened, diagnostics) => {
    if (repairTo === undefined) return { file, diagnostics };
    let changes: Diagnostic[];
    try {
      changes = await repair(opened, repairTo);
    } catch (e) {
      if (!isClmError(e)) throw e;
      return { file, diagnostics, unrepaired: e.toJSON() };
    }
    const again = await examined(repairTo, schema, async (_, found) => found);
    return { file, diagnostics, repaired: { file: repairTo, changes, diagnostics: again } };
  });
  output.out(values.json ? `${JSON.stringify(report, null, 2)}\n` : text(report));
  const code = exitCode(report.repaired?.diagnostics ?? report.diagnostics);
  return report.unrepaired ? Math.max(code, EXIT.errors) : code;
}

async function examined<T>(
  file: string,
  schema: SchemaData | CatalogSchema | undefined,
  then: (opened: DataPackage, diagnostics: Diagnostic[]) => Promise<T>,
): Promise<T> {
  const { access, handle } = await fileAccess(file);
  try {
    const opened = await openPackage(access, { lenient: true, ...(schema === undefined ? {} : { schema }) });
    try {
      return await then(opened, await opened.diagnose());
    } finally {
      opened.dispose();
    }
  } finally {
    await handle.close();
  }
}

/** Beside its place first: a failure leaves nothing half made, and the package may be repaired in its own place. */
async function repair(opened: DataPackage, path: string): Promise<Diagnostic[]> {
  const beside = `${path}.${process.pid}.part`;
  const { stream, changes } = opened.repairStream();
  try {
    await pipeline(Readable.fromWeb(stream as import("node:stream/web").ReadableStream), createWriteStream(beside));
    await rename(beside, path);
    return await changes;
  } finally {
    await rm(beside, { force: true });
  }
}

async function schemaOf(path: string): Promise<SchemaData | CatalogSchema> {
  const text = await readFile(path, "utf8");
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new UsageError(`${path} is no JSON: ${(e as Error).message}`);
  }
}

function text({ file, diagnostics, repaired, unrepaired }: Report): string {
  let all = findings(file, diagnostics);
  if (unrepaired) {
    const { code, message, hint } = unrepaired as Partial<ClmError>;
    all += `\nnot repaired: ${code}: ${plain(message ?? "")}\n${hint ? `  ${plain(hint)}\n` : ""}`;
  }
  if (!repaired) return all;
  all += `\nrepaired: ${plain(repaired.file)}\n`;
  for (const { file, message } of repaired.changes) all += `  ${file ? `${plain(file)}: ` : ""}${plain(message)}\n`;
  if (repaired.changes.length === 0) all += "  nothing to change\n";
  return `${all}\n${findings(repaired.file, repaired.diagnostics)}`;
}

function findings(path: string, diagnostics: readonly Diagnostic[]): string {
  let all = "";
  for (const [file, found] of byFile(diagnostics)) {
    all += `${file === "" ? "(package)" : plain(file)}\n`;
    for (const one of found) {
      const { severity, code, message, hint, line, column, repairable } = one;
      const place = [line && `line ${line}`, column && `column ${plain(column)}`].filter(Boolean).join(", ");
      all += `  ${severity.padEnd(8)}${code}  ${place ? `${place}: ` : ""}${plain(message)}\n`;
      all += `          ${plain(hint)}${repairable ? " (--repair can do it)" : ""}\n`;
    }
  }
  return `${all}${plain(path)}: ${counts(diagnostics)}\n`;
}

/** In the order of the package; what concerns no file comes first. */
function byFile(diagnostics: readonly Diagnostic[]): Map<string, Diagnostic[]> {
  const files = new Map<string, Diagnostic[]>();
  for (const one of [...diagnostics].sort((a, b) => Number(b.file === undefined) - Number(a.file === undefined))) {
    const name = one.file ?? "";
    const found = files.get(name);
    if (found) found.push(one);
    else files.set(name, [one]);
  }
  return files;
}
