// x^y = 2^(y log2 x), with the special values of C's pow. f32 computes in f64. f64 takes log2 x in two parts, the first of
// 21 bits so that products are exact (fdlibm e_pow.c, whose constants these are), and is off by less than one unit.
import { C, constant, wideConstant } from "../constants";
import { anyBeyond, magnitude, notNormal, signOf, subBits } from "./bits";
import { K } from "./coefficients";
import { expMinusOne, scaled } from "./exponential";
import { polynomial6 } from "./polynomial";

/** The high 21 bits of each of two f64: products of two such are exact. */
// @ts-ignore: decorator
@inline function head(x: v128): v128 {
  return v128.and(x, constant(K.headMask));
}
// @ts-ignore: decorator
@inline function exponentBits(x: v128): v128 {
  return i64x2.add(x, wideConstant(K.powOffset));
}

/** x^y of two f64: x > 0 normal, shift what to take from its exponent. */
// @ts-ignore: decorator
@inline function powDouble(x: v128, y: v128, shift: v128): v128 {
  const bits = exponentBits(x);
  const n = f64x2.sub(f64x2.sub(v128.or(i64x2.shr_u(bits, 52), constant(C.magic)), constant(K.magicBias)), shift);
  const m = i64x2.add(v128.and(bits, constant(C.mantissaMask)), wideConstant(K.powBase)); // in [sqrt(3)/2, sqrt(3))
  const upper = f64x2.gt(m, constant(K.powMiddle));
  const base = v128.bitselect(constant(K.oneAndHalf), constant(C.one), upper);
  const baseHigh = v128.and(constant(K.powBaseLog), upper), baseLow = v128.and(constant(K.powBaseLog + 1), upper);
  // s = (m - base) / (m + base) = sh + sl
  const d = f64x2.sub(m, base);
  const sum = f64x2.add(m, base);
  const inverse = f64x2.div(constant(C.one), sum);
  const s = f64x2.mul(d, inverse);
  const sh = head(s);
  const sumHigh = head(sum);
  const sumLow = f64x2.sub(m, f64x2.sub(sumHigh, base));
  const sl = f64x2.mul(inverse, f64x2.sub(f64x2.sub(d, f64x2.mul(sh, sumHigh)), f64x2.mul(sh, sumLow)));
  // log(m / base) = 2 s / 3 (3 + s^2 + r), the bracket = th + tl
  const z = f64x2.mul(s, s);
  const r = f64x2.add(f64x2.mul(f64x2.mul(z, z), polynomial6(z, K.powLog)), f64x2.mul(sl, f64x2.add(sh, s)));
  const square = f64x2.mul(sh, sh);
  const th = head(f64x2.add(f64x2.add(constant(K.three), square), r));
  const tl = f64x2.sub(r, f64x2.sub(f64x2.sub(th, constant(K.three)), square));
  // s times the bracket = ph + pl
  const u = f64x2.mul(sh, th);
  const v = f64x2.add(f64x2.mul(sl, th), f64x2.mul(tl, s));
  const ph = head(f64x2.add(u, v));
  const pl = f64x2.sub(v, f64x2.sub(ph, u));
  // log2 x = n + log2 base + 2 / (3 ln 2) (ph + pl) = l1 + l2
  const zh = f64x2.mul(constant(K.powScale + 1), ph);
  const zl = f64x2.add(f64x2.add(f64x2.mul(constant(K.powScale + 2), ph), f64x2.mul(pl, constant(K.powScale))), baseLow);
  const l1 = head(f64x2.add(f64x2.add(f64x2.add(zh, zl), baseHigh), n));
  const l2 = f64x2.sub(zl, f64x2.sub(f64x2.sub(f64x2.sub(l1, n), baseHigh), zh));
  // y log2 x = wh + wl; beyond these limits the result is 0 or infinity anyhow
  y = f64x2.pmin(f64x2.pmax(y, f64x2.neg(constant(K.powLargest))), constant(K.powLargest));
  const y1 = head(y);
  const limit = constant(K.powRange);
  const one = constant(C.one);
  const wl = f64x2.pmin(f64x2.pmax(f64x2.add(f64x2.mul(f64x2.sub(y, y1), l1), f64x2.mul(y, l2)), f64x2.neg(one)), one);
  const wh = f64x2.pmin(f64x2.pmax(f64x2.mul(y1, l1), f64x2.neg(limit)), limit);
  const shifted = f64x2.add(f64x2.add(wl, wh), constant(C.magic));
  const whole = f64x2.sub(wh, f64x2.sub(shifted, constant(C.magic)));
  // 2^(whole + wl) = exp(g + h)
  const t = head(f64x2.add(wl, whole));
  const a = f64x2.mul(t, constant(K.powLn2 + 1));
  const b = f64x2.add(f64x2.mul(f64x2.sub(wl, f64x2.sub(t, whole)), constant(K.powLn2)), f64x2.mul(t, constant(K.powLn2 + 2)));
  const g = f64x2.add(a, b);
  const h = f64x2.sub(b, f64x2.sub(g, a));
  const p = f64x2.add(constant(C.one), f64x2.add(expMinusOne(g), madd(h, g, h)));
  return scaled(p, subBits(shifted, constant(C.magic)));
}

// @ts-ignore: decorator
@inline function maddWide(a: v128, b: v128, k: i32): v128 {
  return f64x2.add(f64x2.mul(a, b), wideConstant(k));
}
/** x^y of two f64 that came from f32, x > 0; relative error below 2^-28. */
// @ts-ignore: decorator
@inline function powWide(x: v128, y: v128): v128 {
  const bits = exponentBits(x);
  const n = f64x2.sub(v128.or(i64x2.shr_u(bits, 52), wideConstant(K.wideMagic)), wideConstant(K.wideMagicBias));
  const m = i64x2.add(v128.and(bits, wideConstant(K.wideMantissa)), wideConstant(K.powBase));
  const s = f64x2.div(f64x2.sub(m, wideConstant(K.wideOne)), f64x2.add(m, wideConstant(K.wideOne)));
  const z = f64x2.mul(s, s);
  const r = maddWide(maddWide(maddWide(wideConstant(K.wideLog + 3), z, K.wideLog + 2), z, K.wideLog + 1), z, K.wideLog);
  const log = f64x2.mul(s, maddWide(z, r, K.wideTwo));
  const limit = wideConstant(K.wideRange);
  const w = f64x2.pmin(f64x2.pmax(f64x2.mul(y, f64x2.add(n, f64x2.mul(log, wideConstant(K.wideLog2e)))), f64x2.neg(limit)), limit);
  const shifted = f64x2.add(w, wideConstant(K.wideMagic));
  const f = f64x2.sub(w, f64x2.sub(shifted, wideConstant(K.wideMagic)));
  let p = maddWide(wideConstant(K.wideExp2 + 5), f, K.wideExp2 + 4);
  p = maddWide(maddWide(maddWide(p, f, K.wideExp2 + 3), f, K.wideExp2 + 2), f, K.wideExp2 + 1);
  p = maddWide(f, maddWide(p, f, K.wideExp2), K.wideOne);
  return f32x4.demote_f64x2_zero(i64x2.add(p, i64x2.shl(shifted, 52)));
}

// @ts-ignore: decorator
@inline function powSingle(x: v128, y: v128): v128 {
  const low = powWide(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y));
  const high = powWide(f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 2, 3)), f64x2.promote_low_f32x4(v128.shuffle<i32>(y, y, 2, 3, 2, 3)));
  return v128.shuffle<i32>(low, high, 0, 1, 4, 5);
}

/** x^y with the special values of C's pow. */
// @ts-ignore: decorator
@inline export function pow(x: v128, y: v128): v128 {
  if (v128.any_true(notNormal(x)) || anyBeyond(y, constant(K.largest))) return powAny(x, y);
  return sizeof<real>() == 4 ? powSingle(x, y) : powDouble(x, y, f64x2.splat(0));
}
function powAny(x: v128, y: v128): v128 {
  const zero = v128.splat<real>(0), one = constant(C.one), infinity = constant(C.infinity);
  const a = magnitude(x);
  let r: v128;
  if (sizeof<real>() == 4) r = powSingle(a, y);
  else {
    const small = v128.lt<real>(a, constant(C.smallestNormal));
    r = powDouble(v128.bitselect(v128.mul<real>(a, constant(C.normalise)), a, small), y, v128.and(constant(C.normaliseExponent), small));
  }
  const below = v128.lt<real>(y, zero);
  r = v128.bitselect(v128.bitselect(infinity, zero, below), r, v128.eq<real>(a, zero));
  r = v128.bitselect(v128.bitselect(zero, infinity, below), r, v128.eq<real>(a, infinity));
  // at infinite y: infinity if |x| > 1 and y > 0 or |x| < 1 and y < 0
  const grows = v128.xor(v128.gt<real>(a, one), below);
  r = v128.bitselect(v128.and(infinity, grows), r, v128.eq<real>(magnitude(y), infinity));
  // negative x: real for integers only, negative for odd ones
  const whole = v128.eq<real>(y, v128.trunc<real>(y));
  const half = v128.mul<real>(y, constant(C.half));
  const odd = v128.andnot(whole, v128.eq<real>(half, v128.trunc<real>(half)));
  r = v128.xor(r, v128.and(signOf(x), odd));
  const fails = v128.andnot(v128.and(v128.lt<real>(x, zero), v128.lt<real>(a, infinity)), whole);
  r = v128.bitselect(constant(C.nan), r, v128.or(fails, v128.or(v128.ne<real>(x, x), v128.ne<real>(y, y))));
  const unit = v128.or(v128.eq<real>(y, zero), v128.eq<real>(x, one));
  const turned = v128.and(v128.eq<real>(a, one), v128.eq<real>(magnitude(y), infinity));
  return v128.bitselect(one, r, v128.or(unit, turned));
}
