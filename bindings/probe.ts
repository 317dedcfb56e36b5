// What the engine offers, by validating modules of a few bytes each.

// (module (func (param v128 v128 v128) (result v128) BODY))
function validates(...body: number[]): boolean {
  const code = [0, ...body, 0x0b];
  return WebAssembly.validate(
    // biome-ignore format: sections one a line
    new Uint8Array([
      0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
      1, 8, 1, 0x60, 3, 0x7b, 0x7b, 0x7b, 1, 0x7b,
      3, 2, 1, 0,
      10, code.length + 2, 1, code.length, ...code,
    ]),
  );
}

/** Whether relaxed_madd rounds once: without that it is no faster than multiply and add, and the bounds of the relaxed build do not hold. */
function fuses(): boolean {
  // (func (export "f") (param f32 f32 f32) (result f32): lane 0 of relaxed_madd of the three splats)
  const module = new WebAssembly.Module(
    // biome-ignore format: sections one a line
    new Uint8Array([
      0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
      1, 8, 1, 0x60, 3, 0x7d, 0x7d, 0x7d, 1, 0x7d,
      3, 2, 1, 0,
      7, 5, 1, 1, 0x66, 0, 0,
      10, 22, 1, 20, 0, 0x20, 0, 0xfd, 0x13, 0x20, 1, 0xfd, 0x13, 0x20, 2, 0xfd, 0x13, 0xfd, 0x85, 0x02, 0xfd, 0x1f, 0, 0x0b,
    ]),
  );
  const { f } = new WebAssembly.Instance(module).exports as { f: (a: number, b: number, c: number) => number };
  const a = 1 + 2 ** -12;
  // the product's last bit is lost if it is rounded before the sum
  return f(a, a, -(1 + 2 ** -11)) !== 0;
}

/** Where "tapir/fast", a bundle of its own, says that it asked the engine to run pairs of vectors as one of 256 bits. */
const PAIRS = Symbol.for("tapir.pairs");

/** Whether the engine runs pairs of vectors as one: no bit tells, so whoever asked for it says so. */
export function runsPairs(): boolean {
  return (globalThis as { [PAIRS]?: boolean })[PAIRS] === true;
}

/** Says that it does. */
export function sayPairs(): void {
  (globalThis as { [PAIRS]?: boolean })[PAIRS] = true;
}

export interface Features {
  simd: boolean;
  /** Multiply-add that rounds once. */
  relaxedSimd: boolean;
  threads: boolean;
}

/** The features of this engine that tapir has builds for. */
export function probe(): Features {
  return {
    simd: validates(0x20, 0), // local.get 0
    relaxedSimd: validates(0x20, 0, 0x20, 1, 0x20, 2, 0xfd, 0x85, 0x02) && fuses(), // f32x4.relaxed_madd
    threads: typeof SharedArrayBuffer !== "undefined" && typeof Atomics !== "undefined",
  };
}
