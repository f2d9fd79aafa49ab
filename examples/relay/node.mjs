// A relay on Node's http.
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { createRelay } from "d365-clm/relay";

/** A handler of `node:http` (and of what builds on it) from one that speaks fetch. */
export function nodeHandler(relay) {
  return async (incoming, outgoing) => {
    const gone = new AbortController();
    outgoing.once("close", () => gone.abort());
    const { method } = incoming;
    const hasBody = method !== "GET" && method !== "HEAD";
    try {
      const response = await relay(
        new Request(new URL(incoming.url, "http://relay.invalid"), {
          method,
          headers: Object.entries(incoming.headersDistinct).flatMap(([name, values]) => values.map((v) => [name, v])),
          signal: gone.signal,
          ...(hasBody && { body: Readable.toWeb(incoming), duplex: "half" }),
        }),
      );
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      if (response.body) await pipeline(Readable.fromWeb(response.body), outgoing);
      else outgoing.end();
    } catch {
      // The page went away, or sent what is no request.
      if (!outgoing.headersSent) outgoing.writeHead(400);
      outgoing.destroyed || outgoing.end();
    }
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { ENVIRONMENT, RELAY_SECRET, PAGE_ORIGIN, PORT = "8787" } = process.env;
  const relay = createRelay({
    environments: [ENVIRONMENT],
    secret: RELAY_SECRET,
    origins: PAGE_ORIGIN ? [PAGE_ORIGIN] : [],
  });
  const server = createServer(nodeHandler(relay)).listen(Number(PORT), "127.0.0.1", () => {
    console.log(`http://127.0.0.1:${server.address().port}/relay`);
  });
}
