/** The catalogue's names, and which column is meant for which property. */
import { entities } from "virtual:catalogue";

export interface CatalogueEntity {
  label: string;
  collection?: string;
  direction: "clmToScm" | "scmToClm" | "setup";
  keys: string[];
  properties: string[];
}

export { entities };

export function entityOf(label: string): CatalogueEntity | undefined {
  return entities.find((one) => one.label === label);
}

/** For each column the property of that name, whatever its case, blanks and marks; each property once. */
export function suggest(columns: readonly string[], properties: readonly string[]): (string | undefined)[] {
  const free = new Map(properties.map((name) => [plain(name), name]));
  return columns.map((column) => {
    const found = free.get(plain(column));
    if (found !== undefined) free.delete(plain(column));
    return found;
  });
}

/** The entity that most columns fit, if any does. */
export function likeliest(columns: readonly string[]): string | undefined {
  let best: { label: string; share: number } | undefined;
  for (const { label, properties } of entities) {
    const fits = suggest(columns, properties).filter(Boolean).length;
    // Of two that fit as well the one with fewer properties of its own is meant.
    const share = fits - properties.length / 10_000;
    if (fits > 0 && (!best || share > best.share)) best = { label, share };
  }
  return best?.label;
}

const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
