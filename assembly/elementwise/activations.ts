// Smooth activations and their derivatives, forward and backward each in one pass.
import { C, constant } from "../constants";
import { K } from "../elementary/coefficients";
import { exp, expm1, log1p, normalCdf, sigmoid, tanh } from "../elementary";
import { map, mapHeavy, mapWith, zip, zipHeavy, zipWith } from "./map";

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

class Silu { @inline vec(x: v128): v128 { return v128.mul<real>(x, sigmoid(x)); } }
/** dy s (1 + x (1 - s)), s = sigmoid(x). */
class SiluGrad {
  @inline vec(dy: v128, x: v128): v128 {
    const s = sigmoid(x);
    return v128.mul<real>(dy, v128.mul<real>(s, madd(x, v128.sub<real>(one(), s), one())));
  }
}
export function silu(y: usize, x: usize, n: i32): void { map<Silu>(y, x, n); }
export function siluGrad(dx: usize, dy: usize, x: usize, n: i32): void { zipHeavy<SiluGrad, real>(dx, dy, x, n, 1, 1); }

/** x normal distribution function(x). */
class Gelu { @inline vec(x: v128): v128 { return v128.mul<real>(x, normalCdf(x)); } }
/** dy (cdf(x) + x density(x)). */
class GeluGrad {
  @inline vec(dy: v128, x: v128): v128 {
    const density = v128.mul<real>(exp(v128.mul<real>(v128.mul<real>(x, x), constant(K.minusHalf))), constant(K.normalDensity));
    return v128.mul<real>(dy, madd(x, density, normalCdf(x)));
  }
}
export function gelu(y: usize, x: usize, n: i32): void { map<Gelu>(y, x, n); }
export function geluGrad(dx: usize, dy: usize, x: usize, n: i32): void { zipHeavy<GeluGrad, real>(dx, dy, x, n, 1, 1); }

/** (1 + tanh(k (x + c x^3))) / 2 = sigmoid(2 k (x + c x^3)), k = sqrt(2 / pi), c = 0.044715. */
// @ts-ignore: decorator
@inline function geluTanhPart(x: v128): v128 {
  const z = v128.mul<real>(x, x);
  return sigmoid(v128.mul<real>(x, madd(z, constant(K.geluTanh + 1), constant(K.geluTanh))));
}
class GeluTanh { @inline vec(x: v128): v128 { return v128.mul<real>(x, geluTanhPart(x)); } }
/** dy (s + x s (1 - s) 2 k (1 + 3 c x^2)), s as above. */
class GeluTanhGrad {
  @inline vec(dy: v128, x: v128): v128 {
    const s = geluTanhPart(x);
    const slope = madd(v128.mul<real>(x, x), constant(K.geluTanh + 2), constant(K.geluTanh));
    const bell = v128.mul<real>(s, v128.sub<real>(one(), s));
    return v128.mul<real>(dy, madd(v128.mul<real>(x, slope), bell, s));
  }
}
export function geluTanh(y: usize, x: usize, n: i32): void { map<GeluTanh>(y, x, n); }
export function geluTanhGrad(dx: usize, dy: usize, x: usize, n: i32): void { zipHeavy<GeluTanhGrad, real>(dx, dy, x, n, 1, 1); }

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

/** s x where x > 0, else a (exp(x) - 1). */
class Elu {
  @inline vec(x: v128, a: v128, s: v128): v128 {
    const low = v128.mul<real>(a, expm1(v128.pmin<real>(x, zero())));
    return v128.bitselect(v128.mul<real>(s, x), low, v128.gt<real>(x, zero()));
  }
}
/** s dy where x > 0, else dy a exp(x). */
class EluGrad {
  @inline vec(dy: v128, x: v128, a: v128, s: v128): v128 {
    const low = v128.mul<real>(a, exp(v128.pmin<real>(x, zero())));
    return v128.mul<real>(dy, v128.bitselect(s, low, v128.gt<real>(x, zero())));
  }
}
export function elu(y: usize, x: usize, n: i32, alpha: f64, scale: f64): void {
  mapWith<Elu>(y, x, v128.splat<real>(<real>alpha), v128.splat<real>(<real>scale), n);
}
export function eluGrad(dx: usize, dy: usize, x: usize, n: i32, alpha: f64, scale: f64): void {
  zipWith<EluGrad>(dx, dy, x, v128.splat<real>(<real>alpha), v128.splat<real>(<real>scale), n);
}
