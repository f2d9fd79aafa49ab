/** An open package. */
/// <reference lib="esnext.disposable" preserve="true" />
import { Handle } from "../handle.js";
import { toJson } from "../json.js";
import type { Loader } from "../loader.js";
import { Reporter, type RunOptions, Turns } from "../run.js";
import {
  Step,
  type WireDescription,
  type WireDoctor,
  type WirePackageReader,
  type WirePackages,
  type WireRewriter,
} from "../wire.js";
import type { Access } from "./access.js";
import { collect, streamFrom } from "./bytes-out.js";
import type { Diagnostic } from "./diagnostic.js";
import { Entity, type PackageEntity } from "./entity.js";
import { examineWorkbook } from "./examine.js";
import { Feed } from "./feed.js";
import { fileStream } from "./file-stream.js";
import { DEFAULT_WORKBOOK, type Limits } from "./limits.js";

/** What everything that reads the package needs. */
export interface Opened {
  loader: Loader<WirePackages>;
  reader: Handle<WirePackageReader>;
  access: Access;
  limits: Limits;
  has(file: string): boolean;
  /** Deflated size of an entry, 0 where the zip lacks it. */
  compressedSize(file: string): number;
}

/**
 * An open package. Its bytes stay where they are: entity data is read when it is asked for, so the source must not change while the
 * package is open. Holds some memory of the module until `dispose()`.
 */
export class DataPackage {
  /** Data project (definition group) that the manifest names. */
  readonly name: string;
  readonly description: string;
  readonly entities: readonly PackageEntity[];
  /** All entries of the zip, with header and manifest. Sizes in bytes. */
  readonly files: readonly { name: string; size: number; compressedSize: number }[];
  readonly #opened: Opened;
  declare readonly [Symbol.dispose]: () => void;

  private constructor(loader: Loader<WirePackages>, reader: Handle<WirePackageReader>, access: Access, limits: Limits) {
    const { name, description, entities, files } = JSON.parse(reader.use((r) => r.describe())) as WireDescription;
    this.name = name;
    this.description = description;
    this.files = files;
    const find = (file: string) => files.find(({ name }) => name === file);
    const has = (file: string) => find(file) !== undefined;
    const compressedSize = (file: string) => find(file)?.compressedSize ?? 0;
    this.#opened = { loader, reader, access, limits, has, compressedSize };
    this.entities = entities.map((entity, index) => new Entity(this.#opened, index, entity));
  }

  static {
    // Not every browser knows the symbol yet.
    if (Symbol.dispose) {
      Object.defineProperty(DataPackage.prototype, Symbol.dispose, { value: DataPackage.prototype.dispose });
    }
  }

  /** @internal */
  static open(
    loader: Loader<WirePackages>,
    reader: Handle<WirePackageReader>,
    access: Access,
    limits: Limits,
  ): DataPackage {
    try {
      return new DataPackage(loader, reader, access, limits);
    } catch (e) {
      reader.dispose();
      throw e;
    }
  }

  /** The entity of that label or OData collection. */
  entity(nameOrCollection: string): PackageEntity | undefined {
    return this.entities.find(
      ({ entity, collection }) => entity === nameOrCollection || collection === nameOrCollection,
    );
  }

  /**
   * An entry of the zip, inflated while it is read. A BYOB reader fills the caller's own buffer. The stream fails with INVALID_ARGUMENT
   * for a name that `files` lacks, with PACKAGE_CORRUPT where the entry is damaged, with PACKAGE_LIMIT, and with DISPOSED.
   */
  file(name: string): ReadableStream<Uint8Array> {
    return fileStream(this.#opened, name);
  }

  /**
   * The package doctor: everything that would make the service reject, misread or silently skip the package. All data is read, and
   * where keys are compared more than once. Workbooks are read by `excel.wasm`, which is loaded when one is met; where that fails, they
   * get PKG-NOT-EXAMINED, which says why. Progress counts bytes, stage "diagnose".
   *
   * @throws {ClmError} PACKAGE_CORRUPT, PACKAGE_LIMIT, DISPOSED, ABORTED: what is wrong in the package is a finding, no failure
   * @example
   * const errors = (await opened.diagnose()).filter(({ severity }) => severity === "error");
   */
  async diagnose(options: RunOptions = {}): Promise<Diagnostic[]> {
    let found: Diagnostic[] = [];
    const note = (result: Diagnostic[]) => {
      found = result;
    };
    // Its pieces are empty.
    await collect(this.#run((r) => r.diagnose(), "diagnose", options, note));
    return found;
  }

  /**
   * A package with only these entities and their files: headers, maps and unknown entries stay as they are, the bytes of the data
   * too. `entities` are labels or collections.
   *
   * @throws {ClmError} INVALID_ARGUMENT for one that the package lacks, PACKAGE_CORRUPT, PACKAGE_LIMIT, DISPOSED, ABORTED
   * @example
   * const again = await opened.subset(["Vendors V2"]);
   */
  async subset(entities: string[], options: RunOptions = {}): Promise<Uint8Array> {
    return collect(this.#run((r) => r.subset(this.#labels(entities)), "subset", options));
  }

  /** The same while it is read. Errors surface on the stream. */
  subsetStream(entities: string[], options: RunOptions = {}): ReadableStream<Uint8Array> {
    return streamFrom(
      (signal) => this.#run((r) => r.subset(this.#labels(entities)), "subset", { ...options, signal }),
      options.signal,
    );
  }

  /**
   * A corrected package, and what was changed: encoding, line ends, order of elements, namespace, file names, maps from the header
   * of the file. Nothing that could be meant otherwise is touched.
   *
   * @throws {ClmError} MANIFEST_INVALID where no safe correction exists; PACKAGE_CORRUPT, PACKAGE_LIMIT, DISPOSED, ABORTED
   */
  async repair(options: RunOptions = {}): Promise<{ bytes: Uint8Array; changes: Diagnostic[] }> {
    let changes: Diagnostic[] = [];
    const note = (made: Diagnostic[]) => {
      changes = made;
    };
    const bytes = await collect(this.#run((r) => r.repair(), "repair", options, note));
    return { bytes, changes };
  }

  /** The same while it is read. `changes` is known when the stream is at its end, and rejects where it fails or is cancelled. */
  repairStream(options: RunOptions = {}): { stream: ReadableStream<Uint8Array>; changes: Promise<Diagnostic[]> } {
    let settle: (changes: Diagnostic[]) => void = () => {};
    let fail: (e: unknown) => void = () => {};
    const changes = new Promise<Diagnostic[]>((resolve, reject) => {
      settle = resolve;
      fail = reject;
    });
    // Who reads the stream only is told by the stream.
    changes.catch(() => {});
    const stream = streamFrom(
      (signal) => this.#run((r) => r.repair(), "repair", { ...options, signal }, settle),
      options.signal,
      fail,
    );
    return { stream, changes };
  }

  /** Frees the memory; idempotent. What is being read ends with DISPOSED. */
  dispose(): void {
    this.#opened.reader.dispose();
  }

  #labels(entities: string[]): string {
    const labels = Array.isArray(entities) ? entities.map((name) => this.entity(name)?.entity ?? name) : entities;
    return toJson(labels, "the entities");
  }

  /** The pieces of a package that is written anew. Of a doctor, `found` is told what was found or corrected. */
  #run(
    make: (reader: WirePackageReader) => WireRewriter,
    stage: string,
    options: RunOptions,
  ): AsyncGenerator<Uint8Array, void, undefined>;
  #run(
    make: (reader: WirePackageReader) => WireDoctor,
    stage: string,
    options: RunOptions,
    found: (result: Diagnostic[]) => void,
  ): AsyncGenerator<Uint8Array, void, undefined>;
  async *#run(
    make: (reader: WirePackageReader) => WireRewriter | WireDoctor,
    stage: string,
    { signal, onProgress }: RunOptions,
    found?: (result: Diagnostic[]) => void,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { loader, reader, access, limits } = this.#opened;
    const machine = reader.use((r) => new Handle(loader, "the package", () => make(r)));
    // By the overloads.
    const doctor = machine as Handle<WireDoctor>;
    const feed = new Feed(access, access.size, signal, reader.closing);
    const reporter = new Reporter(onProgress);
    const turns = new Turns(signal);
    const check = () => reader.use(() => {});
    const run = { limit: limits.workbook ?? DEFAULT_WORKBOOK, signal, turns, check };
    try {
      while (true) {
        check();
        const step = machine.use((m) => m.step());
        if (step === Step.end) break;
        if (step === Step.wants) await feed.serve(machine);
        else if (step === Step.workbook) await examineWorkbook(doctor, run);
        else yield machine.use((m) => m.take());
        reporter.report({ stage, done: feed.taken, unit: "bytes" });
        await turns.yield();
      }
      reporter.report({ stage, done: feed.taken, total: feed.taken, unit: "bytes" }, true);
      found?.(JSON.parse(doctor.use((d) => d.result())));
    } finally {
      feed.close();
      machine.dispose();
    }
  }
}
