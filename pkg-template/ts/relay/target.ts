/** Where a request wants to go: read once, strictly, so that what is checked is what is sent. */

/** Whitespace, control characters, backslashes, fragments and what is not ASCII: a URL on the wire has none of them. */
const WRITABLE = /^[!-~]+$/;
const PARTS = /^https?:\/\/([^/?]+)([^?]*)(\?.*)?$/;
/** Escapes that are left after one decoding, of what could lead elsewhere when decoded again. */
const DOUBLE = /%(?:2e|2f|5c|00|25)/i;
/** `.`, `..`, and what some servers take for them. */
const DOTS = /^\.{1,2}\s*(;.*)?$/;

export interface Target {
  readonly url: URL;
  /** Host and port as written, in lower case: no other spelling of an address hides behind it. */
  readonly authority: string;
  /** Decoded once, in lower case. */
  readonly path: string;
  readonly loopback: boolean;
  /** Takes an option off the URL: its value, or "" where it stands there twice. */
  takeOption(name: string): string | undefined;
}

export function readTarget(text: string): Target | undefined {
  const parts = PARTS.exec(text);
  if (!parts || !WRITABLE.test(text) || /[\\#]/.test(text)) return undefined;
  const [, written = "", rawPath = ""] = parts;
  if (/[@%]/.test(written)) return undefined;
  const path = decoded(rawPath);
  if (path === undefined || !isStraight(path)) return undefined;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  const authority = written.toLowerCase();
  const standard = url.protocol === "https:" ? 443 : 80;
  // `0x7f.1`, `2130706433`, trailing dots: names that mean another than they say.
  if (authority !== url.host && authority !== `${url.host}:${standard}`) return undefined;
  if (url.hostname.endsWith(".")) return undefined;
  return {
    url,
    authority,
    path: path.toLowerCase(),
    loopback: isLoopback(url.hostname),
    takeOption: (name) => takeOption(url, name),
  };
}

export function isLoopback(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

export function isIpLiteral(hostname: string): boolean {
  return hostname.startsWith("[") || /^[\d.]+$/.test(hostname);
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function isStraight(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (DOUBLE.test(path) || /[\\\u0000-\u001f\u007f]/.test(path)) return false;
  return !path.split("/").some((segment) => DOTS.test(segment));
}

function takeOption(url: URL, name: string): string | undefined {
  const options = url.search.slice(1).split("&");
  const found = options.filter((option) => option.startsWith(`${name}=`));
  if (found.length === 0) return undefined;
  url.search = options.filter((option) => !found.includes(option)).join("&");
  return found.length === 1 ? (found[0] ?? "").slice(name.length + 1) : "";
}
