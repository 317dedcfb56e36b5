// Smooth activations, each forward and backward in one kernel: silu, mish, softplus, elu, selu. gelu has a file of its own.
import { ConfigError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { leading } from "./batching.js";
import { add, mul, sub } from "./binary.js";
import { onesLike } from "./create.js";
import { numberOptions, pairGrad, pairSpec } from "./fused.js";
import { sigmoid, tanh } from "./hyperbolic.js";
import { floatDtype, unary } from "./operands.js";
import { anyPair, anyShape } from "./samples.js";
import { square } from "./unary.js";

/** Sigmoid linear unit: x sigmoid(x) (Elfwing et al. 2018). */
export function silu(x: Tensor): Tensor {
  return apply(siluOp, { x });
}
const siluOp = op({
  ...unary("silu", "silu"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => siluGrad(dy, x) }),
  samples: [anyShape()],
});

function siluGrad(dy: Tensor, x: Tensor): Tensor {
  return apply(siluGradOp, { dy, x });
}
/** dy s (1 + x (1 - s)), s = sigmoid(x); its slope is s (1 - s) (2 + x (1 - 2 s)). */
const siluGradOp = op({
  ...pairGrad("siluGrad"),
  saves: ["dy", "x"],
  vjp: (g, { dy, x }) => ({
    dy: () => siluGrad(g, x),
    x: () => {
      const s = sigmoid(x);
      return mul(mul(g, dy), mul(mul(s, sub(1, s)), add(mul(x, sub(1, mul(s, 2))), 2)));
    },
  }),
  samples: [anyPair("x")],
});

/** x tanh(softplus(x)) (Misra 2019). */
export function mish(x: Tensor): Tensor {
  return apply(mishOp, { x });
}
const mishOp = op({
  ...unary("mish", "mish"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => mishGrad(dy, x) }),
  samples: [anyShape()],
});

function mishGrad(dy: Tensor, x: Tensor): Tensor {
  return apply(mishGradOp, { dy, x });
}
/** dy (t + x (1 - t^2) s), t = tanh(softplus(x)), s = sigmoid(x); its slope is s (1 - t^2) (2 + x (1 - s - 2 t s)). */
const mishGradOp = op({
  ...pairGrad("mishGrad"),
  saves: ["dy", "x"],
  vjp: (g, { dy, x }) => ({
    dy: () => mishGrad(g, x),
    x: () => {
      const s = sigmoid(x);
      const t = tanh(softplus(x));
      const curve = add(mul(x, sub(sub(1, s), mul(mul(t, s), 2))), 2);
      return mul(mul(g, dy), mul(mul(s, sub(1, square(t))), curve));
    },
  }),
  samples: [anyPair("x")],
});

interface Softplus {
  readonly beta: number;
  readonly threshold: number;
}

/**
 * log(1 + e^(beta x)) / beta, and x where beta x > threshold; beta is 1 and threshold 20 by default.
 * Throws ConfigError for an unknown option, one that is no finite number, or beta 0.
 */
export function softplus(x: Tensor, options: { beta?: number; threshold?: number } = {}): Tensor {
  const params = numberOptions("softplus", options, { beta: 1, threshold: 20 });
  if (params.beta === 0) throw new ConfigError("softplus: expected beta other than 0; got 0");
  return apply(softplusOp, { x }, params);
}
const softplusOp = op({
  name: "softplus",
  split: "elements",
  inputs: ["x"],
  batch: leading,
  shape: (s: { x: Spec }, _params: Softplus) => ({ shape: s.x.shape, dtype: floatDtype("softplus", s) }),
  kernel: (k, { x }, y, p) => k.softplus(y.ptr, x.ptr, y.size, p.beta, p.threshold),
  saves: ["x"],
  vjp: (dy, { x }, { params }) => ({ x: () => softplusGrad(dy, x, params) }),
  samples: [
    (draw) => ({ ...anyShape()(draw), params: { beta: draw.pick([1, 2, 0.5, -1]), threshold: draw.pick([20, -9]) } }),
    { inputs: { x: { values: [-1, 0.5, 2], shape: [3], dtype: "float64" } }, params: { beta: 1, threshold: 1 } },
  ],
});

function softplusGrad(dy: Tensor, x: Tensor, params: Softplus): Tensor {
  return apply(softplusGradOp, { dy, x }, params);
}
/** dy s, s = sigmoid(beta x), 1 where beta x > threshold, so that its slope beta s (1 - s) is 0 there. */
const softplusGradOp = op({
  name: "softplusGrad",
  split: "elements",
  inputs: ["dy", "x"],
  batch: leading,
  shape: (s: { dy: Spec; x: Spec }, _params: Softplus) => pairSpec("softplusGrad", s),
  kernel: (k, { dy, x }, dx, p) => k.softplusGrad(dx.ptr, dy.ptr, x.ptr, dx.size, p.beta, p.threshold),
  saves: ["dy", "x"],
  vjp: (g, { dy, x }, { params }) => ({
    dy: () => softplusGrad(g, x, params),
    x: () => {
      const s = softplusGrad(onesLike(x), x, params);
      return mul(mul(g, dy), mul(mul(s, sub(1, s)), params.beta));
    },
  }),
  samples: [(draw) => ({ ...anyPair("x")(draw), params: { beta: draw.pick([1, 2, 0.5, -1]), threshold: draw.pick([20, -9]) } })],
});

/** Scale for x > 0, and factor of e^x - 1 below. */
interface Elu {
  readonly alpha: number;
  readonly scale: number;
}

/**
 * Exponential linear unit: x where x > 0, else alpha (e^x - 1), alpha = 1 by default (Clevert et al. 2016).
 * The derivative at 0 is alpha. Throws ConfigError for an unknown option or an alpha that is no finite number.
 */
export function elu(x: Tensor, options: { alpha?: number } = {}): Tensor {
  const { alpha } = numberOptions("elu", options, { alpha: 1 });
  return apply(eluOp, { x }, { alpha, scale: 1 });
}
const eluOp = op({
  ...eluLike("elu"),
  samples: [(draw) => ({ ...anyShape({ away: 0.1 })(draw), params: { alpha: draw.pick([1, 0.5, 2]), scale: 1 } })],
});

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** Self-normalizing unit: 1.0507 (x where x > 0, else 1.6733 (e^x - 1)) (Klambauer et al. 2017); the derivative at 0 is that from below. */
export function selu(x: Tensor): Tensor {
  return apply(seluOp, { x }, seluParams);
}
const seluParams: Elu = { alpha: SELU_ALPHA * SELU_SCALE, scale: SELU_SCALE };
const seluOp = op({
  ...eluLike("selu"),
  samples: [(draw) => ({ ...anyShape({ away: 0.1 })(draw), params: seluParams })],
});

function eluLike(name: "elu" | "selu") {
  return {
    name,
    split: "elements",
    inputs: ["x"],
    batch: leading,
    shape: (s: { x: Spec }, _params: Elu): Spec => ({ shape: s.x.shape, dtype: floatDtype(name, s) }),
    kernel: (k: Kernels, { x }: { x: Tensor }, y: Tensor, p: Elu): void => k.elu(y.ptr, x.ptr, y.size, p.alpha, p.scale),
    saves: ["x"],
    vjp: (dy: Tensor, { x }: { x: Tensor }, { params }: { params: Elu }) => ({ x: () => eluGrad(dy, x, params) }),
  } as const;
}

/** scale dy where x > 0, else dy alpha e^x. Its own slope is that of scale 0. */
function eluGrad(dy: Tensor, x: Tensor, params: Elu): Tensor {
  return apply(eluGradOp, { dy, x }, params);
}
const eluGradOp = op({
  name: "eluGrad",
  split: "elements",
  inputs: ["dy", "x"],
  batch: leading,
  shape: (s: { dy: Spec; x: Spec }, _params: Elu) => pairSpec("eluGrad", s),
  kernel: (k, { dy, x }, dx, p) => k.eluGrad(dx.ptr, dy.ptr, x.ptr, dx.size, p.alpha, p.scale),
  saves: ["dy", "x"],
  vjp: (g, { dy, x }, { params }) => ({
    dy: () => eluGrad(g, x, params),
    x: () => eluGrad(mul(g, dy), x, { alpha: params.alpha, scale: 0 }),
  }),
  samples: [(draw) => ({ ...anyPair("x", { away: 0.1 })(draw), params: { alpha: draw.pick([1, 0.5, 2]), scale: draw.pick([1, 0, 1.5]) } })],
});
