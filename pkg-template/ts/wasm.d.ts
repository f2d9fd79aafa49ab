// What the hosts of the workerd entries make of an imported module.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
