#!/usr/bin/env node
/** The command line: `npx d365-clm`. */
import { isClmError } from "../errors.js";
import { check } from "./check.js";
import { doctor } from "./doctor.js";
import { show } from "./show.js";
import { EXIT, type Output, UsageError } from "./terms.js";
import { types } from "./types.js";

const USAGE = `Usage:
  d365-clm check --url URL --token-command CMD [--json]
      What stands in the way of the environment at URL, and where it is put right. Changes nothing there.
      --token-command CMD  prints a token; run by the shell, with D365_RESOURCE = what the token must be for
      --json               findings as JSON
      Exit code: 0 nothing or remarks, 1 warnings, 2 errors, 3 wrong usage.
  d365-clm doctor FILE [--json] [--repair OUT] [--schema FILE]
      What would make the service reject, misread or skip the data package FILE.
      --json         findings as JSON
      --repair OUT   write a corrected package to OUT
      --schema FILE  judge by this schema (JSON, see types --json) where it says more than the catalogue
      Exit code: 0 nothing or remarks, 1 warnings, 2 errors, 3 unreadable or wrong usage.
      With --repair the code is that of the corrected package.
  d365-clm show FILE [--entity NAME] [--rows N]
      Entities, columns and the first rows (10) of the data package FILE.
  d365-clm types (--url URL [--token-command CMD] | --metadata FILE) [--collections A,B] [--out FILE] [--json]
      TypeScript declarations of an environment's own entities, custom fields included.
      --url URL            the environment; with --collections labels are asked for too
      --token-command CMD  prints a token; run by the shell, with D365_RESOURCE = what the token must be for
      --metadata FILE      a saved $metadata document
      --out FILE           write there and not to the terminal
      --json               the schema itself, for doctor --schema and new ScmClient({ schema })
      Exit code: 0 written, 3 not.
`;

const output: Output = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  width: process.stdout.columns ?? 100,
};

run(process.argv.slice(2))
  .catch(failed)
  .then((code) => {
    process.exitCode = code;
  });

async function run([command, ...rest]: string[]): Promise<number> {
  switch (command) {
    case "check":
      return check(rest, output);
    case "doctor":
      return doctor(rest, output);
    case "show":
      return show(rest, output);
    case "types":
      return types(rest, output);
    case "help":
    case "--help":
    case "-h":
      output.out(USAGE);
      return EXIT.fine;
    default:
      throw new UsageError(command === undefined ? "a command is missing" : `there is no command "${command}"`);
  }
}

function failed(e: unknown): number {
  if (e instanceof UsageError) {
    output.err(`${e.message}\n\n${USAGE}`);
  } else if (isClmError(e)) {
    const { file, line, column } = e.at ?? {};
    const place = [file, line && `line ${line}`, column && `column ${column}`].filter(Boolean).join(", ");
    output.err(`${e.code}: ${place ? `${place}: ` : ""}${e.message}\n${e.hint ? `  ${e.hint}\n` : ""}`);
  } else {
    const { code, message } = (e ?? {}) as { code?: unknown; message?: unknown };
    // The operating system's own errors say what they mean; anything else is a bug and is shown with its stack.
    output.err(typeof code === "string" ? `${String(message)}\n` : `${(e as Error)?.stack ?? String(e)}\n`);
  }
  return EXIT.unusable;
}
