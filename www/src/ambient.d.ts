/** Modules that bring no types of their own. */
declare module "virtual:catalogue" {
  export const entities: import("./engine/entities.ts").CatalogueEntity[];
}
declare module "papaparse" {
  interface Parsed {
    data: string[][];
    errors: { message: string; row?: number }[];
    meta: { delimiter: string; linebreak: string; cursor: number };
  }
  interface Settings {
    delimiter?: string;
    newline?: string;
    preview?: number;
    skipEmptyLines?: boolean;
  }
  const Papa: {
    parse(text: string, settings?: Settings): Parsed;
    Parser: new (settings: Settings) => { parse(text: string, base: number, ignoreLastRow: boolean): Parsed };
  };
  export default Papa;
}
declare module "*.css";
