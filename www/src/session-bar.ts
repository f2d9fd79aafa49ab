/** Where a person connects and disconnects. In a frame the surrounding page does, and this only tells. */
import type { TokenWay } from "./config.ts";
import { fill, h } from "./dom.ts";
import { button, choice, field, row } from "./parts/controls.ts";
import { Notice } from "./parts/notice.ts";
import type { GiveToken, Session } from "./session.ts";
import { strings } from "./strings.ts";
import { fromHost } from "./token/host.ts";
import { pasted } from "./token/paste.ts";

export function sessionBar(session: Session, { framed }: { framed: boolean }): HTMLElement {
  const { config } = session;
  const notice = new Notice();
  const environment = choice(
    strings.session.environment,
    config.environments.map(({ name }, i) => ({ value: String(i), text: name })),
  );
  const company = field(strings.session.company, {
    value: config.environments[0]?.company ?? "",
    hint: strings.session.companyHint,
  });
  const way = choice(
    strings.session.way,
    config.token.map((value) => ({ value, text: strings.session.ways[value] })),
  );
  const token = field(strings.session.token, { type: "password", hint: strings.session.tokenHint });
  const chosen = () => config.environments[Number(environment.input.value)];

  environment.input.addEventListener("change", () => {
    company.input.value = chosen()?.company ?? "";
  });
  const showToken = () => {
    token.root.hidden = way.input.value !== "paste";
  };
  way.input.addEventListener("change", showToken);
  showToken();

  async function giver(): Promise<GiveToken | undefined> {
    const by = way.input.value as TokenWay;
    if (by === "relay") return undefined;
    if (by === "host") return fromHost(config.host ?? "");
    const text = token.input.value;
    token.input.value = "";
    return pasted(text);
  }
  const connect = button(
    strings.session.connect,
    () =>
      notice.guard(async () => {
        const to = chosen();
        if (to) await session.connect(to, company.input.value.trim(), await giver());
      }),
    { primary: true },
  );
  const disconnect = button(strings.session.disconnect, () => notice.guard(() => session.disconnect()));

  const body = h("div", {});
  const form = h(
    "form",
    { class: "row", autocomplete: "off" },
    environment.root,
    company.root,
    config.token.length > 1 && way.root,
    token.root,
    connect,
  );
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("keydown", ({ key, target }) => {
    if (key === "Enter" && target instanceof HTMLInputElement) connect.click();
  });
  function draw(): void {
    const connected = session.connected;
    if (connected) {
      const text = strings.session.connected(connected.environment.name, connected.company);
      fill(body, row(h("p", { role: "status" }, text), !framed && disconnect));
    } else {
      fill(body, h("p", { role: "status" }, framed ? strings.token.waiting : strings.session.not), !framed && form);
    }
  }
  session.onChange(draw);
  draw();
  return h("section", { class: "session", "aria-label": strings.session.heading }, body, notice.root);
}
