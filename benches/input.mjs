/**
 * The vendor file that every row of the benches works on: the same bytes on every machine (a seeded generator, no clock).
 * 450,000 rows of 13 columns are 70 MB as UTF-8; a few names and streets are not ASCII, some hold commas and one in two hundred
 * a quotation mark.
 */

export const COLUMNS = [
  "VENDORACCOUNTNUMBER",
  "VENDORORGANIZATIONNAME",
  "VENDORSEARCHNAME",
  "VENDORGROUPID",
  "ADDRESSSTREET",
  "ADDRESSZIPCODE",
  "ADDRESSCITY",
  "ADDRESSCOUNTRYREGIONID",
  "CURRENCYCODE",
  "PRIMARYEMAILADDRESS",
  "CREDITLIMIT",
  "ONHOLDSTATUS",
  "CISVERIFICATIONDATE",
];

export const ENTITY = "Vendors V2";
export const FULL_ROWS = 450_000;

const FIRST =
  "Northwind Contoso Fabrikam Adatum Litware Proseware Tailspin Wingtip Alpine Blue Yonder Coho Fourth Graphic Humongous Lucerne Margie Nod Relecloud Southridge Trey VanArsdel Wide World Woodgrove Fourné Müller Søndergård Łódzka Bélanger Ōsaka Näsström Peña".split(
    " ",
  );
const SECOND =
  "Traders Pharmaceuticals Systems Toys Airlines Winery Design Insurance Publishing Importers Bank Videos Bakery Machining Castings Electrical Logistics Packaging Polymers Hydraulics Instruments Chemicals Textiles Forestry Catering Façades Réseaux".split(
    " ",
  );
const FORM = ["Inc.", "GmbH", "Ltd", "S.A.", "AB", "B.V.", "LLC", "Oy", "Co., Ltd.", "Pty Ltd"];
const STREET =
  "Main Street|Station Road|Industriestraße|Rue de la République|High Street|Harbour Quay|Via Garibaldi|Marktplatz|Calle Mayor|Kungsgatan|Park Avenue|Mill Lane|Ringweg|Church Street|Fifth Avenue|Canal Street|Lindenallee|Quai d'Orsay|Bahnhofstrasse|Commerce Drive".split(
    "|",
  );
const PLACE =
  "Seattle USA USD|Redmond USA USD|Boston USA USD|London GBR GBP|Leeds GBR GBP|München DEU EUR|Berlin DEU EUR|Köln DEU EUR|Paris FRA EUR|Lyon FRA EUR|Madrid ESP EUR|Göteborg SWE SEK|Zürich CHE CHF|Kraków POL PLN|København DNK DKK|Oslo NOR NOK|Toronto CAN CAD|Osaka JPN JPY|Milano ITA EUR|Utrecht NLD EUR"
    .split("|")
    .map((place) => place.split(" "));
const GROUP = ["10", "20", "30", "40", "INTERCO", "SERVICES", "RAW", "CONTRACT"];
const HOLD = ["No", "No", "No", "No", "No", "No", "Invoice", "All", "Payment", "Requisition"];

/** Mulberry32: small, seeded, the same everywhere. */
function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const two = (n) => String(n).padStart(2, "0");
// Cells must be flat strings, as those of a database driver or JSON.parse: a rope would be flattened in the time of whoever reads first.
const flat = (text) => Buffer.from(text).toString();

/** Rows as a program has them: texts, and a number for the amount. */
export function* vendorRows(rows = FULL_ROWS) {
  const next = random(20_240_229);
  for (let i = 0; i < rows; i++) {
    const first = FIRST[next(FIRST.length)];
    const second = SECOND[next(SECOND.length)];
    const number = next(10_000);
    const comma = next(16) === 0 ? ", " : " ";
    const quote = next(200) === 0;
    const name = `${quote ? `"${first}"` : first} ${second} ${number}${comma}${FORM[next(FORM.length)]}`;
    const [city, country, currency] = PLACE[next(PLACE.length)];
    const floor = next(9) === 0 ? `, ${next(30) + 1} floor` : "";
    yield {
      VENDORACCOUNTNUMBER: `V${String(i + 100_000).padStart(8, "0")}`,
      VENDORORGANIZATIONNAME: flat(name),
      VENDORSEARCHNAME: flat(`${first.slice(0, 8)} ${second} ${number}`),
      VENDORGROUPID: GROUP[next(GROUP.length)],
      ADDRESSSTREET: flat(`${next(400) + 1} ${STREET[next(STREET.length)]}${floor}`),
      ADDRESSZIPCODE: flat(String(10_000 + next(89_999))),
      ADDRESSCITY: city,
      ADDRESSCOUNTRYREGIONID: country,
      CURRENCYCODE: currency,
      PRIMARYEMAILADDRESS: flat(`ap${next(1000)}@${second.toLowerCase()}${number}.example`),
      CREDITLIMIT: (next(4) === 0 ? 0 : next(20_000_000)) / 100,
      ONHOLDSTATUS: HOLD[next(HOLD.length)],
      CISVERIFICATIONDATE: flat(`20${two(10 + next(15))}-${two(1 + next(12))}-${two(1 + next(28))}`),
    };
  }
}

const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

/** The same rows as CSV text, CRLF, with header. */
export function csvText(rows) {
  const parts = [COLUMNS.join(",")];
  for (const row of rows) {
    let line = "";
    for (const column of COLUMNS) line += `${line === "" ? "" : ","}${quoted(String(row[column]))}`;
    parts.push(line);
  }
  parts.push("");
  return parts.join("\r\n");
}

/** UTF-16LE with byte order mark, as CSV-Unicode wants it. */
export function utf16(text) {
  return Buffer.from(`\ufeff${text}`, "utf16le");
}
