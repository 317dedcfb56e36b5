// Elements in another dtype: vectors of four, the rest one by one.
import { at } from "./vector";

/** Four elements of type T as two or one vector of `real`. */
// @ts-ignore: decorator
@inline function widened<T>(y: usize, x: usize): void {
  if (sizeof<real>() == 4) {
    if (isInteger<T>()) {
      const v = sizeof<T>() == 4 ? v128.load(x) : i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(x)));
      v128.store(y, f32x4.convert_i32x4_s(v));
    } else if (sizeof<T>() == 4) v128.store(y, v128.load(x));
    else v128.store(y, v128.shuffle<u64>(f32x4.demote_f64x2_zero(v128.load(x)), f32x4.demote_f64x2_zero(v128.load(x, 16)), 0, 2));
  } else if (sizeof<T>() == 8) {
    v128.store(y, v128.load(x));
    v128.store(y, v128.load(x, 16), 16);
  } else if (isInteger<T>()) {
    const v = sizeof<T>() == 4 ? v128.load(x) : i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(x)));
    v128.store(y, f64x2.convert_low_i32x4_s(v));
    v128.store(y, f64x2.convert_low_i32x4_s(v128.shuffle<u64>(v, v, 1, 0)), 16);
  } else {
    v128.store(y, f64x2.promote_low_f32x4(v128.load64_zero(x)));
    v128.store(y, f64x2.promote_low_f32x4(v128.load64_zero(x, 8)), 16);
  }
}

// @ts-ignore: decorator
@inline function from<T>(y: usize, x: usize, n: i32): void {
  for (; n >= 4; n -= 4, y += at(4), x += 4 * sizeof<T>()) widened<T>(y, x);
  for (; n > 0; n--, y += at(1), x += sizeof<T>()) store<real>(y, <real>load<T>(x));
}

export function fromFloat32(y: usize, x: usize, n: i32): void { from<f32>(y, x, n); }
export function fromFloat64(y: usize, x: usize, n: i32): void { from<f64>(y, x, n); }
export function fromInt32(y: usize, x: usize, n: i32): void { from<i32>(y, x, n); }
export function fromUint8(y: usize, x: usize, n: i32): void { from<u8>(y, x, n); }

/** Four elements of `real` towards zero; beyond the range the nearest end, NaN gives 0. */
// @ts-ignore: decorator
@inline function integers(x: usize): v128 {
  if (sizeof<real>() == 4) return i32x4.trunc_sat_f32x4_s(v128.load(x));
  return v128.shuffle<u64>(i32x4.trunc_sat_f64x2_s_zero(v128.load(x)), i32x4.trunc_sat_f64x2_s_zero(v128.load(x, 16)), 0, 2);
}

/** All ones where an element of the next four is not 0. */
// @ts-ignore: decorator
@inline function nonzero(x: usize): v128 {
  const zero = v128.splat<real>(0);
  if (sizeof<real>() == 4) return v128.ne<real>(v128.load(x), zero);
  return v128.shuffle<u32>(v128.ne<real>(v128.load(x), zero), v128.ne<real>(v128.load(x, 16), zero), 0, 2, 4, 6);
}

/** Bytes of the lanes of four vectors whose numbers fit. */
// @ts-ignore: decorator
@inline function bytesOf(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

/** Towards zero; beyond the range the nearest end, NaN gives 0. */
export function toInt32(y: usize, x: usize, n: i32): void {
  for (; n >= 4; n -= 4, y += 16, x += at(4)) v128.store(y, integers(x));
  for (; n > 0; n--, y += 4, x += at(1)) store<i32>(y, <i32>load<real>(x));
}
/** Towards zero, modulo 256. */
export function toUint8(y: usize, x: usize, n: i32): void {
  const low = i32x4.splat(255);
  for (; n >= 16; n -= 16, y += 16, x += at(16)) {
    v128.store(
      y,
      bytesOf(v128.and(integers(x), low), v128.and(integers(x + at(4)), low), v128.and(integers(x + at(8)), low), v128.and(integers(x + at(12)), low)),
    );
  }
  for (; n > 0; n--, y++, x += at(1)) store<u8>(y, <u8><i32>load<real>(x));
}
/** 1 where x is not 0. */
export function toBool(y: usize, x: usize, n: i32): void {
  const one = i32x4.splat(1);
  for (; n >= 16; n -= 16, y += 16, x += at(16)) {
    v128.store(
      y,
      bytesOf(v128.and(nonzero(x), one), v128.and(nonzero(x + at(4)), one), v128.and(nonzero(x + at(8)), one), v128.and(nonzero(x + at(12)), one)),
    );
  }
  for (; n > 0; n--, y++, x += at(1)) store<u8>(y, load<real>(x) != 0 ? 1 : 0);
}
