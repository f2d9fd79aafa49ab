/** What the commands share: words, options and files. */
import { type FileHandle, open } from "node:fs/promises";
import { type ParseArgsConfig, parseArgs } from "node:util";
import type { RandomAccess } from "../package/access.js";
import type { Diagnostic } from "../package/diagnostic.js";

/** Exit codes. */
export const EXIT = { fine: 0, warnings: 1, errors: 2, unusable: 3 } as const;

export function exitCode(diagnostics: readonly Diagnostic[]): number {
  if (diagnostics.some(({ severity }) => severity === "error")) return EXIT.errors;
  return diagnostics.some(({ severity }) => severity === "warning") ? EXIT.warnings : EXIT.fine;
}

/** "1 error, 0 warnings, 2 remarks". */
export function counts(diagnostics: readonly Diagnostic[]): string {
  const told = (["error", "warning", "info"] as const).map((severity) => {
    const count = diagnostics.filter((one) => one.severity === severity).length;
    const name = severity === "info" ? "remark" : severity;
    return `${count} ${name}${count === 1 ? "" : "s"}`;
  });
  return told.join(", ");
}

/** Where a command writes. `width` in columns. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
  width: number;
}

/** The command line can't be meant. */
export class UsageError extends Error {}

/** The options and the one file of a command. */
export function argumentsOf(
  args: string[],
  options: NonNullable<ParseArgsConfig["options"]>,
): { file: string; values: Record<string, string | boolean | undefined> } {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
    const [file, ...more] = positionals;
    if (file === undefined) throw new UsageError("a FILE is missing");
    if (more.length > 0) throw new UsageError(`one FILE is enough: "${more.join('", "')}"`);
    return { file, values: values as Record<string, string | boolean | undefined> };
  } catch (e) {
    throw e instanceof UsageError ? e : new UsageError((e as Error).message);
  }
}

/** The value of an option that takes a text. */
export function textOption(value: string | boolean | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The file by ranges. Close its handle at last. */
export async function fileAccess(path: string): Promise<{ access: RandomAccess; handle: FileHandle }> {
  const handle = await open(path);
  const { size } = await handle.stat();
  const read = async (start: number, end: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(end - start);
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  };
  return { access: { size, read }, handle };
}

/** Text of a package for a terminal: what would move the cursor or switch colours is made visible. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (c) => {
    const names: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
    return names[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
