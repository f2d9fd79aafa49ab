/** What is around the views: heading, navigation, appearance, connection. */
import { fill, h } from "./dom.ts";
import { choice } from "./parts/controls.ts";
import type { Session } from "./session.ts";
import { sessionBar } from "./session-bar.ts";
import { strings } from "./strings.ts";
import { type Look, setLook } from "./theme.ts";
import { connectionView } from "./views/connection.ts";
import { contractsView } from "./views/contracts.ts";
import { jobsView } from "./views/jobs.ts";
import { packagesView } from "./views/packages.ts";
import { syncView } from "./views/sync.ts";

export interface View {
  root: HTMLElement;
  /** Called each time that the view comes into sight. */
  shown?(): void;
}

const VIEWS = {
  packages: packagesView,
  jobs: jobsView,
  connection: connectionView,
  sync: syncView,
  contracts: contractsView,
};
type Name = keyof typeof VIEWS;
const names = Object.keys(VIEWS) as Name[];

export function frame(session: Session, { framed }: { framed: boolean }): DocumentFragment {
  const made = new Map<Name, View>();
  const content = h("main", { id: "content", tabindex: -1 });
  const links = new Map(names.map((name) => [name, h("a", { href: `#/${name}` }, strings.views[name])]));

  function show(focus: boolean): void {
    const name = names.find((one) => location.hash === `#/${one}`) ?? "packages";
    let view = made.get(name);
    if (!view) {
      view = VIEWS[name](session);
      made.set(name, view);
    }
    for (const [other, link] of links) {
      if (other === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    fill(content, h("h2", {}, strings.views[name]), view.root);
    document.title = `${strings.views[name]} – ${strings.title}`;
    if (focus) content.focus();
    view.shown?.();
  }
  addEventListener("hashchange", () => show(true));
  session.onChange(() => {
    const current = names.find((one) => location.hash === `#/${one}`) ?? "packages";
    made.get(current)?.shown?.();
  });

  const look = choice(
    strings.look,
    Object.entries(strings.looks).map(([value, text]) => ({ value, text })),
  );
  look.input.addEventListener("change", () => setLook(look.input.value as Look));
  const skip = h("a", { href: "#content", class: "skip" }, strings.skip);
  skip.addEventListener("click", (event) => {
    event.preventDefault();
    content.focus();
  });
  const page = document.createDocumentFragment();
  page.append(
    skip,
    h("header", {}, h("h1", {}, strings.title), look.root),
    h("nav", { "aria-label": strings.navigation }, ...links.values()),
    sessionBar(session, { framed }),
    content,
  );
  show(false);
  return page;
}
