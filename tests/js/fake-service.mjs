// A stand-in for the service behind the client's own fetch: answers by hand, and a log of what was asked.
import assert from "node:assert/strict";
import { ScmClient } from "d365-clm";

export const ENVIRONMENT = "https://contoso.operations.dynamics.com";
const NAMESPACE = "Microsoft.Dynamics.DataEntities.";

export const json = (value, status = 200) =>
  new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json" } });
/** The answer of an action. */
export const value = (of) => json({ "@odata.context": `${ENVIRONMENT}/data/$metadata`, value: of });

/**
 * `answer(asked)` gives a Response for `{ method, url, path, action, query, body, bytes, headers }`.
 * @returns {{ scm: ScmClient, asked: object[] }}
 */
export function fakeService(answer, options = {}) {
  const asked = [];
  const fetch = async (url, init) => {
    const at = new URL(url);
    const bytes = init.body ? Buffer.from(init.body) : Buffer.alloc(0);
    const request = {
      method: init.method,
      url,
      path: decodeURIComponent(at.pathname),
      action: at.pathname.split(NAMESPACE)[1],
      query: at.searchParams,
      bytes,
      body: bytes.toString(),
      headers: Object.fromEntries(init.headers),
    };
    asked.push(request);
    const own = at.origin === ENVIRONMENT;
    assert.equal(request.headers.authorization, own ? "Bearer t0ken" : undefined, `the token and ${at.origin}`);
    assert.equal(init.redirect, "manual");
    return answer(request);
  };
  const scm = new ScmClient({
    baseUrl: ENVIRONMENT,
    getToken: () => "t0ken",
    fetch,
    retry: { attempts: 2, maxDelay: 10 },
    ...options,
  });
  return { scm, asked };
}

/** A file as blob storage hands it out: by ranges. */
export function ranged(file, { headers }, { hideSize = false } = {}) {
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(headers.range);
  if (Number(start) >= file.length) return new Response("", { status: 416 });
  const part = file.subarray(Number(start), Number(end) + 1);
  const last = Number(start) + part.length - 1;
  return new Response(part, {
    status: 206,
    headers: { etag: '"1"', ...(!hideSize && { "content-range": `bytes ${start}-${last}/${file.length}` }) },
  });
}

export async function bytesOf(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

export const caught = (promise) =>
  promise.then(
    () => assert.fail("it succeeded"),
    (e) => e,
  );

export async function all(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}
