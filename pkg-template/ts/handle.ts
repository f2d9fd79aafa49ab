/** An object that lives in the module: freed once, when nobody uses it any more, and never touched after its instance died. */
import { disposed } from "./errors.js";
import type { Loader } from "./loader.js";
import { linkSignals, orAborted } from "./run.js";
import type { WireModule } from "./wire.js";

export class Handle<W extends { free(): void }> {
  readonly #loader: Loader<WireModule>;
  readonly #what: string;
  readonly #life: AbortSignal;
  readonly #closing = new AbortController();
  #object: W;
  #uses = 0;
  #freed = false;

  /** Made by `make` in the current instance of the module. `what` names the object in errors. */
  constructor(loader: Loader<WireModule>, what: string, make: () => W) {
    this.#loader = loader;
    this.#what = what;
    this.#life = loader.life;
    try {
      this.#object = make();
    } catch (e) {
      throw loader.failure(e);
    }
  }

  /** False once the instance of the module that holds the object has died. */
  get alive(): boolean {
    return !this.#life.aborted;
  }

  /** Fires when the object is disposed of, with DISPOSED. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** @throws {ClmError} DISPOSED, also where the instance died before; INTERNAL_PANIC where it dies now; what the call throws. */
  use<T>(call: (object: W) => T): T {
    this.#check();
    try {
      return call(this.#object);
    } catch (e) {
      throw this.#loader.failure(e);
    }
  }

  /** The same for a call that takes time. Its signal also fires when the object is disposed of. */
  async useAsync<T>(signal: AbortSignal | undefined, call: (object: W, signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#check();
    const linked = linkSignals(signal, this.#closing.signal);
    this.#uses += 1;
    try {
      // When the instance dies under a call, its promise never settles.
      return await orAborted(call(this.#object, linked.signal), this.#life);
    } catch (e) {
      throw this.#loader.failure(e, linked.signal);
    } finally {
      this.#uses -= 1;
      linked.unlink();
      this.#release();
    }
  }

  /** Idempotent. What is under way ends with DISPOSED. */
  dispose(): void {
    this.#closing.abort(disposed(this.#what));
    this.#release();
  }

  #check(): void {
    if (this.#closing.signal.aborted) throw disposed(this.#what);
    if (this.#life.aborted) throw disposed(this.#what, this.#life.reason);
  }

  #release(): void {
    if (!this.#closing.signal.aborted || this.#uses > 0 || this.#freed) return;
    this.#freed = true;
    if (this.alive) this.#object.free();
  }
}
