// y[i] = f(x[i]) for the elementary functions, and atan2 and pow with broadcasting.
import { constant } from "../constants";
import * as elementary from "../elementary";
import { K } from "../elementary/coefficients";
import { expTimes, expUsual } from "../elementary/exponential";
import { sigmoidAny, sigmoidUsual } from "../elementary/hyperbolic";
import { broadcastHeavy, mapHeavy } from "./map";
import { mapFours, mapFoursWhole } from "./pairs";
import { square } from "./unary";

class Exp {
  @inline limit(): v128 { return constant(K.expRange); }
  @inline usual(x: v128): v128 { return expUsual(x); }
  @inline any(x: v128): v128 { return expTimes(x, 0); }
}
class Exp2 { @inline vec(x: v128): v128 { return elementary.exp2(x); } }
class Expm1 { @inline vec(x: v128): v128 { return elementary.expm1(x); } }
class Log { @inline vec(x: v128): v128 { return elementary.log(x); } }
class Log2 { @inline vec(x: v128): v128 { return elementary.log2(x); } }
class Log10 { @inline vec(x: v128): v128 { return elementary.log10(x); } }
class Log1p { @inline vec(x: v128): v128 { return elementary.log1p(x); } }
class Sin { @inline vec(x: v128): v128 { return elementary.sin(x); } }
class Cos { @inline vec(x: v128): v128 { return elementary.cos(x); } }
class Tan { @inline vec(x: v128): v128 { return elementary.tan(x); } }
class Asin { @inline vec(x: v128): v128 { return elementary.asin(x); } }
class Acos { @inline vec(x: v128): v128 { return elementary.acos(x); } }
class Atan { @inline vec(x: v128): v128 { return elementary.atan(x); } }
class Sinh { @inline vec(x: v128): v128 { return elementary.sinh(x); } }
class Cosh { @inline vec(x: v128): v128 { return elementary.cosh(x); } }
class Tanh { @inline vec(x: v128): v128 { return elementary.tanh(x); } }
class Erf { @inline vec(x: v128): v128 { return elementary.erf(x); } }
class Sigmoid {
  @inline limit(): v128 { return constant(K.expRange); }
  @inline usual(x: v128): v128 { return sigmoidUsual(x); }
  @inline any(x: v128): v128 { return sigmoidAny(x); }
}
class Atan2 { @inline vec(a: v128, b: v128): v128 { return elementary.atan2(a, b); } }
class Pow { @inline vec(a: v128, b: v128): v128 { return elementary.pow(a, b); } }

export function exp(y: usize, x: usize, n: i32): void { mapFours<Exp>(y, x, n); }
export function exp2(y: usize, x: usize, n: i32): void { mapHeavy<Exp2>(y, x, n); }
export function expm1(y: usize, x: usize, n: i32): void { mapHeavy<Expm1>(y, x, n); }
export function log(y: usize, x: usize, n: i32): void { mapHeavy<Log>(y, x, n); }
export function log2(y: usize, x: usize, n: i32): void { mapHeavy<Log2>(y, x, n); }
export function log10(y: usize, x: usize, n: i32): void { mapHeavy<Log10>(y, x, n); }
export function log1p(y: usize, x: usize, n: i32): void { mapHeavy<Log1p>(y, x, n); }
export function sin(y: usize, x: usize, n: i32): void { mapHeavy<Sin>(y, x, n); }
export function cos(y: usize, x: usize, n: i32): void { mapHeavy<Cos>(y, x, n); }
export function tan(y: usize, x: usize, n: i32): void { mapHeavy<Tan>(y, x, n); }
export function asin(y: usize, x: usize, n: i32): void { mapHeavy<Asin>(y, x, n); }
export function acos(y: usize, x: usize, n: i32): void { mapHeavy<Acos>(y, x, n); }
export function atan(y: usize, x: usize, n: i32): void { mapHeavy<Atan>(y, x, n); }
export function sinh(y: usize, x: usize, n: i32): void { mapHeavy<Sinh>(y, x, n); }
export function cosh(y: usize, x: usize, n: i32): void { mapHeavy<Cosh>(y, x, n); }
export function tanh(y: usize, x: usize, n: i32): void { mapFoursWhole<Tanh>(y, x, n); }
export function erf(y: usize, x: usize, n: i32): void { mapHeavy<Erf>(y, x, n); }
export function sigmoid(y: usize, x: usize, n: i32): void { mapFours<Sigmoid>(y, x, n); }

export function atan2(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcastHeavy<Atan2>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function pow(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  // the most frequent exponent
  if (n0 == 1 && n1 == 1 && a2 == 1 && (b2 == 0 || n2 == 1) && load<real>(b) == 2) {
    square(y, a, n2);
    return;
  }
  broadcastHeavy<Pow>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
