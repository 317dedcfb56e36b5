// exp, exp2, expm1. x = n ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite 1980, chapter 6), a polynomial in r, and n added
// to the exponent. A vector with a lane out of the usual range takes the second function of each pair, which has the
// same bits for the other lanes.
import { C, constant } from "../constants";
import { addBits, anyBeyond, greaterBits, magnitude, powerOfTwo, subBits, toExponent } from "./bits";
import { K } from "./coefficients";
import { T } from "../tables";
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
  const p = sizeof<real>() == 4 ? polynomial6(r, K.expm1) : polynomial10(r, K.exp);
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
/** f32: exp(r) with one step less. */
// @ts-ignore: decorator
@inline function expShort(r: v128): v128 {
  return madd(polynomial5(r, K.expShort), r, constant(C.one));
}
/** As expUsual; f32 off by 2.2 units in the last place at most. */
// @ts-ignore: decorator
@inline export function expCoarse(x: v128): v128 {
  if (sizeof<real>() == 8) return expUsual(x);
  const shifted = quotient(x);
  return addBits(expShort(remainder(x, shifted)), toExponent(shifted));
}
/** exp(r). */
// @ts-ignore: decorator
@inline export function expPart(r: v128): v128 {
  // rounded twice a step, the short one would be off by 2.2 units
  if (sizeof<real>() == 4 && fused()) return expShort(r);
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

/** For x <= 0 the n of exp(x) in a number with the exponent's bias added, so that its bits shifted up are 2^n. */
// @ts-ignore: decorator
@inline export function quotientNegative(x: v128): v128 {
  return madd(x, constant(C.log2e), constant(T.biasedMagic));
}
/** exp(r) - 1 for r = x - n ln 2, x <= 0. One part of ln 2 does where exp(x) is added to 1: the error counts with exp(x). */
// @ts-ignore: decorator
@inline export function remainderPart(x: v128, shifted: v128): v128 {
  const n = v128.sub<real>(shifted, constant(T.biasedMagic));
  return expMinusOne(sizeof<real>() == 4 ? madd(n, constant(T.minusLn2), x) : madd(n, constant(C.ln2Low), madd(n, constant(C.ln2High), x)));
}
/** 1 - exp(x) for x <= 0, 0 for 0, NaN for NaN: no range to look at. */
// @ts-ignore: decorator
@inline export function oneLessExp(x: v128): v128 {
  x = v128.pmax<real>(x, constant(T.zeroFrom));
  const shifted = quotientNegative(x);
  const scale = toExponent(shifted);
  return nmadd(scale, remainderPart(x, shifted), v128.sub<real>(constant(C.one), scale));
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
