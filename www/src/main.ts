/** Starts the page: configuration, connection, views. */
import "./style.css";
import "./fluent.ts";
import { type Config, loadConfig } from "./config.ts";
import { fill, h } from "./dom.ts";
import { Engine } from "./engine/client.ts";
import { frame } from "./frame.ts";
import { Notice } from "./parts/notice.ts";
import { Session } from "./session.ts";
import { strings } from "./strings.ts";
import { startTheme } from "./theme.ts";
import { foreignAncestor, listenToParent, type Parent } from "./token/handshake.ts";

const root = document.getElementById("app") as HTMLElement;
const framed = window.parent !== window;
const config = loadConfig();
let session: Session | undefined;

startTheme();
document.title = strings.title;
fill(
  root,
  h(
    "main",
    {},
    h("h1", {}, strings.title),
    h("p", { role: "status" }, framed ? strings.token.waiting : strings.starting),
  ),
);
// Before anything is awaited: an offer may come as soon as the page has loaded.
if (framed) listenToParent(window, config, { connect: (parent) => void connectTo(parent), refuse: say });
config.then(start).catch(say);

function start(config: Config): void {
  if (!framed) {
    fill(root, frame(new Session(config, new Engine()), { framed }));
    return;
  }
  const foreign = foreignAncestor(config, window.location);
  if (foreign !== undefined) throw new Error(strings.token.foreignParent(foreign));
}

async function connectTo({ environment, company, giveToken, tell }: Parent): Promise<void> {
  const known = await config;
  if (foreignAncestor(known, window.location) !== undefined) return;
  const first = session === undefined;
  session ??= new Session(known, new Engine());
  try {
    await session.connect(environment, company, giveToken);
  } catch (error) {
    tell({ type: "refused", reason: error instanceof Error ? error.message : String(error) });
    if (first) {
      session = undefined;
      say(error);
    }
    return;
  }
  if (first) fill(root, frame(session, { framed }));
  tell({ type: "connected" });
}

function say(error: unknown): void {
  // What works goes on working: a foreign message takes nothing away.
  if (session?.connected) return;
  const notice = new Notice();
  fill(root, h("main", {}, h("h1", {}, strings.title), notice.root));
  notice.fail(error);
}
