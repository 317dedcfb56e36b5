// What derivatives of norms and extremes need: functions with a value chosen where the plain formula has none.
import { C, constant } from "../constants";
import * as elementary from "../elementary";
import { LANES, at, lane0 } from "../vector";
import { broadcast } from "./map";

/** a / b, 0 where b is 0. */
class DivNoNan { @inline vec(a: v128, b: v128): v128 { return v128.and(v128.div<real>(a, b), v128.ne<real>(b, v128.splat<real>(0))); } }
/** e^(a - b), 0 where a is -infinity. */
class ExpSub {
  @inline vec(a: v128, b: v128): v128 {
    return v128.and(elementary.exp(v128.sub<real>(a, b)), v128.ne<real>(a, constant(C.minusInfinity)));
  }
}
/** 1 where a = b or both are NaN, else 0. */
class Same {
  @inline vec(a: v128, b: v128): v128 {
    const nan = v128.and(v128.ne<real>(a, a), v128.ne<real>(b, b));
    return v128.and(constant(C.one), v128.or(v128.eq<real>(a, b), nan));
  }
}

export function divNoNan(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<DivNoNan>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function expSub(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<ExpSub>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function same(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Same>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}

/** |x|^p, zero where x is 0; with the sign of x if `signed`. */
// @ts-ignore: decorator
@inline function power(x: v128, p: v128, zero: v128, signs: v128): v128 {
  const a = v128.abs<real>(x);
  const y = v128.bitselect(zero, elementary.exp(v128.mul<real>(p, elementary.log(a))), v128.eq<real>(a, v128.splat<real>(0)));
  return v128.or(y, v128.and(x, signs));
}
export function absPower(y: usize, x: usize, n: i32, p: real, zero: real, signed: i32): void {
  const exponent = v128.splat<real>(p), atZero = v128.splat<real>(zero);
  const signs = signed != 0 ? constant(C.sign) : v128.splat<real>(0);
  let i = 0;
  for (; i + LANES <= n; i += LANES) v128.store(y + at(i), power(v128.load(x + at(i)), exponent, atZero, signs));
  for (; i < n; i++) store<real>(y + at(i), lane0(power(v128.splat<real>(load<real>(x + at(i))), exponent, atZero, signs)));
}
