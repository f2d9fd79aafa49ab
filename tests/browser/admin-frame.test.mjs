// The admin page in a frame: the handshake with the page around it, and those who would like to be that page.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LEGAL_ENTITIES, sandboxMissing, startSandbox } from "../js/sandbox.mjs";
import { axe, browserMissing, startAdmin, traces, watched } from "./admin-page.mjs";
import { startServer } from "./server.mjs";

const skip = browserMissing() || sandboxMissing();
const inFrame = (name, run) => test(name, { skip, timeout: 120_000 }, run);
const PATIENCE = 20_000;
/** Long enough for an answer that must not come: those that must, come within milliseconds. */
const SILENCE = 1_500;

describe("the admin page in a frame", () => {
  let sandbox;
  let admin;
  let listed;
  let foreign;
  let token;

  before(async () => {
    if (skip) return;
    sandbox = await startSandbox({ seed: { LegalEntities: LEGAL_ENTITIES }, settings: { defaultCompany: "usmf" } });
    ({ token } = await sandbox.token());
    const page = fileURLToPath(new URL(".", import.meta.url)).replace(/\/$/, "");
    const around = () =>
      startServer({ folders: { page }, allowed: [], token: async () => ({}), policy: "script-src 'self'" });
    listed = await around();
    foreign = await around();
    admin = await startAdmin({
      allowed: [sandbox.baseUrl],
      config: () => ({
        environments: [{ name: "Sandbox", url: sandbox.baseUrl }],
        parents: [listed.origin],
        relay: "../relay",
      }),
    });
  });
  after(async () => {
    await admin?.stop();
    await listed?.stop();
    await foreign?.stop();
    await sandbox?.stop();
  });

  /** A page of the origin, with the admin page in it. */
  async function around(origin) {
    const context = await admin.browser.newContext();
    const page = await context.newPage();
    const frame = await embed(page, origin);
    return { context, page, frame, ...tools(page) };
  }
  async function embed(page, origin) {
    await page.goto(`${origin}/page/admin-parent.html`);
    await page.waitForFunction(() => globalThis.pageReady === true);
    await page.evaluate((src) => globalThis.embed(src), `${admin.origin}/admin/index.html`);
    return page.frames().find((one) => one.url().startsWith(admin.origin));
  }
  /** What the page around, or a frame of it, can do. */
  function tools(place) {
    return {
      offer: () => place.evaluate((origin) => globalThis.offer(origin), admin.origin),
      connect: (nonce, more = {}) =>
        place.evaluate((order) => globalThis.connect(order), {
          origin: admin.origin,
          nonce,
          environment: sandbox.baseUrl,
          company: "usmf",
          token,
          patience: PATIENCE,
          ...more,
        }),
    };
  }
  const connected = (frame) => frame.getByText("Connected to Sandbox, company usmf.").waitFor();

  inFrame("a listed parent connects it; the token comes over the port and leaves no trace", async () => {
    const { page, context, frame, offer, connect } = await around(listed.origin);
    const urls = [];
    page.on("request", (request) => urls.push(request.url()));
    assert.equal(await frame.getByLabel("Access token").count(), 0);
    const nonce = await offer();
    assert.match(nonce, /^[0-9a-f]{32}$/);
    const said = await connect(nonce);
    const [{ request }] = said;
    assert.deepEqual(
      said.map(({ type }) => type),
      ["token", "connected"],
    );
    assert.equal(request.resource, sandbox.baseUrl);
    await connected(frame);
    assert.equal(await frame.getByRole("button", { name: "Disconnect" }).count(), 0);
    assert.equal(await frame.getByLabel("Access token").count(), 0);
    assert.deepEqual(await axe(frame), []);
    const heard = await page.evaluate(() => globalThis.heard);
    assert.deepEqual(heard, [{ data: { type: "d365-clm/hello", nonce }, origin: admin.origin }]);
    for (const text of [await traces(frame), urls.join("\n")]) assert.ok(!text.includes(token));
    assert.ok(urls.some((url) => url.includes("/relay?url=")));
    await context.close();
  });

  inFrame("a foreign parent is refused, and told nothing", async () => {
    const { page, context, frame, offer, connect } = await around(foreign.origin);
    await frame.getByText(`The surrounding page ${foreign.origin} is not listed in config.json.`).waitFor();
    assert.equal(await offer(), undefined);
    assert.deepEqual(await connect("0".repeat(32), { patience: SILENCE }), []);
    assert.deepEqual(await page.evaluate(() => globalThis.heard), []);
    assert.equal(await frame.getByRole("navigation").count(), 0);
    await context.close();
  });

  inFrame("a listed parent in a foreign page is refused", async () => {
    const context = await admin.browser.newContext();
    const page = await context.newPage();
    await page.goto(`${foreign.origin}/page/admin-parent.html`);
    await page.waitForFunction(() => globalThis.pageReady === true);
    await page.evaluate((src) => globalThis.embed(src), `${listed.origin}/page/admin-parent.html`);
    const middle = page.frames().find((one) => one.url().startsWith(listed.origin));
    await middle.waitForFunction(() => globalThis.pageReady === true);
    await middle.evaluate((src) => globalThis.embed(src), `${admin.origin}/admin/index.html`);
    const frame = page.frames().find((one) => one.url().startsWith(admin.origin));
    await frame.getByText(`The surrounding page ${foreign.origin} is not listed`).waitFor();
    const { offer, connect } = tools(middle);
    const nonce = await offer();
    assert.deepEqual(await connect(nonce, { patience: SILENCE }), []);
    assert.equal(await frame.getByRole("navigation").count(), 0);
    await context.close();
  });

  inFrame("a nonce serves once, the last one only, and can't be made up", async () => {
    const { context, frame, offer, connect } = await around(listed.origin);
    const patience = SILENCE;
    assert.deepEqual(await connect(undefined, { patience }), [], "before any offer");
    const first = await offer();
    const second = await offer();
    assert.notEqual(first, second);
    assert.deepEqual(await connect(first, { patience }), [], "of an earlier offer");
    assert.deepEqual(await connect("f".repeat(32), { patience }), [], "made up");
    assert.equal((await connect(second)).at(-1).type, "connected");
    await connected(frame);
    assert.deepEqual(await connect(second, { company: "demf", patience }), [], "replayed");
    await connected(frame);
    const third = await offer();
    assert.equal((await connect(third, { company: "demf" })).at(-1).type, "connected");
    await frame.getByText("Connected to Sandbox, company demf.").waitFor();
    await context.close();
  });

  inFrame("a sibling frame of the parent's own origin is not heard, not even with the nonce", async () => {
    const { page, context, frame, offer, connect } = await around(listed.origin);
    await page.evaluate((src) => globalThis.embed(src), `${listed.origin}/page/admin-parent.html?sibling`);
    const sibling = page.frames().find((one) => one.url().endsWith("?sibling"));
    await sibling.waitForFunction(() => globalThis.pageReady === true);
    assert.equal(
      await sibling.evaluate((origin) => globalThis.offer(origin, parent.frames[0]), admin.origin),
      undefined,
    );
    const nonce = await offer();
    const order = {
      origin: admin.origin,
      nonce,
      environment: sandbox.baseUrl,
      company: "demf",
      token,
      patience: SILENCE,
    };
    assert.deepEqual(await sibling.evaluate((order) => globalThis.connect(order, parent.frames[0]), order), []);
    // The nonce is still the parent's.
    assert.equal((await connect(nonce)).at(-1).type, "connected");
    await connected(frame);
    await context.close();
  });

  inFrame("an environment that config.json does not list is refused before any token is asked for", async () => {
    const { context, frame, offer, connect } = await around(listed.origin);
    for (const environment of [
      "https://evil.example",
      `${sandbox.baseUrl}.evil.example`,
      `${sandbox.baseUrl}/x`,
      null,
    ]) {
      const said = await connect(await offer(), { environment });
      assert.deepEqual(
        said.map(({ type }) => type),
        ["refused"],
        String(environment),
      );
    }
    await frame.getByText("named an environment that config.json does not list").waitFor();
    assert.equal(await frame.getByRole("navigation").count(), 0);
    await context.close();
  });

  inFrame("no message goes to whoever may be there", async () => {
    const folder = join(admin.built, "assets");
    let messages = 0;
    for (const name of await readdir(folder)) {
      if (!name.endsWith(".js")) continue;
      const code = await readFile(join(folder, name), "utf8");
      messages += code.split("postMessage(").length - 1;
      assert.doesNotMatch(code, /postMessage\([^;]*["'`]\*["'`]/, name);
    }
    assert.ok(messages > 3);
  });

  inFrame("alone it takes no offers", async () => {
    const { page, context, fine } = await watched(admin);
    await page.getByRole("navigation", { name: "Views" }).waitFor();
    await page.evaluate(() => {
      globalThis.answers = [];
      addEventListener("message", ({ data }) => globalThis.answers.push(data.type));
      postMessage({ type: "d365-clm/offer" }, location.origin);
    });
    await page.waitForFunction(() => globalThis.answers.length > 0);
    await page.waitForTimeout(SILENCE);
    assert.deepEqual(await page.evaluate(() => globalThis.answers), ["d365-clm/offer"]);
    await fine();
    await context.close();
  });
});
