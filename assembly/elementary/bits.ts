// A vector of `real` seen as integers of the same size.
import { C, constant } from "../constants";
import { K } from "./coefficients";

// @ts-ignore: decorator
@inline export function addBits(a: v128, b: v128): v128 {
  return sizeof<real>() == 4 ? i32x4.add(a, b) : i64x2.add(a, b);
}
// @ts-ignore: decorator
@inline export function subBits(a: v128, b: v128): v128 {
  return sizeof<real>() == 4 ? i32x4.sub(a, b) : i64x2.sub(a, b);
}
/** Lanes where a > b as signed integers: of magnitudes it is a > b with NaN and infinity above all numbers. */
// @ts-ignore: decorator
@inline export function greaterBits(a: v128, b: v128): v128 {
  return sizeof<real>() == 4 ? i32x4.gt_s(a, b) : i64x2.gt_s(a, b);
}
/** |x|. V8 copies the mask of an andnot first, but not that of an and. */
// @ts-ignore: decorator
@inline export function magnitude(x: v128): v128 {
  return v128.and(x, constant(C.magnitudeMask));
}
// @ts-ignore: decorator
@inline export function signOf(x: v128): v128 {
  return v128.and(x, constant(C.sign));
}
/** An integer that stands in the low bits, moved to the exponent. Adding it to the bits of x gives x 2^n. */
// @ts-ignore: decorator
@inline export function toExponent(n: v128): v128 {
  return sizeof<real>() == 4 ? i32x4.shl(n, 23) : i64x2.shl(n, 52);
}
/** 2^n for an integer in the low bits. */
// @ts-ignore: decorator
@inline export function powerOfTwo(n: v128): v128 {
  return addBits(toExponent(n), constant(C.oneBits));
}
/** Lanes that are not positive normal numbers: 0, subnormal, negative, infinite or NaN. */
// @ts-ignore: decorator
@inline export function notNormal(x: v128): v128 {
  return greaterBits(addBits(x, constant(K.normalOffset)), constant(K.normalLimit));
}
/** Whether a lane of four vectors is beyond +-limit, or NaN: of magnitudes the largest integer is the largest number. */
// @ts-ignore: decorator
@inline export function anyOfFourBeyond(x0: v128, x1: v128, x2: v128, x3: v128, limit: v128): bool {
  const a0 = magnitude(x0), a1 = magnitude(x1), a2 = magnitude(x2), a3 = magnitude(x3);
  if (sizeof<real>() == 4) return v128.any_true(i32x4.gt_s(i32x4.max_s(i32x4.max_s(a0, a1), i32x4.max_s(a2, a3)), limit));
  return v128.any_true(v128.or(v128.or(i64x2.gt_s(a0, limit), i64x2.gt_s(a1, limit)), v128.or(i64x2.gt_s(a2, limit), i64x2.gt_s(a3, limit))));
}
/** Whether a lane is beyond +-limit, or NaN. */
// @ts-ignore: decorator
@inline export function anyBeyond(x: v128, limit: v128): bool {
  return v128.any_true(greaterBits(magnitude(x), limit));
}
