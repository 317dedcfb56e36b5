// Rounding, the remainders of division, and numbers in place of NaN and infinities.
import { C, constant } from "../constants";
import { broadcastHeavy, gather, map, scatter } from "./map";

class Floor { @inline vec(x: v128): v128 { return v128.floor<real>(x); } }
class Ceil { @inline vec(x: v128): v128 { return v128.ceil<real>(x); } }
class Trunc { @inline vec(x: v128): v128 { return v128.trunc<real>(x); } }
/** Half to even. */
class Round { @inline vec(x: v128): v128 { return v128.nearest<real>(x); } }
export function floor(y: usize, x: usize, n: i32): void { map<Floor>(y, x, n); }
export function ceil(y: usize, x: usize, n: i32): void { map<Ceil>(y, x, n); }
export function trunc(y: usize, x: usize, n: i32): void { map<Trunc>(y, x, n); }
export function round(y: usize, x: usize, n: i32): void { map<Round>(y, x, n); }

/** a modulo b for finite a >= b > 0: exact, by long division in whole numbers. */
function longMod(a: f64, b: f64): f64 {
  let x = reinterpret<u64>(a), y = reinterpret<u64>(b);
  let p = i32(x >> 52), q = i32(y >> 52);
  const leading: u64 = (<u64>1) << 52;
  const mantissa = leading - 1;
  x &= mantissa;
  y &= mantissa;
  // subnormal numbers have no leading 1 and the exponent of the smallest normal ones
  if (p != 0) x |= leading; else p = 1;
  if (q != 0) y |= leading;
  else {
    const shift = i32(clz(y)) - 11;
    y <<= shift;
    q = 1 - shift;
  }
  if (p == 1 && q < 1) {
    const shift = i32(clz(x)) - 11;
    x <<= shift;
    p -= shift;
  }
  for (; p > q; p--) {
    if (x >= y) x -= y;
    x <<= 1;
  }
  if (x >= y) x -= y;
  if (x == 0) return 0;
  const shift = i32(clz(x)) - 11;
  p = q - shift;
  if (p > 0) return reinterpret<f64>(((x << shift) - leading) | (<u64>p << 52));
  // x 2^(q - 1) units of the smallest subnormal number; nothing but zeros is shifted out
  return reinterpret<f64>(q > 0 ? x << (q - 1) : x >> (1 - q));
}

/** The lanes of |a| mod |b| one by one; what is no number has been taken care of. */
// @ts-ignore: decorator
@inline function lanesMod(a: v128, b: v128): v128 {
  let y = a;
  if (sizeof<real>() == 8) {
    y = f64x2.replace_lane(y, 0, one(f64x2.extract_lane(a, 0), f64x2.extract_lane(b, 0)));
    return f64x2.replace_lane(y, 1, one(f64x2.extract_lane(a, 1), f64x2.extract_lane(b, 1)));
  }
  y = f32x4.replace_lane(y, 0, <f32>one(f32x4.extract_lane(a, 0), f32x4.extract_lane(b, 0)));
  y = f32x4.replace_lane(y, 1, <f32>one(f32x4.extract_lane(a, 1), f32x4.extract_lane(b, 1)));
  y = f32x4.replace_lane(y, 2, <f32>one(f32x4.extract_lane(a, 2), f32x4.extract_lane(b, 2)));
  return f32x4.replace_lane(y, 3, <f32>one(f32x4.extract_lane(a, 3), f32x4.extract_lane(b, 3)));
}
// @ts-ignore: decorator
@inline function one(a: f64, b: f64): f64 {
  return a < b ? a : longMod(a, b);
}

/**
 * a - b trunc(a / b), exact. A small quotient q, rounded to the nearest, is taken off in two products that are exact, as b
 * is cut in a high and a low half of its bits; the sign of what is left tells whether q was one too many.
 */
// @ts-ignore: decorator
@inline function fmodOf(a: v128, b: v128): v128 {
  let x = v128.andnot(a, constant(C.sign)), d = v128.andnot(b, constant(C.sign));
  // no number: an infinite or NaN a, b of 0 or NaN
  const bad = v128.not(v128.and(v128.lt<real>(x, constant(C.infinity)), v128.gt<real>(d, v128.splat<real>(0))));
  x = v128.andnot(x, bad);
  d = v128.bitselect(constant(C.one), d, bad);
  const q = v128.nearest<real>(v128.div<real>(x, d));
  let r: v128;
  if (v128.any_true(v128.gt<real>(q, constant(C.exactQuotient)))) r = lanesMod(x, d);
  else {
    const high = v128.and(d, constant(C.highHalf));
    const low = v128.sub<real>(d, high);
    r = v128.sub<real>(v128.sub<real>(x, v128.mul<real>(q, high)), v128.mul<real>(q, low));
    r = v128.add<real>(r, v128.and(d, v128.lt<real>(r, v128.splat<real>(0))));
    r = v128.bitselect(x, r, v128.lt<real>(x, d));
  }
  return v128.bitselect(constant(C.nan), v128.or(r, v128.and(a, constant(C.sign))), bad);
}
class Fmod { @inline vec(a: v128, b: v128): v128 { return fmodOf(a, b); } }
/** a - b floor(a / b): has the sign of b. */
class Remainder {
  @inline vec(a: v128, b: v128): v128 {
    const r = fmodOf(a, b);
    // differing signs of a rest and b: one b more
    const differ = v128.lt<real>(v128.or(v128.and(v128.xor(r, b), constant(C.sign)), constant(C.one)), v128.splat<real>(0));
    return v128.add<real>(r, v128.and(b, v128.and(differ, v128.ne<real>(r, v128.splat<real>(0)))));
  }
}
export function fmod(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcastHeavy<Fmod>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function remainder(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcastHeavy<Remainder>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}

/** x, with other numbers in place of NaN and the infinities. */
export function nanToNum(y: usize, x: usize, nan: real, posinf: real, neginf: real, n: i32): void {
  const s = v128.splat<real>(nan), t = v128.splat<real>(posinf), u = v128.splat<real>(neginf);
  const lanes: i32 = 16 / sizeof<real>();
  for (; n > 0; n -= lanes) {
    const v = gather<real>(x, 1, n);
    const above = v128.bitselect(t, v, v128.eq<real>(v, constant(C.infinity)));
    const both = v128.bitselect(u, above, v128.eq<real>(v, constant(C.minusInfinity)));
    scatter<real>(y, v128.bitselect(s, both, v128.ne<real>(v, v)), n);
    x += 16;
    y += 16;
  }
}
