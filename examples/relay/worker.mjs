// A relay in an edge worker; its settings are the worker's variables and secrets.
import { createRelay } from "d365-clm/relay";

let relay;
export default {
  fetch(request, { ENVIRONMENT, RELAY_SECRET, PAGE_ORIGIN }) {
    relay ??= createRelay({
      environments: [ENVIRONMENT],
      secret: RELAY_SECRET,
      origins: PAGE_ORIGIN ? [PAGE_ORIGIN] : [],
    });
    return relay(request);
  },
};
