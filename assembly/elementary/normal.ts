// The normal law: density and distribution function, from exp(-x^2 / 2) once. Without cancellation for negative x, and
// with no branch: relative error of the tails about 2^-19 in f32, of the rest of the function an absolute one of some 2^-25.
import { C, constant } from "../constants";
import { addBits, magnitude, toExponent } from "./bits";
import { K } from "./coefficients";
import { expUsual } from "./exponential";
import { polynomial5, polynomial8, polynomial10, polynomial19 } from "./polynomial";

/** exp(-x^2 / 2); 0 where it is below the usual range. */
// @ts-ignore: decorator
@inline export function bell(x: v128): v128 {
  const a = magnitude(x);
  const limit = constant(K.cdfVanishes);
  const b = v128.pmin<real>(a, limit);
  return v128.andnot(expUsual(v128.mul<real>(v128.mul<real>(b, b), constant(K.minusHalf))), v128.gt<real>(a, limit));
}

/** f32: distribution function for -4.2 <= x <= 0, as 2^P(x). */
// @ts-ignore: decorator
@inline export function normalTail(x: v128): v128 {
  const p = polynomial10(x, K.logCdf);
  const shifted = v128.add<real>(p, constant(C.magic));
  const f = v128.sub<real>(p, v128.sub<real>(shifted, constant(C.magic)));
  return addBits(madd(polynomial5(f, K.exp2Short), f, constant(C.one)), toExponent(shifted));
}

/** Distribution function of the normal law, (1 + erf(x / sqrt 2)) / 2, given bell(x). */
// @ts-ignore: decorator
@inline export function normalCdf(x: v128, e: v128): v128 {
  const a = v128.pmin<real>(magnitude(x), constant(K.cdfHigh));
  const t = v128.div<real>(v128.sub<real>(a, constant(K.cdfCenter)), v128.add<real>(a, constant(K.cdfCenter)));
  const tail = v128.mul<real>(e, sizeof<real>() == 4 ? polynomial8(t, K.cdf) : polynomial19(t, K.cdf));
  return v128.bitselect(tail, v128.sub<real>(constant(C.one), tail), v128.lt<real>(x, v128.splat<real>(0)));
}
