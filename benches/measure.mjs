/**
 * Contenders of one row, run in turn: one round runs each of them once, so that whatever else the machine does meets all alike.
 * The first round warms up and its outputs are checked; it is not counted. Targets are judged by the time on the wall; the processor
 * time of all threads stands beside it, and tells whether the machine had other work.
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
      if (result.unavailable !== undefined) continue;
      const { ms, cpuMs } = await timed(contender.run);
      result.times.push(ms);
      result.cpuTimes.push(cpuMs);
    }
  }
  return [...results].map(([{ name, ours = false }, { times, cpuTimes, bytes, unavailable }]) => ({
    name,
    ours,
    ...(unavailable === undefined ? { ms: median(times), cpuMs: median(cpuTimes), times } : { unavailable }),
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
  return { times: [], cpuTimes: [], bytes: bytes?.(output) };
}

async function timed(run) {
  // Each pays for its own garbage only.
  collectGarbage();
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000 };
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
