/** Workbooks for the package doctor: the module for workbooks reads them, and hands over a chunk of rows at a time. */
import { isClmError } from "../errors.js";
import type { Handle } from "../handle.js";
import { orAborted, type Turns } from "../run.js";
import { Step, type WireDoctor } from "../wire.js";
import { workbooks } from "../workbooks.js";
import { endsOf, textOf } from "./decode.js";
import { openRows } from "./workbook.js";

/** Cells asked for at once; the module ends a chunk of long ones earlier, at 64 KiB. */
const CELLS = 64 * 1024;

/** Errors that are findings: the workbook can't be read, or the module that reads it is missing. */
const FINDINGS: ReadonlySet<string> = new Set(["DATA_INVALID", "PACKAGE_LIMIT", "WASM_LOAD_FAILED", "WASM_BLOCKED"]);

interface Run {
  limit: number;
  signal: AbortSignal | undefined;
  turns: Turns;
  /** Throws once the package is disposed of. */
  check(): void;
}

/** Reads the workbook that the doctor wants, as often as it wants it. */
export async function examineWorkbook(doctor: Handle<WireDoctor>, run: Run): Promise<void> {
  const [bytes, sheet] = doctor.use((d) => [d.takeWorkbook(), d.sheet()] as const);
  try {
    while (await pass(doctor, bytes, sheet, run));
  } catch (e) {
    if (!isClmError(e) || !FINDINGS.has(e.code)) throw e;
    doctor.use((d) => d.refuseWorkbook(e.code, e.message, e.at?.line, e.hint));
  }
}

/** Whether another one is wanted. */
async function pass(doctor: Handle<WireDoctor>, bytes: Uint8Array, sheet: string, run: Run): Promise<boolean> {
  const { limit, signal, turns, check } = run;
  await orAborted(workbooks.ready(), signal);
  const rows = await openRows(bytes, { sheet, limit, mapped: [] });
  try {
    const columns = rows.use((r) => r.columns());
    const begun = rows.use((r) => doctor.use((d) => d.beginSheet(r.sheet(), r.headerRow(), columns)));
    if (!begun) return false;
    const most = Math.max(1, Math.floor(CELLS / columns.length));
    while (rows.use((r) => r.next(most)) === Step.has) {
      const wire = workbooks.current();
      const [text, ends] = rows.use((r) => [textOf(wire, r), endsOf(wire, r)] as const);
      doctor.use((d) => d.giveRows(text, ends));
      await turns.yield();
      check();
    }
    return doctor.use((d) => d.endSheet());
  } finally {
    rows.dispose();
  }
}
