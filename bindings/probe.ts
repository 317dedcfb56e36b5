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

export interface Features {
  simd: boolean;
  relaxedSimd: boolean;
  threads: boolean;
}

/** The features of this engine that tapir has builds for. */
export function probe(): Features {
  return {
    simd: validates(0x20, 0), // local.get 0
    relaxedSimd: validates(0x20, 0, 0x20, 1, 0x20, 2, 0xfd, 0x85, 0x02), // f32x4.relaxed_madd
    threads: typeof SharedArrayBuffer !== "undefined" && typeof Atomics !== "undefined",
  };
}
