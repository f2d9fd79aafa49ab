/** Results as text, and the machine they were measured on. */
import os from "node:os";

export function machine() {
  const [cpu] = os.cpus();
  return {
    cpu: cpu?.model.trim() ?? "unknown",
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.arch()}`,
    node: process.version,
    v8: process.versions.v8,
    zlib: process.versions.zlib,
  };
}

export function machineLine({ cpu, cores, memoryGiB, system, node }) {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}`;
}

/** @param inputBytes what every MB/s counts: the length of the vendor file in UTF-8, or what else the row reads */
export function rowText({ title, contenders = [], figures = {}, targets, unavailable }, inputBytes) {
  const lines = [title];
  if (unavailable !== undefined) lines.push(`  not available: ${unavailable}`);
  for (const { name, ms, cpuMs, bytes, unavailable: why } of contenders) {
    const size = bytes === undefined ? "" : `${(bytes / 1e6).toFixed(2)} MB`.padStart(10);
    const time =
      ms === undefined
        ? `not available: ${why}`
        : `${ms.toFixed(0).padStart(7)} ms ${cpuMs.toFixed(0).padStart(7)} cpu ${(inputBytes / 1e3 / ms).toFixed(0).padStart(5)} MB/s${size}`;
    lines.push(`  ${name.padEnd(50)} ${time}`);
  }
  for (const [name, value] of Object.entries(figures)) lines.push(`  ${name.padEnd(50)} ${String(value).padStart(10)}`);
  for (const target of targets) lines.push(`    ${targetText(target)}`);
  return lines.join("\n");
}

function targetText({ label, value, reached, unavailable }) {
  if (unavailable !== undefined) return `${label}: not available`;
  return `${label}: ${value < 100 ? value.toFixed(2) : value} ${reached ? "✓" : "✗"}`;
}
