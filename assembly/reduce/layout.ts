// Sizes of the blocks that reductions work on, and how elements become vectors.

// @ts-ignore: decorator
@inline export const CHUNK: i32 = 1024;
/** Most bytes of a row whose columns are reduced together: memory is read a page at a time, and 16 accumulators stay in L2. */
// @ts-ignore: decorator
@inline const WIDE_BYTES: usize = 4096;
/** The same for few rows: their accumulators stay in L1. */
// @ts-ignore: decorator
@inline const NARROW_BYTES: usize = 1024;
// @ts-ignore: decorator
@inline const FEW_ROWS: i32 = 256;
/** From one accumulator to the next: not a multiple of 4 KiB, which would fill one set of L1. */
// @ts-ignore: decorator
@inline export const ACCUMULATOR_BYTES: usize = WIDE_BYTES + 64;
/** Where the parts of the scratch begin: accumulators, then totals. In all SCRATCH_BYTES of ts-src/ops/loops.ts. */
// @ts-ignore: decorator
@inline const TOTALS: usize = 16 * ACCUMULATOR_BYTES;
/** Bytes of one row of totals (f64). */
// @ts-ignore: decorator
@inline const TOTALS_BYTES: usize = 2 * WIDE_BYTES;

// @ts-ignore: decorator
@inline export function lanesOf<T>(): i32 {
  return 16 / sizeof<T>();
}
/** Columns of n rows that are reduced together. */
// @ts-ignore: decorator
@inline export function columnsOf<T>(n: i32): i32 {
  return <i32>(n < FEW_ROWS ? NARROW_BYTES : WIDE_BYTES) / sizeof<T>();
}
// @ts-ignore: decorator
@inline export function bytesOf<T>(i: i32): usize {
  return (<usize>i) << alignof<T>();
}

/** Where totals k of this kernel's scratch stand. */
// @ts-ignore: decorator
@inline export function totalsAt(scratch: usize, k: i32): usize {
  return scratch + TOTALS + <usize>k * TOTALS_BYTES;
}

/** Elements x[0], x[stride], ... as one vector. */
// @ts-ignore: decorator
@inline export function gather<T>(x: usize, stride: usize): v128 {
  let v = v128.load_zero<T>(x);
  v = v128.load_lane<T>(x + stride, v, 1);
  if (sizeof<T>() == 4) {
    v = v128.load_lane<T>(x + 2 * stride, v, 2);
    v = v128.load_lane<T>(x + 3 * stride, v, 3);
  }
  return v;
}

// @ts-ignore: decorator
@inline export function notNumber<T>(x: v128): v128 {
  return v128.ne<T>(x, x);
}

// @ts-ignore: decorator
@inline export function first<T>(v: v128): f64 {
  return <f64>v128.extract_lane<T>(v, 0);
}

/** A total as it is stored; sums of integers wrap. */
// @ts-ignore: decorator
@inline export function finished<T>(total: f64, divisor: f64): T {
  if (isInteger<T>()) return <T><i64>total;
  return <T>(total / divisor);
}
