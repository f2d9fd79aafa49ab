/**
 * What a tenant's own entities look like: for the package doctor, in place of the catalogue. The form is that of the catalogue; with
 * another one opening fails with INVALID_ARGUMENT.
 */
export interface Schema {
  entities: {
    /** OData collection, where the entity has one. */
    collection?: string;
    /** Its entity type in OData. */
    type?: string;
    /** Name in the application, for example "VendVendorV2Entity". */
    aot: string;
    label: string;
    /** Whether its records belong to a company. */
    company?: boolean;
    direction: "clmToScm" | "scmToClm" | "setup";
    keys: string[];
    properties: { name: string; type: string; nullable?: boolean; members?: string[]; maxLength?: number }[];
  }[];
  /** Members of each enum, in the order of their numbers. */
  enums: Record<string, string[]>;
  /** Names of the environment's source data formats; default: the built-in ones. */
  formats?: string[];
}
