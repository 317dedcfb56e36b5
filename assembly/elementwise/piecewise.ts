// Activations made of pieces of straight lines or nearly, and their gradients; each takes NaN to NaN.
import { C, constant } from "../constants";
import { map, mapWith, zip, zipWith } from "./map";

// @ts-ignore: decorator
@inline function zero(): v128 { return v128.splat<real>(0); }

/** pmax(x, 0) = x < 0 ? 0 : x keeps NaN. */
class Relu { @inline vec(x: v128): v128 { return v128.pmax<real>(x, zero()); } }
/** 0 where y <= 0, else dy. */
class ReluGrad { @inline vec(dy: v128, y: v128): v128 { return v128.andnot(dy, v128.le<real>(y, zero())); } }
export function relu(y: usize, x: usize, n: i32): void { map<Relu>(y, x, n); }
export function reluGrad(dx: usize, dy: usize, y: usize, n: i32): void { zip<ReluGrad>(dx, dy, y, n); }

/** x where x > 0, else s x. */
class LeakyRelu {
  @inline vec(x: v128, s: v128, _: v128): v128 { return v128.bitselect(x, v128.mul<real>(x, s), v128.gt<real>(x, zero())); }
}
/** dy where x > 0, else s dy. */
class LeakyReluGrad {
  @inline vec(dy: v128, x: v128, s: v128, _: v128): v128 { return v128.bitselect(dy, v128.mul<real>(dy, s), v128.gt<real>(x, zero())); }
}
export function leakyRelu(y: usize, x: usize, slope: real, n: i32): void {
  const s = v128.splat<real>(slope);
  mapWith<LeakyRelu>(y, x, s, s, n);
}
export function leakyReluGrad(dx: usize, dy: usize, x: usize, slope: real, n: i32): void {
  const s = v128.splat<real>(slope);
  zipWith<LeakyReluGrad>(dx, dy, x, s, s, n);
}

/** 0 where x <= low or x >= high, else dy. */
class HardtanhGrad {
  @inline vec(dy: v128, x: v128, low: v128, high: v128): v128 { return v128.andnot(dy, v128.or(v128.le<real>(x, low), v128.ge<real>(x, high))); }
}
export function hardtanhGrad(dx: usize, dy: usize, x: usize, low: real, high: real, n: i32): void {
  zipWith<HardtanhGrad>(dx, dy, x, v128.splat<real>(low), v128.splat<real>(high), n);
}

/** min(max(x + 3, 0), 6) / 6, by the order of PyTorch. */
// @ts-ignore: decorator
@inline function ramp(x: v128): v128 {
  return v128.pmin<real>(v128.pmax<real>(v128.add<real>(x, constant(C.three)), zero()), constant(C.six));
}
class Hardsigmoid { @inline vec(x: v128): v128 { return v128.div<real>(ramp(x), constant(C.six)); } }
/** dy / 6 where -3 < x < 3, else 0. */
class HardsigmoidGrad {
  @inline vec(dy: v128, x: v128): v128 {
    return v128.and(v128.div<real>(dy, constant(C.six)), v128.lt<real>(v128.andnot(x, constant(C.sign)), constant(C.three)));
  }
}
export function hardsigmoid(y: usize, x: usize, n: i32): void { map<Hardsigmoid>(y, x, n); }
export function hardsigmoidGrad(dx: usize, dy: usize, x: usize, n: i32): void { zip<HardsigmoidGrad>(dx, dy, x, n); }

class Hardswish { @inline vec(x: v128): v128 { return v128.div<real>(v128.mul<real>(x, ramp(x)), constant(C.six)); } }
/** 0 where x < -3, dy (x / 3 + 1 / 2) below 3, dy from there. */
class HardswishGrad {
  @inline vec(dy: v128, x: v128): v128 {
    const middle = v128.mul<real>(dy, v128.add<real>(v128.div<real>(x, constant(C.three)), constant(C.half)));
    const slope = v128.bitselect(middle, dy, v128.lt<real>(x, constant(C.three)));
    return v128.andnot(slope, v128.lt<real>(x, v128.xor(constant(C.three), constant(C.sign))));
  }
}
export function hardswish(y: usize, x: usize, n: i32): void { map<Hardswish>(y, x, n); }
export function hardswishGrad(dx: usize, dy: usize, x: usize, n: i32): void { zip<HardswishGrad>(dx, dy, x, n); }

/** 1 + |x|. */
// @ts-ignore: decorator
@inline function onePlus(x: v128): v128 { return v128.add<real>(constant(C.one), v128.andnot(x, constant(C.sign))); }
class Softsign { @inline vec(x: v128): v128 { return v128.div<real>(x, onePlus(x)); } }
/** dy / (1 + |x|)^2. */
class SoftsignGrad {
  @inline vec(dy: v128, x: v128): v128 {
    const d = onePlus(x);
    return v128.div<real>(v128.div<real>(dy, d), d);
  }
}
export function softsign(y: usize, x: usize, n: i32): void { map<Softsign>(y, x, n); }
export function softsignGrad(dx: usize, dy: usize, x: usize, n: i32): void { zip<SoftsignGrad>(dx, dy, x, n); }
