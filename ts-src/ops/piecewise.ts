// Activations made of pieces of straight lines or nearly. NaN stays NaN; derivatives at the joints are PyTorch's.

import { ConfigError, ShapeError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { leading } from "./batching.js";
import { add, div, mul } from "./binary.js";
import { checkedOptions } from "./checks.js";
import { le } from "./compare.js";
import { floatDtype, unary } from "./operands.js";
import { anyPair, anyShape } from "./samples.js";
import { where } from "./select.js";
import { abs, reciprocal, sign, square } from "./unary.js";

/** Rectified linear unit: max(x, 0); the derivative at 0 is 0. */
export function relu(x: Tensor): Tensor {
  return apply(reluOp, { x });
}
const reluOp = op({
  ...unary("relu", "relu"),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => reluGrad(dy, y) }),
  samples: [anyShape({ away: 0.1 })],
});

/** 0 where y <= 0, else dy. */
function reluGrad(dy: Tensor, y: Tensor): Tensor {
  return apply(reluGradOp, { dy, y });
}
const reluGradOp = op({
  name: "reluGrad",
  split: "elements",
  inputs: ["dy", "y"],
  batch: leading,
  shape: (x: { dy: Spec; y: Spec }) => pair("reluGrad", x),
  kernel: (k, { dy, y }, dx) => k.reluGrad(dx.ptr, dy.ptr, y.ptr, dx.size),
  saves: ["y"],
  vjp: (g, { y }) => ({ dy: () => reluGrad(g, y), y: "zero" }),
  samples: [anyPair("y", { away: 0.1 })],
});

/** x where x > 0, else negativeSlope x (0.01 by default), which is also the derivative at 0. Throws ConfigError for a slope that is no number. */
export function leakyRelu(x: Tensor, options: { negativeSlope?: number } = {}): Tensor {
  return apply(leakyReluOp, { x }, { slope: numbers("leakyRelu", options, { negativeSlope: 0.01 }).negativeSlope });
}
const leakyReluOp = op({
  name: "leakyRelu",
  split: "elements",
  inputs: ["x"],
  batch: leading,
  shape: (x: { x: Spec }, _: { slope: number }) => ({ shape: x.x.shape, dtype: floatDtype("leakyRelu", x) }),
  kernel: (k, { x }, y, { slope }) => k.leakyRelu(y.ptr, x.ptr, slope, y.size),
  saves: ["x"],
  vjp: (dy, { x }, { params }) => ({ x: () => leakyReluGrad(dy, x, params) }),
  samples: [(draw) => ({ ...anyShape({ away: 0.1 })(draw), params: { slope: draw.pick([0.01, 0, -0.5]) } })],
});

/** dy where x > 0, else slope dy. */
function leakyReluGrad(dy: Tensor, x: Tensor, params: { slope: number }): Tensor {
  return apply(leakyReluGradOp, { dy, x }, params);
}
const leakyReluGradOp = op({
  name: "leakyReluGrad",
  split: "elements",
  inputs: ["dy", "x"],
  batch: leading,
  shape: (x: { dy: Spec; x: Spec }, _: { slope: number }) => pair("leakyReluGrad", x),
  kernel: (k, { dy, x }, dx, { slope }) => k.leakyReluGrad(dx.ptr, dy.ptr, x.ptr, slope, dx.size),
  saves: ["x"],
  vjp: (g, { x }, { params }) => ({ dy: () => leakyReluGrad(g, x, params), x: "zero" }),
  samples: [(draw) => ({ ...anyPair("x", { away: 0.1 })(draw), params: { slope: 0.2 } })],
});

/**
 * x moved into [minVal, maxVal], -1 and 1 by default; the derivative at the bounds is 0.
 * Throws ConfigError unless minVal <= maxVal.
 */
export function hardtanh(x: Tensor, options: { minVal?: number; maxVal?: number } = {}): Tensor {
  const { minVal, maxVal } = numbers("hardtanh", options, { minVal: -1, maxVal: 1 });
  if (!(minVal <= maxVal)) throw new ConfigError(`hardtanh: expected minVal <= maxVal; got ${minVal} and ${maxVal}`);
  return apply(hardtanhOp, { x }, { low: minVal, high: maxVal });
}
type Bounds = { readonly low: number; readonly high: number };
const hardtanhOp = op({
  name: "hardtanh",
  split: "elements",
  inputs: ["x"],
  batch: leading,
  shape: (x: { x: Spec }, _: Bounds) => ({ shape: x.x.shape, dtype: floatDtype("hardtanh", x) }),
  kernel: (k, { x }, y, { low, high }) => k.clamp(y.ptr, x.ptr, low, high, y.size),
  saves: ["x"],
  vjp: (dy, { x }, { params }) => ({ x: () => hardtanhGrad(dy, x, params) }),
  samples: [(draw) => ({ ...anyShape({ away: 0.1 })(draw), params: draw.pick([{ low: 0, high: 2.5 }, { low: -3, high: 0 }]) })], // biome-ignore format: short
});

/** 0 where x <= low or x >= high, else dy. */
function hardtanhGrad(dy: Tensor, x: Tensor, params: Bounds): Tensor {
  return apply(hardtanhGradOp, { dy, x }, params);
}
const hardtanhGradOp = op({
  name: "hardtanhGrad",
  split: "elements",
  inputs: ["dy", "x"],
  batch: leading,
  shape: (x: { dy: Spec; x: Spec }, _: Bounds) => pair("hardtanhGrad", x),
  kernel: (k, { dy, x }, dx, { low, high }) => k.hardtanhGrad(dx.ptr, dy.ptr, x.ptr, low, high, dx.size),
  saves: ["x"],
  vjp: (g, { x }, { params }) => ({ dy: () => hardtanhGrad(g, x, params), x: "zero" }),
  samples: [(draw) => ({ ...anyPair("x", { away: 0.1 })(draw), params: { low: 0, high: 2.5 } })],
});

/** min(max(x + 3, 0), 6) / 6; the derivative at -3 and 3 is 0. */
export function hardsigmoid(x: Tensor): Tensor {
  return apply(hardsigmoidOp, { x });
}
const hardsigmoidOp = op({
  ...unary("hardsigmoid", "hardsigmoid"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => hardsigmoidGrad(dy, x) }),
  samples: [anyShape({ low: 3.1, high: 6 }), anyShape({ low: -2.9, high: 2.9 }), anyShape({ low: -6, high: -3.1 })],
});

/** dy / 6 where -3 < x < 3, else 0. */
function hardsigmoidGrad(dy: Tensor, x: Tensor): Tensor {
  return apply(hardsigmoidGradOp, { dy, x });
}
const hardsigmoidGradOp = op({
  ...pairGrad("hardsigmoidGrad"),
  saves: ["x"],
  vjp: (g, { x }) => ({ dy: () => hardsigmoidGrad(g, x), x: "zero" }),
  samples: [anyPair("x", { low: -2.9, high: 2.9 }), anyPair("x", { low: 3.1, high: 6 })],
});

/** x min(max(x + 3, 0), 6) / 6; the derivative at -3 is -1/2, at 3 it is 1. */
export function hardswish(x: Tensor): Tensor {
  return apply(hardswishOp, { x });
}
const hardswishOp = op({
  ...unary("hardswish", "hardswish"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => hardswishGrad(dy, x) }),
  samples: [anyShape({ low: 3.1, high: 6 }), anyShape({ low: -2.9, high: 2.9 }), anyShape({ low: -6, high: -3.1 })],
});

/** 0 where x < -3, dy (x / 3 + 1 / 2) below 3, dy from there. */
function hardswishGrad(dy: Tensor, x: Tensor): Tensor {
  return apply(hardswishGradOp, { dy, x });
}
const hardswishGradOp = op({
  ...pairGrad("hardswishGrad"),
  saves: ["dy", "x"],
  vjp: (g, { dy, x }) => ({ dy: () => hardswishGrad(g, x), x: () => where(le(abs(x), 3), div(mul(g, dy), 3), 0) }),
  samples: [anyPair("x", { low: -2.9, high: 2.9 }), anyPair("x", { low: 3.1, high: 6 }), anyPair("x", { low: -6, high: -3.1 })],
});

/** x / (1 + |x|). */
export function softsign(x: Tensor): Tensor {
  return apply(softsignOp, { x });
}
const softsignOp = op({
  ...unary("softsign", "softsign"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => softsignGrad(dy, x) }),
  samples: [anyShape({ away: 0.1 })],
});

/** dy / (1 + |x|)^2. */
function softsignGrad(dy: Tensor, x: Tensor): Tensor {
  return apply(softsignGradOp, { dy, x });
}
const softsignGradOp = op({
  ...pairGrad("softsignGrad"),
  saves: ["dy", "x"],
  vjp: (g, { dy, x }) => ({
    dy: () => softsignGrad(g, x),
    x: () => {
      const r = reciprocal(add(abs(x), 1));
      return mul(mul(mul(g, dy), mul(sign(x), -2)), mul(square(r), r));
    },
  }),
  samples: [anyPair("x", { away: 0.1 })],
});

type PairKernel = "hardsigmoidGrad" | "hardswishGrad" | "softsignGrad";

/** The common part of dx[i] = f(dy[i], x[i]). */
function pairGrad(name: PairKernel) {
  return {
    name,
    split: "elements",
    inputs: ["dy", "x"],
    batch: leading,
    shape: (x: { dy: Spec; x: Spec }) => pair(name, x),
    kernel: (k: Kernels, { dy, x }: { dy: Tensor; x: Tensor }, dx: Tensor): void => k[name](dx.ptr, dy.ptr, x.ptr, dx.size),
  } as const;
}

/** Shape and dtype of two operands that have the same. */
function pair(name: string, x: { readonly [operand: string]: Spec }): Spec {
  const [p, q] = Object.values(x);
  if (!sameShape(p.shape, q.shape)) throw new ShapeError(`${name}: expected operands of one shape; got ${showShape(p.shape)} and ${showShape(q.shape)}`);
  return { shape: p.shape, dtype: floatDtype(name, x) };
}

/** Options that are all numbers, with their defaults. Throws ConfigError for others. */
function numbers<T extends { [name: string]: number }>(fn: string, options: { readonly [name in keyof T]?: number }, defaults: T): T {
  checkedOptions(fn, options, Object.keys(defaults));
  const out: { [name: string]: number } = { ...defaults };
  for (const [name, value] of Object.entries(options ?? {})) {
    if (value === undefined) continue;
    if (typeof value !== "number" || Number.isNaN(value)) throw new ConfigError(`${fn}: expected a number for ${name}; got ${showValue(value)}`);
    out[name] = value;
  }
  return out as T;
}
