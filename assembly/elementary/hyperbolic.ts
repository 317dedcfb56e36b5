// sinh, cosh, tanh and the logistic sigmoid, from exp and expm1 (fdlibm e_sinh.c, e_cosh.c, s_tanh.c).
import { C, constant } from "../constants";
import { addBits, anyBeyond, greaterBits, magnitude, signOf, toExponent } from "./bits";
import { K } from "./coefficients";
import { expBeyond, expCoarse, expMinusOne, expPart, expTimes, quotient, quotientNegative, remainder, remainderPart } from "./exponential";
import { T } from "../tables";
import { polynomial11 } from "./polynomial";

/** sinh(a), a >= 0: h + h / (2 h + 1) with h = (exp(a) - 1) / 2. */
// @ts-ignore: decorator
@inline function sinhPart(a: v128): v128 {
  const shifted = quotient(a);
  const scale = addBits(toExponent(shifted), constant(K.halfBits));
  const h = madd(scale, expMinusOne(remainder(a, shifted)), v128.sub<real>(scale, constant(C.half)));
  const y = v128.add<real>(h, v128.div<real>(h, v128.add<real>(v128.add<real>(h, h), constant(C.one))));
  // halving would lose a bit of a subnormal a
  return v128.bitselect(a, y, v128.lt<real>(a, constant(K.cubeVanishes)));
}
/** Hyperbolic sine. */
// @ts-ignore: decorator
@inline export function sinh(x: v128): v128 {
  if (anyBeyond(x, constant(K.expRange))) return sinhAny(x);
  return v128.or(sinhPart(magnitude(x)), signOf(x));
}
function sinhAny(x: v128): v128 {
  const a = magnitude(x);
  const range = constant(K.expRange);
  const y = v128.bitselect(expTimes(a, -1), sinhPart(v128.pmin<real>(a, range)), greaterBits(a, range));
  return v128.or(y, signOf(x));
}

/** cosh(a), a >= 0: h + 1 / (4 h) with h = exp(a) / 2. */
// @ts-ignore: decorator
@inline function coshPart(a: v128): v128 {
  const shifted = quotient(a);
  const p = expPart(remainder(a, shifted));
  const h = v128.mul<real>(addBits(p, toExponent(shifted)), constant(C.half));
  return v128.add<real>(h, v128.div<real>(constant(K.quarter), h));
}
/** Hyperbolic cosine. */
// @ts-ignore: decorator
@inline export function cosh(x: v128): v128 {
  if (anyBeyond(x, constant(K.expRange))) return coshAny(x);
  return coshPart(magnitude(x));
}
function coshAny(x: v128): v128 {
  const a = magnitude(x);
  const range = constant(K.expRange);
  return v128.bitselect(expTimes(a, -1), coshPart(v128.pmin<real>(a, range)), greaterBits(a, range));
}

/** Hyperbolic tangent of f32: (1 - e) / (1 + e) with e = exp(-2 |x|) = 2^n (1 + p), whose 1 - e loses no bits near 0. */
// @ts-ignore: decorator
@inline function tanhSingle(x: v128): v128 {
  const a = v128.or(x, constant(C.sign));
  const u = v128.pmax<real>(v128.add<real>(a, a), constant(T.zeroFrom));
  const shifted = quotientNegative(u);
  const scale = toExponent(shifted);
  const p = remainderPart(u, shifted);
  const less = nmadd(scale, p, v128.sub<real>(constant(C.one), scale));
  const more = madd(scale, p, v128.add<real>(constant(C.one), scale));
  return v128.or(v128.div<real>(less, more), signOf(x));
}
/** Of f64: x + x^3 P(x^2) up to 0.55, above 1 - 2 / (exp(2 |x|) + 1), where an error of the quotient counts little. */
// @ts-ignore: decorator
@inline function tanhDouble(x: v128): v128 {
  const a = v128.pmin<real>(magnitude(x), constant(C.tanhHigh));
  const z = v128.mul<real>(a, a);
  const near = madd(v128.mul<real>(a, z), polynomial11(z, K.tanh), a);
  const double = v128.add<real>(a, a);
  const shifted = quotient(double);
  const e = addBits(expPart(remainder(double, shifted)), toExponent(shifted));
  const far = v128.sub<real>(constant(C.one), v128.div<real>(constant(C.two), v128.add<real>(e, constant(C.one))));
  return v128.or(v128.bitselect(far, near, v128.gt<real>(a, constant(K.tanhNear))), signOf(x));
}
/** Hyperbolic tangent. */
// @ts-ignore: decorator
@inline export function tanh(x: v128): v128 {
  return sizeof<real>() == 4 ? tanhSingle(x) : tanhDouble(x);
}

/** 1 / (1 + exp(-x)) for x in the range of exp. */
// @ts-ignore: decorator
@inline export function sigmoidUsual(x: v128): v128 {
  return v128.div<real>(constant(C.one), v128.add<real>(constant(C.one), expCoarse(v128.xor(x, constant(C.sign)))));
}
/** From e = exp(-|x|): e / (1 + e) for negative x, which keeps small results. */
export function sigmoidAny(x: v128): v128 {
  const e = expTimes(v128.or(x, constant(C.sign)), 0);
  const up = v128.bitselect(e, constant(C.one), v128.lt<real>(x, v128.splat<real>(0)));
  return v128.bitselect(v128.div<real>(up, v128.add<real>(constant(C.one), e)), sigmoidUsual(x), expBeyond(x));
}
/** Logistic sigmoid, 1 / (1 + exp(-x)). */
// @ts-ignore: decorator
@inline export function sigmoid(x: v128): v128 {
  return v128.any_true(expBeyond(x)) ? sigmoidAny(x) : sigmoidUsual(x);
}
