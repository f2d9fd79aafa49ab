/** The table on the desk: a file of rows that becomes a package once a person has said what its columns mean. */
import { buildPackage, openPackage, packageStream } from "d365-clm";
import { collect } from "./collect.ts";
import { csvRows, csvShape } from "./csv.ts";
import { entityOf, likeliest, suggest } from "./entities.ts";
import { CELL_CHARS, fitting } from "./protocol.ts";
import type { Run } from "./worker.ts";

const SHOWN = 50;
const MOST_COLUMNS = 1000;

interface Table {
  columns: string[];
  /** From the first row below the header, as often as it is asked for. */
  rows(): AsyncIterable<string[][]>;
}

let table: Table | undefined;
let built: { blob: Blob; name: string; entity: string } | undefined;

/** The package that was built last. */
export function builtPackage(): { blob: Blob; name: string; entity: string } {
  if (!built) throw new Error("no package has been built");
  return built;
}

export interface Order {
  name: string;
  entity: string;
  /** For each column of the table the property that it holds; undefined: it is left out. */
  mapping: (string | undefined)[];
  /** Rows to take instead of the table's, in the order of its columns. */
  rows?: string[][];
}

export const methods = {
  async openTable({ file, name, sheet }: { file: Blob; name: string; sheet?: string }) {
    built = undefined;
    table = /\.xlsx$/i.test(name) ? await workbook(file, sheet) : await csv(file);
    checkColumns(table.columns);
    const rows: string[][] = [];
    for await (const piece of table.rows()) {
      rows.push(...piece.slice(0, SHOWN - rows.length));
      if (rows.length >= SHOWN) break;
    }
    return { columns: table.columns, rows: fitting(rows), entity: likeliest(table.columns) };
  },

  async suggestMapping({ columns, entity }: { columns: string[]; entity: string }) {
    const properties = entityOf(entity)?.properties ?? [];
    return { properties, mapping: suggest(columns, properties) };
  },

  /** Builds the package, and asks the doctor about it. */
  async buildTable(order: Order, { signal, tell }: Run) {
    if (!table) throw new Error("no table is open");
    const { columns } = table;
    const wanted = order.mapping.flatMap((property, i) => (property === undefined ? [] : [{ property, i }]));
    checkMapping(wanted.map(({ property }) => property));
    const source = order.rows ? [order.rows] : table.rows();
    let count = 0;
    async function* rows(): AsyncGenerator<Record<string, string>> {
      for await (const piece of source) {
        for (const row of piece) {
          count += 1;
          if (row.length > columns.length) throw tooWide(count, row.length, columns.length);
          yield Object.fromEntries(wanted.map(({ property, i }) => [property, row[i] ?? ""]));
        }
      }
    }
    const stream = packageStream(
      {
        name: order.name,
        entities: [{ entity: order.entity, rows, columns: wanted.map(({ property }) => property) }],
      },
      { signal, onProgress: tell },
    );
    const blob = await collect(stream, "application/zip");
    using opened = await openPackage(blob, { signal });
    const findings = await opened.diagnose({ signal, onProgress: tell });
    built = { blob, name: order.name, entity: order.entity };
    return { blob, rows: count, findings: findings.slice(0, 500), more: Math.max(0, findings.length - 500) };
  },
};

async function csv(file: Blob): Promise<Table> {
  const shape = await csvShape(file);
  let columns: string[] | undefined;
  for await (const [first] of csvRows(file, shape)) {
    if (!first) continue;
    columns = first;
    break;
  }
  if (!columns) throw new Error("The file has no rows.");
  return {
    columns,
    async *rows() {
      let header = true;
      for await (const piece of csvRows(file, shape)) {
        yield header ? piece.slice(1) : piece;
        header &&= piece.length === 0;
      }
    },
  };
}

/** The package's own reader of workbooks, by a package that holds nothing else. */
async function workbook(file: Blob, sheet: string | undefined): Promise<Table> {
  const zip = await buildPackage({
    name: "Workbook",
    entities: [{ entity: "Workbook", format: "EXCEL", data: file, ...(sheet && { sheet }) }],
  });
  const opened = await openPackage(zip);
  const entity = opened.entities[0];
  if (!entity) throw new Error("The workbook has no sheet.");
  const columns = [...entity.columns];
  return {
    columns,
    async *rows() {
      for await (const piece of entity.batches(500)) yield piece.map((row) => columns.map((name) => row[name] ?? ""));
    },
  };
}

function checkColumns(columns: string[]): void {
  if (columns.length > MOST_COLUMNS)
    throw new Error(`The file has ${columns.length} columns, at most ${MOST_COLUMNS} can be mapped.`);
  for (const [i, name] of columns.entries()) {
    if (name.trim() === "") throw new Error(`Column ${i + 1} of the first row has no name.`);
    if (name.length > CELL_CHARS) throw new Error(`The name of column ${i + 1} is too long.`);
    if (columns.indexOf(name) !== i) throw new Error(`The first row has the column "${name}" more than once.`);
  }
}

function checkMapping(properties: string[]): void {
  if (properties.length === 0) throw new Error("Map at least one column.");
  const twice = properties.find((name, i) => properties.indexOf(name) !== i);
  if (twice) throw new Error(`Two columns are mapped to ${twice}.`);
}

function tooWide(row: number, cells: number, columns: number): Error {
  return new Error(`Row ${row} has ${cells} cells, the header has ${columns} columns.`);
}
