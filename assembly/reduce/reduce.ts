// Reductions; what the arguments mean says reduce() in engine.ts.
import { C, constant } from "../constants";
import { LANES, at, maxLanes } from "../vector";
import { chunkTotals, reduce } from "./engine";
import { Max, Min, Prod, Sum, SumSquares } from "./ops";

/** y = sum / divisor. */
export function sum(
  y: usize, x: usize, scratch: usize, outer: i32, n1: i32, n: i32, inner: i32, s0: i32, t1: i32, t: i32, s1: i32, divisor: f64,
): void {
  reduce<real, Sum<real>>(y, x, scratch, outer, n1, n, inner, s0, t1, t, s1, divisor);
}
export function sumSquares(
  y: usize, x: usize, scratch: usize, outer: i32, n1: i32, n: i32, inner: i32, s0: i32, t1: i32, t: i32, s1: i32,
): void {
  reduce<real, SumSquares>(y, x, scratch, outer, n1, n, inner, s0, t1, t, s1, 1);
}
/** The parts of a sum of n neighbours, a chunk of 1024 each, which joinSums adds as sum() does: so threads share a sum. */
export function sumChunks(totals: usize, x: usize, n: i32): void {
  chunkTotals<real, Sum<real>>(totals, x, n);
}
export function sumSquaresChunks(totals: usize, x: usize, n: i32): void {
  chunkTotals<real, SumSquares>(totals, x, n);
}
/** y = the sum of `count` totals (f64) in their order / divisor. */
export function joinSums(y: usize, totals: usize, count: i32, divisor: f64): void {
  let total: f64 = 0;
  for (let i = 0; i < count; i++) total += load<f64>(totals + (<usize>i << 3));
  store<real>(y, <real>(total / divisor));
}
export function prod(
  y: usize, x: usize, scratch: usize, outer: i32, n1: i32, n: i32, inner: i32, s0: i32, t1: i32, t: i32, s1: i32,
): void {
  reduce<real, Prod<real>>(y, x, scratch, outer, n1, n, inner, s0, t1, t, s1, 1);
}
function largest(
  y: usize, x: usize, scratch: usize, outer: i32, n1: i32, n: i32, inner: i32, s0: i32, t1: i32, t: i32, s1: i32,
): void {
  reduce<real, Max<real>>(y, x, scratch, outer, n1, n, inner, s0, t1, t, s1, 1);
}
function smallest(
  y: usize, x: usize, scratch: usize, outer: i32, n1: i32, n: i32, inner: i32, s0: i32, t1: i32, t: i32, s1: i32,
): void {
  reduce<real, Min<real>>(y, x, scratch, outer, n1, n, inner, s0, t1, t, s1, 1);
}
export { largest as max, smallest as min };

/** Wraps modulo 2^32. */
export function sumInt32(
  y: usize, x: usize, scratch: usize, outer: i32, n1: i32, n: i32, inner: i32, s0: i32, t1: i32, t: i32, s1: i32,
): void {
  reduce<i32, Sum<i32>>(y, x, scratch, outer, n1, n, inner, s0, t1, t, s1, 1);
}
/** Wraps modulo 2^32. */
export function prodInt32(
  y: usize, x: usize, scratch: usize, outer: i32, n1: i32, n: i32, inner: i32, s0: i32, t1: i32, t: i32, s1: i32,
): void {
  reduce<i32, Prod<i32>>(y, x, scratch, outer, n1, n, inner, s0, t1, t, s1, 1);
}
export function maxInt32(
  y: usize, x: usize, scratch: usize, outer: i32, n1: i32, n: i32, inner: i32, s0: i32, t1: i32, t: i32, s1: i32,
): void {
  reduce<i32, Max<i32>>(y, x, scratch, outer, n1, n, inner, s0, t1, t, s1, 1);
}
export function minInt32(
  y: usize, x: usize, scratch: usize, outer: i32, n1: i32, n: i32, inner: i32, s0: i32, t1: i32, t: i32, s1: i32,
): void {
  reduce<i32, Min<i32>>(y, x, scratch, outer, n1, n, inner, s0, t1, t, s1, 1);
}

/** Bytes as int32. */
export function widen(y: usize, x: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(y + (<usize>i << 2), i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(x + <usize>i))));
  }
  for (; i < n; i++) store<i32>(y + (<usize>i << 2), <i32>load<u8>(x + <usize>i));
}

/** Largest of n >= 1 contiguous elements; NaN if one is NaN. */
// @ts-ignore: decorator
@inline export function maxOf(x: usize, n: i32): real {
  let best = constant(C.minusInfinity);
  let i = 0;
  for (; i + LANES <= n; i += LANES) best = v128.max<real>(best, v128.load(x + at(i)));
  let m = maxLanes(best);
  for (; i < n; i++) m = max(m, load<real>(x + at(i)));
  return m;
}
