// Compares what was stored or exported with what was expected, cell by cell.
import type { Cell, DataPackage, Row } from "d365-clm";

/** A line of the table at the end; null where a figure does not apply. */
export class Figures {
  sent: number | null = null;
  imported: number | null = null;
  exported: number | null = null;
  changed: number | null = null;
  incremental: number | null = null;
  ms = 0;
  readonly wrong: string[] = [];

  constructor(
    readonly entity: string,
    readonly direction: "CLM → SCM" | "SCM → CLM",
  ) {}

  toJSON(): object {
    const { wrong, ...figures } = this;
    return { ...figures, ok: wrong.length === 0, ...(wrong.length > 0 && { note: wrong.slice(0, 3).join("; ") }) };
  }
}

/** Compares every row of the package; gives their number. Columns of a package are the upper-case property names. */
export async function compare(
  opened: DataPackage,
  collection: string,
  key: string,
  expected: Row[],
  wrong: string[],
): Promise<number> {
  const entity = opened.entity(collection);
  if (!entity) wrong.push(`${collection} is not in the package`);
  const left = new Map(expected.map((row) => [row[key], row]));
  let rows = 0;
  for await (const row of entity?.rows() ?? []) {
    rows += 1;
    const id = row[key.toUpperCase()];
    const seeded = left.get(id);
    if (!seeded) wrong.push(`${id} was not expected`);
    else wrong.push(...differences(seeded, (name) => row[name.toUpperCase()], id));
    left.delete(id);
  }
  for (const id of left.keys()) wrong.push(`${id} is missing`);
  return rows;
}

/** The company is that of the run, not a column. */
export function differences(expected: Row, found: (name: string) => unknown, id: Cell): string[] {
  const names = Object.keys(expected).filter(
    (name) => name !== "dataAreaId" && text(expected[name]) !== text(found(name)),
  );
  return names.map((name) => `${id}: ${name} is ${JSON.stringify(found(name))}, not ${JSON.stringify(expected[name])}`);
}

function text(value: unknown): string {
  if (value instanceof Date) return value.toISOString().replace(".000Z", "Z");
  return typeof value === "boolean" ? (value ? "Yes" : "No") : String(value ?? "");
}
