// Elementwise parts of losses that plain formulas would compute with a loss of digits.
import { C, constant } from "./constants";
import * as elementary from "./elementary";
import { mapHeavy, zip } from "./elementwise/map";
import { expNegative } from "./softmax";

/** min(x, 0) - log(1 + exp(-|x|)). */
class LogSigmoid {
  @inline vec(x: v128): v128 {
    const tail = elementary.log1p(expNegative(v128.neg<real>(v128.abs<real>(x))));
    // pmin(x, 0) = 0 < x ? 0 : x keeps NaN
    return v128.sub<real>(v128.pmin<real>(x, v128.splat<real>(0)), tail);
  }
}

/** -(t max(log x, -100) + (1 - t) max(log(1 - x), -100)). */
class BinaryCrossEntropy {
  @inline vec(x: v128, t: v128): v128 {
    const floor = v128.splat<real>(-100);
    const p = v128.pmax<real>(elementary.log(x), floor), q = v128.pmax<real>(elementary.log1p(v128.neg<real>(x)), floor);
    const rest = v128.sub<real>(constant(C.one), t);
    return v128.neg<real>(v128.add<real>(v128.mul<real>(t, p), v128.mul<real>(rest, q)));
  }
}

export function logSigmoid(y: usize, x: usize, n: i32): void { mapHeavy<LogSigmoid>(y, x, n); }
export function binaryCrossEntropy(y: usize, a: usize, b: usize, n: i32): void { zip<BinaryCrossEntropy>(y, a, b, n); }
