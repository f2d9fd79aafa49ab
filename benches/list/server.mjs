/**
 * `node server.mjs PAGES ROWS`: a service that gives PAGES pages of ROWS vendors each out of memory, and says on stdout which port it
 * has and how long a page is. Records have the first 40 properties of the catalogued VendorsV2, of which a quarter of the texts are
 * filled, and come to about 1.2 kB.
 * Every page has the same records: what is measured reads each anew.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { vendorRows } from "../input.mjs";

const [pages, rows] = process.argv.slice(2).map(Number);
const catalog = JSON.parse(readFileSync(new URL("../../src/catalog/catalog.json", import.meta.url), "utf8"));
const vendors = catalog.entities.find(({ collection }) => collection === "VendorsV2");
const properties = vendors.properties.slice(0, 40);

const records = Buffer.from(Array.from(vendorRows(rows), (row, index) => JSON.stringify(record(row, index))).join(","));
const begin = Buffer.from('{"@odata.context":"http://localhost/data/$metadata#VendorsV2","value":[');
const end = Buffer.from("]}");

const server = createServer((request, response) => {
  const page = Number(/[?&]page=(\d+)/.exec(request.url)?.[1] ?? 1);
  const next = `http://${request.headers.host}/data/VendorsV2?page=${page + 1}`;
  const tail = page < pages ? Buffer.from(`],"@odata.nextLink":${JSON.stringify(next)}}`) : end;
  response.writeHead(200, {
    "content-type": "application/json; odata.metadata=minimal",
    "content-length": begin.length + records.length + tail.length,
  });
  response.write(begin);
  response.write(records);
  response.end(tail);
});
server.listen(0, "127.0.0.1", () =>
  console.log(JSON.stringify({ port: server.address().port, pageBytes: begin.length + records.length })),
);

function record(row, index) {
  const values = { "@odata.etag": `W/"JzEs${String(5637144576 + index)}Jw=="` };
  for (const [place, { name, type }] of properties.entries()) values[name] = value(row, index, place, name, type);
  return values;
}

function value(row, index, place, name, type) {
  if (name === "dataAreaId") return "usmf";
  const known = row[name.toUpperCase()];
  if (type === "Edm.String")
    return known === undefined ? (place % 4 === 0 ? `V${place}-${index % 97}` : "") : String(known);
  if (type === "Edm.Int64") return 5637144576 + index;
  if (type === "Edm.Decimal") return (index % 1000) + 0.25;
  if (type === "Edm.Int32") return index % 12;
  if (type === "Edm.DateTimeOffset") return "1900-01-01T00:00:00Z";
  return catalog.enums[type]?.[0] ?? "No";
}
