// What a contract system would have in its own database.
import type { Row } from "d365-clm";

export const TYPES: Row[] = ["NDA", "Purchase", "Service"].map((Name) => ({
  Name,
  Description: `${Name}, "standard" terms`,
}));

const TITLES = ["Rahmenvertrag, «Büro»", 'Лизинг "Север"', "賃貸借契約\n第2条", "🤝 Services\r\nand more"];

export function contracts(count: number): Row[] {
  return Array.from({ length: count }, (_, i) => contract(i + 1));
}

function contract(number: number): Row {
  const digits = String(number);
  return {
    ContractId: `C${digits.padStart(5, "0")}`,
    ContractName: TITLES[number % TITLES.length],
    ContractType: TYPES[number % TYPES.length]?.Name,
    ContractStatus: number % 2 ? "Executed" : "Draft",
    ExternalContractId: `EXT-${digits}`,
    EffectiveDate: new Date(Date.UTC(2026, number % 12, 1, 12)),
    ExpirationDate: new Date(Date.UTC(2029, number % 12, 1, 12)),
    AccountType: "Vend",
    AccountRelationId: `V${digits.padStart(6, "0")}`,
    AmendmentInProcess: number % 10 === 0,
  };
}
