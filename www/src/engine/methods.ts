/** All that the page can ask of the worker. Each takes one argument and how it runs. */
import * as contracts from "./contracts-desk.ts";
import { entities } from "./entities.ts";
import * as jobs from "./jobs-desk.ts";
import * as packages from "./package-desk.ts";
import * as service from "./service.ts";
import * as syncs from "./sync-desk.ts";
import * as tables from "./table-desk.ts";

export const methods = {
  entities: async () => entities,
  ...service.methods,
  ...packages.methods,
  ...tables.methods,
  ...jobs.methods,
  ...syncs.methods,
  ...contracts.methods,
};
export type Methods = typeof methods;
