// The contract life cycle against the sandbox: the three scenarios of the documentation, and every multi-step call killed after each
// request (carried out by the service or not) and repeated.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ScmClient } from "d365-clm";
import { all, caught, fakeService } from "./fake-service.mjs";
import { LEGAL_ENTITIES, sandboxed, sandboxMissing, startSandbox } from "./sandbox.mjs";

const AGREEMENTS = "CLMIntegrationPurchaseAgreements";
const LINES = "CLMIntegrationPurchaseAgreementLines";
const LINKS = "CLMIntegrationExternalNavigationLinks";
const VALUES = "CLMIntegrationExternalNavigationLinkKeyValues";
const good = { valid: true, unchecked: [], findings: [] };

const item = (ItemNumber) => ({ dataAreaId: "usmf", ItemNumber });
const seed = {
  LegalEntities: LEGAL_ENTITIES,
  VendorsV2: [{ dataAreaId: "usmf", VendorAccountNumber: "1001" }],
  CLMIntegrationReleasedProducts: [item("1000"), item("1001"), item("1002")],
};

const contract = (id, more = {}) => ({
  ContractId: id,
  ExternalContractId: `ext-${id}`,
  ContractType: "NDA",
  ContractStatus: "Draft",
  ContractName: `Contract ${id}`,
  EffectiveDate: new Date("2026-04-01T12:00:00Z"),
  AccountType: "Vend",
  AccountRelationId: "1001",
  AmendmentInProcess: "No",
  ...more,
});
const draft = (id, items = ["1000", "1001"]) => ({
  header: { ExternalContractId: id, AgreementVendorAccountNumber: "1001", DefaultCommitmentType: "ProductQuantity" },
  lines: items.map((ItemNumber) => ({ CommitmentType: "ProductQuantity", ItemNumber, CommittedQuantity: 10 })),
});
const setup = (name, path = "/contracts/view", query = { id: "%CLMIntegrationContractTable.ExternalContractId%" }) => ({
  instanceName: name,
  baseUrl: "https://acme-clm.example",
  links: [{ type: "ViewContract", name: "View contract", relativeUrl: path, open: "OpenInNewTab", query }],
});

describe("the contract life cycle", { skip: sandboxMissing() }, () => {
  let sandbox;
  let scm;
  before(async () => {
    sandbox = await startSandbox({ seed });
    scm = client();
    await scm.clm.contracts.syncTypes([{ name: "NDA", description: "Non-disclosure agreement" }, { name: "Purchase" }]);
  });
  after(async () => {
    scm?.dispose();
    await sandbox?.stop();
  });

  /** Dies with its request number `at`: before the service got it, or after. */
  function client({ at = 0, arrives = true, ...options } = {}) {
    let count = 0;
    return new ScmClient({
      baseUrl: sandbox.baseUrl,
      getToken: () => sandbox.token(),
      company: "usmf",
      retry: { attempts: 1 },
      fetch: async (...args) => {
        count += 1;
        if (count > at && at > 0) throw new TypeError("the process is gone");
        if (count === at && !arrives) throw new TypeError("the process is gone");
        const response = await fetch(...args);
        if (count === at) throw new TypeError("the process is gone");
        return response;
      },
      ...options,
    });
  }

  /** The call dies at every request of it; repeated, it must end well. Gives how many requests it takes. */
  async function killed(call, check) {
    for (let at = 1; ; at += 1) {
      let finished = false;
      for (const arrives of [false, true]) {
        const id = `K${at}${arrives ? "a" : "b"}`;
        const doomed = client({ at, arrives });
        const first = await call(doomed, id).then(
          () => "done",
          (error) => error.code,
        );
        doomed.dispose();
        assert.match(first, /^(done|NETWORK|OUTCOME_UNKNOWN)$/, `request ${at}`);
        check(await call(scm, id), id, await call(scm, id));
        finished ||= first === "done";
      }
      if (finished) return at - 1;
    }
  }

  const rows = (set, filter) => all(scm.entity(set).list({ filter }));

  sandboxed("a non-disclosure agreement", async () => {
    const { contracts, links } = scm.clm;
    const made = await contracts.create(contract("N1"));
    assert.equal(made.ExpirationDate, "1900-01-01T00:00:00Z");
    assert.equal(made.LegalEntityId, "usmf");
    for (const status of ["WaitingForApproval", "Approved", "WaitingForSignatures", "Executed"]) {
      await contracts.setStatus({ contractId: "N1" }, status);
      assert.equal((await contracts.get({ externalContractId: "ext-N1" })).ContractStatus, status);
    }
    assert.equal((await caught(contracts.setStatus({ contractId: "N1" }, "Signed"))).code, "INVALID_ARGUMENT");
    const lifeCycle = { Executed: ["Terminated", "Expired"] };
    const refused = await caught(contracts.setStatus({ contractId: "N1" }, "Draft", { lifeCycle }));
    assert.equal(refused.code, "CONFLICT");
    assert.match(refused.message, /Terminated, Expired may follow/);
    await contracts.setStatus({ contractId: "N1" }, "Expired", { lifeCycle });
    assert.equal(await contracts.get({ contractId: "none" }), undefined);
    assert.equal((await caught(contracts.setStatus({ contractId: "none" }, "Draft"))).code, "NOT_FOUND");
    const listed = await all(contracts.list({ filter: "ContractId eq 'N1'" }));
    assert.deepEqual(
      listed.map(({ ContractStatus }) => ContractStatus),
      ["Expired"],
    );
    const url = /^http:.*\?cmp=usmf&prt=initial&mi=display:CLMIntegrationContractTable&pageType=Details&q=.+/;
    assert.match(await links.contract({ contractId: "N1" }), url);
    assert.match(await links.contract({ externalContractId: "ext-N1" }), url);
    assert.match(await links.vendor("1001"), /mi=display:VendTable/);
    assert.equal(
      (await caught(contracts.create(contract("N2", { ContractType: "Nada" })))).message,
      "Contract type Nada was not found.",
    );
  });

  sandboxed("a purchase contract, its amendment and its termination", async () => {
    const { contracts, agreements, links } = scm.clm;
    await contracts.create(contract("P1", { ContractType: "Purchase" }));
    const wanted = draft("ext-PA1", ["1000", "1999"]);
    Object.assign(wanted.header, { ContractId: "P1", ContractLegalEntityId: "usmf" });
    assert.deepEqual(await agreements.validate(wanted), { valid: false, unchecked: ["header", "lines"], findings: [] });
    const refused = await agreements.create(wanted);
    assert.deepEqual(refused.validation.findings, [
      { line: 2, field: "ItemNumber", message: "Item number 1999 was not found." },
    ]);
    const held = await agreements.get({ externalContractId: "ext-PA1" });
    assert.equal(held.header.AgreementStatus, "OnHold");
    assert.equal(held.header.AgreementOwnership, "CLM");
    assert.deepEqual(held.lines, []);
    // Validated while it waits for approval and signature.
    const on = { agreementId: refused.agreementId };
    wanted.lines[1].ItemNumber = "1001";
    assert.deepEqual(await agreements.validate(wanted, { on }), good);
    for (const status of ["WaitingForApproval", "WaitingForSignatures", "Executed"]) {
      await contracts.setStatus({ contractId: "P1" }, status);
    }
    assert.deepEqual(await agreements.create(wanted), { ...on, validation: good });
    const made = await agreements.get(on);
    assert.equal(made.header.AgreementStatus, "Effective");
    assert.deepEqual(
      made.lines.map(({ LineNumber, ItemNumber }) => [LineNumber, ItemNumber]),
      [
        ["1", "1000"],
        ["2", "1001"],
      ],
    );
    assert.match(await links.agreement(on), /mi=display:PurchAgreementDetails/);
    assert.match(await links.agreement({ externalContractId: "ext-PA1" }), /mi=display:PurchAgreementDetails/);
    // What get gives changes nothing.
    assert.deepEqual(await agreements.amend(on, made), { changed: [], validation: good });

    await contracts.update({ contractId: "P1" }, { LatestAmendmentId: "A1", AmendmentInProcess: "Yes" });
    made.lines[0].CommittedQuantity = "20.5";
    made.lines[1] = { LineNumber: 3, CommitmentType: "ProductQuantity", ItemNumber: "1999" };
    assert.equal((await agreements.amend(on, made)).validation.findings[0].line, 2);
    assert.equal((await agreements.get(on)).lines[0].CommittedQuantity, "10");
    made.lines[1].ItemNumber = "1002";
    assert.deepEqual(await agreements.amend(on, made), {
      changed: ["line 1.CommittedQuantity", "line 3 (new)", "line 2 (deleted)"],
      validation: good,
    });
    const amended = await agreements.get(on);
    assert.deepEqual(
      amended.lines.map(({ LineNumber }) => LineNumber),
      ["1", "3"],
    );
    await contracts.update({ contractId: "P1" }, { AmendmentInProcess: "No" });

    await contracts.setStatus({ contractId: "P1" }, "Terminated");
    await agreements.close(on);
    await agreements.close(on);
    assert.equal((await agreements.get(on)).header.AgreementStatus, "Closed");
    assert.equal((await caught(agreements.create(wanted))).code, "CONFLICT");
    assert.equal((await caught(agreements.close({ contractId: "P1" }))).code, "INVALID_ARGUMENT");
  });

  sandboxed("every generation of validation entities is recognised", async () => {
    const wrong = draft("ext-V", ["1999", "1000", "1999"]);
    const findings = [1, 3].map((line) => ({ line, field: "ItemNumber", message: "Item number 1999 was not found." }));
    try {
      for (const validation of ["newer", "older"]) {
        await sandbox.control("settings", { method: "POST", body: JSON.stringify({ validation }) });
        const told = await scm.clm.agreements.create(wrong);
        assert.deepEqual(told.validation, { valid: false, unchecked: [], findings }, validation);
        assert.deepEqual((await scm.clm.agreements.get({ externalContractId: "ext-V" })).lines, []);
      }
      await sandbox.control("settings", { method: "POST", body: JSON.stringify({ validation: "absent" }) });
      const { agreementId, validation } = await scm.clm.agreements.create(wrong);
      // The change set refuses, all or nothing.
      assert.deepEqual(validation.findings, findings.slice(0, 1));
      // The header does not differ: there is nothing to check of it.
      const unchecked = await scm.clm.agreements.validate(draft("ext-V"), { on: { agreementId } });
      assert.deepEqual(unchecked, { valid: false, unchecked: ["lines"], findings: [] });
      assert.deepEqual(await rows(LINES, `PurchaseAgreementId eq '${agreementId}'`), []);
    } finally {
      await sandbox.control("settings", { method: "POST", body: JSON.stringify({ validation: "newer" }) });
    }
  });

  sandboxed("a contract is made once, wherever the process dies", async () => {
    const steps = await killed(
      (on, id) => on.clm.contracts.create(contract(id)),
      (made, id, again) => {
        assert.equal(made.ContractId, id);
        assert.deepEqual(again, made);
      },
    );
    assert.equal(steps, 3);
    const made = await rows("CLMIntegrationContracts", "ContractId eq 'K*'");
    assert.equal(new Set(made.map(({ ContractId }) => ContractId)).size, made.length);
  });

  sandboxed("an agreement is made once and whole, wherever the process dies", async () => {
    const steps = await killed(
      (on, id) => on.clm.agreements.create(draft(id)),
      (made, _, again) => {
        assert.deepEqual(made.validation, good);
        assert.deepEqual(again, made);
      },
    );
    // Look, header, its lines, service document, validation, change set, effective.
    assert.equal(steps, 7);
    const headers = await rows(AGREEMENTS, "ExternalContractId eq 'K*'");
    assert.equal(new Set(headers.map(({ ExternalContractId }) => ExternalContractId)).size, headers.length);
    for (const { AgreementStatus, PurchaseAgreementId } of headers) {
      assert.equal(AgreementStatus, "Effective");
      assert.equal((await rows(LINES, `PurchaseAgreementId eq '${PurchaseAgreementId}'`)).length, 2);
    }
  });

  sandboxed("an amendment is there once, wherever the process dies", async () => {
    const ids = new Map();
    const steps = await killed(
      async (on, id) => {
        if (!ids.has(id)) ids.set(id, (await scm.clm.agreements.create(draft(`M-${id}`))).agreementId);
        const wanted = { header: { DocumentTitle: "Amended" }, lines: [{ LineNumber: 1, CommittedQuantity: 5 }] };
        return on.clm.agreements.amend({ agreementId: ids.get(id) }, wanted);
      },
      (made, _, again) => {
        assert.equal(made.validation.valid, true);
        assert.deepEqual(again.changed, []);
      },
    );
    // Look, its lines, service document, validation, change set.
    assert.equal(steps, 5);
    for (const agreementId of ids.values()) {
      const { header, lines } = await scm.clm.agreements.get({ agreementId });
      assert.deepEqual(
        [header.DocumentTitle, lines.map(({ CommittedQuantity }) => CommittedQuantity)],
        ["Amended", ["5"]],
      );
    }
  });

  sandboxed("contract types: killed anywhere, each is there once", async () => {
    await killed(
      (on, id) => on.clm.contracts.syncTypes([{ name: `${id}-1`, description: "first" }, { name: `${id}-2` }]),
      (_, __, again) => assert.deepEqual(again, { created: 0, updated: 0 }),
    );
    const name = { name: "NDA", description: "Confidential" };
    assert.deepEqual(await scm.clm.contracts.syncTypes([name]), { created: 0, updated: 1 });
  });
});

describe("the connection", { skip: sandboxMissing() }, () => {
  sandboxed("the handshake, killed after every request, ends the same; and says what it changed", async () => {
    let steps = 0;
    for (let at = 1; steps === 0; at += 1) {
      const sandbox = await startSandbox({ seed });
      try {
        const make = (options) =>
          new ScmClient({
            baseUrl: sandbox.baseUrl,
            getToken: () => sandbox.token(),
            retry: { attempts: 1 },
            ...options,
          });
        const scm = make();
        const none = { establishment: "NotStarted", configuration: "NotStarted" };
        assert.deepEqual(await scm.clm.connection.status(), none);
        let count = 0;
        const doomed = make({
          fetch: async (...args) => {
            count += 1;
            if (count > at) throw new TypeError("gone");
            const response = await fetch(...args);
            if (count === at) throw new TypeError("gone");
            return response;
          },
        });
        const first = await doomed.clm.connection.establish(setup("Acme")).catch((error) => error.code);
        if (first.changed) steps = count;
        // Only the last of the writes makes it ready.
        const half = (await scm.clm.connection.status()).configuration;
        assert.equal(half, at >= 8 ? "Success" : "NotStarted", `request ${at}`);
        await scm.clm.connection.establish(setup("Acme"));
        assert.deepEqual(await scm.clm.connection.establish(setup("Acme")), { changed: [] });
        const ready = { establishment: "Success", configuration: "Success", instanceName: "Acme" };
        assert.deepEqual(await scm.clm.connection.status(), ready);
        assert.equal((await all(scm.entity(LINKS).list())).length, 1);
        assert.equal((await all(scm.entity(VALUES).list())).length, 1);
        doomed.dispose();
        scm.dispose();
      } finally {
        await sandbox.stop();
      }
    }
    assert.equal(steps, 8);
  });

  sandboxed("links are changed by the key of the tenant's own metadata, or it is told why not", async () => {
    const sandbox = await startSandbox({ seed });
    const options = { baseUrl: sandbox.baseUrl, getToken: () => sandbox.token() };
    const scm = new ScmClient(options);
    const schema = await scm.metadata({ collections: [LINKS, VALUES] });
    const own = new ScmClient({ ...options, schema });
    try {
      await scm.clm.connection.establish(setup("Acme"));
      const error = await caught(own.clm.connection.establish(setup("Acme", "/v2")));
      assert.equal(error.code, "CONFLICT");
      assert.match(error.hint, /External navigation links/);
      assert.equal((await scm.clm.connection.status()).configuration, "Error");
      await sandbox.control("settings", { method: "POST", body: JSON.stringify({ enumKeys: "found" }) });
      assert.deepEqual(await own.clm.connection.establish(setup("Acme", "/v2", { no: "%X.Y%" })), {
        changed: [
          "ViewContract.RelativeURL",
          "ViewContract?no (new)",
          "ViewContract?id (deleted)",
          "ConfigurationStatus",
        ],
      });
      assert.deepEqual(
        (await all(scm.entity(VALUES).list())).map(({ Key }) => Key),
        ["no"],
      );
    } finally {
      own.dispose();
      scm.dispose();
      await sandbox.stop();
    }
  });
});

test("what can't be meant is refused before anything is sent", async () => {
  const { scm, asked } = fakeService(() => assert.fail("nothing is to be sent"));
  const { contracts, agreements, connection, links } = scm.clm;
  const calls = {
    "no company": contracts.get({ contractId: "C1" }),
    "no id": contracts.get({ company: "usmf" }),
    "two ids": contracts.get({ contractId: "C1", externalContractId: "X", company: "usmf" }),
    "an agreement's id": contracts.get({ agreementId: "1", company: "usmf" }),
    "no contract": contracts.create(undefined),
    "no number": contracts.create({ dataAreaId: "usmf" }),
    "a type twice": contracts.syncTypes([{ name: "A" }, { name: "a" }]),
    "no draft": agreements.create(undefined),
    "no lines": agreements.create({ header: { dataAreaId: "usmf", ExternalContractId: "1" } }),
    "no external id": agreements.create({ header: { dataAreaId: "usmf" }, lines: [] }),
    "two companies": agreements.amend({ agreementId: "1", company: "demf" }, draftOf("usmf")),
    "no base URL": connection.establish({ instanceName: "A", baseUrl: "acme", links: [] }),
    "a word of no enum": connection.establish({
      ...setup("A"),
      links: [{ ...setup("A").links[0], open: "Elsewhere" }],
    }),
    "no account": links.vendor("", "usmf"),
  };
  for (const [what, call] of Object.entries(calls)) {
    assert.equal((await caught(call)).code, "INVALID_ARGUMENT", what);
  }
  assert.deepEqual(asked, []);
  scm.dispose();
});

const draftOf = (dataAreaId) => ({ header: { dataAreaId }, lines: [] });

test("a signal ends a call between its requests", async () => {
  const controller = new AbortController();
  const { scm, asked } = fakeService(
    () => {
      controller.abort();
      return new Response('{"value":[]}', { headers: { "content-type": "application/json" } });
    },
    { company: "usmf" },
  );
  const error = await caught(scm.clm.contracts.create(contract("C1"), { signal: controller.signal }));
  assert.equal(error.code, "ABORTED");
  assert.equal(asked.length, 1);
  scm.dispose();
});
