// sin, cos, tan. x = n pi/2 + r, |r| <= pi/4, with pi/2 in parts so short that n times a part is exact (Cody and Waite
// 1980, chapter 8; the parts of f64 as in fdlibm e_rem_pio2.c). f32 reduces in f64, so that r is right to its last bit.
// Larger arguments take Payne and Hanek's reduction, lane by lane. Polynomials of our own.
import { C, constant, wideConstant } from "../constants";
import { anyBeyond } from "./bits";
import { K } from "./coefficients";
import { reduceHuge } from "./huge";
import { polynomial3, polynomial6 } from "./polynomial";

// @ts-ignore: decorator
@inline const SIN: i32 = 0;
// @ts-ignore: decorator
@inline const COS: i32 = 1;
// @ts-ignore: decorator
@inline const TAN: i32 = 2;

/** n in the low bits of a large number, of two f64. */
// @ts-ignore: decorator
@inline function quotient(x: v128): v128 {
  return f64x2.add(f64x2.mul(x, wideConstant(K.twoOverPi)), wideConstant(K.wideMagic));
}
/** x - n pi/2 of two f64 that came from f32: pi/2 in parts of 33 and 53 bits. */
// @ts-ignore: decorator
@inline function remainderWide(x: v128, shifted: v128): v128 {
  const n = f64x2.sub(shifted, wideConstant(K.wideMagic));
  return f64x2.sub(f64x2.sub(x, f64x2.mul(n, wideConstant(K.piHalf))), f64x2.mul(n, wideConstant(K.piHalf + 1)));
}
/** x - n pi/2 of two f64: parts of 33, 32 and 53 bits, the second difference with its error. */
// @ts-ignore: decorator
@inline function remainderDouble(x: v128, shifted: v128): v128 {
  const n = f64x2.sub(shifted, wideConstant(K.wideMagic));
  const t = f64x2.sub(x, f64x2.mul(n, wideConstant(K.piHalf)));
  const w = f64x2.mul(n, wideConstant(K.piHalf + 1));
  const high = f64x2.sub(t, w);
  const low = f64x2.sub(f64x2.sub(t, high), w);
  return f64x2.sub(high, f64x2.sub(f64x2.mul(n, wideConstant(K.piHalf + 2)), low));
}

// @ts-ignore: decorator
@inline function lowHalf(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}
// @ts-ignore: decorator
@inline function highHalf(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 2, 3));
}

// @ts-ignore: decorator
@inline function sinPart(r: v128, z: v128): v128 {
  const p = sizeof<real>() == 4 ? polynomial3(z, K.sin) : polynomial6(z, K.sin);
  return madd(v128.mul<real>(r, z), p, r);
}
// @ts-ignore: decorator
@inline function cosPart(z: v128): v128 {
  const p = sizeof<real>() == 4 ? polynomial3(z, K.cos) : polynomial6(z, K.cos);
  return v128.sub<real>(constant(C.one), v128.sub<real>(v128.mul<real>(z, constant(C.half)), v128.mul<real>(v128.mul<real>(z, z), p)));
}
/** All bits set where n is odd. */
// @ts-ignore: decorator
@inline function odd(n: v128): v128 {
  if (sizeof<real>() == 4) return i32x4.shr_s(i32x4.shl(n, 31), 31);
  return i64x2.sub(i64x2.splat(0), v128.and(n, i64x2.splat(1)));
}

/** The function at r + n pi/2. */
// @ts-ignore: decorator
@inline function at(r: v128, n: v128, which: i32): v128 {
  const z = v128.mul<real>(r, r);
  const s = sinPart(r, z);
  const c = cosPart(z);
  if (which == TAN) {
    const swap = odd(n);
    const y = v128.div<real>(v128.bitselect(c, s, swap), v128.bitselect(s, c, swap));
    return v128.xor(y, v128.and(swap, constant(C.sign)));
  }
  if (which == COS) n = sizeof<real>() == 4 ? i32x4.add(n, i32x4.splat(1)) : i64x2.add(n, i64x2.splat(1));
  const sign = sizeof<real>() == 4 ? i32x4.shl(n, 30) : i64x2.shl(n, 62);
  return v128.xor(v128.bitselect(c, s, odd(n)), v128.and(sign, constant(C.sign)));
}

/** The function where no argument is huge. */
// @ts-ignore: decorator
@inline function usual(x: v128, which: i32): v128 {
  if (sizeof<real>() == 8) {
    const shifted = quotient(x);
    return at(remainderDouble(x, shifted), shifted, which);
  }
  const x0 = lowHalf(x), x1 = highHalf(x);
  const n0 = quotient(x0), n1 = quotient(x1);
  const r0 = f32x4.demote_f64x2_zero(remainderWide(x0, n0));
  const r1 = f32x4.demote_f64x2_zero(remainderWide(x1, n1));
  return at(v128.shuffle<i32>(r0, r1, 0, 1, 4, 5), v128.shuffle<i32>(n0, n1, 0, 2, 4, 6), which);
}

/** The function of one number of any size. */
function huge(x: f64, which: i32): real {
  const reduced = reduceHuge(x);
  const r = v128.splat<real>(<real>f64x2.extract_lane(reduced, 0));
  const q = i64x2.extract_lane(reduced, 1);
  const n = sizeof<real>() == 4 ? i32x4.splat(<i32>q) : i64x2.splat(q);
  if (which == SIN) return v128.extract_lane<real>(at(r, n, SIN), 0);
  if (which == COS) return v128.extract_lane<real>(at(r, n, COS), 0);
  return v128.extract_lane<real>(at(r, n, TAN), 0);
}
// @ts-ignore: decorator
@inline function isHuge(x: real): bool {
  return !(abs(x) <= v128.extract_lane<real>(constant(K.circularRange), 0));
}
/** y with the lanes set where x is huge, infinite or NaN. */
function withHuge(y: v128, x: v128, which: i32): v128 {
  const a = v128.extract_lane<real>(x, 0), b = v128.extract_lane<real>(x, 1);
  if (isHuge(a)) y = v128.replace_lane<real>(y, 0, huge(<f64>a, which));
  if (isHuge(b)) y = v128.replace_lane<real>(y, 1, huge(<f64>b, which));
  if (sizeof<real>() == 8) return y;
  const c = f32x4.extract_lane(x, 2), d = f32x4.extract_lane(x, 3);
  if (isHuge(<real>c)) y = f32x4.replace_lane(y, 2, <f32>huge(<f64>c, which));
  if (isHuge(<real>d)) y = f32x4.replace_lane(y, 3, <f32>huge(<f64>d, which));
  return y;
}

// @ts-ignore: decorator
@inline function circular(x: v128, which: i32): v128 {
  const y = usual(x, which);
  if (anyBeyond(x, constant(K.circularRange))) return withHuge(y, x, which);
  return y;
}

/** Sine; NaN at infinity, -0 at -0. */
// @ts-ignore: decorator
@inline export function sin(x: v128): v128 {
  return v128.bitselect(x, circular(x, SIN), v128.eq<real>(x, v128.splat<real>(0)));
}
/** Cosine; NaN at infinity. */
// @ts-ignore: decorator
@inline export function cos(x: v128): v128 {
  return circular(x, COS);
}
/** Tangent; NaN at infinity, -0 at -0. */
// @ts-ignore: decorator
@inline export function tan(x: v128): v128 {
  return v128.bitselect(x, circular(x, TAN), v128.eq<real>(x, v128.splat<real>(0)));
}
