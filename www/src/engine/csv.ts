/** Reads the CSV file of a person: any delimiter, quotes, and the encodings that spreadsheets write. */
import Papa from "papaparse";

const HEAD = 64 * 1024;
/** A row longer than this has a quote that never ends. */
const LONGEST_ROW = 4 * 1024 * 1024;

export interface CsvShape {
  encoding: string;
  delimiter: string;
  newline: string;
}

export async function csvShape(file: Blob): Promise<CsvShape> {
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  const encoding = encodingOf(head);
  const { delimiter, linebreak } = Papa.parse(new TextDecoder(encoding).decode(head), { preview: 20 }).meta;
  return { encoding, delimiter, newline: linebreak };
}

/** Rows in pieces, the header among them; rows without any text are left out. */
export async function* csvRows(file: Blob, { encoding, delimiter, newline }: CsvShape): AsyncGenerator<string[][]> {
  const parser = new Papa.Parser({ delimiter, newline });
  const decoder = new TextDecoder(encoding, { fatal: true });
  let text = "";
  for await (const chunk of file.stream()) {
    text += decoder.decode(chunk, { stream: true });
    const { data, meta } = parser.parse(text, 0, true);
    if (data.length > 0) {
      text = text.slice(meta.cursor);
      yield data.filter(hasText);
    } else if (text.length > LONGEST_ROW) {
      throw new Error("The file has a row of more than 4 MiB: a quotation mark that is never closed.");
    }
  }
  text += decoder.decode();
  if (text !== "") yield parser.parse(text, 0, false).data.filter(hasText);
}

const hasText = (row: string[]) => row.some((cell) => cell !== "");

function encodingOf(head: Uint8Array): string {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return "utf-8";
  } catch {
    return "windows-1252";
  }
}
