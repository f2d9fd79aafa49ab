/** Blocks of a package that are deflated by other threads, side by side. */
import type { Handle } from "../handle.js";
import type { HostWorker, Loader } from "../loader.js";
import { orAborted } from "../run.js";
import type { WirePackages, WirePackageWriter } from "../wire.js";

/** What a thread is told: the module at first, then blocks. */
export type ToWorker =
  | { module: WebAssembly.Module }
  | { id: number; level: number; last: boolean; dictionary: Uint8Array; data: Uint8Array };
/** What it answers: that it is there, then blocks; without `bytes` it could not do this one. */
export type FromWorker = { ready: true } | { id: number; bytes?: Uint8Array };

type Block = Extract<ToWorker, { id: number }>;

interface Thread {
  worker: HostWorker;
  ready: boolean;
  /** The blocks it has. */
  blocks: Map<number, Block>;
}

/**
 * Takes blocks out of a writer and gives them back deflated, in whatever order they are done: the writer puts them in theirs. A thread
 * that can't start or dies is done without: then this one does its blocks, and the output is the same.
 */
export class BlockPool {
  readonly #loader: Loader<WirePackages>;
  readonly #writer: Handle<WirePackageWriter>;
  readonly #threads: Set<Thread>;
  readonly #most: number;
  #failure: unknown;
  #wake: () => void = () => {};

  private constructor(loader: Loader<WirePackages>, writer: Handle<WirePackageWriter>, threads: Set<Thread>) {
    this.#loader = loader;
    this.#writer = writer;
    this.#threads = threads;
    this.#most = threads.size + 2;
    for (const thread of threads) {
      thread.worker.onMessage((message) => this.#answered(thread, message as FromWorker));
      thread.worker.onFailure(() => this.#lost(thread));
    }
  }

  /** Undefined where this thread does everything: for one worker, and where there are no threads. */
  static start(
    loader: Loader<WirePackages>,
    writer: Handle<WirePackageWriter>,
    workers: number,
  ): BlockPool | undefined {
    const { module } = loader;
    if (workers < 2 || !module) return undefined;
    const threads = new Set<Thread>();
    for (let i = 0; i < workers; i++) {
      const worker = startWorker(loader);
      if (!worker) break;
      threads.add({ worker, ready: false, blocks: new Map() });
    }
    if (threads.size === 0) return undefined;
    writer.use((w) => w.external());
    const pool = new BlockPool(loader, writer, threads);
    for (const { worker } of threads) worker.postMessage({ module } satisfies ToWorker);
    return pool;
  }

  /** Hands out what is queued; waits while too much is under way, with `all` until everything is back. */
  async drain(signal: AbortSignal | undefined, all = false): Promise<void> {
    while (true) {
      if (this.#failure !== undefined) throw this.#failure;
      this.#handOut();
      const underWay = this.#underWay();
      if (underWay === 0 || (!all && underWay < this.#most)) return;
      const answer = new Promise<void>((wake) => {
        this.#wake = wake;
      });
      await orAborted(answer, signal);
    }
  }

  stop(): void {
    for (const { worker } of this.#threads) worker.terminate();
    this.#threads.clear();
    this.#wake();
  }

  #underWay(): number {
    let sum = 0;
    for (const { blocks } of this.#threads) sum += blocks.size;
    return sum;
  }

  #handOut(): void {
    while (this.#threads.size === 0 || this.#underWay() < this.#most) {
      const block = this.#writer.use((w) => {
        const given = w.takeBlock();
        if (!given) return undefined;
        const { id, level, last, dictionary, data } = given;
        given.free();
        return { id, level, last, dictionary, data };
      });
      if (!block) return;
      this.#send(block);
    }
  }

  #send(block: Block): void {
    let idlest: Thread | undefined;
    for (const thread of this.#threads) {
      if (!idlest || thread.blocks.size < idlest.blocks.size) idlest = thread;
    }
    if (!idlest) {
      this.#deflateHere(block);
      return;
    }
    idlest.blocks.set(block.id, block);
    // A copy goes: should the thread die, its blocks are still here.
    if (idlest.ready) idlest.worker.postMessage(block);
  }

  #answered(thread: Thread, message: FromWorker): void {
    if (!this.#threads.has(thread)) return;
    if ("ready" in message) {
      thread.ready = true;
      for (const block of thread.blocks.values()) thread.worker.postMessage(block);
      return;
    }
    const { id, bytes } = message;
    if (!bytes) {
      this.#lost(thread);
      return;
    }
    thread.blocks.delete(id);
    this.#try(() => this.#writer.use((w) => w.giveBlock(id, bytes)));
    this.#wake();
  }

  #lost(thread: Thread): void {
    if (!this.#threads.delete(thread)) return;
    thread.worker.terminate();
    for (const block of thread.blocks.values()) this.#try(() => this.#send(block));
    this.#wake();
  }

  #deflateHere({ id, level, last, dictionary, data }: Block): void {
    const wire = this.#loader.current();
    this.#writer.use((w) => w.giveBlock(id, wire.deflateBlock(level, last, dictionary, data)));
  }

  /** Nobody would hear of an exception in a callback. */
  #try(call: () => void): void {
    try {
      call();
    } catch (e) {
      this.#failure ??= e;
    }
  }
}

function startWorker(loader: Loader<WirePackages>): HostWorker | undefined {
  try {
    return loader.startWorker();
  } catch {
    // A page's policy may forbid threads.
    return undefined;
  }
}
