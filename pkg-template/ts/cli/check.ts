/** `d365-clm check`: the connection doctor for people and for CI. */
import { parseArgs } from "node:util";
import { ScmClient } from "../entry/node.js";
import type { Diagnostic } from "../package/diagnostic.js";
import { counts, exitCode, type Output, plain, UsageError } from "./terms.js";
import { tokenOf } from "./token-command.js";

export async function check(args: string[], output: Output): Promise<number> {
  const { url, tokenCommand, json } = argumentsOf(args);
  const client = new ScmClient({ baseUrl: url, getToken: ({ resource }) => tokenOf(tokenCommand, resource) });
  try {
    const diagnostics = await client.diagnose();
    output.out(json ? `${JSON.stringify({ url, diagnostics }, null, 2)}\n` : text(url, diagnostics));
    return exitCode(diagnostics);
  } finally {
    client.dispose();
  }
}

function argumentsOf(args: string[]): { url: string; tokenCommand: string; json: boolean } {
  const options = {
    url: { type: "string" },
    "token-command": { type: "string" },
    json: { type: "boolean", default: false },
  } as const;
  let values: ReturnType<typeof parsed>;
  const parsed = () => parseArgs({ args, options, strict: true }).values;
  try {
    values = parsed();
  } catch (e) {
    throw new UsageError((e as Error).message);
  }
  const { url, "token-command": tokenCommand, json } = values;
  if (url === undefined) throw new UsageError("--url is missing");
  if (tokenCommand === undefined) throw new UsageError("--token-command is missing");
  return { url, tokenCommand, json };
}

function text(url: string, diagnostics: readonly Diagnostic[]): string {
  let all = "";
  for (const { severity, code, message, hint } of diagnostics) {
    all += `${severity.padEnd(8)}${code}  ${plain(message)}\n        ${plain(hint)}\n`;
  }
  return `${all}${plain(url)}: ${counts(diagnostics)}\n`;
}
