/** What an environment has, as data. */

/** The entities of an environment. Plain data: it may be kept as JSON, and `schema()` gives it its functions back. */
export interface SchemaData {
  /** In the order of the environment, or of the question. */
  entities: SchemaEntity[];
  /** Members of each enum, in the order of the service. */
  enums: Record<string, string[]>;
  /** The collections that were asked for; absent where it is all of them. */
  collections?: string[];
  /** Names of the environment's source data formats; default: the built-in ones. */
  formats?: string[];
}

export interface SchemaEntity {
  /** OData collection, for example "VendorsV2". */
  collection: string;
  /** Entity type, for example "VendorV2". */
  type: string;
  /** Label in data management, for example "Vendors V2"; where it was asked for. */
  label?: string;
  /** Name in the application, for example "VendVendorV2Entity"; where the metadata service was asked. */
  aot?: string;
  /** Whether its records belong to a company. */
  company?: boolean;
  keys: string[];
  properties: SchemaProperty[];
  navigation: {
    name: string;
    /** The collection that it leads to; a type where no collection is known. */
    target: string;
    many?: boolean;
  }[];
  actions: {
    name: string;
    binding: "collection" | "entity";
    parameters: { name: string; type: string }[];
    returns?: string;
  }[];
}

export interface SchemaProperty {
  name: string;
  /** As the service names it: "Edm.String", "Microsoft.Dynamics.DataEntities.NoYes". */
  type: string;
  /** Name of the enum in `enums`. */
  enum?: string;
  /** Absent where the source does not say. */
  nullable?: boolean;
  /** UTF-16 code units. */
  maxLength?: number;
}

/** A difference between an environment and the catalogue. */
export interface Drift {
  collection: string;
  /** Absent where it is the whole collection. */
  property?: string;
  /** "missing": the environment lacks it; "added": the catalogue lacks it; "type": it has another type. */
  change: "missing" | "added" | "type";
}

export interface Schema extends SchemaData {
  /**
   * What the environment lacks or adds, compared with the catalogue. With `collections` only those are compared. Members of enums
   * are not.
   * @throws {ClmError} NOT_INITIALIZED where no module is loaded yet: `await init()` first
   */
  drift(): Drift[];
  /**
   * A module of TypeScript declarations of these entities, or of all. Beside a host's own modules it types `client.entity("…")`.
   * @throws {ClmError} UNKNOWN_ENTITY, NOT_INITIALIZED
   */
  toTypeScript(collections?: string[]): string;
}

/**
 * The form of the catalogue. With it nothing but its entities is known.
 * @deprecated Give a Schema; this form is refused from 0.3 on.
 */
export interface CatalogSchema {
  entities: {
    collection?: string;
    type?: string;
    aot: string;
    label: string;
    company?: boolean;
    direction: "clmToScm" | "scmToClm" | "setup";
    keys: string[];
    properties: { name: string; type: string; nullable?: boolean; members?: string[]; maxLength?: number }[];
  }[];
  enums: Record<string, string[]>;
  formats?: string[];
}

/** What the module reads of it: the object may have functions besides. */
export function partsOf(schema: SchemaData | CatalogSchema): SchemaData | CatalogSchema {
  const { entities, enums, collections, formats } = (schema ?? {}) as SchemaData;
  return {
    entities,
    enums,
    ...(collections === undefined ? {} : { collections }),
    ...(formats === undefined ? {} : { formats }),
  };
}
