// A relay as an Azure Function. In the app:
//   import { app } from "@azure/functions";
//   app.setup({ enableHttpStream: true });
//   app.http("relay", { methods: ["GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"], authLevel: "anonymous", handler });
import { createRelay } from "d365-clm/relay";

/** The handler of a function from a relay. */
export function functionHandler(relay) {
  return async (request) => {
    const { status, headers, body } = await relay(request);
    return { status, headers: Object.fromEntries(headers), body: body ?? undefined };
  };
}

let relay;
export const handler = (request) => {
  const { ENVIRONMENT, RELAY_SECRET, PAGE_ORIGIN } = process.env;
  relay ??= functionHandler(
    createRelay({
      environments: [ENVIRONMENT],
      secret: RELAY_SECRET,
      origins: PAGE_ORIGIN ? [PAGE_ORIGIN] : [],
    }),
  );
  return relay(request);
};
