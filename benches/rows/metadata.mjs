import assert from "node:assert/strict";
import { XMLParser } from "fast-xml-parser";
import { atLeast } from "../shared.mjs";

const PEER = "fast-xml-parser, to its tree";
const ALL = "d365-clm, readMetadata, all entities";
const ONE = "d365-clm, readMetadata, one entity";

export const name = "metadata";
export const title = "$metadata of an environment → its entities, keys, types, enums";

export async function contenders(shared) {
  const { readMetadata } = await import("d365-clm");
  const { entities, properties, enums, collection } = shared.metadata;
  const bytes = shared.metadataBytes;
  return [
    {
      name: ALL,
      ours: true,
      run: () => readMetadata(bytes),
      check(found) {
        assert.equal(found.entities.length, entities);
        assert.equal(Object.keys(found.enums).length, enums);
        const all = found.entities.reduce((sum, entity) => sum + entity.properties.length, 0);
        assert.equal(all, properties);
      },
    },
    {
      name: ONE,
      ours: true,
      run: () => readMetadata(bytes, { collections: [collection] }),
      check(found) {
        assert.deepEqual(
          found.entities.map((entity) => entity.collection),
          [collection],
        );
      },
    },
    {
      name: PEER,
      run: () =>
        new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "" }).parse(new TextDecoder().decode(bytes)),
      check(tree) {
        const schema = tree["edmx:Edmx"]["edmx:DataServices"].Schema;
        assert.equal(schema.EntityType.length, entities);
        assert.equal(schema.EnumType.length, enums);
        const all = schema.EntityType.reduce((sum, type) => sum + type.Property.length, 0);
        assert.equal(all, properties);
      },
    },
  ];
}

/** Length of what is read. */
export const inputBytes = (shared) => shared.metadataBytes.length;

export const targets = [atLeast(5, ALL, [PEER]), atLeast(5, ONE, [PEER], `one entity ≥ 5 × ${PEER}`)];
