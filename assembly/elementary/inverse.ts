// asin, acos, atan, atan2. asin(x) = x + x^3 P(x^2) up to 1/2, above by asin(x) = pi/2 - 2 asin(sqrt((1 - x)/2)) (fdlibm
// e_asin.c); atan by the tangents of pi/8 and 3 pi/8 (Cephes atan.c), here with one division. Polynomials of our own.
import { C, constant } from "../constants";
import { addBits, greaterBits, magnitude, signOf } from "./bits";
import { K } from "./coefficients";
import { polynomial5, polynomial11, polynomial12 } from "./polynomial";

/** asin(base) with z = base^2. */
// @ts-ignore: decorator
@inline function asinPart(base: v128, z: v128): v128 {
  const p = sizeof<real>() == 4 ? polynomial5(z, K.asin) : polynomial12(z, K.asin);
  return madd(v128.mul<real>(base, z), p, base);
}

/** asin(x): NaN for |x| > 1. */
// @ts-ignore: decorator
@inline export function asin(x: v128): v128 {
  const a = magnitude(x);
  const large = v128.gt<real>(a, constant(C.half));
  const half = v128.mul<real>(v128.sub<real>(constant(C.one), a), constant(C.half));
  const z = v128.bitselect(half, v128.mul<real>(a, a), large);
  const t = asinPart(v128.bitselect(v128.sqrt<real>(z), a, large), z);
  const above = v128.sub<real>(constant(K.halfPi), v128.sub<real>(v128.add<real>(t, t), constant(K.halfPi + 1)));
  return v128.or(v128.bitselect(above, t, large), signOf(x));
}

/** acos(x): NaN for |x| > 1. */
// @ts-ignore: decorator
@inline export function acos(x: v128): v128 {
  const a = magnitude(x);
  const large = v128.gt<real>(a, constant(C.half));
  const half = v128.mul<real>(v128.sub<real>(constant(C.one), a), constant(C.half));
  const z = v128.bitselect(half, v128.mul<real>(a, a), large);
  const t = asinPart(v128.bitselect(v128.sqrt<real>(z), a, large), z);
  // pi/2 - t or + t in the middle; 2 t near 1, pi - 2 t near -1
  const signed = v128.xor(v128.bitselect(v128.add<real>(t, t), t, large), v128.xor(signOf(x), signOf(large)));
  const negative = v128.lt<real>(x, v128.splat<real>(0));
  const high = v128.bitselect(v128.and(constant(K.pi), negative), constant(K.halfPi), large);
  const low = v128.bitselect(v128.and(constant(K.pi + 1), negative), constant(K.halfPi + 1), large);
  return v128.sub<real>(high, v128.sub<real>(signed, low));
}

/** The angle of the point (b, a) in the quadrant of a, b >= 0, not both 0 or infinite; pi less it where `left`. */
// @ts-ignore: decorator
@inline function angle(a: v128, b: v128, left: v128): v128 {
  const above = v128.gt<real>(a, v128.mul<real>(b, constant(K.tanEighth + 1)));
  const middle = v128.gt<real>(a, v128.mul<real>(b, constant(K.tanEighth)));
  const up = v128.bitselect(v128.xor(b, constant(C.sign)), v128.bitselect(v128.sub<real>(a, b), a, middle), above);
  const down = v128.bitselect(a, v128.bitselect(v128.add<real>(a, b), b, middle), above);
  const t = v128.div<real>(up, down);
  const z = v128.mul<real>(t, t);
  const p = sizeof<real>() == 4 ? polynomial5(z, K.atan) : polynomial11(z, K.atan);
  const y = madd(v128.mul<real>(t, z), p, t);
  let high = v128.bitselect(constant(K.halfPi), v128.and(constant(K.quarterPi), middle), above);
  let low = v128.bitselect(constant(K.halfPi + 1), v128.and(constant(K.quarterPi + 1), middle), above);
  high = v128.bitselect(v128.sub<real>(constant(K.pi), high), high, left);
  low = v128.bitselect(v128.sub<real>(constant(K.pi + 1), low), low, left);
  return v128.add<real>(high, v128.add<real>(low, v128.xor(y, signOf(left))));
}

/** atan(x). */
// @ts-ignore: decorator
@inline export function atan(x: v128): v128 {
  return v128.or(angle(magnitude(x), constant(C.one), v128.splat<real>(0)), signOf(x));
}

/** The angle of (x, y) from |y| and |x|. */
// @ts-ignore: decorator
@inline function toQuadrant(a: v128, b: v128, y: v128, x: v128): v128 {
  const left = sizeof<real>() == 4 ? i32x4.shr_s(x, 31) : i64x2.shr_s(x, 63);
  return v128.or(angle(a, b, left), signOf(y));
}

/** The angle of the point (x, y) from -pi to pi, as C's atan2(y, x). */
// @ts-ignore: decorator
@inline export function atan2(y: v128, x: v128): v128 {
  const a = magnitude(y), b = magnitude(x);
  // 0, infinity, NaN and what overflows when added have their own way
  const most = addBits(v128.max<real>(a, b), constant(K.atan2Offset));
  if (v128.any_true(greaterBits(most, constant(K.atan2Limit)))) return atan2Any(y, x);
  return toQuadrant(a, b, y, x);
}
function atan2Any(y: v128, x: v128): v128 {
  let a = magnitude(y), b = magnitude(x);
  const scale = v128.bitselect(constant(K.sixteenth), constant(C.one), v128.gt<real>(v128.max<real>(a, b), constant(K.atan2Huge)));
  a = v128.mul<real>(a, scale);
  b = v128.mul<real>(b, scale);
  const ia = v128.eq<real>(a, constant(C.infinity)), ib = v128.eq<real>(b, constant(C.infinity));
  a = v128.bitselect(v128.and(constant(C.one), ia), a, v128.or(ia, ib));
  b = v128.bitselect(v128.and(constant(C.one), ib), b, v128.or(ia, ib));
  const zero = v128.splat<real>(0);
  b = v128.bitselect(constant(C.one), b, v128.and(v128.eq<real>(a, zero), v128.eq<real>(b, zero)));
  const bad = v128.or(v128.ne<real>(x, x), v128.ne<real>(y, y));
  return v128.bitselect(constant(C.nan), toQuadrant(a, b, y, x), bad);
}
