import { zipSync } from "fflate";
import Papa from "papaparse";
import { COLUMNS, ENTITY, utf16 } from "../input.mjs";
import { atLeast, noLarger } from "../shared.mjs";
import { checkUnicodePackage } from "../verify.mjs";
import { FILE } from "../zip-peers.mjs";

const PEER = "Papa Parse unparse + Buffer utf16le + fflate 6";

export const name = "rows-to-package";
export const title = "rows (JS objects) → CSV-Unicode package";

export function contenders(shared) {
  const { rows, library } = shared;
  const bytes = (zip) => zip.length;
  return [
    {
      name: "d365-clm",
      ours: true,
      run: () => library.buildPackage({ name: "Bench", entities: [{ entity: ENTITY, rows, columns: COLUMNS }] }),
      check: (zip) => checkUnicodePackage(zip, shared.cellSum, true),
      bytes,
    },
    {
      name: PEER,
      run: () => zipSync({ [FILE]: utf16(Papa.unparse(rows, { columns: COLUMNS })) }, { level: 6 }),
      check: (zip) => checkUnicodePackage(zip, shared.cellSum),
      bytes,
    },
  ];
}

export const targets = [atLeast(3, "d365-clm", [PEER]), noLarger("d365-clm", [PEER])];
