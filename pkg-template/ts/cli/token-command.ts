/** `--token-command`: a token from another program. */
import { execFile } from "node:child_process";
import type { Token } from "../token.js";

/** What the command prints. What it is for stands in its environment as D365_RESOURCE. */
export function tokenOf(command: string, resource: string): Promise<Token> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, D365_RESOURCE: resource };
    const [shell, flag] = process.platform === "win32" ? ["cmd.exe", "/c"] : ["/bin/sh", "-c"];
    execFile(shell, [flag, command], { env, windowsHide: true }, (error, stdout) => {
      // Neither the command nor what it printed is shown: both may hold a secret.
      if (error) reject(new Error(`the token command failed with ${error.code ?? error.signal}`));
      else resolve(stdout.trim());
    });
  });
}
