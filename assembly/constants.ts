// The coefficient table. A data segment would be rewritten by every module that shares the memory, and V8 13
// re-materialises 128-bit constants inside loops (49 falls to 14-30 GFLOP/s), so coefficients are loaded from a
// table that is written once, below the heap: f32 at 8192, f64 at 16384, one vector (16 bytes) an entry, 512 entries at most.
import { writeCoefficients } from "./elementary/coefficients";

import { writeTables } from "./tables";

// @ts-ignore: decorator
@inline const TABLE: usize = 2048 * sizeof<real>();

/** Entries of the table, up to 47; those of the elementary functions follow. */
export const enum C {
  one, half, two, log2e, ln2High, ln2Low, magic, expLow, expHigh, tanhHigh, smallestNormal, normalise, normaliseExponent,
  sqrtHalf, infinity, nan, minusInfinity, mantissaMask, oneBits, exponentBias, sign, tiny,
  three, six, exactQuotient, highHalf, magnitudeMask, wide,
}

// @ts-ignore: decorator
@inline export function entryAddress(entry: i32): usize {
  return TABLE + ((<usize>entry) << 4);
}

// @ts-ignore: decorator
@inline export function constant(entry: i32): v128 {
  return v128.load_splat<real>(entryAddress(entry));
}

/** An entry that holds f64 in both builds. */
// @ts-ignore: decorator
@inline export function wideConstant(entry: i32): v128 {
  return v128.load_splat<f64>(entryAddress(entry));
}

// Entries are written by scalar stores: V8 of Node 24 compiles adjacent stores of constant vectors to wrong ones when it
// fuses pairs of vectors (--experimental-wasm-revectorize).

/** Two words of 64 bits, in either build. */
export function putWideBits(entry: i32, bits: u64): void {
  const address = entryAddress(entry);
  store<u64>(address, bits);
  store<u64>(address, bits, 8);
}

export function put(entry: i32, value: f64): void {
  if (sizeof<real>() == 4) {
    const bits = <u64>reinterpret<u32>(<f32>value);
    putWideBits(entry, bits | (bits << 32));
  } else putWideBits(entry, reinterpret<u64>(value));
}

export function putBits(entry: i32, bits32: u32, bits64: u64): void {
  putWideBits(entry, sizeof<real>() == 4 ? <u64>bits32 | (<u64>bits32 << 32) : bits64);
}

/** Two f64 in either build. */
export function putWide(entry: i32, value: f64): void {
  putWideBits(entry, reinterpret<u64>(value));
}

/**
 * Writes the table of this build's element type; the bindings call it once for each memory. `wide`: whether the engine runs pairs
 * of vectors as one of 256 bits, which decides how matrix products are cut.
 */
export function writeConstants(wide: i32): void {
  store<i32>(entryAddress(C.wide), wide);
  put(C.one, 1);
  put(C.half, 0.5);
  put(C.two, 2);
  put(C.log2e, 1.4426950408889634);
  if (sizeof<real>() == 4) {
    // ln 2 in two parts, the first exact to 9 bits so that n * high is exact (Cody and Waite 1980).
    put(C.ln2High, -0.693359375);
    put(C.ln2Low, 2.12194440054690583e-4);
    put(C.magic, 12582912); // 1.5 * 2^23: adding it rounds to an integer that stands in the low mantissa bits
    put(C.expLow, -104); // below: 0
    put(C.expHigh, 90); // above: infinity
    put(C.tanhHigh, 10); // tanh is 1 in f32 from 9.02
    put(C.smallestNormal, 1.1754943508222875e-38);
    put(C.normalise, 8388608);
    put(C.normaliseExponent, 23);
    put(C.tiny, 1.2037062152420224e-35); // 2^-116
  } else {
    put(C.ln2High, -0.69314718036912381649); // 32 bits (fdlibm e_exp.c)
    put(C.ln2Low, -1.90821492927058770002e-10);
    put(C.magic, 6755399441055744); // 1.5 * 2^52
    put(C.expLow, -746);
    put(C.expHigh, 711);
    put(C.tanhHigh, 22);
    put(C.smallestNormal, 2.2250738585072014e-308);
    put(C.normalise, 4503599627370496);
    put(C.normaliseExponent, 52);
    put(C.tiny, 2.2784756311113742e-305); // 2^-1012
  }
  put(C.three, 3);
  put(C.six, 6);
  // quotients below this and numbers cut to the upper half of their bits have exact products
  put(C.exactQuotient, sizeof<real>() == 4 ? 1024 : 16777216);
  putBits(C.highHalf, 0xfffff000, 0xfffffffff8000000);
  put(C.sqrtHalf, 0.70710678118654752);
  put(C.infinity, Infinity);
  put(C.nan, NaN);
  put(C.minusInfinity, -Infinity);
  putBits(C.mantissaMask, 0x007fffff, 0x000fffffffffffff);
  putBits(C.oneBits, 0x3f800000, 0x3ff0000000000000);
  putBits(C.exponentBias, 127, 1023);
  putBits(C.sign, 0x80000000, 0x8000000000000000);
  putBits(C.magnitudeMask, 0x7fffffff, 0x7fffffffffffffff);
  writeCoefficients();
  writeTables();
}
