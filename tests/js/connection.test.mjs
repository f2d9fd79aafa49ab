// The connection doctor and `d365-clm check`: against the sandbox what it can be brought to, else against answers by hand.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ScmClient } from "d365-clm";
import { createRelay, relayUrl } from "d365-clm/relay";
import { ENVIRONMENT, json, value } from "./fake-service.mjs";
import { LEGAL_ENTITIES, sandboxed, sandboxMissing, startSandbox } from "./sandbox.mjs";

const CLI = fileURLToPath(new URL("../../pkg/dist/cli/main.js", import.meta.url));
const skip = sandboxMissing();
const ready = { ID: 0, InstanceName: "Acme", EstablishmentStatus: "Success", ConfigurationStatus: "Success" };
const codes = (findings) => [...new Set(findings.map(({ code }) => code))].sort();
const jwt = (claims) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2lnbmF0dXJl`;

function cli(args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CLI, "check", ...args], { env: { ...process.env, ...env } });
    let [out, err] = ["", ""];
    child.stdout.on("data", (data) => {
      out += data;
    });
    child.stderr.on("data", (data) => {
      err += data;
    });
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

describe("against the sandbox", () => {
  let sandbox;
  before(async () => {
    if (skip) return;
    sandbox = await startSandbox({ seed: { LegalEntities: LEGAL_ENTITIES, CLMIntegrationServiceInstances: [ready] } });
  });
  after(() => sandbox?.stop());

  const diagnose = async (options) => {
    const scm = new ScmClient({ baseUrl: sandbox.baseUrl, retry: { attempts: 2, maxDelay: 10 }, ...options });
    try {
      return await scm.diagnose();
    } finally {
      scm.dispose();
    }
  };
  const getToken = () => sandbox.token();

  sandboxed("a healthy environment has remarks alone, and nothing of it is changed", async () => {
    const sent = [];
    const findings = await diagnose({
      getToken,
      fetch: (url, init) => {
        sent.push([init.method, new URL(url).pathname.split(".").at(-1)]);
        return fetch(url, init);
      },
    });
    assert.deepEqual(codes(findings), ["CONN-TRACKING-OFF"], JSON.stringify(findings));
    const vendors = findings.find(({ entity }) => entity === "Vendors V2");
    assert.deepEqual(
      { ...vendors, hint: vendors.hint.slice(0, 15) },
      {
        code: "CONN-TRACKING-OFF",
        severity: "info",
        message: "changes of Vendors V2 are not tracked",
        hint: "Data management",
        repairable: false,
        entity: "Vendors V2",
      },
    );
    assert.deepEqual(
      sent.filter(([method]) => method !== "GET"),
      [["POST", "GetAzureWriteUrl"]],
    );
    assert.deepEqual((await sandbox.control("runs")).length, 0);
  });

  sandboxed("an application without a row: what to fill in", async () => {
    const findings = await diagnose({ getToken: () => sandbox.token("unregistered") });
    assert.deepEqual(codes(findings), ["CONN-APP-NOT-REGISTERED"]);
    assert.match(findings[0].hint, /Microsoft Entra ID applications > New/);
    assert.ok(findings[0].hint.includes(`Client ID: ${sandbox.unregisteredClientId}.`), findings[0].hint);
  });

  sandboxed("a token for the address with a slash", async () => {
    const body = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: sandbox.clientId,
      client_secret: sandbox.clientSecret,
      scope: `${sandbox.baseUrl}//.default`,
    });
    const { access_token } = await (await fetch(sandbox.tokenUrl, { method: "POST", body })).json();
    const findings = await diagnose({ getToken: () => access_token });
    assert.deepEqual(codes(findings), ["CONN-TOKEN-AUDIENCE", "CONN-TOKEN-REJECTED"]);
    assert.ok(findings[0].message.includes(`"${sandbox.baseUrl}/"`));
    for (const part of access_token.split("."))
      assert.ok(!JSON.stringify(findings).includes(part), "the token is told");
  });

  sandboxed("a token of another tenant, which has expired", async () => {
    const token = jwt({ aud: sandbox.baseUrl, tid: "99999999-9999-9999-9999-999999999999", oid: "o", exp: 1_000_000 });
    const findings = await diagnose({ getToken: () => token });
    const found = codes(findings);
    assert.deepEqual(found, ["CONN-TOKEN-EXPIRED", "CONN-TOKEN-REJECTED", "CONN-TOKEN-TENANT"]);
    const { message } = findings.find(({ code }) => code === "CONN-TOKEN-TENANT");
    assert.ok(message.includes(sandbox.tenant), message);
  });

  sandboxed("no token, and one that the host can't get", async () => {
    assert.deepEqual(codes(await diagnose({})), ["CONN-TOKEN-REJECTED"]);
    const failing = () => Promise.reject(new Error("AADSTS7000222: the secret has expired"));
    const findings = await diagnose({ getToken: failing });
    assert.deepEqual(codes(findings), ["CONN-TOKEN-NONE"]);
    assert.match(findings[0].message, /AADSTS7000222/);
  });

  sandboxed("a data project that wants changes which are not tracked", async () => {
    const scm = new ScmClient({ baseUrl: sandbox.baseUrl, getToken });
    await scm.projects.ensure({
      name: "Sites-out",
      operation: "Export",
      entities: [{ entity: "Sites V2", refresh: "FullPush" }],
    });
    await scm
      .entity("DataManagementDefinitionGroupDetails")
      .update({ DefinitionGroupId: "Sites-out", EntityName: "Sites V2" }, { DefaultRefreshType: "IncrementalPush" });
    scm.dispose();
    const errors = (await diagnose({ getToken })).filter(({ severity }) => severity === "error");
    assert.deepEqual(
      errors.map(({ code, entity, message }) => [code, entity, message]),
      [
        [
          "CONN-TRACKING-OFF",
          "Sites V2",
          "the data project Sites-out exports changes of Sites V2, which are not tracked",
        ],
      ],
    );
  });

  sandboxed(
    "through the relay: all of it, and where the relay does not know the environment or the storage",
    async () => {
      const page = "https://app.acme-clm.example";
      const relay = (options) => {
        const handle = createRelay({
          environments: [sandbox.baseUrl],
          secret: "0123456789abcdef0123456789abcdef",
          origins: [page],
          ...options,
        });
        return (url, init) => {
          init.headers.set("origin", page);
          return handle(new Request(url, init));
        };
      };
      const rewriteUrl = relayUrl("https://host.example/relay");
      const relayOrigins = ["https://host.example", "https://nowhere.invalid"];
      const known = await diagnose({ getToken, rewriteUrl, relayOrigins, fetch: relay({}) });
      assert.ok(!known.some(({ code }) => /RELAY|STORAGE|TOKEN/.test(code)), JSON.stringify(known));
      const unknown = await diagnose({
        getToken,
        rewriteUrl,
        relayOrigins,
        fetch: relay({ environments: [ENVIRONMENT], resolve: false }),
      });
      assert.deepEqual(codes(unknown), ["CONN-RELAY"]);
      assert.match(unknown[0].message, /RELAY_TARGET/);
      // A relay for the rows alone: its storage is beside it.
      const own = (url) => (url.startsWith(sandbox.storageUrl) ? `https://nowhere.invalid/?${url}` : rewriteUrl(url));
      const fetchAll = relay({});
      const broken = await diagnose({
        getToken,
        rewriteUrl: own,
        relayOrigins,
        fetch: (url, init) => {
          if (!url.startsWith("https://nowhere")) return fetchAll(url, init);
          throw Object.assign(new TypeError("fetch failed"), { cause: { code: "ENOTFOUND" } });
        },
      });
      const storage = broken.filter(({ code }) => code === "CONN-STORAGE-UNREACHABLE");
      assert.equal(storage.length, 1);
      assert.ok(storage[0].message.includes(new URL(sandbox.storageUrl).host));
      assert.doesNotMatch(JSON.stringify(broken), /sig=[^<]/);
    },
  );

  sandboxed("on the command line", async () => {
    const command = ["--token-command", process.platform === "win32" ? "echo %TEST_TOKEN%" : 'printf %s "$TEST_TOKEN"'];
    const { token } = await sandbox.token("unregistered");
    const refused = await cli(["--url", sandbox.baseUrl, ...command], { TEST_TOKEN: token });
    assert.equal(refused.code, 2, refused.err);
    assert.match(refused.out, /^error {3}CONN-APP-NOT-REGISTERED {2}/);
    assert.match(refused.out, /1 error, 0 warnings, 0 remarks\n$/);
    assert.ok(!refused.out.includes(token.split(".")[1]));
    const good = await sandbox.token();
    const told = await cli(["--url", `${sandbox.baseUrl}/`, ...command, "--json"], { TEST_TOKEN: good.token });
    const report = JSON.parse(told.out);
    assert.ok(report.diagnostics.length > 0);
    const worst = report.diagnostics.some(({ severity }) => severity === "error") ? 2 : 0;
    assert.equal(told.code, worst);
  });
});

describe("against answers by hand", () => {
  const rows = (...all) => json({ value: all });
  const client = (answer, options) =>
    new ScmClient({
      baseUrl: ENVIRONMENT,
      getToken: () => "t0ken",
      retry: { attempts: 2, maxDelay: 10 },
      fetch: async (url, init) => {
        const { origin, pathname } = new URL(url);
        const anonymous = origin !== ENVIRONMENT || pathname === "/data";
        assert.equal(init.headers.get("authorization"), anonymous ? null : "Bearer t0ken", url);
        return answer({ url, method: init.method, path: pathname });
      },
      ...options,
    });
  /** A healthy service, but for what `fault` answers. */
  const found = async (fault, options) => {
    const scm = client((asked) => {
      const answer = fault(asked);
      if (answer) return answer;
      if (asked.url.startsWith("https://acct.blob")) return new Response("", { status: 404 });
      if (asked.method === "POST")
        return value(JSON.stringify({ BlobUrl: "https://acct.blob.core.windows.net/x?sig=s" }));
      if (asked.path.includes("ServiceInstances")) return rows(ready);
      return rows();
    }, options);
    try {
      return await scm.diagnose();
    } finally {
      scm.dispose();
    }
  };
  // The token of the stand-in is no JWT, and its list of data entities is empty.
  const usual = ["CONN-ENTITY-LIST", "CONN-TOKEN-UNREADABLE"];
  const more = (code) => [...usual, code].sort();

  test("a user without the role on one entity", async () => {
    const refuse = ({ path }) => path.endsWith("/CLMIntegrationContracts") && json({ error: {} }, 403);
    const findings = await found(refuse);
    assert.deepEqual(codes(findings), more("CONN-ROLE"));
    assert.equal(findings.find(({ code }) => code === "CONN-ROLE").entity, "CLMIntegrationContracts");
  });

  test("the feature is off", async () => {
    const findings = await found(({ path }) => path.includes("/CLMIntegration") && json({ error: {} }, 404));
    assert.deepEqual(codes(findings), more("CONN-FEATURE-OFF"));
    assert.match(findings.find(({ code }) => code === "CONN-FEATURE-OFF").hint, /Feature management/);
  });

  test("the network: names, certificates, other origins", async () => {
    for (const [cause, code] of [
      ["ENOTFOUND", "CONN-DNS"],
      ["SELF_SIGNED_CERT_IN_CHAIN", "CONN-TLS"],
      ["ECONNREFUSED", "CONN-UNREACHABLE"],
    ]) {
      const broken = () => {
        throw Object.assign(new TypeError("fetch failed"), { cause: { code: cause } });
      };
      assert.deepEqual(codes(await found(broken)), [code]);
    }
    globalThis.location = { origin: "https://page.example" };
    try {
      const blocked = () => {
        throw new TypeError("Failed to fetch");
      };
      assert.deepEqual(codes(await found(blocked)), ["CONN-CORS"]);
    } finally {
      delete globalThis.location;
    }
  });

  test("a Dataverse host is asked nothing", async () => {
    const nothing = () => assert.fail("asked");
    const findings = await found(nothing, { baseUrl: "https://contoso.crm4.dynamics.com" });
    assert.deepEqual(codes(findings), ["CONN-HOST-DATAVERSE"]);
  });

  test("a storage that refuses, a clock that is wrong", async () => {
    const refuse = ({ url }) => url.startsWith("https://acct.blob") && new Response("<Error/>", { status: 403 });
    assert.deepEqual(codes(await found(refuse)), more("CONN-STORAGE-REFUSED"));
    const headers = { date: new Date(Date.now() - 3_600_000).toUTCString(), "content-type": "application/json" };
    const late = ({ path }) => path.endsWith("/Currencies") && new Response('{"value":[]}', { headers });
    assert.deepEqual(codes(await found(late)), more("CONN-CLOCK"));
  });

  test("giving up", async () => {
    const controller = new AbortController();
    const scm = client(() => {
      controller.abort();
      return new Promise(() => {});
    });
    await assert.rejects(scm.diagnose({ signal: controller.signal }), { code: "ABORTED" });
    scm.dispose();
  });
});

test("a server that speaks no TLS", async () => {
  const server = createServer((_, response) => response.end());
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const scm = new ScmClient({
    baseUrl: `https://127.0.0.1:${server.address().port}`,
    getToken: () => "t",
    retry: { attempts: 2, maxDelay: 10 },
  });
  const [finding, ...more] = await scm.diagnose();
  assert.equal(more.length, 0);
  assert.match(finding.code, /^CONN-(TLS|UNREACHABLE)$/);
  scm.dispose();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test("wrong usage", async () => {
  for (const args of [[], ["--url", ENVIRONMENT], ["--token-command", "x"], ["--url", ENVIRONMENT, "--what"]]) {
    const { code, err } = await cli(args);
    assert.equal(code, 3, args.join(" "));
    assert.match(err, /d365-clm check --url URL --token-command CMD/);
  }
  const { code, err } = await cli(["--url", "contoso", "--token-command", "x"]);
  assert.equal(code, 3);
  assert.match(err, /INVALID_ARGUMENT/);
});
