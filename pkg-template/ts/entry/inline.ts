/**
 * Entry with the module in the JavaScript, for hosts that can serve or bundle nothing else. Workbooks need
 * `init(undefined, { excel })`.
 */
import { loader } from "../init.js";
import core from "../inline-core.js";

loader.register({ source: () => bytesOf(core) });

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export * from "../index.js";
