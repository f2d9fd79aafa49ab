/** Building a package: rows and files in, bytes out, as far as the spec got. */
import { throwIfAborted } from "../errors.js";
import { Handle } from "../handle.js";
import { objectToJson } from "../json.js";
import type { Loader } from "../loader.js";
import { Reporter, type RunOptions, Turns } from "../run.js";
import type { WirePackages, WirePackageWriter } from "../wire.js";
import { BlockPool } from "./blocks.js";
import { collect, streamFrom } from "./bytes-out.js";
import { checkSpec, type PackageSpec } from "./spec.js";
import { type Writing, writeEntity, writeFile } from "./write-entity.js";

export async function build(
  loader: Loader<WirePackages>,
  spec: PackageSpec,
  options: RunOptions = {},
): Promise<Uint8Array> {
  return collect(pieces(loader, spec, options));
}

export function stream(
  loader: Loader<WirePackages>,
  spec: PackageSpec,
  options: RunOptions = {},
): ReadableStream<Uint8Array> {
  return streamFrom((signal) => pieces(loader, spec, { ...options, signal }), options.signal);
}

async function* pieces(
  loader: Loader<WirePackages>,
  spec: PackageSpec,
  { signal, onProgress }: RunOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  throwIfAborted(signal);
  checkSpec(spec);
  const { entities, files = [], workers = 1, ...rest } = spec;
  const lines = entities.map(({ rows, records, data, ...line }) => line);
  const text = objectToJson({ ...rest, entities: lines }, "the package");
  const wire = await loader.ready();
  const writer = new Handle<WirePackageWriter>(loader, "the package writer", () => new wire.PackageWriter(text));
  let pool: BlockPool | undefined;
  try {
    pool = BlockPool.start(loader, writer, workers);
    const reporter = new Reporter(onProgress);
    const turns = new Turns(signal);
    let before = 0;
    let done = 0;
    const writing: Writing = {
      loader,
      writer,
      signal,
      rows: (count) => {
        done = before + count;
        reporter.report({ stage: "build", done, unit: "rows" });
      },
    };
    const steps = async function* () {
      for (const [index, entity] of entities.entries()) {
        yield* writeEntity(writing, index, entity);
        // The next file begins when this one is complete.
        await pool?.drain(signal, true);
        before = done;
      }
      for (const { name, data } of files) {
        yield* writeFile(writing, name, data);
        await pool?.drain(signal, true);
      }
    };
    for await (const _ of steps()) {
      await pool?.drain(signal);
      const output = writer.use((w) => w.take());
      if (output.length > 0) yield output;
      await turns.yield();
    }
    await pool?.drain(signal, true);
    throwIfAborted(signal);
    writer.use((w) => w.finish());
    await pool?.drain(signal, true);
    yield writer.use((w) => w.take());
    reporter.report({ stage: "build", done, total: done, unit: "rows" }, true);
  } finally {
    pool?.stop();
    writer.dispose();
  }
}
