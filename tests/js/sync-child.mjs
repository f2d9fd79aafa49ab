// A process that syncs vendors into a file store and dies in the middle. What it was told: JSON in argv[2].
import { ScmClient } from "d365-clm";
import { fileStore } from "d365-clm/node";
import { tokenOf } from "./sandbox.mjs";

const { about, options, folder, moment } = JSON.parse(process.argv[2]);
const scm = new ScmClient({ baseUrl: about.baseUrl, getToken: () => tokenOf(about), retry: { maxDelay: 10 } });
const kept = fileStore(folder);
const store = {
  ...kept,
  async save(key, value, version) {
    const saved = await kept.save(key, value, version);
    if (moment === "running" && value.includes('"stage":"running"')) process.exit(9);
    return saved;
  },
};
let batches = 0;
for await (const batch of scm.sync({ ...options, store })) {
  batches += 1;
  if (moment === "handled" && batches === 2) {
    process.stdout.write(JSON.stringify({ id: batch.id, rows: batch.rows }));
    process.stdout.end(() => process.exit(9));
    await new Promise(() => {});
  }
  await batch.commit();
}
process.exit(0);
