// What the page offers to the test: packages by each entry, with threads, streams and files of the browser.
import * as all from "d365-clm";
import * as inline from "d365-clm/inline";
import * as only from "d365-clm/package";
import { spec } from "./spec.mjs";

const COUNT = 60_000;
const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const hash = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));

globalThis.build = async (entry, workers) => {
  const { buildPackage } = { all, only, inline }[entry];
  return hash(await buildPackage(spec(COUNT, { workers })));
};

globalThis.readBack = async () => {
  const body = all.packageStream(spec(COUNT, { workers: 2 }));
  const file = new File([await new Response(body).blob()], "p.zip");
  const opened = await all.openPackage(file);
  let rows = 0;
  for await (const batch of opened.entities[0].batches()) rows += batch.length;
  let text = 0;
  for await (const { columns } of opened.entities[0].columnBatches()) text += columns[1].text.length;
  const reader = opened.file("Currencies.csv").getReader({ mode: "byob" });
  let bytes = 0;
  let buffer = new ArrayBuffer(100_000);
  while (true) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done) break;
    bytes += value.length;
    buffer = value.buffer;
  }
  return { rows, text, bytes, size: opened.files.find(({ name }) => name === "Currencies.csv").size };
};

globalThis.openUrl = async (url) => {
  const opened = await all.openPackage(new URL(url, location.href));
  const first = await opened.entities[0].rows()[Symbol.asyncIterator]().next();
  return first.value;
};

globalThis.workbook = async () => {
  const zip = await all.buildPackage({ name: "P", entities: [{ ...spec(3).entities[0], format: "EXCEL" }] });
  const opened = await all.openPackage(zip);
  const names = [];
  for await (const { NAME } of opened.entities[0].rows()) names.push(NAME);
  return names;
};
globalThis.pageReady = true;
