// Writes the data that an environment is filled with: `node seed.mjs DIR`. The same on every machine and every day.
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
/** ISO 4217 and ISO 3166, as published by packages that follow the standards. */
const currencyCodes = require("currency-codes");
const countries = require("i18n-iso-countries");
countries.registerLocale(require("i18n-iso-countries/langs/en.json"));

const COMPANIES = [
  {
    LegalEntityId: "usmf",
    Name: "Contoso Entertainment System USA",
    AddressCountryRegionId: "USA",
    LanguageId: "en-US",
  },
  {
    LegalEntityId: "demf",
    Name: "Contoso Entertainment Systems Deutschland",
    AddressCountryRegionId: "DEU",
    LanguageId: "de",
  },
];
/** Names that break careless code: scripts, joined emoji, quotes, separators, line breaks of both kinds. */
const NAMES = [
  "Ärztebedarf Müller & Söhne GmbH",
  'Quincaillerie "Au Clou d’Or", Père et Fils',
  "Ζαχαροπλαστείο Αθηνά",
  "ООО «Северный ветер»",
  "株式会社 山田製作所",
  "深圳市南山区科技有限公司",
  "주식회사 한강무역",
  "شركة النخيل للتجارة",
  "חברת הגליל בע״מ",
  "बंगलौर मसाला भंडार",
  "บริษัท สยามการค้า จำกัด",
  "Nguyễn Văn Đức, Cà Phê",
  "Łódź Śruby; Spółka z o.o.",
  "👩‍🔧 Fix-It 🇳🇴, Inc.",
  "𝔊othic 𝒮cript 𠜎",
  'The ""Double"" Quote Co.',
];
const STREETS = [
  "Hauptstraße 5",
  "1 Infinite Loop,\r\nBuilding 7",
  'Rua "das Flores", 12\n3.º esq.',
  "港区芝公園4-2-8",
  "",
];
const NOTES = ["", "net 30", 'says: "ok"', "a,b;c\td", "first line\r\nsecond line\n\nfourth line", "=1+1"];
const CITIES = ["Köln", "São Paulo", "東京", "Kraków", "Reykjavík", "القاهرة"];

export function vendors(count) {
  const half = count / COMPANIES.length;
  return Array.from({ length: count }, (_, i) => {
    const company = COMPANIES[Math.floor(i / half)] ?? COMPANIES.at(-1);
    const number = String((i % half) + 1);
    const name = NAMES[i % NAMES.length];
    return {
      dataAreaId: company.LegalEntityId,
      VendorAccountNumber: `V${number.padStart(6, "0")}`,
      VendorOrganizationName: `${name} ${number}`,
      VendorSearchName: name,
      VendorGroupId: String(10 * ((i % 4) + 1)),
      VendorPartyType: "Organization",
      CurrencyCode: ["USD", "EUR", "JPY"][i % 3],
      LanguageId: company.LanguageId,
      AddressStreet: STREETS[i % STREETS.length],
      AddressCity: CITIES[i % CITIES.length],
      AddressCountryRegionId: company.AddressCountryRegionId,
      Notes: NOTES[(i + Math.floor(i / NOTES.length)) % NOTES.length],
      OnHoldStatus: i % 50 === 0 ? "Payment" : "No",
      IsOneTimeVendor: i % 9 === 0 ? "Yes" : "No",
      OrganizationEmployeeAmount: (i * 37) % 5000,
    };
  });
}

export function currencies() {
  return currencyCodes.codes().map((code) => {
    const { currency, digits } = currencyCodes.code(code);
    return { CurrencyCode: code, Name: currency, DecimalsCount_MX: digits };
  });
}

export function countryRegions() {
  const official = countries.getNames("en", { select: "official" });
  return Object.entries(official).map(([alpha2, LongName]) => ({
    CountryRegionId: countries.alpha2ToAlpha3(alpha2),
    LongName,
    ShortName: countries.getName(alpha2, "en"),
  }));
}

/** Fills the folder; `vendorCount` is even. */
export async function writeSeed(folder, vendorCount = 20_000) {
  await mkdir(folder, { recursive: true });
  const write = (name, rows) =>
    writeFile(join(folder, `${name}.ndjson`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await write("LegalEntities", COMPANIES);
  await write("Currencies", currencies());
  await write("CLMIntegrationAddressCountryRegions", countryRegions());
  await write("VendorsV2", vendors(vendorCount));
  const settings = { changeTracking: { "Vendors V2": "ALL", Currencies: "ALL" }, defaultCompany: "usmf" };
  await writeFile(join(folder, "settings.json"), `${JSON.stringify(settings)}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const folder = process.argv[2];
  if (!folder) {
    console.error("usage: node seed.mjs DIR");
    process.exit(2);
  }
  await writeSeed(folder);
}
