// The larger and the smaller of two, within bounds, and what their derivatives pick.
import { C, constant } from "../constants";
import { LANES, at, lane0 } from "../vector";
import { broadcast, zip3 } from "./map";

class Maximum<T> { @inline vec(a: v128, b: v128): v128 { return v128.max<T>(a, b); } }
class Minimum<T> { @inline vec(a: v128, b: v128): v128 { return v128.min<T>(a, b); } }
/** 0 where a < b, dy / 2 where they are equal, else dy. */
class MaximumGrad {
  @inline vec(dy: v128, a: v128, b: v128): v128 {
    const half = v128.mul<real>(dy, constant(C.half));
    return v128.andnot(v128.bitselect(half, dy, v128.eq<real>(a, b)), v128.lt<real>(a, b));
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
  const s = v128.splat<real>(low), t = v128.splat<real>(high);
  let i = 0;
  for (; i + LANES <= n; i += LANES) v128.store(y + at(i), v128.min<real>(v128.max<real>(v128.load(x + at(i)), s), t));
  for (; i < n; i++) store<real>(y + at(i), lane0(v128.min<real>(v128.max<real>(v128.splat<real>(load<real>(x + at(i))), s), t)));
}
export function clampInt32(y: usize, x: usize, least: i32, most: i32, n: i32): void {
  for (let i = 0; i < n; i++) store<i32>(y + (<usize>i << 2), min(max(load<i32>(x + (<usize>i << 2)), least), most));
}
/** dy where low <= x <= high, else 0. */
export function clampGrad(dx: usize, dy: usize, x: usize, low: real, high: real, n: i32): void {
  const s = v128.splat<real>(low), t = v128.splat<real>(high);
  let i = 0;
  for (; i + LANES <= n; i += LANES) {
    const v = v128.load(x + at(i));
    v128.store(dx + at(i), v128.and(v128.load(dy + at(i)), v128.and(v128.ge<real>(v, s), v128.le<real>(v, t))));
  }
  for (; i < n; i++) {
    const v = load<real>(x + at(i));
    store<real>(dx + at(i), v >= low && v <= high ? load<real>(dy + at(i)) : 0);
  }
}
