// log, log2, log10, log1p. x = 2^e m with m in [sqrt(1/2), sqrt(2)), f = m - 1, s = f / (2 + f), and
// log(m) = f - (f^2/2 - s (f^2/2 + R(s^2))), which keeps the bits of f (fdlibm e_log.c, s_log1p.c; its idea of taking e
// and m from the bits of x less those of sqrt(1/2) is musl's). R by a polynomial of our own.
import { C, constant } from "../constants";
import { addBits, notNormal, subBits } from "./bits";
import { K } from "./coefficients";
import { polynomial3, polynomial7 } from "./polynomial";

/** e as a number; e and m share x - sqrt(1/2) in bits. */
// @ts-ignore: decorator
@inline function exponent(x: v128): v128 {
  const t = addBits(x, constant(K.oneLessSqrtHalf));
  const biased = sizeof<real>() == 4 ? i32x4.shr_u(t, 23) : i64x2.shr_u(t, 52);
  return v128.sub<real>(v128.or(biased, constant(C.magic)), constant(K.magicBias));
}
/** m - 1. */
// @ts-ignore: decorator
@inline function fraction(x: v128): v128 {
  const t = v128.and(addBits(x, constant(K.oneLessSqrtHalf)), constant(C.mantissaMask));
  return v128.sub<real>(addBits(t, constant(K.sqrtHalfBits)), constant(C.one));
}
/** s (f^2/2 + R). */
// @ts-ignore: decorator
@inline function tail(f: v128, half: v128): v128 {
  const s = v128.div<real>(f, v128.add<real>(f, constant(C.two)));
  const z = v128.mul<real>(s, s);
  const p = sizeof<real>() == 4 ? polynomial3(z, K.log) : polynomial7(z, K.log);
  return v128.mul<real>(s, madd(z, p, half));
}
// @ts-ignore: decorator
@inline function halfSquare(f: v128): v128 {
  return v128.mul<real>(f, v128.mul<real>(f, constant(C.half)));
}

/** e ln 2 + log(1 + f) + low. ln2High and ln2Low are those of -ln 2. */
// @ts-ignore: decorator
@inline function natural(e: v128, f: v128, low: v128): v128 {
  const half = halfSquare(f);
  const u = v128.add<real>(tail(f, half), v128.sub<real>(low, v128.mul<real>(e, constant(C.ln2Low))));
  return v128.sub<real>(v128.sub<real>(f, v128.sub<real>(half, u)), v128.mul<real>(e, constant(C.ln2High)));
}
// @ts-ignore: decorator
@inline function mantissaLog(f: v128): v128 {
  const half = halfSquare(f);
  return v128.sub<real>(f, v128.sub<real>(half, tail(f, half)));
}
// @ts-ignore: decorator
@inline function binaryLog(e: v128, f: v128): v128 {
  return madd(mantissaLog(f), constant(C.log2e), e);
}
// @ts-ignore: decorator
@inline function decimalLog(e: v128, f: v128): v128 {
  const low = madd(mantissaLog(f), constant(K.log10e), v128.mul<real>(e, constant(K.log10Two + 1)));
  return v128.add<real>(low, v128.mul<real>(e, constant(K.log10Two)));
}

/** Subnormal x brought to the normal range. */
// @ts-ignore: decorator
@inline function normalised(x: v128): v128 {
  return v128.bitselect(v128.mul<real>(x, constant(C.normalise)), x, v128.lt<real>(x, constant(C.smallestNormal)));
}
// @ts-ignore: decorator
@inline function anyExponent(x: v128): v128 {
  return v128.sub<real>(exponent(normalised(x)), v128.and(constant(C.normaliseExponent), v128.lt<real>(x, constant(C.smallestNormal))));
}
/** The values at and beyond the ends: -infinity at 0, infinity at infinity, NaN for negative x and NaN. */
// @ts-ignore: decorator
@inline function withEnds(y: v128, x: v128): v128 {
  y = v128.bitselect(x, y, v128.eq<real>(x, constant(C.infinity)));
  y = v128.bitselect(constant(C.minusInfinity), y, v128.eq<real>(x, v128.splat<real>(0)));
  return v128.bitselect(y, constant(C.nan), v128.ge<real>(x, v128.splat<real>(0)));
}

/** Natural logarithm: -infinity at 0, NaN below. */
// @ts-ignore: decorator
@inline export function log(x: v128): v128 {
  if (v128.any_true(notNormal(x))) return logAny(x);
  return natural(exponent(x), fraction(x), v128.splat<real>(0));
}
function logAny(x: v128): v128 {
  return withEnds(natural(anyExponent(x), fraction(normalised(x)), v128.splat<real>(0)), x);
}

/** Logarithm to base 2; exact for powers of two. */
// @ts-ignore: decorator
@inline export function log2(x: v128): v128 {
  if (v128.any_true(notNormal(x))) return log2Any(x);
  return binaryLog(exponent(x), fraction(x));
}
function log2Any(x: v128): v128 {
  return withEnds(binaryLog(anyExponent(x), fraction(normalised(x))), x);
}

/** Logarithm to base 10. */
// @ts-ignore: decorator
@inline export function log10(x: v128): v128 {
  if (v128.any_true(notNormal(x))) return log10Any(x);
  return decimalLog(exponent(x), fraction(x));
}
function log10Any(x: v128): v128 {
  return withEnds(decimalLog(anyExponent(x), fraction(normalised(x))), x);
}

/** log(u) + c / u with u = 1 + x rounded and c what rounding lost (Moller's sum). */
// @ts-ignore: decorator
@inline function log1pPart(x: v128, u: v128): v128 {
  const back = v128.sub<real>(u, constant(C.one));
  const c = v128.add<real>(v128.sub<real>(x, back), v128.sub<real>(constant(C.one), v128.sub<real>(u, back)));
  return v128.or(natural(exponent(u), fraction(u), v128.div<real>(c, u)), v128.and(x, constant(C.sign)));
}
/** log(1 + x), accurate near 0. */
// @ts-ignore: decorator
@inline export function log1p(x: v128): v128 {
  const u = v128.add<real>(x, constant(C.one));
  if (v128.any_true(notNormal(u))) return log1pAny(x);
  return log1pPart(x, u);
}
function log1pAny(x: v128): v128 {
  const u = v128.add<real>(x, constant(C.one));
  return withEnds(log1pPart(x, u), u);
}
