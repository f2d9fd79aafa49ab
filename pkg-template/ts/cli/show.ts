/** `d365-clm show`: what is in a package. */
import { openPackage } from "../entry/package-node.js";
import { isClmError } from "../errors.js";
import type { DataPackage } from "../package/data-package.js";
import type { PackageEntity } from "../package/entity.js";
import type { CompositeRecord } from "../package/records.js";
import { argumentsOf, EXIT, fileAccess, type Output, plain, textOption, UsageError } from "./terms.js";

/** A cell is cut to so many characters. */
const WIDEST = 24;

export async function show(args: string[], output: Output): Promise<number> {
  const { file, values } = argumentsOf(args, { entity: { type: "string" }, rows: { type: "string", default: "10" } });
  const count = Number(values.rows);
  const wanted = textOption(values.entity);
  if (!Number.isInteger(count) || count < 0) throw new UsageError(`--rows is a number, not "${values.rows}"`);
  const { access, handle } = await fileAccess(file);
  try {
    const opened = await openPackage(access);
    try {
      output.out(`${plain(opened.name)}${opened.description ? `: ${plain(opened.description)}` : ""}\n`);
      return await entities(opened, wanted, count, output);
    } finally {
      opened.dispose();
    }
  } finally {
    await handle.close();
  }
}

async function entities(
  opened: DataPackage,
  wanted: string | undefined,
  count: number,
  output: Output,
): Promise<number> {
  let code: number = EXIT.fine;
  for (const entity of wanted === undefined ? opened.entities : [opened.entity(wanted)]) {
    if (!entity) {
      const labels = opened.entities.map(({ entity }) => entity).join(", ");
      throw new UsageError(`the package has no entity "${wanted}"; it has ${labels || "none"}`);
    }
    output.out(headline(opened, entity));
    try {
      if (count > 0) output.out(await firstRows(entity, count, output.width));
    } catch (e) {
      if (!isClmError(e)) throw e;
      output.out(`  ${e.code}: ${plain(e.message)}\n`);
      code = EXIT.unusable;
    }
  }
  return code;
}

function headline(opened: DataPackage, { entity, collection, format, fileName, columns }: PackageEntity): string {
  const size = opened.files.find(({ name }) => name === fileName)?.size;
  const facts = [collection, format, fileName, size === undefined ? "file missing" : `${size} bytes`];
  const told = facts.filter((fact) => fact !== undefined).map(plain);
  return `\n${plain(entity)} (${told.join(", ")})\n  columns: ${columns.map(plain).join(", ")}\n`;
}

async function firstRows(entity: PackageEntity, count: number, width: number): Promise<string> {
  if (entity.composite) return firstRecords(entity, count);
  const rows: Record<string, string>[] = [];
  for await (const batch of entity.batches(count)) {
    rows.push(...batch);
    if (rows.length >= count) break;
  }
  return rows.length === 0 ? "  no rows\n" : table(rows.slice(0, count), width);
}

async function firstRecords(entity: PackageEntity, count: number): Promise<string> {
  let text = "";
  let seen = 0;
  for await (const record of entity.records()) {
    text += tree(record, "  ");
    seen += 1;
    if (seen >= count) break;
  }
  return text || "  no records\n";
}

function tree({ element, values, children }: CompositeRecord, indent: string): string {
  const cells = Object.entries(values).map(([column, value]) => `${plain(column)}=${cut(plain(value))}`);
  const below = children.map((child) => tree(child, `${indent}  `)).join("");
  return `${indent}${plain(element)} ${cells.join(" ")}\n${below}`;
}

/** As many columns as fit; how many were left out is said. */
function table(rows: readonly Record<string, string>[], width: number): string {
  const columns: { name: string; cells: string[]; width: number }[] = [];
  const names = Object.keys(rows[0] ?? {});
  let used = 2;
  for (const name of names) {
    const cells = rows.map((row) => cut(plain(row[name] ?? "")));
    const head = cut(plain(name));
    const widest = Math.max(head.length, ...cells.map((cell) => cell.length));
    if (columns.length > 0 && used + widest > width) break;
    used += widest + 2;
    columns.push({ name: head, cells, width: widest });
  }
  const line = (cellOf: (column: (typeof columns)[number]) => string) =>
    `  ${columns.map((column) => cellOf(column).padEnd(column.width)).join("  ")}`.trimEnd();
  const lines = [line(({ name }) => name), line(({ width }) => "-".repeat(width))];
  for (let i = 0; i < rows.length; i++) lines.push(line(({ cells }) => cells[i] ?? ""));
  const hidden = names.length - columns.length;
  if (hidden > 0) lines.push(`  (${hidden} more column${hidden === 1 ? "" : "s"})`);
  return `${lines.join("\n")}\n`;
}

function cut(text: string): string {
  return text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text;
}
