/** What a tenant's own entities look like: for the package doctor, in place of the catalogue. */
export interface Schema {
  entities: {
    collection: string;
    type: string;
    label?: string;
    keys: string[];
    properties: { name: string; type: string; enum?: string; nullable?: boolean; maxLength?: number }[];
  }[];
  enums: Record<string, string[]>;
}
