/** The thread of a page. */
import * as glue from "../glue-package.js";
import { answer } from "./serve.js";

addEventListener("message", ({ data }) => postMessage(answer(glue, data)));
