// Builds the admin page into www/dist: static files that run from any folder of any host.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));

/** The names of the entity catalogue, and no more of it: what a person chooses from. */
function catalogueNames() {
  const id = "virtual:catalogue";
  const load = () => {
    const { entities } = JSON.parse(readFileSync(new URL("../src/catalog/catalog.json", import.meta.url), "utf8"));
    const names = entities.map(({ label, collection, direction, keys, properties }) => ({
      label,
      collection,
      direction,
      keys,
      properties: properties.map(({ name }) => name),
    }));
    return `export const entities = ${JSON.stringify(names)};`;
  };
  return {
    name: "catalogue-names",
    resolveId: (asked) => (asked === id ? `\0${id}` : undefined),
    load: (asked) => (asked === `\0${id}` ? load() : undefined),
  };
}

/** Origins that the page may reach beside its own: none, unless it is built for a host without a relay. */
function connectSources() {
  const origins = process.env.D365_ADMIN_CONNECT ?? "";
  if (!/^[A-Za-z0-9:/.* -]*$/.test(origins))
    throw new Error("D365_ADMIN_CONNECT is a list of origins, parted by blanks");
  return {
    name: "connect-sources",
    transformIndexHtml: (html) => html.replace(" %CONNECT%", origins && ` ${origins}`),
  };
}

export default defineConfig({
  root,
  base: "./",
  plugins: [catalogueNames(), connectSources()],
  worker: { format: "es", plugins: () => [catalogueNames()] },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // The content security policy knows neither data: URLs nor inline script.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
});
