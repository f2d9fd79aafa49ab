/** What page and worker say to each other. */
import type { Token, TokenRequest } from "d365-clm";
import type { Failure } from "./failure.ts";

/** How far something is; `status` is the service's word for a run. */
export interface Told {
  stage: string;
  done?: number;
  total?: number;
  unit?: string;
  status?: string;
}

/** Of a token request what can be sent. */
export type TokenQuestion = Omit<TokenRequest, "signal">;

export type ToWorker =
  | { type: "call"; id: number; name: string; argument: unknown }
  | { type: "stop"; id: number }
  | { type: "token"; id: number; token?: Token; failure?: Failure };

export type ToPage =
  | { type: "done"; id: number; value: unknown }
  | { type: "failed"; id: number; failure: Failure }
  | { type: "told"; id: number; told: Told }
  | { type: "token"; id: number; question: TokenQuestion };

/** Most characters of rows in one message: what the page handles in a turn stays far below 1 MiB. */
export const MESSAGE_CHARS = 128 * 1024;
/** Most characters of a cell that is shown. */
export const CELL_CHARS = 1000;

/** As many of the rows as a message takes, at least one; long cells are cut. */
export function fitting(rows: Iterable<readonly string[]>): string[][] {
  const out: string[][] = [];
  let chars = 0;
  for (const row of rows) {
    const cells = row.map((cell) => (cell.length > CELL_CHARS ? `${cell.slice(0, CELL_CHARS)}…` : cell));
    chars += cells.reduce((sum, cell) => sum + cell.length, 0);
    if (out.length > 0 && chars > MESSAGE_CHARS) break;
    out.push(cells);
  }
  return out;
}
