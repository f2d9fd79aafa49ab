// The relay: who may ask, for what, and what comes back. The first table is one of attacks.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { createRelay, relayUrl } from "d365-clm/relay";
import { functionHandler } from "../../examples/relay/function.mjs";
import { nodeHandler } from "../../examples/relay/node.mjs";
import worker from "../../examples/relay/worker.mjs";

const ENV = "https://contoso.operations.dynamics.com";
const ON_PREMISES = "https://ax.fabrikam.example/namespaces/AXSF";
const SANDBOX = "http://127.0.0.1:8080";
const STORAGE = "https://contoso.blob.core.windows.net";
const PAGE = "https://app.acme-clm.example";
const secret = "0123456789abcdef0123456789abcdef";
const ACTION = "DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.";
const TICKET = /[?&]x-d365-clm-ticket=([A-Za-z0-9._-]+)/;

/** A relay over a made-up net: `answer(url, init)`. */
function relayed(options = {}, answer = () => new Response("{}", { headers: { "content-type": "application/json" } })) {
  const sent = [];
  const relay = createRelay({
    environments: [ENV, ON_PREMISES],
    secret,
    resolve: async () => ["52.239.1.1"],
    fetch: async (url, init) => {
      sent.push({ url, ...init });
      return answer(url, init);
    },
    ...options,
  });
  const ask = (target, { headers = {}, ...init } = {}) =>
    relay(
      new Request(relayUrl("https://host.example/relay")(target), {
        ...init,
        headers: Object.entries({ "x-d365-clm-relay": "1", "sec-fetch-site": "same-origin", ...headers }).filter(
          ([, text]) => text !== null,
        ),
      }),
    );
  return { relay, ask, sent };
}
const json = (value) => new Response(JSON.stringify(value), { headers: { "content-type": "application/json" } });
const post = { method: "POST", body: "{}", duplex: "half" };

/** The URL that an action of `environment` hands out through the relay, with its ticket where it gets one. */
async function handedOut(url, { environment = ENV, action = "GetExportedPackageUrl", ...options } = {}) {
  const value = action === "GetAzureWriteUrl" ? JSON.stringify({ BlobId: "{1}", BlobUrl: url }) : url;
  const { ask } = relayed(options, () => json({ value }));
  const answer = await (await ask(`${environment}/data/${ACTION}${action}`, post)).json();
  return action === "GetAzureWriteUrl" ? JSON.parse(answer.value).BlobUrl : answer.value;
}

/** [what, target, code, options of the relay] */
const ATTACKS = [
  ["another host", "https://evil.example/data/X", "RELAY_TARGET"],
  ["a host that begins alike", "https://contoso.operations.dynamics.com.evil.example/data/X", "RELAY_TARGET"],
  ["a host that ends alike", "https://evilcontoso.operations.dynamics.com/data/X", "RELAY_TARGET"],
  ["a host below", "https://a.contoso.operations.dynamics.com/data/X", "RELAY_TARGET"],
  ["a trailing dot", "https://contoso.operations.dynamics.com./data/X", "RELAY_URL"],
  ["user info", "https://contoso.operations.dynamics.com@evil.example/data/X", "RELAY_URL"],
  ["user info before the right host", "https://u:p@contoso.operations.dynamics.com/data/X", "RELAY_URL"],
  ["an escaped at sign", "https://contoso.operations.dynamics.com%40evil.example/data/X", "RELAY_URL"],
  ["an unlisted port", "https://contoso.operations.dynamics.com:8443/data/X", "RELAY_TARGET"],
  ["the standard port spelled out", "https://contoso.operations.dynamics.com:443/data/X", "RELAY_TARGET"],
  ["plain http", "http://contoso.operations.dynamics.com/data/X", "RELAY_TARGET"],
  ["another scheme", "file:///etc/passwd", "RELAY_URL"],
  ["data", "data:text/html,x", "RELAY_URL"],
  ["no scheme", "//contoso.operations.dynamics.com/data/X", "RELAY_URL"],
  ["a relative URL", "/data/X", "RELAY_URL"],
  ["a wrong path", `${ENV}/admin`, "RELAY_TARGET"],
  ["the root", `${ENV}/`, "RELAY_TARGET"],
  ["a path that begins alike", `${ENV}/database/X`, "RELAY_TARGET"],
  ["dot segments", `${ENV}/data/../admin`, "RELAY_URL"],
  ["a dot segment at the end", `${ENV}/data/..`, "RELAY_URL"],
  ["escaped dots", `${ENV}/data/%2e%2e/admin`, "RELAY_URL"],
  ["half escaped dots", `${ENV}/data/.%2E/admin`, "RELAY_URL"],
  ["an escaped slash", `${ENV}/data/..%2fadmin`, "RELAY_URL"],
  ["dots escaped twice", `${ENV}/data/%252e%252e/admin`, "RELAY_URL"],
  ["a slash escaped twice", `${ENV}/data/..%252fadmin`, "RELAY_URL"],
  ["dots with a path parameter", `${ENV}/data/..;x/admin`, "RELAY_URL"],
  ["a backslash", `${ENV}/data\\..\\admin`, "RELAY_URL"],
  ["an escaped backslash", `${ENV}/data/..%5cadmin`, "RELAY_URL"],
  ["a backslash as host end", "https://evil.example\\@contoso.operations.dynamics.com/data/X", "RELAY_URL"],
  ["a malformed escape", `${ENV}/data/%zz`, "RELAY_URL"],
  ["an escaped null", `${ENV}/data/%00`, "RELAY_URL"],
  ["a tab", "https://contoso.operations.dynamics.com/da\tta/X", "RELAY_URL"],
  ["a line end", `${ENV}/data/X\r\nHost: evil.example`, "RELAY_URL"],
  ["a fragment", `${ENV}/data/X#@evil.example`, "RELAY_URL"],
  ["letters that look alike", "https://contoso.operations.dynamics.c\u043em/data/X", "RELAY_URL"],
  ["a fullwidth host", "https://\uff43ontoso.operations.dynamics.com/data/X", "RELAY_URL"],
  ["the on-premises host without its path", "https://ax.fabrikam.example/data/X", "RELAY_TARGET"],
  ["out of the on-premises path", `${ON_PREMISES}/../OTHER/data/X`, "RELAY_URL"],
  ["another namespace", "https://ax.fabrikam.example/namespaces/AXSFX/data/X", "RELAY_TARGET"],
  ["unlisted loopback", "http://127.0.0.1:8080/data/X", "RELAY_TARGET"],
  ["unlisted loopback over https", "https://localhost/data/X", "RELAY_TARGET"],
  ["unlisted IPv6 loopback", "http://[::1]:8080/data/X", "RELAY_TARGET"],
  [
    "another port of the sandbox's machine",
    "http://127.0.0.1:6379/data/X",
    "RELAY_TARGET",
    { environments: [SANDBOX] },
  ],
  ["another name of the sandbox", "http://localhost:8080/data/X", "RELAY_TARGET", { environments: [SANDBOX] }],
  ["the metadata service", "http://169.254.169.254/metadata/instance", "RELAY_TARGET"],
  ["an address as a number", "https://2130706433/data/X", "RELAY_URL"],
  ["an address in hex", "https://0x7f.1/data/X", "RELAY_URL"],
  ["a mapped address", "https://[::ffff:127.0.0.1]/data/X", "RELAY_URL"],
  ["storage without a ticket", `${STORAGE}/dmf/x.zip?sig=s`, "RELAY_TARGET"],
  [
    "storage with a made-up ticket",
    `${STORAGE}/dmf/x.zip?x-d365-clm-ticket=r.99999999999999.${"A".repeat(43)}`,
    "RELAY_TICKET",
  ],
  ["storage with an empty ticket", `${STORAGE}/dmf/x.zip?x-d365-clm-ticket=`, "RELAY_TICKET"],
  ["an environment with a ticket and a wrong path", `${ENV}/admin?x-d365-clm-ticket=r.9.x`, "RELAY_TICKET"],
  [
    "a listed blob host over http",
    "http://contoso.blob.core.windows.net/x",
    "RELAY_TARGET",
    { blobHosts: ["contoso.blob.core.windows.net"] },
  ],
  [
    "a listed blob host with a port",
    `${STORAGE}:444/x`,
    "RELAY_TARGET",
    { blobHosts: ["contoso.blob.core.windows.net"] },
  ],
  ["a name that leads inside", `${ENV}/data/X`, "RELAY_PRIVATE", { resolve: async () => ["52.1.1.1", "10.1.2.3"] }],
  [
    "a name that leads to the metadata service",
    `${ENV}/data/X`,
    "RELAY_PRIVATE",
    { resolve: async () => ["169.254.169.254"] },
  ],
  ["a name that leads to loopback", `${ENV}/data/X`, "RELAY_PRIVATE", { resolve: async () => ["::1"] }],
  [
    "a name that leads to mapped loopback",
    `${ENV}/data/X`,
    "RELAY_PRIVATE",
    { resolve: async () => ["::ffff:127.0.0.1"] },
  ],
];

describe("attacks", () => {
  for (const [what, target, code, options] of ATTACKS) {
    test(what, async () => {
      const { ask, sent } = relayed(options);
      const response = await ask(target);
      assert.deepEqual([response.status, response.headers.get("x-d365-clm-relay")], [403, code]);
      assert.equal(sent.length, 0, "nothing was sent");
    });
  }

  test("two URLs, none, and one besides the parameter", async () => {
    const { relay, sent } = relayed();
    for (const query of ["", `?url=${ENV}/data/X&url=https://evil.example`, `/${ENV}/data/X`]) {
      const headers = { "x-d365-clm-relay": "1", "sec-fetch-site": "same-origin" };
      assert.equal((await relay(new Request(`https://host.example/relay${query}`, { headers }))).status, 403, query);
    }
    assert.equal(sent.length, 0);
  });

  /** [what, headers, passes, origins] */
  const callers = [
    ["no header of the relay", { "x-d365-clm-relay": "" }, false],
    ["another value of it", { "x-d365-clm-relay": "true" }, false],
    ["nothing of the browser", { "sec-fetch-site": null }, false],
    ["an empty word of the browser", { "sec-fetch-site": "" }, false],
    ["the relay's own origin, of an old browser", { "sec-fetch-site": null, origin: "https://host.example" }, true],
    ["another origin of an old browser", { "sec-fetch-site": null, origin: "https://evil.example" }, false],
    ["its http sister", { "sec-fetch-site": null, origin: "http://host.example" }, false],
    ["a sibling that claims it", { "sec-fetch-site": "same-site", origin: "https://host.example" }, false],
    ["a page elsewhere", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }, false],
    ["a page of the same site", { "sec-fetch-site": "same-site", origin: "https://other.host.example" }, false],
    ["a link", { "sec-fetch-site": "none" }, false],
    ["a frame without origin", { origin: "null" }, false],
    ["a navigation", { "sec-fetch-dest": "document" }, false],
    ["a script", { "sec-fetch-dest": "script" }, false],
    ["the page's own", { "sec-fetch-dest": "empty" }, true],
    ["a listed page", { "sec-fetch-site": "cross-site", origin: PAGE }, true, [PAGE]],
    ["a listed page of an old browser", { "sec-fetch-site": null, origin: PAGE }, true, [PAGE]],
    [
      "a page that ends like a listed one",
      { "sec-fetch-site": "cross-site", origin: `${PAGE}.evil.example` },
      false,
      [PAGE],
    ],
    [
      "a listed page's http sister",
      { "sec-fetch-site": "cross-site", origin: PAGE.replace("https", "http") },
      false,
      [PAGE],
    ],
  ];
  for (const [what, headers, passes, origins = []] of callers) {
    test(`caller: ${what}`, async () => {
      const { ask, sent } = relayed({ origins });
      const response = await ask(`${ENV}/data/X`, { headers });
      assert.equal(response.status, passes ? 200 : 403);
      if (!passes) assert.equal(response.headers.get("x-d365-clm-relay"), "RELAY_ORIGIN");
      assert.equal(sent.length, passes ? 1 : 0);
    });
  }
});

describe("what is reached", () => {
  const reached = [
    `${ENV}/data/VendorsV2?$filter=Name%20eq%20%27a%2Bb%27&cross-company=true`,
    `${ENV}/DATA/VendorsV2`,
    `${ENV}/data`,
    `${ENV}/metadata/DataEntities`,
    `${ENV}/Metadata/DataEntities`,
    `${ENV}/api/connector/enqueue/1?entity=Vendors%20V2`,
    `${ENV}/data/Currencies(CurrencyCode='a%2Fb')`,
    `${ENV}/data/Currencies(CurrencyCode='50%25')`,
    `${ENV}/data/$batch`,
    `${ON_PREMISES}/data/X`,
  ];
  for (const target of reached) {
    test(target, async () => {
      const { ask, sent } = relayed();
      assert.equal((await ask(target)).status, 200);
      assert.deepEqual(
        sent.map(({ url }) => url),
        [new URL(target).href],
      );
    });
  }

  test("ports and addresses that are written in the lists", async () => {
    const options = {
      environments: ["https://10.0.0.5:8443", `${ENV}:443`, SANDBOX],
      blobHosts: ["10.0.0.6", "store.example:8443"],
    };
    for (const target of [
      "https://10.0.0.5:8443/data/X",
      `${ENV}:443/data/X`,
      `${SANDBOX}/data/X`,
      "https://10.0.0.6/c/x",
      "https://store.example:8443/c/x",
    ]) {
      const { ask } = relayed(options);
      assert.equal((await ask(target)).status, 200, target);
    }
    assert.equal((await relayed(options).ask("https://10.0.0.5/data/X")).status, 403);
    assert.equal((await relayed(options).ask("https://store.example/c/x")).status, 403);
  });

  test("other paths, where the host says so", async () => {
    const { ask } = relayed({ paths: ["/api/services"] });
    assert.equal((await ask(`${ENV}/api/Services/Group/Service`)).status, 200);
    assert.equal((await ask(`${ENV}/data/X`)).status, 403);
  });

  test("addresses of the public net, and those that are not", async () => {
    const status = async (address) => (await relayed({ resolve: async () => [address] }).ask(`${ENV}/data/X`)).status;
    for (const address of [
      ...[
        "52.239.1.1",
        "172.15.255.255",
        "172.32.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "168.63.129.15",
        "223.255.255.255",
      ],
      ...["2603:1030::1", "::ffff:52.239.1.1", "64:ff9b::52.239.1.1", "2002:34ef:101::1"],
    ]) {
      assert.equal(await status(address), 200, address);
    }
    for (const address of [
      ...["0.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "169.254.169.254", "172.16.0.0"],
      ...["172.31.255.255", "192.168.1.1", "198.19.255.255", "224.0.0.1", "255.255.255.255", "168.63.129.16"],
      ...["::", "::1", "fc00::1", "fdff::1", "fe80::1", "fe80::1%eth0", "ff02::1", "2001:db8::1", "2001::1"],
      ...["::ffff:10.0.0.1", "::ffff:a00:1", "64:ff9b::10.0.0.1", "2002:a00:1::1", "::10.0.0.1"],
      ...["localhost", "", "1.2.3", "1.2.3.256", "::x"],
    ]) {
      assert.equal(await status(address), 403, address);
    }
    const none = relayed({ resolve: async () => [] });
    assert.equal((await none.ask(`${ENV}/data/X`)).status, 502);
  });

  test("a sandbox is not asked for its addresses, and no check is made where the host wants none", async () => {
    const resolve = async () => assert.fail("asked");
    assert.equal((await relayed({ environments: [SANDBOX], resolve }).ask(`${SANDBOX}/data/X`)).status, 200);
    assert.equal((await relayed({ resolve: false }).ask(`${ENV}/data/X`)).status, 200);
    const lost = relayed({ resolve: () => Promise.reject(new Error("ENOTFOUND")) });
    assert.equal((await lost.ask(`${ENV}/data/X`)).status, 502);
    assert.equal(lost.sent.length, 0);
  });
});

describe("tickets", () => {
  const blob = `${STORAGE}/dmf/x.zip?sv=2014-02-14&sig=a%2Bb%3D`;

  test("the URL of an action is readable by its ticket, which the storage never sees", async () => {
    for (const action of ["GetExportedPackageUrl", "GetImportStagingErrorFileUrl", "GetImportTargetErrorKeysFileUrl"]) {
      const url = await handedOut(blob, { action });
      assert.ok(url.startsWith(blob) && TICKET.test(url), url);
      const { ask, sent } = relayed({}, () => new Response("PK", { headers: { "content-type": "application/zip" } }));
      const headers = { authorization: "Bearer t0ken", "x-ms-range": "bytes=0-1" };
      assert.equal(await (await ask(url, { headers })).text(), "PK");
      assert.equal(sent[0].url, blob);
      assert.deepEqual(Object.fromEntries(sent[0].headers), { "x-ms-range": "bytes=0-1" });
    }
  });

  test("of an upload: blocks, their list, and nothing else", async () => {
    const url = await handedOut(blob, { action: "GetAzureWriteUrl" });
    const put = { method: "PUT", body: "x", duplex: "half" };
    const cases = [
      [url, put, 200],
      [`${url}&comp=block&blockid=MQ%3D%3D`, put, 200],
      [`${url}&comp=blocklist`, put, 200],
      [`${url}&comp=blocklist&blocklisttype=uncommitted`, {}, 200],
      [url, { method: "DELETE" }, 403],
      [url, { method: "PATCH" }, 403],
      [`${url}&comp=metadata`, put, 403],
      [`${url}&comp=block&comp=acl`, put, 403],
      [`${url}&restype=container`, {}, 403],
    ];
    for (const [target, init, status] of cases) {
      const { ask, sent } = relayed();
      assert.equal((await ask(target, init)).status, status, `${init.method ?? "GET"} ${target}`);
      assert.equal(sent[0]?.url.includes("ticket") ?? false, false);
    }
  });

  test("are of one blob, host, verb, time and secret", async () => {
    const url = await handedOut(blob);
    const [, ticket] = TICKET.exec(url);
    const [, expires, mac] = ticket.split(".");
    const other = (change) => url.replace(ticket, change);
    const cases = {
      "another blob": url.replace("x.zip", "y.zip"),
      "another case of it": url.replace("x.zip", "X.zip"),
      "another account": url.replace("contoso.blob", "evil.blob"),
      "another host": url.replace(STORAGE, "https://evil.example"),
      "an inner host": url.replace(STORAGE, "http://169.254.169.254"),
      "reading as writing": other(`w.${expires}.${mac}`),
      "a longer life": other(`r.${Number(expires) + 1}.${mac}`),
      "a changed signature": other(`r.${expires}.${(mac[0] === "A" ? "B" : "A") + mac.slice(1)}`),
      "no signature": other(`r.${expires}.`),
      "no life": other(`r..${mac}`),
      "two tickets": `${url}&x-d365-clm-ticket=${ticket}`,
      "more behind it": other(`${ticket}.x`),
    };
    for (const [what, target] of Object.entries(cases)) {
      const { ask, sent } = relayed();
      const response = await ask(target);
      assert.deepEqual([response.status, response.headers.get("x-d365-clm-relay")], [403, "RELAY_TICKET"], what);
      assert.equal(sent.length, 0);
    }
    const put = { method: "PUT", body: "x", duplex: "half" };
    assert.equal((await relayed().ask(url, put)).status, 403, "a ticket for reading does not write");
    assert.equal((await relayed({ secret: "another secret of the host" }).ask(url)).status, 403, "another secret");
    assert.equal((await relayed().ask(url)).status, 200, "the same ticket unchanged, at another instance");
  });

  test("end after an hour", async (t) => {
    const url = await handedOut(blob);
    const issued = Number(TICKET.exec(url)[1].split(".")[1]) - 3_600_000;
    t.mock.timers.enable({ apis: ["Date"], now: issued + 3_599_999 });
    assert.equal((await relayed().ask(url)).status, 200);
    t.mock.timers.setTime(issued + 3_600_000);
    assert.equal((await relayed().ask(url)).status, 403);
  });

  test("none for what a public environment can't mean", async () => {
    for (const url of [
      "http://127.0.0.1:10000/devstoreaccount1/dmf/x.zip?sig=s",
      "https://127.0.0.1/dmf/x.zip?sig=s",
      "https://localhost:10000/x?sig=s",
      "https://blob.localhost/x?sig=s",
      "http://contoso.blob.core.windows.net/dmf/x.zip?sig=s",
      "https://contoso.blob.core.windows.net:8443/x?sig=s",
      "https://52.239.1.1/x?sig=s",
      "https://[2603::1]/x?sig=s",
      "https://metadata.google.internal/x?sig=s",
      "https://server/x?sig=s",
      "https://u@contoso.blob.core.windows.net/x?sig=s",
      "",
    ]) {
      assert.equal(await handedOut(url, { environments: [ENV, SANDBOX] }), url);
      assert.equal((await relayed({ environments: [ENV, SANDBOX] }).ask(url)).status, 403, url);
    }
  });

  test("for loopback storage by an environment on loopback alone, at a relay that has one", async () => {
    const url = "http://127.0.0.1:10000/devstoreaccount1/dmf/x.zip?sig=s";
    const environments = [ENV, SANDBOX];
    const signed = await handedOut(url, { environment: SANDBOX, environments });
    assert.match(signed, TICKET);
    assert.equal((await relayed({ environments }).ask(signed)).status, 200);
    assert.equal((await relayed({ environments: [ENV] }).ask(signed)).status, 403);
    // What is no loopback gets none from a sandbox either.
    assert.equal(await handedOut("http://10.0.0.1/x", { environment: SANDBOX, environments }), "http://10.0.0.1/x");
  });

  test("only answers of these actions get them", async () => {
    for (const [path, init] of [
      ["VendorsV2", {}],
      [`${ACTION}GetExecutionSummaryPageUrl`, post],
      [`${ACTION}GetExportedPackageUrl`, {}],
      ["Others/Microsoft.Dynamics.DataEntities.GetExportedPackageUrl", post],
      [`${ACTION}GetExportedPackageUrl/x`, post],
    ]) {
      const { ask } = relayed({}, () => json({ value: blob }));
      assert.equal((await (await ask(`${ENV}/data/${path}`, init)).json()).value, blob, path);
    }
  });

  test("all shapes of the answer, and those that are none", async () => {
    const ask = async (text, status = 200) => {
      const made = relayed({}, () => new Response(text, { status, headers: { "content-type": "application/json" } }));
      return (await made.ask(`${ENV}/data/${ACTION}GetAzureWriteUrl`, post)).text();
    };
    assert.match(await ask(JSON.stringify({ value: { value: blob } })), TICKET);
    assert.match(await ask(`\ufeff${JSON.stringify({ value: blob })}`), TICKET);
    for (const text of ["", "[]", "null", "{", '{"value":5}', '{"value":"{\\"BlobUrl\\":5}"}', '{"value":"{"}']) {
      assert.equal(await ask(text), text);
    }
    assert.doesNotMatch(await ask(JSON.stringify({ value: blob }), 400), TICKET);
    assert.match(await ask(JSON.stringify({ value: `https://${"x".repeat(70_000)}.example/` })), /RELAY_TOO_LARGE/);
  });

  test("an import is told the URL without its ticket", async () => {
    const url = await handedOut(blob, { action: "GetAzureWriteUrl" });
    for (const action of ["ImportFromPackage", "ImportFromPackageAsync", "ImportFromDMTPackage", "ExportFromPackage"]) {
      const { ask, sent } = relayed();
      const body = JSON.stringify({ packageUrl: url, definitionGroupId: "P" });
      await ask(`${ENV}/data/${ACTION}${action}`, {
        method: "POST",
        body,
        duplex: "half",
        headers: { "content-length": "999" },
      });
      assert.deepEqual(JSON.parse(sent[0].body), { packageUrl: blob, definitionGroupId: "P" }, action);
      assert.equal(sent[0].headers.has("content-length"), false);
    }
    const { ask } = relayed();
    const large = { method: "POST", body: "x".repeat(70_000), duplex: "half" };
    assert.equal((await ask(`${ENV}/data/${ACTION}ImportFromPackage`, large)).status, 413);
  });
});

describe("what passes", () => {
  test("headers of the question, by list", async () => {
    const { ask, sent } = relayed();
    const headers = {
      authorization: "Bearer t0ken",
      cookie: "session=1",
      host: "evil.example",
      "x-forwarded-for": "10.0.0.1",
      "x-http-method-override": "DELETE",
      "x-ms-copy-source": "http://169.254.169.254/",
      "if-match": "*",
      prefer: "return=representation",
      "odata-version": "4.0",
      accept: "application/json",
    };
    await ask(`${ENV}/data/X`, { headers });
    assert.deepEqual(Object.fromEntries(sent[0].headers), {
      accept: "application/json",
      authorization: "Bearer t0ken",
      "if-match": "*",
      "odata-version": "4.0",
      prefer: "return=representation",
    });
    assert.equal(sent[0].redirect, "manual");
    assert.equal(sent[0].credentials, "omit");
    assert.equal(sent[0].cache, "no-store");
    const stored = relayed({ blobHosts: ["contoso.blob.core.windows.net"] });
    await stored.ask(`${STORAGE}/x`, { headers });
    assert.deepEqual(Object.fromEntries(stored.sent[0].headers), { accept: "application/json", "if-match": "*" });
    await ask(`${ENV}/data/X`, { headers: { authorization: "Basic dTpw" } });
    assert.equal(sent[1].headers.has("authorization"), false);
  });

  test("headers of the answer, by list, hardened", async () => {
    const { ask } = relayed(
      {},
      () =>
        new Response("{}", {
          status: 201,
          headers: {
            "content-type": "application/json; odata.metadata=minimal",
            "set-cookie": "a=b",
            "www-authenticate": "Basic",
            "access-control-allow-origin": "*",
            "content-security-policy": "default-src *",
            server: "x",
            refresh: "0;url=https://evil.example",
            link: "<https://evil.example>; rel=preload",
            etag: 'W/"1"',
            "odata-entityid": `${ENV}/data/X(1)`,
            "retry-after": "3",
            "content-encoding": "gzip",
            "content-length": "9",
          },
        }),
    );
    const response = await ask(`${ENV}/data/X`);
    assert.equal(response.status, 201);
    assert.deepEqual(Object.fromEntries(response.headers), {
      "cache-control": "no-store",
      "content-security-policy": "sandbox",
      "content-type": "application/json; odata.metadata=minimal",
      etag: 'W/"1"',
      "odata-entityid": `${ENV}/data/X(1)`,
      "referrer-policy": "no-referrer",
      "retry-after": "3",
      "x-content-type-options": "nosniff",
    });
  });

  test("redirects and documents become what they mean", async () => {
    const answers = [
      [() => new Response(null, { status: 302, headers: { location: "https://login.example/" } }), 401],
      [() => new Response(null, { status: 307, headers: { location: `${ENV}/data/Y` } }), 401],
      [() => Response.error(), 401],
      [() => new Response("<script>", { headers: { "content-type": "text/html" } }), 401],
      [() => new Response("<svg/>", { headers: { "content-type": "image/svg+xml" } }), 401],
      [() => new Response("<h1>", { status: 503, headers: { "content-type": "TEXT/HTML; charset=utf-8" } }), 503],
      [() => new Response(null, { status: 304 }), 304],
      [() => new Response(null, { status: 204 }), 204],
      [() => Promise.reject(new TypeError("fetch failed: https://secret.example?sig=s")), 502],
    ];
    for (const [answer, status] of answers) {
      const { ask } = relayed({}, answer);
      const response = await ask(`${ENV}/data/X`);
      assert.equal(response.status, status);
      assert.equal(response.headers.get("location"), null);
      assert.doesNotMatch(await response.text(), /script|svg|h1|secret|sig/);
      assert.equal(response.headers.get("content-security-policy"), "sandbox");
    }
    const { ask } = relayed({ blobHosts: ["contoso.blob.core.windows.net"] }, answers[3][0]);
    assert.equal((await ask(`${STORAGE}/x.html`)).status, 502);
  });

  test("other types are bytes", async () => {
    for (const type of ["image/png", "", "application/pdf"]) {
      const { ask } = relayed(
        {},
        () => new Response(new Uint8Array([1]), { headers: type ? { "content-type": type } : {} }),
      );
      assert.equal((await ask(`${ENV}/data/X`)).headers.get("content-type"), "application/octet-stream");
    }
  });

  test("methods", async () => {
    for (const [method, status] of [
      ["GET", 200],
      ["HEAD", 200],
      ["POST", 200],
      ["PATCH", 200],
      ["DELETE", 200],
      ["PROPFIND", 405],
      ["OPTIONS", 403],
    ]) {
      const { ask } = relayed();
      assert.equal((await ask(`${ENV}/data/X`, { method })).status, status, method);
    }
  });

  test("a token of the host's own: the page's is dropped", async () => {
    const asked = [];
    const authorize = async (request) => {
      asked.push([request.method, request.url, request.headers.get("cookie"), request.body]);
      return request.headers.get("cookie") === "session=1" ? { token: "server", expiresOn: 0 } : undefined;
    };
    const { ask, sent } = relayed({ authorize, blobHosts: ["contoso.blob.core.windows.net"] });
    const headers = { cookie: "session=1", authorization: "Bearer page" };
    assert.equal((await ask(`${ENV}/data/X`, { ...post, headers })).status, 200);
    assert.equal(sent[0].headers.get("authorization"), "Bearer server");
    assert.equal(sent[0].headers.get("cookie"), null);
    assert.deepEqual(asked[0].slice(2), ["session=1", null]);
    assert.equal((await ask(`${STORAGE}/x`, { headers })).status, 200);
    assert.equal(sent[1].headers.get("authorization"), null);
    for (const target of [`${ENV}/data/X`, `${STORAGE}/x`]) {
      const response = await ask(target, { headers: { authorization: "Bearer page" } });
      assert.deepEqual([response.status, response.headers.get("x-d365-clm-relay")], [401, "RELAY_UNAUTHORIZED"]);
    }
    assert.equal(sent.length, 2);
    // What is refused anyway does not reach the host's own code.
    const before = asked.length;
    await ask("https://evil.example/", { headers });
    assert.equal(asked.length, before);
    const broken = relayed({ authorize: () => Promise.reject(new Error("s3cret")) });
    const response = await broken.ask(`${ENV}/data/X`);
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /s3cret/);
  });

  test("a listed page of another origin may ask beforehand and read the answer", async () => {
    const { relay, ask } = relayed({ origins: [PAGE] });
    const before = (origin) =>
      relay(
        new Request("https://host.example/relay?url=x", {
          method: "OPTIONS",
          headers: {
            origin,
            "access-control-request-method": "PUT",
            "access-control-request-headers": "x-d365-clm-relay",
          },
        }),
      );
    const allowed = await before(PAGE);
    assert.equal(allowed.status, 204);
    assert.equal(allowed.headers.get("access-control-allow-origin"), PAGE);
    const names = allowed.headers.get("access-control-allow-headers").split(", ");
    for (const name of ["authorization", "x-d365-clm-relay", "x-ms-blob-type", "if-match"])
      assert.ok(names.includes(name));
    const refused = await before("https://evil.example");
    assert.equal(refused.status, 403);
    assert.equal(refused.headers.get("access-control-allow-origin"), null);
    const headers = { origin: PAGE, "sec-fetch-site": "cross-site" };
    const answer = await ask(`${ENV}/data/X`, { headers });
    assert.equal(answer.headers.get("access-control-allow-origin"), PAGE);
    assert.equal(answer.headers.get("access-control-allow-credentials"), null);
    assert.match(answer.headers.get("access-control-expose-headers"), /retry-after/);
    assert.equal(answer.headers.get("vary"), "Origin");
    // A refusal has to be readable too.
    assert.equal((await ask("https://evil.example/", { headers })).headers.get("access-control-allow-origin"), PAGE);
  });
});

describe("settings", () => {
  for (const [what, options] of [
    ["no environments", { environments: [] }],
    ["no list of them", { environments: ENV }],
    ["plain http", { environments: ["http://contoso.operations.dynamics.com"] }],
    ["loopback without a port", { environments: ["http://localhost"] }],
    ["a password", { environments: ["https://u:p4ss@contoso.operations.dynamics.com"] }],
    ["a query", { environments: [`${ENV}/?a=b`] }],
    ["a pattern", { environments: ["https://*.operations.dynamics.com/.."] }],
    ["a short secret", { secret: "0123456789abcde" }],
    ["no secret", { secret: undefined }],
    ["a blob host with a path", { blobHosts: ["contoso.blob.core.windows.net/dmf"] }],
    ["a pattern of blob hosts", { blobHosts: ["*.blob.core.windows.net"] }],
    ["loopback storage", { blobHosts: ["127.0.0.1:10000"] }],
    ["any page", { origins: ["*"] }],
    ["the origin of all frames", { origins: ["null"] }],
    ["a page with a path", { origins: [`${PAGE}/x`] }],
    ["all paths", { paths: ["/"] }],
    ["a detour", { paths: ["/data/../x"] }],
    ["no function", { authorize: "x" }],
  ]) {
    test(what, () => {
      assert.throws(
        () => createRelay({ environments: [ENV], secret, ...options }),
        (e) => e.code === "INVALID_ARGUMENT" && !e.message.includes("p4ss"),
      );
    });
  }

  test("a secret may be bytes, and an extension a page", () => {
    createRelay({ environments: [ENV], secret: new Uint8Array(16), origins: ["chrome-extension://abcdefghijklmnop"] });
  });

  test("the relay's address may have a query of its own", () => {
    assert.equal(
      relayUrl("/relay")("https://a.example/data?x=1&y=%20"),
      "/relay?url=https%3A%2F%2Fa.example%2Fdata%3Fx%3D1%26y%3D%2520",
    );
    assert.equal(
      relayUrl(new URL("https://f.example/api/relay?code=k"))("https://a.example/"),
      "https://f.example/api/relay?code=k&url=https%3A%2F%2Fa.example%2F",
    );
  });
});

describe("where it runs", () => {
  /** A server on loopback. */
  async function served(handler) {
    const server = createServer(handler);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
      origin: `http://127.0.0.1:${server.address().port}`,
      stop: () => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      },
    };
  }
  const headers = { "x-d365-clm-relay": "1", origin: PAGE };

  test("on Node's http it streams both ways, with the length of what is sent", async () => {
    const seen = [];
    let release;
    const upstream = await served(async (request, response) => {
      seen.push({ headers: request.headers });
      response.writeHead(200, { "content-type": "application/json" });
      if (request.method === "GET") {
        response.write("first");
        await new Promise((resolve) => {
          release = resolve;
        });
        response.end("second");
        return;
      }
      for await (const chunk of request) response.write(chunk);
      response.end();
    });
    const relay = createRelay({ environments: [upstream.origin], secret, origins: [PAGE] });
    const front = await served(nodeHandler(relay));
    try {
      const url = relayUrl(`${front.origin}/relay`)(`${upstream.origin}/data/X`);
      // The answer's beginning is here while its end is not made yet.
      const reader = (await fetch(url, { headers })).body.getReader();
      assert.equal(new TextDecoder().decode((await reader.read()).value), "first");
      release();
      assert.equal(new TextDecoder().decode((await reader.read()).value), "second");
      // The question's beginning comes back while its end is not sent yet.
      let more;
      const body = new ReadableStream({
        start: (controller) => {
          controller.enqueue(new TextEncoder().encode("ping"));
          more = () => controller.close();
        },
      });
      const echo = await fetch(url, { method: "PUT", headers, body, duplex: "half" });
      const back = echo.body.getReader();
      assert.equal(new TextDecoder().decode((await back.read()).value), "ping");
      more();
      assert.equal((await back.read()).done, true);
      const whole = new Uint8Array(3_000_000).fill(7);
      const answer = await fetch(url, { method: "PUT", headers, body: whole });
      assert.equal((await answer.arrayBuffer()).byteLength, whole.length);
      assert.equal(seen.at(-1).headers["content-length"], "3000000", "a storage refuses bodies without it");
      assert.equal(seen.at(-1).headers["transfer-encoding"], undefined);
    } finally {
      await Promise.all([front.stop(), upstream.stop()]);
    }
  });

  test("a page that goes away takes its request along", async () => {
    let closed;
    const gone = new Promise((resolve) => {
      closed = resolve;
    });
    const upstream = await served((request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write("x");
      request.once("close", closed);
      response.once("close", closed);
    });
    const relay = createRelay({ environments: [upstream.origin], secret, origins: [PAGE] });
    const front = await served(nodeHandler(relay));
    try {
      const controller = new AbortController();
      const url = relayUrl(`${front.origin}/relay`)(`${upstream.origin}/data/X`);
      const response = await fetch(url, { headers, signal: controller.signal });
      await response.body.getReader().read();
      controller.abort();
      await gone;
    } finally {
      await Promise.all([front.stop(), upstream.stop()]);
    }
  });

  test("as an Azure Function", async () => {
    /** As much of an `HttpRequest` of @azure/functions as there is: no Request, no signal. */
    class HttpRequest {
      constructor(url, { method = "GET", body = null } = {}) {
        this.url = url;
        this.method = method;
        this.headers = new Headers(headers);
        this.body = body === null ? null : new Response(body).body;
        this.query = new URL(url).searchParams;
        this.params = {};
      }
    }
    const { relay, sent } = relayed({ origins: [PAGE] }, async (_, init) =>
      json({ got: init.body && (await new Response(init.body).text()) }),
    );
    const handler = functionHandler(relay);
    const url = relayUrl("https://f.example/api/relay?code=k")(`${ENV}/data/X`);
    const { status, headers: told, body } = await handler(new HttpRequest(url, { method: "PUT", body: "hello" }));
    assert.equal(status, 200);
    assert.equal(told["content-security-policy"], "sandbox");
    assert.deepEqual(await new Response(body).json(), { got: "hello" });
    assert.equal(sent.length, 1);
    assert.equal((await handler(new HttpRequest(url.replace("contoso", "evil")))).status, 403);
  });

  test("as a worker, whose streams know their length", async () => {
    const upstream = await served(async (request, response) => {
      let size = 0;
      for await (const chunk of request) size += chunk.length;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ size }));
    });
    const lengths = [];
    // What workers have and Node has not.
    globalThis.FixedLengthStream = class extends TransformStream {
      constructor(length) {
        super();
        lengths.push(length);
      }
    };
    try {
      const url = relayUrl("https://w.example/relay")(`${upstream.origin}/data/X`);
      const request = new Request(url, {
        method: "PUT",
        headers: { ...headers, "content-length": "5" },
        body: "hello",
      });
      const response = await worker.fetch(request, {
        ENVIRONMENT: upstream.origin,
        RELAY_SECRET: secret,
        PAGE_ORIGIN: PAGE,
      });
      assert.deepEqual(await response.json(), { size: 5 });
      assert.deepEqual(lengths, [5]);
    } finally {
      delete globalThis.FixedLengthStream;
      await upstream.stop();
    }
  });

  test("it is small, and loads neither WebAssembly nor modules of Node", async () => {
    const { readdir, readFile } = await import("node:fs/promises");
    const folder = new URL(".", import.meta.resolve("d365-clm/relay"));
    const { gzipSync } = await import("node:zlib");
    let size = 0;
    for (const name of (await readdir(folder)).filter((name) => name.endsWith(".js"))) {
      const text = await readFile(new URL(name, folder), "utf8");
      size += gzipSync(text).length;
      for (const [, from] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
        assert.match(from, /^(\.\/[a-z-]+\.js|\.\.\/errors\.js)$/, name);
      }
    }
    assert.ok(size < 15_000, `${size} bytes`);
  });
});
