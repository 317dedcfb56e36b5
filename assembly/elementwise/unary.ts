// y[i] = f(x[i]) for n contiguous elements.
import { C, constant } from "../constants";
import { map, mapWith, zip } from "./map";

// the sign as a parameter: V8 makes the constants of f32x4.neg and abs anew in each iteration, and loads one of a table as often
class Neg { @inline vec(x: v128, sign: v128, _: v128): v128 { return v128.xor(x, sign); } }
class Abs { @inline vec(x: v128, _: v128, others: v128): v128 { return v128.and(x, others); } }
class Square { @inline vec(x: v128): v128 { return v128.mul<real>(x, x); } }
class Sqrt { @inline vec(x: v128): v128 { return v128.sqrt<real>(x); } }
/** x^(-1/2). */
class Rsqrt { @inline vec(x: v128): v128 { return v128.div<real>(constant(C.one), v128.sqrt<real>(x)); } }
class Reciprocal { @inline vec(x: v128): v128 { return v128.div<real>(constant(C.one), x); } }
/** -1, 0 or 1; NaN stays. */
class Sign {
  @inline vec(x: v128): v128 {
    const unit = v128.or(v128.and(x, constant(C.sign)), constant(C.one));
    return v128.bitselect(unit, x, v128.or(v128.lt<real>(x, v128.splat<real>(0)), v128.gt<real>(x, v128.splat<real>(0))));
  }
}
/** dy sign(x): 0 where x is 0, NaN where it is NaN. */
class AbsGrad {
  @inline vec(dy: v128, x: v128): v128 {
    const signed = v128.xor(dy, v128.and(x, constant(C.sign)));
    return v128.or(v128.andnot(signed, v128.eq<real>(x, v128.splat<real>(0))), v128.ne<real>(x, x));
  }
}
/** 2 dy x. */
class SquareGrad { @inline vec(dy: v128, x: v128): v128 { return v128.mul<real>(dy, v128.add<real>(x, x)); } }
class NegInt32 { @inline vec(x: v128): v128 { return i32x4.neg(x); } }
class AbsInt32 { @inline vec(x: v128): v128 { return i32x4.abs(x); } }
class SignInt32 { @inline vec(x: v128): v128 { return i32x4.sub(i32x4.shr_s(x, 31), i32x4.shr_s(i32x4.neg(v128.andnot(x, i32x4.shr_s(x, 31))), 31)); } }

export function neg(y: usize, x: usize, n: i32): void { mapWith<Neg>(y, x, constant(C.sign), constant(C.sign), n); }
export function abs(y: usize, x: usize, n: i32): void { mapWith<Abs>(y, x, constant(C.sign), v128.not(constant(C.sign)), n); }
export function absGrad(dx: usize, dy: usize, x: usize, n: i32): void { zip<AbsGrad>(dx, dy, x, n); }
export function squareGrad(dx: usize, dy: usize, x: usize, n: i32): void { zip<SquareGrad>(dx, dy, x, n); }
export function sign(y: usize, x: usize, n: i32): void { map<Sign>(y, x, n); }
export function square(y: usize, x: usize, n: i32): void { map<Square>(y, x, n); }
export function sqrt(y: usize, x: usize, n: i32): void { map<Sqrt>(y, x, n); }
export function rsqrt(y: usize, x: usize, n: i32): void { map<Rsqrt>(y, x, n); }
export function reciprocal(y: usize, x: usize, n: i32): void { map<Reciprocal>(y, x, n); }
export function negInt32(y: usize, x: usize, n: i32): void { map<NegInt32, i32>(y, x, n); }
export function absInt32(y: usize, x: usize, n: i32): void { map<AbsInt32, i32>(y, x, n); }
export function signInt32(y: usize, x: usize, n: i32): void { map<SignInt32, i32>(y, x, n); }
