// A page around the admin page: what a CLM product does, and what an attacker tries.

/** Messages that came to this window. */
globalThis.heard = [];
addEventListener("message", ({ data, origin }) => globalThis.heard.push({ data, origin }));

/** Puts a page into a frame, and waits until it has loaded. */
globalThis.embed = (src) =>
  new Promise((loaded) => {
    const frame = document.createElement("iframe");
    frame.title = src;
    frame.width = "800";
    frame.height = "600";
    frame.addEventListener("load", () => loaded());
    frame.src = src;
    document.body.append(frame);
  });

/** The nonce that answers an offer to the window; undefined where none comes within a second. */
globalThis.offer = async (origin, target = frames[0]) => {
  const before = globalThis.heard.length;
  target.postMessage({ type: "d365-clm/offer" }, origin);
  for (let i = 0; i < 40; i++) {
    const hello = globalThis.heard.slice(before).find(({ data }) => data?.type === "d365-clm/hello");
    if (hello) return hello.data.nonce;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};

/** Answers a hello; gives what comes over the port within `patience` milliseconds, up to an end. */
globalThis.connect = ({ origin, nonce, environment, company, token, patience }, target = frames[0]) =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const said = [];
    setTimeout(() => resolve(said), patience);
    port1.onmessage = ({ data }) => {
      said.push(data);
      if (data.type === "token") port1.postMessage({ type: "token", id: data.id, token });
      else resolve(said);
    };
    target.postMessage({ type: "d365-clm/connect", nonce, environment, company }, origin, [port2]);
  });
globalThis.pageReady = true;
