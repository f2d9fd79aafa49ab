/** *Connection*: the doctor's findings, and the handshake. */
import { fill, h } from "../dom.ts";
import type { NavigationLink } from "../engine/newer.ts";
import type { View } from "../frame.ts";
import { button, field, row } from "../parts/controls.ts";
import { findingList } from "../parts/findings.ts";
import { Notice } from "../parts/notice.ts";
import { ProgressLine } from "../parts/progress.ts";
import type { Session } from "../session.ts";
import { strings } from "../strings.ts";
import { needing } from "./needs.ts";

export function connectionView(session: Session): View {
  return needing(session, { diagnose: "diagnose()", clm: "clm.connection" }, (_, can) => {
    const view = document.createDocumentFragment();
    if (can.diagnose) view.append(doctor(session));
    if (can.clm) view.append(handshake(session));
    return view;
  });
}

function doctor({ engine }: Session): HTMLElement {
  const notice = new Notice();
  const progress = new ProgressLine(strings.connection.checking);
  const list = h("div", {});
  const check = button(
    strings.connection.check,
    () =>
      notice.guard(async () => {
        const call = engine.call("diagnoseConnection", undefined, { onProgress: progress.show });
        const findings = await call.finally(() => progress.hide());
        fill(list, findingList(findings, 0, { summary: true, clean: strings.connection.clean }));
      }),
    { primary: true },
  );
  return h("section", {}, h("h3", {}, strings.connection.doctor), row(check), progress.root, notice.root, list);
}

function handshake({ engine }: Session): HTMLElement {
  const notice = new Notice();
  const status = h("p", {});
  const instance = field(strings.connection.instance);
  const base = field(strings.connection.base, { value: "https://" });
  const parameter = field(strings.connection.parameter, { value: "contract", hint: strings.connection.parameterHint });
  const path = field(strings.connection.path, { hint: strings.connection.pathHint });
  async function draw(): Promise<void> {
    const { establishment, configuration, instanceName } = await engine.call("handshakeStatus", undefined);
    fill(status, strings.connection.status(establishment, configuration, instanceName ?? ""));
    if (instanceName && !instance.input.value) instance.input.value = instanceName;
  }
  const establish = button(strings.connection.establish, () =>
    notice.guard(async () => {
      const relativeUrl = path.input.value.trim();
      const { changed } = await engine.call("establish", {
        instanceName: instance.input.value.trim(),
        baseUrl: base.input.value.trim(),
        links: relativeUrl ? [viewContract(relativeUrl, parameter.input.value.trim())] : [],
      });
      await draw();
      notice.good(strings.connection.changed(changed.join(", ")));
    }),
  );
  void notice.guard(draw);
  return h(
    "section",
    {},
    h("h3", {}, strings.connection.handshake),
    status,
    instance.root,
    base.root,
    path.root,
    parameter.root,
    row(establish),
    notice.root,
  );
}

/** The service fills in the placeholder when a person follows the link. */
function viewContract(relativeUrl: string, parameter: string): NavigationLink {
  const query = parameter && { [parameter]: "%CLMIntegrationContractTable.ExternalContractId%" };
  return { type: "ViewContract", name: "View contract", relativeUrl, open: "OpenInNewTab", ...(query && { query }) };
}
