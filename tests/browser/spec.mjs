// One package for the page and for Node: the same spec gives the same bytes.

/** Rows that do not deflate to nothing, always the same. */
export function* rows(count) {
  let state = 7;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    yield { CurrencyCode: `C${i}`, Name: `Ärger ${state.toString(36)} 東京`, DecimalsCount_MX: i % 7 };
  }
}

export const spec = (count, more) => ({
  name: "P",
  entities: [{ entity: "Currencies", rows: () => rows(count) }],
  ...more,
});
