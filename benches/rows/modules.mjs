import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { atMost } from "../limits.mjs";

const BUDGETS = { "package.wasm": 160_000, "core.wasm": 240_000, "excel.wasm": 120_000 };

export const name = "modules";
export const title = "modules, gzipped (level 9)";

export async function count() {
  const figures = {};
  for (const file of Object.keys(BUDGETS)) {
    const bytes = await readFile(new URL(`../../pkg/dist/${file}`, import.meta.url)).catch(() => undefined);
    if (bytes !== undefined) figures[file] = gzipSync(bytes, { level: 9 }).length;
  }
  return figures;
}

export const targets = Object.entries(BUDGETS).map(([file, limit]) => atMost(file, limit, `${file} ≤ ${limit} B`));
