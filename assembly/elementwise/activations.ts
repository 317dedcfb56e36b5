// Smooth activations and their derivatives, forward and backward each in one pass.
import { C, constant } from "../constants";
import { bell, exp, log1p, normalCdf, normalTail, sigmoid } from "../elementary";
import { greaterBits, magnitude } from "../elementary/bits";
import { K } from "../elementary/coefficients";
import { oneLessExp } from "../elementary/exponential";
import { sigmoidAny, sigmoidUsual } from "../elementary/hyperbolic";
import { expNegative } from "../softmax";
import { mapHeavy, mapWith, zip, zipHeavy, zipWith } from "./map";
import { mapFours, mapFoursWhole, mapFoursWith, zipFours, zipFoursWhole, zipFoursWith } from "./pairs";

// @ts-ignore: decorator
@inline function zero(): v128 { return v128.splat<real>(0); }
// @ts-ignore: decorator
@inline function one(): v128 { return constant(C.one); }

/** dy y (1 - y). */
class SigmoidGrad { @inline vec(dy: v128, y: v128): v128 { return v128.mul<real>(dy, v128.mul<real>(y, v128.sub<real>(one(), y))); } }
/** dy (1 - y^2). */
class TanhGrad { @inline vec(dy: v128, y: v128): v128 { return v128.mul<real>(dy, v128.sub<real>(one(), v128.mul<real>(y, y))); } }
export function sigmoidGrad(dx: usize, dy: usize, y: usize, n: i32): void { zip<SigmoidGrad>(dx, dy, y, n); }
export function tanhGrad(dx: usize, dy: usize, y: usize, n: i32): void { zip<TanhGrad>(dx, dy, y, n); }

class Silu {
  @inline limit(): v128 { return constant(K.expRange); }
  @inline usual(x: v128): v128 { return v128.mul<real>(x, sigmoidUsual(x)); }
  @inline any(x: v128): v128 { return v128.mul<real>(x, sigmoidAny(x)); }
}
/** dy s (1 + x (1 - s)), s = sigmoid(x). */
class SiluGrad {
  @inline limit(): v128 { return constant(K.expRange); }
  @inline usual(dy: v128, x: v128): v128 { return this.from(dy, x, sigmoidUsual(x)); }
  @inline any(dy: v128, x: v128): v128 { return this.from(dy, x, sigmoidAny(x)); }
  @inline from(dy: v128, x: v128, s: v128): v128 {
    return v128.mul<real>(dy, v128.mul<real>(s, madd(x, v128.sub<real>(one(), s), one())));
  }
}
export function silu(y: usize, x: usize, n: i32): void { mapFours<Silu>(y, x, n); }
export function siluGrad(dx: usize, dy: usize, x: usize, n: i32): void { zipFours<SiluGrad>(dx, dy, x, n); }

/** x normal distribution function(x). */
class Gelu { @inline vec(x: v128): v128 { return v128.mul<real>(x, normalCdf(x, bell(x))); } }
/** dy (cdf(x) + x density(x)). */
class GeluGrad {
  @inline vec(dy: v128, x: v128): v128 {
    const e = bell(x);
    return v128.mul<real>(dy, madd(v128.mul<real>(x, constant(K.normalDensity)), e, normalCdf(x, e)));
  }
}
/** f32: the cdf of -|x| as 2^P(-|x|), and x cdf(x) = max(x, 0) - |x| cdf(-|x|). */
class GeluSingle {
  @inline limit(): v128 { return constant(K.geluRange); }
  @inline usual(x: v128): v128 {
    const a = v128.or(x, constant(C.sign));
    return madd(a, normalTail(a), v128.pmax<real>(x, zero()));
  }
  @inline any(x: v128): v128 {
    const far = greaterBits(magnitude(x), constant(K.geluRange));
    return v128.bitselect(v128.mul<real>(x, normalCdf(x, bell(x))), this.usual(x), far);
  }
}
export function gelu(y: usize, x: usize, n: i32): void {
  if (sizeof<real>() == 4) mapFours<GeluSingle>(y, x, n);
  else mapFoursWhole<Gelu>(y, x, n);
}
export function geluGrad(dx: usize, dy: usize, x: usize, n: i32): void { zipFoursWhole<GeluGrad>(dx, dy, x, n); }

/** (1 + tanh(u / 2)) / 2 = sigmoid(u), u = 2 k (x + c x^3), k = sqrt(2 / pi), c = 0.044715. */
// @ts-ignore: decorator
@inline function geluTanhAngle(x: v128): v128 {
  return v128.mul<real>(x, madd(v128.mul<real>(x, x), constant(K.geluTanh + 1), constant(K.geluTanh)));
}
class GeluTanh {
  @inline limit(): v128 { return constant(K.geluTanhRange); }
  @inline usual(x: v128): v128 { return v128.mul<real>(x, sigmoidUsual(geluTanhAngle(x))); }
  @inline any(x: v128): v128 { return v128.mul<real>(x, sigmoidAny(geluTanhAngle(x))); }
}
/** dy (s + x s (1 - s) 2 k (1 + 3 c x^2)), s as above. */
class GeluTanhGrad {
  @inline limit(): v128 { return constant(K.geluTanhRange); }
  @inline usual(dy: v128, x: v128): v128 { return this.from(dy, x, sigmoidUsual(geluTanhAngle(x))); }
  @inline any(dy: v128, x: v128): v128 { return this.from(dy, x, sigmoidAny(geluTanhAngle(x))); }
  @inline from(dy: v128, x: v128, s: v128): v128 {
    const slope = madd(v128.mul<real>(x, x), constant(K.geluTanh + 2), constant(K.geluTanh));
    const curve = v128.mul<real>(s, v128.sub<real>(one(), s));
    return v128.mul<real>(dy, madd(v128.mul<real>(x, slope), curve, s));
  }
}
export function geluTanh(y: usize, x: usize, n: i32): void { mapFours<GeluTanh>(y, x, n); }
export function geluTanhGrad(dx: usize, dy: usize, x: usize, n: i32): void { zipFours<GeluTanhGrad>(dx, dy, x, n); }

/** exp(x), where it matters for tanh(softplus(x)) = w / (w + 2), w = e (e + 2), e = exp(x). */
// @ts-ignore: decorator
@inline function mishExp(x: v128): v128 { return exp(v128.pmin<real>(x, constant(K.mishHigh))); }
class Mish {
  @inline vec(x: v128): v128 {
    const e = mishExp(x);
    const w = v128.mul<real>(e, v128.add<real>(e, constant(C.two)));
    return v128.mul<real>(x, v128.div<real>(w, v128.add<real>(w, constant(C.two))));
  }
}
/** dy (w + 4 x e (1 + e) / d) / d, d = w + 2. */
class MishGrad {
  @inline vec(dy: v128, x: v128): v128 {
    const e = mishExp(x);
    const w = v128.mul<real>(e, v128.add<real>(e, constant(C.two)));
    const d = v128.add<real>(w, constant(C.two));
    const four = v128.add<real>(constant(C.two), constant(C.two));
    const v = v128.mul<real>(v128.mul<real>(four, e), v128.div<real>(v128.add<real>(e, one()), d));
    return v128.mul<real>(dy, v128.div<real>(madd(x, v, w), d));
  }
}
export function mish(y: usize, x: usize, n: i32): void { mapHeavy<Mish>(y, x, n); }
export function mishGrad(dx: usize, dy: usize, x: usize, n: i32): void { zipHeavy<MishGrad, real>(dx, dy, x, n, 1, 1); }

/** log(1 + exp(b x)) / b, written so that nothing overflows; x where b x > t. */
class Softplus {
  @inline vec(x: v128, b: v128, t: v128): v128 {
    const z = v128.mul<real>(x, b);
    const low = log1p(exp(v128.or(z, constant(C.sign))));
    const y = v128.div<real>(v128.add<real>(v128.pmax<real>(z, zero()), low), b);
    return v128.bitselect(x, y, v128.gt<real>(z, t));
  }
}
/** dy sigmoid(b x); dy where b x > t. */
class SoftplusGrad {
  @inline vec(dy: v128, x: v128, b: v128, t: v128): v128 {
    const z = v128.mul<real>(x, b);
    return v128.bitselect(dy, v128.mul<real>(dy, sigmoid(z)), v128.gt<real>(z, t));
  }
}
export function softplus(y: usize, x: usize, n: i32, beta: f64, threshold: f64): void {
  mapWith<Softplus>(y, x, v128.splat<real>(<real>beta), v128.splat<real>(<real>threshold), n);
}
export function softplusGrad(dx: usize, dy: usize, x: usize, n: i32, beta: f64, threshold: f64): void {
  zipWith<SoftplusGrad>(dx, dy, x, v128.splat<real>(<real>beta), v128.splat<real>(<real>threshold), n);
}

/** s max(x, 0) - a (1 - exp(min(x, 0))): one of the two is 0. */
class Elu {
  @inline vec(x: v128, a: v128, s: v128): v128 {
    return nmadd(a, oneLessExp(v128.pmin<real>(x, zero())), v128.mul<real>(s, v128.pmax<real>(x, zero())));
  }
}
/** s dy where x > 0, else dy a exp(x). */
class EluGrad {
  @inline vec(dy: v128, x: v128, a: v128, s: v128): v128 {
    const low = v128.mul<real>(a, expNegative(v128.pmin<real>(x, zero())));
    return v128.mul<real>(dy, v128.bitselect(s, low, v128.gt<real>(x, zero())));
  }
}
export function elu(y: usize, x: usize, n: i32, alpha: f64, scale: f64): void {
  mapFoursWith<Elu>(y, x, v128.splat<real>(<real>alpha), v128.splat<real>(<real>scale), n);
}
export function eluGrad(dx: usize, dy: usize, x: usize, n: i32, alpha: f64, scale: f64): void {
  zipFoursWith<EluGrad>(dx, dy, x, v128.splat<real>(<real>alpha), v128.splat<real>(<real>scale), n);
}
