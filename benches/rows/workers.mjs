import { COLUMNS, ENTITY } from "../input.mjs";
import { atLeast } from "../shared.mjs";
import { checkSameBytes } from "../verify.mjs";

export const name = "workers";
export const title = "rows → CSV-Unicode package with workers: 2";

export function contenders({ rows, library }) {
  const build = (workers) =>
    library.buildPackage({ name: "Bench", workers, entities: [{ entity: ENTITY, rows, columns: COLUMNS }] });
  let alone;
  return [
    {
      name: "d365-clm, workers: 1",
      ours: true,
      run: () => build(1),
      check: (zip) => {
        alone = zip;
      },
      bytes: (zip) => zip.length,
    },
    {
      name: "d365-clm, workers: 2",
      ours: true,
      run: () => build(2),
      check: (zip) => checkSameBytes(zip, alone),
      bytes: (zip) => zip.length,
    },
  ];
}

export const targets = [
  atLeast(1.5, "d365-clm, workers: 2", ["d365-clm, workers: 1"], "≥ 1.5 × our own single-threaded"),
];
