/** A token that a person pasted, for a trial. */
import type { GiveToken } from "../session.ts";
import { strings } from "../strings.ts";

/** @throws {Error} for what can't be a token */
export function pasted(text: string): GiveToken {
  const token = text.trim().replace(/^Bearer\s+/i, "");
  if (token === "") throw new Error(strings.token.empty);
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error(strings.token.malformed);
  return async ({ reason }) => {
    if (reason === "rejected") throw new Error(strings.token.rejected);
    return token;
  };
}
