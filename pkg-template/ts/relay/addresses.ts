/** Addresses that are not of the public net. */

/** The addresses of a name. */
export type Resolve = (hostname: string) => Promise<string[]>;

/** The system's own where this runtime has one. Nothing is imported: a worker need not know the module. */
export function systemResolve(): Resolve | undefined {
  if ((globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent === "Cloudflare-Workers")
    return undefined;
  const runtime = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
  const dns = runtime?.getBuiltinModule?.("node:dns/promises") as typeof import("node:dns/promises") | undefined;
  if (!dns) return undefined;
  return async (hostname) => (await dns.lookup(hostname, { all: true })).map(({ address }) => address);
}

/** First address and length of each block ("IANA IPv4 Special-Purpose Address Registry"; the last is Azure's own of every machine). */
const BLOCKS: readonly [address: string, bits: number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
  ["168.63.129.16", 32],
];

/** True also for what is no address at all. */
export function isPrivate(address: string): boolean {
  const four = ipv4(address);
  if (four !== undefined) return isPrivate4(four);
  const words = ipv6(address);
  if (!words) return true;
  const [a = 0, b = 0] = words;
  const at = (i: number) => (words[i] ?? 0) * 65_536 + (words[i + 1] ?? 0);
  // An IPv4 address in another dress: mapped, translated, 6to4.
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) return isPrivate4(at(6));
  if (a === 0x64 && b === 0xff9b && words.slice(2, 6).every((word) => word === 0)) return isPrivate4(at(6));
  if (a === 0x2002) return isPrivate4(at(1));
  // Of the rest only global unicast, without Teredo, ORCHID and examples.
  if (a < 0x2000 || a > 0x3fff) return true;
  return (a === 0x2001 && (b < 0x200 || b === 0xdb8)) || (a === 0x3fff && b < 0x1000);
}

function isPrivate4(address: number): boolean {
  return BLOCKS.some(([first, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(address / size) === Math.floor((ipv4(first) ?? 0) / size);
  });
}

function ipv4(text: string): number | undefined {
  const bytes = text.split(".");
  if (bytes.length !== 4 || !bytes.every((byte) => /^\d{1,3}$/.test(byte) && Number(byte) < 256)) return undefined;
  return bytes.reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

/** Eight words. The URL parser knows all spellings. */
function ipv6(text: string): number[] | undefined {
  let written: string;
  try {
    written = new URL(`http://[${text.split("%")[0]}]/`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [head = "", tail] = written.split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16)));
  const [front, back] = [words(head), words(tail ?? "")];
  if (tail === undefined) return front.length === 8 ? front : undefined;
  return [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
}
