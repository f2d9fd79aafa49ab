/** Opening a package: its directory and its two descriptions are read, and nothing else. */
import { throwIfAborted } from "../errors.js";
import { Handle } from "../handle.js";
import { toJson } from "../json.js";
import type { Loader } from "../loader.js";
import { Reporter, type RunOptions } from "../run.js";
import { type CatalogSchema, partsOf, type SchemaData } from "../schema-data.js";
import type { WirePackages } from "../wire.js";
import { type Access, accessTo, type PackageSource } from "./access.js";
import { DataPackage } from "./data-package.js";
import { Feed } from "./feed.js";
import type { Limits } from "./limits.js";

export interface OpenOptions extends RunOptions {
  limits?: Limits;
  /** For a URL; default: the global one. */
  fetch?: typeof fetch;
  /** The environment's own schema, for `diagnose`: its entities take the place of the catalogue's. */
  schema?: SchemaData | CatalogSchema;
  /**
   * For `diagnose` and `repair`: `PackageHeader.xml` may be missing or unreadable, and it and `Manifest.xml` may lie in a folder or be
   * spelled differently, as long as only one entry can be meant. Default false.
   */
  lenient?: boolean;
}

export async function open(
  loader: Loader<WirePackages>,
  source: PackageSource,
  options: OpenOptions = {},
): Promise<DataPackage> {
  const { signal, limits, schema, lenient } = options;
  throwIfAborted(signal);
  const text = toJson(
    {
      ...(limits === undefined ? {} : { limits }),
      ...(lenient === undefined ? {} : { lenient }),
      ...(schema === undefined ? {} : { schema: partsOf(schema) }),
    },
    "the options",
  );
  const [wire, access] = await Promise.all([loader.ready(), accessTo(source, options)]);
  const reader = await describe(loader, wire, access, text, signal);
  new Reporter(options.onProgress).report(
    { stage: "open", done: access.size, total: access.size, unit: "bytes" },
    true,
  );
  return DataPackage.open(loader, reader, access, limits ?? {});
}

async function describe(
  loader: Loader<WirePackages>,
  wire: WirePackages,
  access: Access,
  options: string,
  signal: AbortSignal | undefined,
) {
  const opener = new Handle(loader, "the package", () => new wire.PackageOpener(access.size, options));
  const feed = new Feed(access, 0, signal, opener.closing);
  try {
    while (await feed.serve(opener)) throwIfAborted(signal);
    return new Handle(loader, "the package", () => opener.use((o) => o.finish()));
  } finally {
    feed.close();
    opener.dispose();
  }
}
