/** `d365-clm types`: declarations of an environment's own entities. */
import { openAsBlob } from "node:fs";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { readMetadata, type Schema, ScmClient } from "../entry/node.js";
import { EXIT, type Output, UsageError } from "./terms.js";
import { tokenOf } from "./token-command.js";

interface Arguments {
  url: string | undefined;
  tokenCommand: string | undefined;
  metadata: string | undefined;
  collections: string[] | undefined;
  out: string | undefined;
  json: boolean;
}

export async function types(args: string[], output: Output): Promise<number> {
  const given = argumentsOf(args);
  const schema = given.metadata === undefined ? await asked(given) : await read(given.metadata, given.collections);
  const text = given.json ? `${JSON.stringify(schema)}\n` : schema.toTypeScript();
  for (const name of given.collections ?? []) {
    if (schema.entities.some(({ collection }) => collection === name)) continue;
    output.err(`the environment has no ${name}\n`);
  }
  if (given.out === undefined) output.out(text);
  else await written(given.out, text);
  return EXIT.fine;
}

function argumentsOf(args: string[]): Arguments {
  const text = { type: "string" } as const;
  const options = { url: text, "token-command": text, metadata: text, collections: text, out: text };
  let values: ReturnType<typeof parsed>;
  const parsed = () =>
    parseArgs({ args, options: { ...options, json: { type: "boolean", default: false } }, strict: true }).values;
  try {
    values = parsed();
  } catch (e) {
    throw new UsageError((e as Error).message);
  }
  const { url, metadata, out, json } = values;
  const tokenCommand = values["token-command"];
  if ((url === undefined) === (metadata === undefined)) throw new UsageError("give either --url or --metadata");
  if (tokenCommand !== undefined && url === undefined) throw new UsageError("--token-command goes with --url");
  const collections = values.collections?.split(",").map((name) => name.trim());
  if (collections?.some((name) => name === ""))
    throw new UsageError("--collections is a list like VendorsV2,Currencies");
  return { url, tokenCommand, metadata, collections, out, json };
}

async function read(path: string, collections: string[] | undefined): Promise<Schema> {
  // Its error names the file, that of openAsBlob does not.
  await stat(path);
  const document = await openAsBlob(path);
  return readMetadata(document, collections === undefined ? {} : { collections });
}

async function asked({ url = "", tokenCommand, collections }: Arguments): Promise<Schema> {
  const client = new ScmClient({
    baseUrl: url,
    ...(tokenCommand === undefined ? {} : { getToken: ({ resource }) => tokenOf(tokenCommand, resource) }),
  });
  try {
    return await client.metadata(collections === undefined ? {} : { collections, labels: true });
  } finally {
    client.dispose();
  }
}

/** Beside its place first: a failure leaves nothing half made. */
async function written(path: string, text: string): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  try {
    await writeFile(beside, text);
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
}
