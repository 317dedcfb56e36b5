// y[i] = f(x[i]) for n contiguous elements.
import { C, constant } from "../constants";
import { map } from "./map";

class Neg { @inline vec(x: v128): v128 { return v128.neg<real>(x); } }
class Abs { @inline vec(x: v128): v128 { return v128.abs<real>(x); } }
class Square { @inline vec(x: v128): v128 { return v128.mul<real>(x, x); } }
class Sqrt { @inline vec(x: v128): v128 { return v128.sqrt<real>(x); } }
class Reciprocal { @inline vec(x: v128): v128 { return v128.div<real>(constant(C.one), x); } }
/** pmax(x, 0) = x < 0 ? 0 : x keeps NaN. */
class Relu { @inline vec(x: v128): v128 { return v128.pmax<real>(x, v128.splat<real>(0)); } }
/** -1, 0 or 1; NaN stays. */
class Sign {
  @inline vec(x: v128): v128 {
    const unit = v128.or(v128.and(x, constant(C.sign)), constant(C.one));
    return v128.bitselect(unit, x, v128.or(v128.lt<real>(x, v128.splat<real>(0)), v128.gt<real>(x, v128.splat<real>(0))));
  }
}

export function neg(y: usize, x: usize, n: i32): void { map<Neg>(y, x, n); }
export function abs(y: usize, x: usize, n: i32): void { map<Abs>(y, x, n); }
export function sign(y: usize, x: usize, n: i32): void { map<Sign>(y, x, n); }
export function square(y: usize, x: usize, n: i32): void { map<Square>(y, x, n); }
export function sqrt(y: usize, x: usize, n: i32): void { map<Sqrt>(y, x, n); }
export function reciprocal(y: usize, x: usize, n: i32): void { map<Reciprocal>(y, x, n); }
export function relu(y: usize, x: usize, n: i32): void { map<Relu>(y, x, n); }
