// What the page offers to the test. It holds no secret: its token comes from the host's own server.
import { init, isClmError } from "d365-clm";
import { run } from "/quickstart/main.js";

async function getToken({ reason }) {
  const response = await fetch(`/token?reason=${reason}`, { method: "POST" });
  if (!response.ok) throw new Error(`/token answered ${response.status}`);
  return response.json();
}

const told = (error) =>
  isClmError(error) ? JSON.parse(JSON.stringify(error)) : { code: "UNEXPECTED", message: error.stack };

/** Runs the main job; gives what it reported, and its error where it failed. */
globalThis.runJob = async ({ baseUrl, proxy }) => {
  const lines = [];
  const rewriteUrl = proxy ? (url) => `/proxy?u=${encodeURIComponent(url)}` : undefined;
  const host = {
    client: {
      baseUrl,
      getToken,
      company: "usmf",
      retry: { attempts: 2, maxDelay: 50 },
      ...(rewriteUrl && { rewriteUrl }),
    },
    seed: async (collection) => {
      const text = await (await fetch(`/seed/${collection}.ndjson`)).text();
      return text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    },
    report: (line) => lines.push(line),
    save: async (checkpoint) => localStorage.setItem(checkpoint.executionId, JSON.stringify(checkpoint)),
    now: () => performance.now(),
  };
  try {
    const right = await run(host);
    return { right, lines, checkpoints: Object.values(localStorage) };
  } catch (error) {
    return { error: told(error), lines };
  }
};

globalThis.tryInit = (source) => init(source).then(() => ({ code: "LOADED" }), told);
globalThis.pageReady = true;
