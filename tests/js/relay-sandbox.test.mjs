// A page's jobs through the relay against the sandbox, whose storage is on loopback.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe } from "node:test";
import { ScmClient } from "d365-clm";
import { createRelay, relayUrl } from "d365-clm/relay";
import { nodeHandler } from "../../examples/relay/node.mjs";
import { LEGAL_ENTITIES, sandboxed, sandboxMissing, startSandbox } from "./sandbox.mjs";

const PAGE = "https://app.acme-clm.example";
const PUBLIC = "https://contoso.operations.dynamics.com";
const skip = sandboxMissing();

describe("the relay before the sandbox", () => {
  let sandbox;
  let front;
  /** What left the relay. */
  const sent = [];
  before(async () => {
    if (skip) return;
    sandbox = await startSandbox({ seed: { LegalEntities: LEGAL_ENTITIES } });
    const relay = createRelay({
      environments: [sandbox.baseUrl],
      secret: "0123456789abcdef0123456789abcdef",
      origins: [PAGE],
      authorize: () => sandbox.token(),
      fetch: (url, init) => {
        sent.push({ url, headers: Object.fromEntries(init.headers) });
        return fetch(url, init);
      },
    });
    const server = createServer(nodeHandler(relay));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    front = {
      url: `http://127.0.0.1:${server.address().port}/relay`,
      stop: () => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      },
    };
  });
  after(() => Promise.all([front?.stop(), sandbox?.stop()]));

  /** The page's client: it has no token, and its requests bear what a browser adds. */
  const page = (options = {}) =>
    new ScmClient({
      baseUrl: sandbox.baseUrl,
      company: "usmf",
      rewriteUrl: relayUrl(front.url),
      relayOrigins: [new URL(front.url).origin],
      fetch: (url, init) => {
        assert.ok(url.startsWith(front.url), "a page reaches nothing else");
        init.headers.set("origin", PAGE);
        return fetch(url, init);
      },
      ...options,
    });

  sandboxed("rows, an import in blocks, and an export, without a token in the page", async () => {
    const scm = page();
    const poll = { interval: 100, max: 200 };
    try {
      // More than one block of 4 MiB, which does not shrink.
      const random = () => Array.from({ length: 20 }, () => Math.random().toString(36).slice(2)).join("");
      const rows = Array.from({ length: 30_000 }, (_, i) => ({ Name: `T${i}`, Description: random() }));
      const spec = { name: "Types", entities: [{ entity: "CLM integration contract types", rows }] };
      const result = await scm.importPackage(spec, { project: "Types-in", poll }).done();
      assert.equal(result.entities[0].created, rows.length);
      assert.equal(await scm.entity("CLMIntegrationContractTypes").count(), rows.length);
      await scm.projects.ensure({
        name: "Types-out",
        operation: "Export",
        entities: [{ entity: "CLM integration contract types", refresh: "FullPush" }],
      });
      const exported = await scm.exportPackage({ project: "Types-out", poll }).done();
      let count = 0;
      for await (const batch of exported.package.entities[0].batches()) count += batch.length;
      assert.equal(count, rows.length);
    } finally {
      scm.dispose();
    }
    const stored = sent.filter(({ url }) => url.startsWith(sandbox.storageUrl));
    assert.ok(
      stored.some(({ url }) => url.includes("comp=blocklist")),
      "blocks were committed",
    );
    for (const { url, headers } of sent) {
      assert.ok(!url.includes("ticket"), "a ticket left the relay");
      assert.equal(headers.authorization !== undefined, !url.startsWith(sandbox.storageUrl));
    }
  });

  sandboxed("its storage without a ticket, or named by a public environment, is refused", async () => {
    const headers = { "x-d365-clm-relay": "1", origin: PAGE };
    const ask = (relay, target, init = {}) =>
      relay(new Request(relayUrl("https://h.example/r")(target), { headers, ...init }));
    const action = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.GetAzureWriteUrl";
    const { token } = await sandbox.token();
    const answer = await fetch(sandbox.baseUrl + action, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: '{"uniqueFileName":"a.zip"}',
    });
    const text = await answer.text();
    const { BlobUrl } = JSON.parse(JSON.parse(text).value);
    const settings = { secret: "0123456789abcdef0123456789abcdef", origins: [PAGE], resolve: false };
    const local = createRelay({ ...settings, environments: [sandbox.baseUrl, PUBLIC] });
    assert.equal((await ask(local, BlobUrl)).status, 403);
    // A public environment that answers the same words.
    const json = { "content-type": "application/json" };
    const lying = createRelay({
      ...settings,
      environments: [sandbox.baseUrl, PUBLIC],
      fetch: async () => new Response(text, { headers: json }),
    });
    const named = JSON.parse(
      JSON.parse(await (await ask(lying, PUBLIC + action, { method: "POST", body: "{}" })).text()).value,
    );
    assert.equal(named.BlobUrl, BlobUrl);
    assert.equal((await ask(local, named.BlobUrl)).status, 403);
    // A listener beside the sandbox.
    const other = new URL(sandbox.controlUrl).href;
    assert.equal((await ask(local, other)).status, 403);
  });

  sandboxed("a token that the service refuses becomes 401, not a redirect", async () => {
    const relay = createRelay({
      environments: [sandbox.baseUrl],
      secret: "0123456789abcdef0123456789abcdef",
      origins: [PAGE],
    });
    const target = relayUrl("https://h.example/r")(`${sandbox.baseUrl}/data/LegalEntities`);
    const response = await relay(new Request(target, { headers: { "x-d365-clm-relay": "1", origin: PAGE } }));
    assert.deepEqual([response.status, response.headers.get("location")], [401, null]);
    assert.equal(response.headers.get("x-d365-clm-relay"), "RELAY_REDIRECT");
  });
});
