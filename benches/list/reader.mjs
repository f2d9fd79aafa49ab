/**
 * `node reader.mjs d365-clm|fetch BASE`: lists all vendors row by row, twice, and says on stdout what the second time took and how
 * much memory was in use at most: V8's heap and what it holds outside (buffers, the memory of the module), looked at every 500 rows.
 */
import { getHeapStatistics } from "node:v8";

const [contender, base] = process.argv.slice(2);
let highest = { all: 0, heap: 0 };
let rows = 0;
let sum = 0;

const run = contender === "fetch" ? byFetch : await byLibrary();
await run();
highest = { all: 0, heap: 0 };
rows = 0;
sum = 0;
const cpu = process.cpuUsage();
const start = performance.now();
await run();
const ms = performance.now() - start;
const { user, system } = process.cpuUsage(cpu);
const peakRss = process.resourceUsage().maxRSS * 1024;
console.log(
  JSON.stringify({ ms, cpuMs: (user + system) / 1000, peak: highest.all, heap: highest.heap, peakRss, rows, sum }),
);

/** What a host does with a row is nothing here, but to look at it. */
function take(row) {
  rows += 1;
  sum = (sum + row.VendorAccountNumber.length + Number(row.VendorProductHierarchyId)) % 1_000_003;
  if (rows % 500 === 1) look();
}

function look() {
  const { used_heap_size, external_memory } = getHeapStatistics();
  highest.heap = Math.max(highest.heap, used_heap_size);
  highest.all = Math.max(highest.all, used_heap_size + external_memory);
}

async function byFetch() {
  let url = `${base}/data/VendorsV2`;
  while (url !== undefined) {
    const response = await fetch(url, { headers: { accept: "application/json" } });
    const page = await response.json();
    look();
    for (const row of page.value) take(row);
    url = page["@odata.nextLink"];
  }
}

async function byLibrary() {
  const { ScmClient } = await import("d365-clm");
  const client = new ScmClient({ baseUrl: base });
  return async () => {
    for await (const row of client.entity("VendorsV2").list()) take(row);
  };
}
