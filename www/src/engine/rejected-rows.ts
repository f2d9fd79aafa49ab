/** Finds the rows of rejected records in the package that was sent: the service names records by the text of their key. */
import { openPackage } from "d365-clm";
import { entityOf } from "./entities.ts";

export interface RejectedRow {
  entity: string;
  /** Text of the record's key as the service gives it. */
  key: string;
  field: string;
  reason: string;
  /** Where exactly one row of the package has that key. */
  row?: Record<string, string>;
}

export async function withRows(source: Blob, label: string, rejected: RejectedRow[]): Promise<RejectedRow[]> {
  const keys = entityOf(label)?.keys.filter((name) => name !== "dataAreaId");
  if (!keys?.length || rejected.every(({ row }) => row)) return rejected;
  const wanted = new Map<string, Record<string, string>[]>(rejected.map(({ key }) => [plain(key), []]));
  using opened = await openPackage(source);
  const entity = opened.entities.find((one) => one.entity === label);
  if (!entity) return rejected;
  for await (const rows of entity.batches(1000)) {
    for (const row of rows) wanted.get(keyText(row, keys))?.push(row);
  }
  return rejected.map((one) => {
    if (one.row) return one;
    const [row, second] = wanted.get(plain(one.key)) ?? [];
    return row && !second ? { ...one, row } : one;
  });
}

function keyText(row: Record<string, string>, keys: readonly string[]): string {
  const value = (name: string) => row[name] ?? row[name.toUpperCase()] ?? "";
  return plain(keys.map(value).join(""));
}

/** How parts of a key are joined is not documented. */
const plain = (key: string) => key.replace(/[\s,;|"']/gu, "");
