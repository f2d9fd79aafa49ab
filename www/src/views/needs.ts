/** Views of parts that the package may lack, and that want a connection. */
import { fill, h } from "../dom.ts";
import type { View } from "../frame.ts";
import type { Connected, Session } from "../session.ts";
import { strings } from "../strings.ts";

/** `make` is called anew for each connection. */
export function needing(
  session: Session,
  parts: Partial<Record<keyof Connected["can"], string>>,
  make: (connected: Connected, can: Connected["can"]) => Node,
): View {
  const root = h("div", {});
  let drawn: Connected | undefined;
  return {
    root,
    shown: () => {
      const { connected } = session;
      if (!connected) {
        drawn = undefined;
        fill(root, h("p", {}, strings.session.needed));
        return;
      }
      if (drawn === connected) return;
      drawn = connected;
      const names = Object.entries(parts) as [keyof Connected["can"], string][];
      const missing = names
        .filter(([part]) => !connected.can[part])
        .map(([, name]) => h("p", {}, strings.missing(name)));
      fill(root, ...missing, names.length > missing.length && make(connected, connected.can));
    },
  };
}
