/** A thread that deflates blocks with an instance of its own of the same module. */
import type { FromWorker, ToWorker } from "../package/blocks.js";
import type { WirePackages } from "../wire.js";

/** Each message gets one answer. */
export function answer(wire: Pick<WirePackages, "initSync" | "deflateBlock">, message: ToWorker): FromWorker {
  if ("module" in message) {
    wire.initSync({ module: message.module });
    return { ready: true };
  }
  const { id, level, last, dictionary, data } = message;
  try {
    return { id, bytes: wire.deflateBlock(level, last, dictionary, data) };
  } catch {
    // The other side does it then, and sees the reason itself.
    return { id };
  }
}
