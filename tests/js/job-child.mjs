// A process that begins a job and dies at one of its checkpoints. What it was told: JSON in argv[2].
import { writeFileSync } from "node:fs";
import { ScmClient } from "d365-clm";
import { tokenOf } from "./sandbox.mjs";

const { about, kind, source, options, stage, moment, file } = JSON.parse(process.argv[2]);
let saved;

const scm = new ScmClient({
  baseUrl: about.baseUrl,
  getToken: () => tokenOf(about),
  retry: { maxDelay: 10 },
  fetch: async (...args) => {
    const response = await fetch(...args);
    // The service has acted on the first request after the checkpoint; nobody here learns of it.
    if (moment === "after" && saved === stage) process.exit(9);
    return response;
  },
});
const onCheckpoint = (checkpoint) => {
  writeFileSync(file, JSON.stringify(checkpoint));
  saved = checkpoint.stage;
  if (moment === "inside" && saved === stage) process.exit(9);
};
const job =
  kind === "import"
    ? scm.importPackage(source, { ...options, onCheckpoint })
    : scm.exportPackage({ ...options, onCheckpoint });
await job.done();
process.exit(0);
