// Comparisons with broadcasting (arguments as in broadcast()): y is one byte an element, 0 or 1. Sixteen elements at a
// time: their masks, all ones where true, are narrowed to bytes.

class Eq<T> { @inline vec(a: v128, b: v128): v128 { return v128.eq<T>(a, b); } }
class Ne<T> { @inline vec(a: v128, b: v128): v128 { return v128.ne<T>(a, b); } }
class Lt<T> { @inline vec(a: v128, b: v128): v128 { return v128.lt<T>(a, b); } }
class Le<T> { @inline vec(a: v128, b: v128): v128 { return v128.le<T>(a, b); } }
/** a - a is NaN for infinities too. */
class Finite { @inline vec(a: v128, b: v128): v128 { return v128.eq<real>(v128.sub<real>(a, b), v128.splat<real>(0)); } }

/** The mask of the k-th vector from here; a fixed operand is `s` or `t` in every lane. */
// @ts-ignore: decorator
@inline function mask<Op>(a: usize, b: usize, k: usize, s: v128, t: v128, aFixed: bool, bFixed: bool): v128 {
  return changetype<Op>(0).vec(aFixed ? s : v128.load(a + 16 * k), bFixed ? t : v128.load(b + 16 * k));
}

/** The masks of vectors k and k + 1, in 32 bits a lane. */
// @ts-ignore: decorator
@inline function pair<Op>(a: usize, b: usize, k: usize, s: v128, t: v128, aFixed: bool, bFixed: bool): v128 {
  return v128.shuffle<i32>(mask<Op>(a, b, k, s, t, aFixed, bFixed), mask<Op>(a, b, k + 1, s, t, aFixed, bFixed), 0, 2, 4, 6);
}

/** The first multiple of 16 elements of a row; answers how many. */
// @ts-ignore: decorator
@inline function blocks<Op, T>(y: usize, a: usize, b: usize, n: i32, aFixed: bool, bFixed: bool): i32 {
  const s = v128.splat<T>(load<T>(a)), t = v128.splat<T>(load<T>(b));
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    let low: v128, high: v128;
    if (sizeof<T>() == 4) {
      low = i16x8.narrow_i32x4_s(mask<Op>(a, b, 0, s, t, aFixed, bFixed), mask<Op>(a, b, 1, s, t, aFixed, bFixed));
      high = i16x8.narrow_i32x4_s(mask<Op>(a, b, 2, s, t, aFixed, bFixed), mask<Op>(a, b, 3, s, t, aFixed, bFixed));
    } else {
      low = i16x8.narrow_i32x4_s(pair<Op>(a, b, 0, s, t, aFixed, bFixed), pair<Op>(a, b, 2, s, t, aFixed, bFixed));
      high = i16x8.narrow_i32x4_s(pair<Op>(a, b, 4, s, t, aFixed, bFixed), pair<Op>(a, b, 6, s, t, aFixed, bFixed));
    }
    v128.store(y, i8x16.abs(i8x16.narrow_i16x8_s(low, high))); // |-1| = 1
    y += 16;
    if (!aFixed) a += 16 * sizeof<T>();
    if (!bFixed) b += 16 * sizeof<T>();
  }
  return i;
}

// @ts-ignore: decorator
@inline function compare<Op, T>(
  y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      const p = a + <usize>(i * a0 + j * a1) * sizeof<T>();
      const q = b + <usize>(i * b0 + j * b1) * sizeof<T>();
      let k = 0;
      if (a2 == 1 && b2 == 1) k = blocks<Op, T>(y, p, q, n2, false, false);
      else if (a2 == 1 && b2 == 0) k = blocks<Op, T>(y, p, q, n2, false, true);
      else if (a2 == 0 && b2 == 1) k = blocks<Op, T>(y, p, q, n2, true, false);
      for (; k < n2; k++) {
        const s = v128.splat<T>(load<T>(p + <usize>(k * a2) * sizeof<T>()));
        const t = v128.splat<T>(load<T>(q + <usize>(k * b2) * sizeof<T>()));
        store<u8>(y + <usize>k, i8x16.extract_lane_u(changetype<Op>(0).vec(s, t), 0) & 1);
      }
      y += <usize>n2;
    }
  }
}

export function eq(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  compare<Eq<real>, real>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function ne(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  compare<Ne<real>, real>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function lt(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  compare<Lt<real>, real>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function le(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  compare<Le<real>, real>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function eqInt32(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  compare<Eq<i32>, i32>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function neInt32(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  compare<Ne<i32>, i32>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function ltInt32(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  compare<Lt<i32>, i32>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function leInt32(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  compare<Le<i32>, i32>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
/** y[i] = whether x[i] is neither NaN nor infinite. */
export function isfinite(y: usize, x: usize, n: i32): void { compare<Finite, real>(y, x, x, 1, 1, n, 0, 0, 1, 0, 0, 1); }
