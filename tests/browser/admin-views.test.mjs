// The views of the admin page that want parts of the package which not every version has.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ScmClient } from "d365-clm";
import { LEGAL_ENTITIES, sandboxMissing, startSandbox } from "../js/sandbox.mjs";
import { axe, browserMissing, startAdmin, watched } from "./admin-page.mjs";

const probe = new ScmClient({ baseUrl: "https://contoso.operations.dynamics.com" });
const has = { diagnose: "diagnose" in probe, sync: "sync" in probe, clm: "clm" in probe };
probe.dispose();
const machine = browserMissing() || sandboxMissing();
/** A test of a part, or of its absence. */
const inPage = (name, part, wanted, run) =>
  test(
    name,
    {
      skip: machine || (has[part] === wanted ? false : `${part} is ${wanted ? "missing" : "there"}`),
      timeout: 120_000,
    },
    run,
  );

describe("views of the admin page", () => {
  let sandbox;
  let admin;

  before(async () => {
    if (machine) return;
    const contract = (ContractId, ContractName) => ({
      dataAreaId: "usmf",
      ContractId,
      ContractName,
      ContractType: "NDA",
      ContractStatus: "Draft",
      ExternalContractId: `ext-${ContractId}`,
    });
    sandbox = await startSandbox({
      seed: {
        LegalEntities: LEGAL_ENTITIES,
        CLMIntegrationContractTypes: [{ Name: "NDA" }],
        CLMIntegrationContracts: [contract("K1", "<i>Eins</i>"), contract("K2", "Zwei")],
      },
      settings: { defaultCompany: "usmf", changeTracking: { Currencies: "ALL" } },
    });
    admin = await startAdmin({
      allowed: [new URL(sandbox.baseUrl).origin, new URL(sandbox.storageUrl).origin],
      config: () => ({ environments: [{ name: "Sandbox", url: sandbox.baseUrl, company: "usmf" }], relay: "../relay" }),
    });
  });
  after(async () => {
    await admin?.stop();
    await sandbox?.stop();
  });

  async function connected(view) {
    const watch = await watched(admin);
    const { page } = watch;
    await page.getByLabel("Access token").fill((await sandbox.token()).token);
    await page.getByRole("button", { name: "Connect", exact: true }).click();
    await page.getByText("Connected to Sandbox, company usmf.").waitFor();
    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: view }).click();
    return watch;
  }

  for (const [part, view] of [
    ["diagnose", "Connection"],
    ["sync", "Sync"],
    ["clm", "Contracts"],
  ]) {
    inPage(`${view} says that the package lacks ${part}`, part, false, async () => {
      const { page, context, fine } = await connected(view);
      await page.getByText(`The installed version of d365-clm has no ${part}`).waitFor();
      assert.equal(
        await page
          .getByRole("main")
          .getByRole("button", { name: /Check|Run|Load/ })
          .count(),
        0,
      );
      await fine();
      await context.close();
    });
  }

  inPage("the doctor's findings are a checklist with fixes", "diagnose", true, async () => {
    const { page, context, fine } = await connected("Connection");
    await page.getByRole("button", { name: "Check the connection" }).click();
    // The sandbox had no handshake, and tracks no changes of vendors.
    await page.getByRole("listitem").filter({ hasText: "CONN-TRACKING-OFF" }).first().waitFor({ timeout: 30_000 });
    assert.deepEqual(await axe(page), []);
    await fine();
    await context.close();
  });

  inPage("the handshake is made once", "clm", true, async () => {
    const { page, context, fine } = await connected("Connection");
    await page.getByText("Establishment: NotStarted. Configuration: NotStarted.").waitFor();
    await page.getByLabel("Name of the CLM service").fill("Acme");
    await page.getByLabel("Address of the CLM service").fill("https://acme-clm.example");
    await page.getByLabel("Page of a contract").fill("/contracts/view");
    await page.getByRole("button", { name: "Establish" }).click();
    await page.getByText("Establishment: Success. Configuration: Success. Service: Acme.").waitFor({ timeout: 30_000 });
    await page.getByRole("button", { name: "Establish" }).click();
    await page.getByText("Nothing had to be changed.").waitFor({ timeout: 30_000 });
    assert.deepEqual(await axe(page), []);
    await fine();
    await context.close();
  });

  inPage("a contract is found, shown, and moved to another status", "clm", true, async () => {
    const { page, context, fine } = await connected("Contracts");
    await page.getByRole("button", { name: "Load contracts" }).click();
    await page.getByRole("cell", { name: "<i>Eins</i>" }).waitFor();
    await page.getByRole("button", { name: "Show K1" }).click();
    await page.getByRole("heading", { name: "Contract K1" }).waitFor();
    await page.getByLabel("New status").selectOption("Approved");
    await page.getByRole("button", { name: "Set status" }).click();
    await page.getByText("The status is Approved now.").waitFor();
    await page.getByRole("button", { name: "Purchase agreement" }).click();
    await page.getByText("No purchase agreement belongs to this contract.").waitFor();
    assert.deepEqual(await axe(page), []);
    await page.getByRole("button", { name: "Load contracts" }).click();
    await page.getByRole("row").filter({ hasText: "K1" }).getByText("Approved").waitFor();
    await page.getByRole("row").filter({ hasText: "K2" }).getByText("Draft").waitFor();
    await fine();
    await context.close();
  });

  inPage("the grid has each entity; a pass says which are not tracked", "sync", true, async () => {
    const { page, context, fine } = await connected("Sync");
    const grid = page.getByRole("region", { name: "Entities and companies" });
    const line = grid.getByRole("row").filter({ hasText: "Vendors V2" });
    assert.match(await line.textContent(), /^Vendors V2usmfpackage/);
    await page.getByRole("button", { name: "Run now" }).click();
    await page.getByText(/change tracking is off for .*Vendors V2/).waitFor({ timeout: 30_000 });
    assert.deepEqual(await axe(page), []);
    await fine();
    await context.close();
  });
});
