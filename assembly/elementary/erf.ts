// The error function: x + x P(x^2) for |x| <= 1, beyond 1 - exp(-Q(|x|)), where Q approximates -log(erfc) so closely that
// 1 - exp(-Q) is right to the last bit (the form of N. Juffa, "my_erff"; polynomials of our own).
import { C, constant } from "../constants";
import { magnitude, signOf } from "./bits";
import { K } from "./coefficients";
import { exp } from "./exponential";
import { polynomial7, polynomial12, polynomial18 } from "./polynomial";

/** erf(a) - a for 0 <= a <= 1. */
// @ts-ignore: decorator
@inline function erfPart(a: v128): v128 {
  const z = v128.mul<real>(a, a);
  return v128.mul<real>(a, sizeof<real>() == 4 ? polynomial7(z, K.erf) : polynomial12(z, K.erf));
}
/** 1 - erf(a) for 1 <= a, where it is no less than half a unit of 1. */
// @ts-ignore: decorator
@inline function erfcPart(a: v128): v128 {
  a = v128.pmin<real>(a, constant(K.erfHigh));
  return exp(v128.xor(sizeof<real>() == 4 ? polynomial7(a, K.erfc) : polynomial18(a, K.erfc), constant(C.sign)));
}

/** The error function 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
// @ts-ignore: decorator
@inline export function erf(x: v128): v128 {
  const a = magnitude(x);
  const near = v128.add<real>(a, erfPart(a));
  const far = v128.sub<real>(constant(C.one), erfcPart(a));
  return v128.or(v128.bitselect(far, near, v128.gt<real>(a, constant(C.one))), signOf(x));
}

/** Distribution function of the normal law, (1 + erf(x / sqrt 2)) / 2, without cancellation for negative x; 0 far below. */
// @ts-ignore: decorator
@inline export function normalCdf(x: v128): v128 {
  const a = v128.mul<real>(magnitude(x), constant(K.sqrtHalf));
  const near = v128.sub<real>(v128.sub<real>(constant(C.one), a), erfPart(a));
  const far = v128.bitselect(v128.splat<real>(0), erfcPart(a), v128.gt<real>(a, constant(K.erfHigh)));
  const half = v128.mul<real>(v128.bitselect(far, near, v128.gt<real>(a, constant(C.one))), constant(C.half));
  return v128.bitselect(half, v128.sub<real>(constant(C.one), half), v128.lt<real>(x, v128.splat<real>(0)));
}
