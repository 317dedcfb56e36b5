/** A kernel build, embedded by the bundler as base64. */
declare module "*.wasm" {
  const base64: string;
  export default base64;
}

/** The program of a worker thread, bundled by itself and embedded as text. */
declare module "*.txt" {
  const text: string;
  export default text;
}
