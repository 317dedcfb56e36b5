// exp, exp2, expm1. x = n ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite 1980, chapter 6), a polynomial in r, and n added
// to the exponent. A vector with a lane out of the usual range takes the second function of each pair, which has the
// same bits for the other lanes.
import { C, constant } from "../constants";
import { addBits, anyBeyond, greaterBits, magnitude, powerOfTwo, subBits, toExponent } from "./bits";
import { K } from "./coefficients";
import { polynomial5, polynomial6, polynomial10, polynomial11 } from "./polynomial";

/** n, the integer nearest to x / ln 2, in the low bits of a large number. */
// @ts-ignore: decorator
@inline export function quotient(x: v128): v128 {
  return madd(x, constant(C.log2e), constant(C.magic));
}
/** x - n ln 2, ln 2 in two parts. */
// @ts-ignore: decorator
@inline export function remainder(x: v128, shifted: v128): v128 {
  const n = v128.sub<real>(shifted, constant(C.magic));
  return madd(n, constant(C.ln2Low), madd(n, constant(C.ln2High), x));
}
/** exp(r) - 1. */
// @ts-ignore: decorator
@inline export function expMinusOne(r: v128): v128 {
  const p = sizeof<real>() == 4 ? polynomial5(r, K.exp) : polynomial10(r, K.exp);
  return madd(v128.mul<real>(r, r), p, r);
}

/** exp(x). */
// @ts-ignore: decorator
@inline export function exp(x: v128): v128 {
  return v128.any_true(expBeyond(x)) ? expTimes(x, 0) : expUsual(x);
}
// @ts-ignore: decorator
@inline export function expBeyond(x: v128): v128 {
  return greaterBits(magnitude(x), constant(K.expRange));
}
// @ts-ignore: decorator
@inline export function expUsual(x: v128): v128 {
  const shifted = quotient(x);
  return addBits(expPart(remainder(x, shifted)), toExponent(shifted));
}
/** exp(r). */
// @ts-ignore: decorator
@inline export function expPart(r: v128): v128 {
  const p = sizeof<real>() == 4 ? polynomial5(r, K.exp) : polynomial10(r, K.exp);
  return madd(madd(p, r, constant(C.one)), r, constant(C.one));
}

/** p 2^n in two factors, so that overflow and subnormal results come out right. */
// @ts-ignore: decorator
@inline export function scaled(p: v128, n: v128): v128 {
  const first = sizeof<real>() == 4 ? i32x4.shr_s(n, 1) : i64x2.shr_s(n, 1);
  return v128.mul<real>(v128.mul<real>(p, powerOfTwo(first)), powerOfTwo(subBits(n, first)));
}

/** exp(x) 2^k for any x, k = 0 or -1. */
export function expTimes(x: v128, k: i32): v128 {
  // pmin(a, b) = b < a ? b : a keeps a NaN in a
  x = v128.pmin<real>(v128.pmax<real>(x, constant(C.expLow)), constant(C.expHigh));
  const shifted = quotient(x);
  const p = expPart(remainder(x, shifted));
  const n = subBits(shifted, constant(C.magic));
  return scaled(p, addBits(n, sizeof<real>() == 4 ? i32x4.splat(k) : i64x2.splat(<i64>k)));
}

/** 2^r for |r| <= 1/2. */
// @ts-ignore: decorator
@inline function exp2Part(r: v128): v128 {
  return madd(r, sizeof<real>() == 4 ? polynomial6(r, K.exp2) : polynomial11(r, K.exp2), constant(C.one));
}

/** 2^x; exact for integers. */
// @ts-ignore: decorator
@inline export function exp2(x: v128): v128 {
  if (anyBeyond(x, constant(K.exp2Range))) return exp2Any(x);
  const shifted = v128.add<real>(x, constant(C.magic));
  return addBits(exp2Part(v128.sub<real>(x, v128.sub<real>(shifted, constant(C.magic)))), toExponent(shifted));
}
function exp2Any(x: v128): v128 {
  x = v128.pmin<real>(v128.pmax<real>(x, constant(K.exp2Low)), constant(K.exp2High));
  const shifted = v128.add<real>(x, constant(C.magic));
  const p = exp2Part(v128.sub<real>(x, v128.sub<real>(shifted, constant(C.magic))));
  return scaled(p, subBits(shifted, constant(C.magic)));
}

/** exp(x) - 1 without the sign of -0, |x| in the usual range. */
// @ts-ignore: decorator
@inline function expm1Part(x: v128): v128 {
  const shifted = quotient(x);
  const scale = powerOfTwo(shifted);
  return madd(scale, expMinusOne(remainder(x, shifted)), v128.sub<real>(scale, constant(C.one)));
}
/** exp(x) - 1, accurate near 0. */
// @ts-ignore: decorator
@inline export function expm1(x: v128): v128 {
  if (anyBeyond(x, constant(K.expRange))) return expm1Any(x);
  return v128.or(expm1Part(x), v128.and(x, constant(C.sign)));
}
function expm1Any(x: v128): v128 {
  const range = constant(K.expRange);
  const inner = expm1Part(v128.pmin<real>(v128.pmax<real>(x, v128.neg<real>(range)), range));
  const y = v128.bitselect(expTimes(x, 0), inner, greaterBits(x, range));
  return v128.bitselect(x, v128.or(y, v128.and(x, constant(C.sign))), v128.ne<real>(x, x));
}
