// Elementary functions on one vector. Range reduction as in Cody and Waite (1980); the polynomials are the Taylor
// series of exp on |r| <= ln 2 / 2 (7 terms in f32, 13 in f64) and the odd series of log((1+s)/(1-s)), both cut
// where the next term is below half a unit in the last place.
import { C, constant } from "./constants";

// @ts-ignore: decorator
@inline function addBits(a: v128, b: v128): v128 {
  return sizeof<real>() == 4 ? i32x4.add(a, b) : i64x2.add(a, b);
}
// @ts-ignore: decorator
@inline function subBits(a: v128, b: v128): v128 {
  return sizeof<real>() == 4 ? i32x4.sub(a, b) : i64x2.sub(a, b);
}
/** 2^n for vectors of integers. */
// @ts-ignore: decorator
@inline function powerOfTwo(n: v128): v128 {
  const biased = addBits(n, constant(C.exponentBias));
  return sizeof<real>() == 4 ? i32x4.shl(biased, 23) : i64x2.shl(biased, 52);
}
// @ts-ignore: decorator
@inline function halve(n: v128): v128 {
  return sizeof<real>() == 4 ? i32x4.shr_s(n, 1) : i64x2.shr_s(n, 1);
}

/** exp(r) - 1 - r, by Horner, for |r| <= ln 2 / 2. */
// @ts-ignore: decorator
@inline function expTail(r: v128): v128 {
  if (sizeof<real>() == 4) {
    let p = constant(C.factorial + 5);
    p = madd(p, r, constant(C.factorial + 4));
    p = madd(p, r, constant(C.factorial + 3));
    p = madd(p, r, constant(C.factorial + 2));
    p = madd(p, r, constant(C.factorial + 1));
    p = madd(p, r, constant(C.factorial));
    return v128.mul<real>(v128.mul<real>(r, r), p);
  }
  let p = constant(C.factorial + 12);
  p = madd(p, r, constant(C.factorial + 11));
  p = madd(p, r, constant(C.factorial + 10));
  p = madd(p, r, constant(C.factorial + 9));
  p = madd(p, r, constant(C.factorial + 8));
  p = madd(p, r, constant(C.factorial + 7));
  p = madd(p, r, constant(C.factorial + 6));
  p = madd(p, r, constant(C.factorial + 5));
  p = madd(p, r, constant(C.factorial + 4));
  p = madd(p, r, constant(C.factorial + 3));
  p = madd(p, r, constant(C.factorial + 2));
  p = madd(p, r, constant(C.factorial + 1));
  p = madd(p, r, constant(C.factorial));
  return v128.mul<real>(v128.mul<real>(r, r), p);
}

/** exp(x); 0 and infinity beyond the range, NaN stays NaN. */
// @ts-ignore: decorator
@inline export function exp(x: v128): v128 {
  // pmin(a, b) = b < a ? b : a keeps a NaN in a, in one machine instruction.
  x = v128.pmin<real>(v128.pmax<real>(x, constant(C.expLow)), constant(C.expHigh));
  const shifted = madd(x, constant(C.log2e), constant(C.magic));
  const n = v128.sub<real>(shifted, constant(C.magic));
  const r = madd(n, constant(C.ln2Low), madd(n, constant(C.ln2High), x));
  const p = v128.add<real>(constant(C.one), v128.add<real>(r, expTail(r)));
  // 2^n in two factors, so that results in the subnormal range and at the overflow edge come out right
  const integer = subBits(shifted, constant(C.magic));
  const first = halve(integer);
  return v128.mul<real>(v128.mul<real>(p, powerOfTwo(first)), powerOfTwo(subBits(integer, first)));
}

/** log(x): -infinity at 0, NaN below. */
// @ts-ignore: decorator
@inline export function log(x: v128): v128 {
  const tiny = v128.lt<real>(x, constant(C.smallestNormal));
  let m = v128.bitselect(v128.mul<real>(x, constant(C.normalise)), x, tiny);
  const bits = sizeof<real>() == 4 ? i32x4.shr_u(m, 23) : i64x2.shr_u(m, 52);
  // exponent as a number, by the magic constant (there is no i64x2 conversion)
  let e = v128.sub<real>(addBits(constant(C.magic), subBits(bits, constant(C.exponentBias))), constant(C.magic));
  e = v128.sub<real>(e, v128.and(constant(C.normaliseExponent), tiny));
  m = v128.or(v128.and(m, constant(C.mantissaMask)), constant(C.oneBits));
  // m in [sqrt(1/2), sqrt(2))
  const large = v128.gt<real>(v128.mul<real>(m, constant(C.half)), constant(C.sqrtHalf));
  m = v128.bitselect(v128.mul<real>(m, constant(C.half)), m, large);
  e = v128.add<real>(e, v128.and(constant(C.one), large));
  const f = v128.sub<real>(m, constant(C.one));
  const s = v128.div<real>(f, v128.add<real>(f, constant(C.two)));
  const z = v128.mul<real>(s, s);
  let p: v128;
  if (sizeof<real>() == 4) {
    p = constant(C.oddInverse + 4);
    p = madd(p, z, constant(C.oddInverse + 3));
  } else {
    p = constant(C.oddInverse + 10);
    p = madd(p, z, constant(C.oddInverse + 9));
    p = madd(p, z, constant(C.oddInverse + 8));
    p = madd(p, z, constant(C.oddInverse + 7));
    p = madd(p, z, constant(C.oddInverse + 6));
    p = madd(p, z, constant(C.oddInverse + 5));
    p = madd(p, z, constant(C.oddInverse + 4));
    p = madd(p, z, constant(C.oddInverse + 3));
  }
  p = madd(p, z, constant(C.oddInverse + 2));
  p = madd(p, z, constant(C.oddInverse + 1));
  p = madd(p, z, constant(C.oddInverse));
  // log(m) = 2 s + s z p and 2 s = f - s f, which keeps the bits of f
  const series = v128.sub<real>(f, v128.mul<real>(s, v128.sub<real>(f, v128.mul<real>(z, p))));
  const low = v128.mul<real>(e, v128.neg<real>(constant(C.ln2Low)));
  let y = v128.add<real>(v128.mul<real>(e, v128.neg<real>(constant(C.ln2High))), v128.sub<real>(series, v128.neg<real>(low)));
  y = v128.bitselect(x, y, v128.eq<real>(x, constant(C.infinity)));
  y = v128.bitselect(constant(C.minusInfinity), y, v128.eq<real>(x, v128.splat<real>(0)));
  // not (x >= 0): negative or NaN
  return v128.bitselect(y, constant(C.nan), v128.ge<real>(x, v128.splat<real>(0)));
}

/** 1 / (1 + exp(-x)). */
// @ts-ignore: decorator
@inline export function sigmoid(x: v128): v128 {
  return v128.div<real>(constant(C.one), v128.add<real>(constant(C.one), exp(v128.neg<real>(x))));
}

/** tanh(x) = t / (t + 2) with t = exp(2 |x|) - 1, which loses no bits near 0. */
// @ts-ignore: decorator
@inline export function tanh(x: v128): v128 {
  const signs = v128.and(x, constant(C.sign));
  let a = v128.pmin<real>(v128.andnot(x, constant(C.sign)), constant(C.tanhHigh));
  a = v128.add<real>(a, a);
  const shifted = madd(a, constant(C.log2e), constant(C.magic));
  const n = v128.sub<real>(shifted, constant(C.magic));
  const r = madd(n, constant(C.ln2Low), madd(n, constant(C.ln2High), a));
  const scale = powerOfTwo(subBits(shifted, constant(C.magic)));
  const t = madd(scale, v128.add<real>(r, expTail(r)), v128.sub<real>(scale, constant(C.one)));
  return v128.or(v128.div<real>(t, v128.add<real>(t, constant(C.two))), signs);
}
