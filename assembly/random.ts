// Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3): element i is a
// function of (seed, stream, i), so any split over threads draws the same numbers.
import { log } from "./elementary";
import { at } from "./vector";

// @ts-ignore: decorator
@inline function toUnit(bits: u32): f64 {
  return <f64>(bits >>> 8) * (1.0 / 16777216.0);
}

/** One block: out[0..3] (uint32) from counter (c0..c3) and key (k0, k1). */
export function philox(out: usize, c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): void {
  for (let round = 0; round < 10; round++) {
    const p = <u64>c0 * 0xd2511f53, q = <u64>c2 * 0xcd9e8d57;
    c0 = <u32>(q >> 32) ^ c1 ^ k0;
    c2 = <u32>(p >> 32) ^ c3 ^ k1;
    c1 = <u32>q;
    c3 = <u32>p;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  store<u32>(out, c0);
  store<u32>(out, c1, 4);
  store<u32>(out, c2, 8);
  store<u32>(out, c3, 12);
}

/** y[i] uniform in [low, high), 24 random bits; block i / 4 of stream (s0, s1). */
export function uniform(y: usize, n: i32, low: f64, high: f64, seed: u32, s0: u32, s1: u32, scratch: usize): void {
  for (let i = 0; i < n; i += 4) {
    philox(scratch, <u32>i >> 2, 0, s0, s1, seed, 0);
    const end = min(4, n - i);
    for (let j = 0; j < end; j++) {
      store<real>(y + at(i + j), <real>(low + (high - low) * toUnit(load<u32>(scratch + (<usize>j << 2)))));
    }
  }
}

/** y[i] normal with mean 0 and deviation 1, by Marsaglia's polar method (1964); one block an attempt. */
export function normal(y: usize, n: i32, seed: u32, s0: u32, s1: u32, scratch: usize): void {
  for (let i = 0; i < n; i += 2) {
    let u: f64 = 0, v: f64 = 0, s: f64 = 0;
    for (let attempt: u32 = 0; ; attempt++) {
      philox(scratch, <u32>i >> 1, attempt, s0, s1, seed, 1);
      u = 2 * toUnit(load<u32>(scratch)) - 1;
      v = 2 * toUnit(load<u32>(scratch, 4)) - 1;
      s = u * u + v * v;
      if (s < 1 && s > 0) break;
    }
    const r = v128.extract_lane<real>(log(v128.splat<real>(<real>s)), 0);
    const factor = sqrt<f64>((-2 * <f64>r) / s);
    store<real>(y + at(i), <real>(u * factor));
    if (i + 1 < n) store<real>(y + at(i + 1), <real>(v * factor));
  }
}
