// The larger and the smaller of two, within bounds, and what their derivatives pick.
import { C, constant } from "../constants";
import { fill } from "../copy";
import { broadcast, mapWith, zip3, zipWith } from "./map";

// pmax(a, b) = a < b ? b : a keeps a NaN in a, and a mask of ones is a NaN: three instructions instead of the ten of max
class Maximum<T> {
  @inline vec(a: v128, b: v128): v128 {
    return isFloat<T>() ? v128.or(v128.pmax<real>(a, b), v128.ne<real>(b, b)) : v128.max<T>(a, b);
  }
}
class Minimum<T> {
  @inline vec(a: v128, b: v128): v128 {
    return isFloat<T>() ? v128.or(v128.pmin<real>(a, b), v128.ne<real>(b, b)) : v128.min<T>(a, b);
  }
}
/** 0 where a < b, dy / 2 where they are equal, else dy. */
class MaximumGrad {
  @inline vec(dy: v128, a: v128, b: v128): v128 {
    const half = v128.mul<real>(dy, constant(C.half));
    return v128.andnot(v128.bitselect(half, dy, v128.eq<real>(a, b)), v128.lt<real>(a, b));
  }
}
class Clamp { @inline vec(x: v128, low: v128, high: v128): v128 { return v128.pmin<real>(v128.pmax<real>(x, low), high); } }
class ClampInt32 { @inline vec(x: v128, least: v128, most: v128): v128 { return i32x4.min_s(i32x4.max_s(x, least), most); } }
class ClampGrad {
  @inline vec(dy: v128, x: v128, low: v128, high: v128): v128 {
    return v128.and(dy, v128.and(v128.ge<real>(x, low), v128.le<real>(x, high)));
  }
}

export function maximum(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Maximum<real>>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function minimum(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Minimum<real>>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function maximumInt32(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Maximum<i32>, i32>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function minimumInt32(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Minimum<i32>, i32>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
/** and, or of bytes 0 and 1. */
export function minimumUint8(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Minimum<u8>, u8>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function maximumUint8(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Maximum<u8>, u8>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function maximumGrad(dx: usize, dy: usize, a: usize, b: usize, n: i32): void { zip3<MaximumGrad>(dx, dy, a, b, n); }

/** y = min(max(x, low), high); NaN stays, and a NaN bound makes all NaN. */
export function clamp(y: usize, x: usize, low: real, high: real, n: i32): void {
  if (low != low || high != high) return fill(y, <real>NaN, n);
  mapWith<Clamp>(y, x, v128.splat<real>(low), v128.splat<real>(high), n);
}
export function clampInt32(y: usize, x: usize, least: i32, most: i32, n: i32): void {
  mapWith<ClampInt32, i32>(y, x, i32x4.splat(least), i32x4.splat(most), n);
}
/** dy where low <= x <= high, else 0. */
export function clampGrad(dx: usize, dy: usize, x: usize, low: real, high: real, n: i32): void {
  zipWith<ClampGrad>(dx, dy, x, v128.splat<real>(low), v128.splat<real>(high), n);
}
