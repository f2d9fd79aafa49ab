/** Entry without a place for the modules: the host hands them over, `await init(core, { excel })` or `initSync(core, { excel })`. */
export * from "../index.js";
