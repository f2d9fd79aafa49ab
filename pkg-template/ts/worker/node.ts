/** The thread in Node, Deno and Bun. */
import { parentPort } from "node:worker_threads";
import * as glue from "../glue.js";
import { answer } from "./serve.js";

parentPort?.on("message", (message) => parentPort?.postMessage(answer(glue, message)));
