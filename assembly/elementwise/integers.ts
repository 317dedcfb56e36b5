// Functions of int32 that floats compute otherwise; products modulo 2^32. Division and powers answer 0, or 1 where an
// operand has no answer: a divisor of 0, an exponent below 0.
import { broadcastHeavy, map } from "./map";

class Square { @inline vec(x: v128): v128 { return i32x4.mul(x, x); } }
class Relu { @inline vec(x: v128): v128 { return i32x4.max_s(x, i32x4.splat(0)); } }
export function squareInt32(y: usize, x: usize, n: i32): void { map<Square, i32>(y, x, n); }
export function reluInt32(y: usize, x: usize, n: i32): void { map<Relu, i32>(y, x, n); }

/**
 * a - b trunc(a / b) of two lanes, 0 for b = 0. Exact in double precision: a quotient that is not whole is at least 1 / b away from
 * one, and its rounding error at most 2^-22 / b.
 */
// @ts-ignore: decorator
@inline function rest(a: v128, b: v128): v128 {
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.sub(a, f64x2.mul(b, f64x2.trunc(f64x2.div(a, b)))));
}
// @ts-ignore: decorator
@inline function upper(x: v128): v128 {
  return f64x2.convert_low_i32x4_s(v128.shuffle<u64>(x, x, 1, 1));
}
class Fmod {
  @inline vec(a: v128, b: v128): v128 {
    const low = rest(f64x2.convert_low_i32x4_s(a), f64x2.convert_low_i32x4_s(b));
    return v128.shuffle<u64>(low, rest(upper(a), upper(b)), 0, 2);
  }
}
/** Differing signs of a rest and b: one b more. */
class Remainder {
  @inline vec(a: v128, b: v128): v128 {
    const r = changetype<Fmod>(0).vec(a, b);
    const differ = v128.andnot(i32x4.shr_s(v128.xor(r, b), 31), i32x4.eq(r, i32x4.splat(0)));
    return i32x4.add(r, v128.and(b, differ));
  }
}
/** Squares for the bits of the exponent, from the lowest (Knuth 4.6.3, algorithm A). */
class Pow {
  @inline vec(a: v128, b: v128): v128 {
    let y = i32x4.splat(1);
    while (v128.any_true(b)) {
      const odd = i32x4.neg(v128.and(b, i32x4.splat(1)));
      y = v128.bitselect(i32x4.mul(y, a), y, odd);
      a = i32x4.mul(a, a);
      b = i32x4.shr_u(b, 1);
    }
    return y;
  }
}

class IsZero { @inline one(b: i32): bool { return b == 0; } }
class IsNegative { @inline one(b: i32): bool { return b < 0; } }

/** 1 if op holds for an element of b[n0, n1, n2], else 0; an axis of stride 0 is looked at once. */
// @ts-ignore: decorator
@inline function some<Op>(b: usize, n0: i32, n1: i32, n2: i32, b0: i32, b1: i32, b2: i32): i32 {
  if (n0 * n1 * n2 == 0) return 0;
  if (b0 == 0) n0 = 1;
  if (b1 == 0) n1 = 1;
  if (b2 == 0) n2 = 1;
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      const row = b + (<usize>(i * b0 + j * b1) << 2);
      for (let k = 0; k < n2; k++) if (changetype<Op>(0).one(load<i32>(row + (<usize>(k * b2) << 2)))) return 1;
    }
  }
  return 0;
}

export function fmodInt32(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): i32 {
  broadcastHeavy<Fmod, i32>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
  return some<IsZero>(b, n0, n1, n2, b0, b1, b2);
}
export function remainderInt32(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): i32 {
  broadcastHeavy<Remainder, i32>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
  return some<IsZero>(b, n0, n1, n2, b0, b1, b2);
}
export function powInt32(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): i32 {
  broadcastHeavy<Pow, i32>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
  return some<IsNegative>(b, n0, n1, n2, b0, b1, b2);
}
