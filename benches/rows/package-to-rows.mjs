import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { Unzip, UnzipInflate } from "fflate";
import Papa from "papaparse";
import { inferSchema, initParser } from "udsv";
import { ENTITY } from "../input.mjs";
import { atLeast } from "../shared.mjs";
import { CellSum, sumOfColumnBatches } from "../verify.mjs";
import { FILE, unzipWith } from "../zip-peers.mjs";

const UDSV = ["fflate + TextDecoder + uDSV", "fflate + TextDecoder + uDSV, in pieces"];
const PAPA = "fflate + TextDecoder + Papa Parse";

export const name = "package-to-rows";
export const title = "package (CSV-Unicode) → row objects, columnBatches";

export function contenders(shared) {
  const { library, rowCount, cellSum } = shared;
  const zip = shared.csvUnicodePackage;
  const text = () => new TextDecoder("utf-16le").decode(unzipWith.fflate(zip));

  /** `run` gives batches of rows to `take`, which counts them; in the round that is checked their cells are summed. */
  const contender = (label, ours, run) => {
    let sum = new CellSum();
    return {
      name: label,
      ours,
      run: async () => {
        let rows = 0;
        await run((batch) => {
          rows += batch.length;
          if (sum !== undefined) for (const row of batch) sum.row(row);
        });
        assert.equal(rows, rowCount);
      },
      check() {
        assert.equal(String(sum), cellSum);
        sum = undefined;
      },
    };
  };

  let batches = [];
  return [
    contender("d365-clm, batches()", true, (take) => eachBatch(library, zip, take)),
    contender("d365-clm, rows()", true, (take) => eachRow(library, zip, take)),
    {
      name: "d365-clm, columnBatches()",
      ours: true,
      run: () => eachColumnBatch(library, zip, rowCount, (batch) => batches?.push(batch)),
      check() {
        assert.equal(sumOfColumnBatches(batches), cellSum);
        batches = undefined;
      },
    },
    contender(UDSV[0], false, (take) => {
      const csv = text();
      take(initParser(inferSchema(csv)).stringObjs(csv));
    }),
    contender(UDSV[1], false, (take) => udsvInPieces(zip, take)),
    contender(PAPA, false, (take) => take(Papa.parse(text(), { header: true, skipEmptyLines: true }).data)),
    contender("fflate + TextDecoder + csv-parse", false, (take) => take(parse(text(), { columns: true, bom: true }))),
  ];
}

async function eachBatch({ openPackage }, zip, take) {
  const opened = await openPackage(zip);
  for await (const batch of opened.entity(ENTITY).batches()) take(batch);
  opened.dispose();
}

async function eachRow({ openPackage }, zip, take) {
  const opened = await openPackage(zip);
  const one = [undefined];
  for await (const row of opened.entity(ENTITY).rows()) {
    one[0] = row;
    take(one);
  }
  opened.dispose();
}

async function eachColumnBatch({ openPackage }, zip, rowCount, take) {
  const opened = await openPackage(zip);
  let rows = 0;
  for await (const batch of opened.entity(ENTITY).columnBatches()) {
    rows += batch.rows;
    take(batch);
  }
  opened.dispose();
  assert.equal(rows, rowCount);
}

/** As its manual shows for streams: no list of everything is held. */
function udsvInPieces(zip, take) {
  const decoder = new TextDecoder("utf-16le");
  let parser;
  const one = [undefined];
  const row = (value) => {
    one[0] = value;
    take(one);
  };
  const unzip = new Unzip((file) => {
    if (file.name !== FILE) return;
    file.ondata = (error, piece, last) => {
      if (error) throw error;
      const csv = decoder.decode(piece, { stream: !last });
      if (csv === "") return;
      parser ??= initParser(inferSchema(csv));
      parser.chunk(csv, parser.stringObjs, row);
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  for (let at = 0; at < zip.length; at += 65_536) unzip.push(zip.subarray(at, at + 65_536), at + 65_536 >= zip.length);
  parser.end();
}

export const targets = [
  atLeast(2, "d365-clm, batches()", UDSV, "batches ≥ 2 × fflate + TextDecoder + uDSV (faster form)"),
  atLeast(3, "d365-clm, batches()", [PAPA], `batches ≥ 3 × ${PAPA}`),
  atLeast(2.5, "d365-clm, columnBatches()", UDSV, "columnBatches ≥ 2.5 × fflate + TextDecoder + uDSV to objects"),
];
