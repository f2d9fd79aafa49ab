/** The package on the desk: one is open at a time. */
import { type DataPackage, type Diagnostic, openPackage } from "d365-clm";
import { collect } from "./collect.ts";
import { fitting } from "./protocol.ts";
import { RowCursor } from "./row-cursor.ts";
import type { Run } from "./worker.ts";

/** Findings and lines of text that go to the page at most. */
const FINDINGS = 500;
const LINES_AROUND = 3;
const LINE_CHARS = 500;
const BYTES_SEARCHED = 64 * 1024 * 1024;

let open: DataPackage | undefined;
let cursors = new Map<number, RowCursor>();

function current(): DataPackage {
  if (!open) throw new Error("no package is open");
  return open;
}

function close(): void {
  for (const cursor of cursors.values()) cursor.close();
  cursors = new Map();
  open?.dispose();
  open = undefined;
}

export const methods = {
  async openPackage({ file }: { file: Blob }, { signal }: Run) {
    close();
    open = await openPackage(file, { signal, lenient: true });
    return {
      name: open.name,
      description: open.description,
      size: file.size,
      entities: open.entities.map(({ entity, format, fileName, columns }) => ({
        entity,
        format,
        fileName,
        columns: [...columns].slice(0, 1000),
        size: open?.files.find(({ name }) => name === fileName)?.size,
      })),
      files: open.files.slice(0, 1000),
    };
  },

  async packageRows({ entity, from, count }: { entity: number; from: number; count: number }) {
    let cursor = cursors.get(entity);
    if (!cursor) {
      const one = current().entities[entity];
      if (!one) throw new Error("the package has no such entity");
      cursor = new RowCursor(one.batches(500), one.columns);
      cursors.set(entity, cursor);
    }
    return cursor.read(from, count);
  },

  async diagnosePackage(_: unknown, { signal, tell }: Run) {
    const findings = await current().diagnose({ signal, onProgress: tell });
    return cut(findings);
  },

  async repairPackage(_: unknown, { signal, tell }: Run) {
    const { stream, changes } = current().repairStream({ signal, onProgress: tell });
    // Both fail together; the stream tells why.
    changes.catch(() => {});
    const blob = await collect(stream, "application/zip");
    return { blob, ...cut(await changes) };
  },

  /** The lines around one line of a text file, with their numbers. */
  async packageLines({ file, line }: { file: string; line: number }) {
    const first = Math.max(1, line - LINES_AROUND);
    const last = line + LINES_AROUND;
    const lines: { number: number; text: string }[] = [];
    let number = 0;
    for await (const text of linesOf(current().file(file))) {
      number += 1;
      if (number >= first) lines.push({ number, text: text.slice(0, LINE_CHARS) });
      if (number === last) break;
    }
    return fitting(lines.map((one) => [String(one.number), one.text]));
  },
};

function cut(findings: Diagnostic[]): { findings: Diagnostic[]; more: number } {
  return { findings: findings.slice(0, FINDINGS), more: Math.max(0, findings.length - FINDINGS) };
}

/** Lines by the file's byte order mark, ended by LF; only the beginning of a long file is searched. */
async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let rest = "";
  let bytes = 0;
  for await (const chunk of stream) {
    decoder ??= new TextDecoder(chunk[0] === 0xff && chunk[1] === 0xfe ? "utf-16le" : "utf-8");
    bytes += chunk.length;
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (bytes > BYTES_SEARCHED) throw new Error("the line lies too far into the file to be shown here");
  }
  yield rest;
}
