/**
 * Contenders of one row, run in turn: one round runs each of them once, so that whatever else the machine does meets all alike.
 * The first round warms up and its outputs are checked; it is not counted.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

/**
 * @param {{name: string, ours?: boolean, run: () => unknown, check?: (output: any) => void, bytes?: (output: any) => number}[]} contenders
 * A contender of ours that can't run yet is told as not available; a peer that can't run, or a wrong output, is an error.
 */
export async function measure(contenders, rounds) {
  const results = new Map();
  for (const contender of contenders) results.set(contender, await warmUp(contender));
  for (let round = 0; round < rounds; round++) {
    for (const [contender, result] of results) {
      if (result.unavailable === undefined) result.times.push((await timed(contender.run)).ms);
    }
  }
  return [...results].map(([{ name, ours = false }, { times, bytes, unavailable }]) => ({
    name,
    ours,
    ...(unavailable === undefined ? { ms: median(times), times } : { unavailable }),
    ...(bytes === undefined ? {} : { bytes }),
  }));
}

async function warmUp({ name, ours, run, check, bytes }) {
  let output;
  try {
    output = await run();
  } catch (error) {
    if (!ours) throw new Error(`${name} fails`, { cause: error });
    return { unavailable: error?.code === undefined ? String(error) : `${error.code}: ${error.message}` };
  }
  await check?.(output);
  return { times: [], bytes: bytes?.(output) };
}

async function timed(run) {
  // Each pays for its own garbage only.
  collectGarbage();
  const start = performance.now();
  await run();
  return { ms: performance.now() - start };
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
