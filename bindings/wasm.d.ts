/** A kernel build, embedded by the bundler as base64. */
declare module "*.wasm" {
  const base64: string;
  export default base64;
}
