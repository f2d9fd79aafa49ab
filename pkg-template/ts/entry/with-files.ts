/** `d365-clm/node`: everything, and what needs files. */

export { fileStore } from "../stores/file.js";
export * from "./node.js";
