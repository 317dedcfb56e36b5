// Choices between two: by a condition, the larger, the smaller, within bounds.
import { isFloat, itemBytes } from "../../bindings/dtype.js";
import { DtypeError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, type Draw, op, type Spec } from "../../bindings/op.js";
import { broadcastShapes, sameShape, showShape } from "../../bindings/shape.js";
import { Tensor } from "../../bindings/tensor.js";
import { broadcasting, leading } from "./batching.js";
import { type AnyBound, type Bounds, bounds } from "./bounds.js";
import { gt, lt, ne } from "./compare.js";
import { logicalOr } from "./logic.js";
import { binary, checkedTensor, floatDtype, numberDtype, type Operand, withScalars } from "./operands.js";
import { anyPair, anyShape, steps } from "./samples.js";
import { broadcastTo } from "./shape.js";
import { zipWhere } from "./strided.js";

/**
 * a where the condition (bool or uint8) holds, else b; the three broadcast, and a and b may be numbers or have any one
 * dtype. A gradient flows only to the operand that was taken: what was not taken may be NaN.
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  checkedTensor("where", "condition", condition);
  return withScalars("where", a, b, (p, q) => apply(whereOp, { condition, a: p, b: q }));
}
const whereOp = op({
  name: "where",
  split: "elements",
  inputs: ["condition", "a", "b"],
  batch: broadcasting,
  shape({ condition, a, b }: { condition: Spec; a: Spec; b: Spec }) {
    if (condition.dtype !== "bool" && condition.dtype !== "uint8") {
      throw new DtypeError(`where: expected a condition of dtype bool or uint8; got ${condition.dtype}; compare it, as in ne(condition, 0)`);
    }
    if (a.dtype !== b.dtype) throw new DtypeError(`where: expected a and b of one dtype; got ${a.dtype} and ${b.dtype}; convert one with .to("${a.dtype}")`);
    return { shape: broadcastShapes("where", condition.shape, broadcastShapes("where", a.shape, b.shape)), dtype: a.dtype };
  },
  strided: true,
  kernel(k, { condition, a, b }, y) {
    const bytes = itemBytes(y.dtype);
    zipWhere(bytes === 8 ? k.where64 : bytes === 4 ? k.where32 : k.where8, condition, a, b, y);
  },
  saves: ["condition"],
  vjp: (dy, { condition }) => ({ condition: "none", a: () => where(condition, dy, 0), b: () => where(condition, 0, dy) }),
  samples: [
    (draw) => {
      const [shape, other] = draw.broadcast();
      const size = shape.reduce((n, length) => n * length, 1);
      const condition = { values: Array.from({ length: size }, () => draw.integer(0, 1)), shape, dtype: "bool" as const };
      return { inputs: { condition, a: { shape: other }, b: { shape: draw.pick([shape, other, []]) } } };
    },
  ],
});

/** The larger of a and b; NaN if either is. Where they are equal, each gets half of the gradient. float32, float64, int32. */
export function maximum(a: Operand, b: Operand): Tensor {
  return withScalars("maximum", a, b, (p, q) => apply(maximumOp, { a: p, b: q }));
}
const maximumOp = op({
  ...binary("maximum", "maximum", "maximumInt32"),
  saves: ["a", "b"],
  vjp: (dy, { a, b }) => ({ a: () => maximumGrad(dy, a, b), b: () => maximumGrad(dy, b, a) }),
  samples: [distinct],
});

/** The smaller of a and b; NaN if either is. Where they are equal, each gets half of the gradient. float32, float64, int32. */
export function minimum(a: Operand, b: Operand): Tensor {
  return withScalars("minimum", a, b, (p, q) => apply(minimumOp, { a: p, b: q }));
}
const minimumOp = op({
  ...binary("minimum", "minimum", "minimumInt32"),
  saves: ["a", "b"],
  vjp: (dy, { a, b }) => ({ a: () => maximumGrad(dy, b, a), b: () => maximumGrad(dy, a, b) }),
  samples: [distinct],
});

/** dy where a > b, half of it where they are equal, 0 where a < b; a and b broadcast to dy. */
function maximumGrad(dy: Tensor, a: Tensor, b: Tensor): Tensor {
  const wide = (x: Tensor): Tensor => (sameShape(x.shape, dy.shape) ? x : broadcastTo(x, dy.shape));
  return apply(maximumGradOp, { dy, a: wide(a), b: wide(b) });
}
const maximumGradOp = op({
  name: "maximumGrad",
  split: "elements",
  inputs: ["dy", "a", "b"],
  batch: leading,
  shape(x: { dy: Spec; a: Spec; b: Spec }) {
    if (!sameShape(x.dy.shape, x.a.shape) || !sameShape(x.dy.shape, x.b.shape)) {
      throw new ShapeError(`maximumGrad: expected dy, a and b of one shape; got ${[x.dy, x.a, x.b].map((s) => showShape(s.shape)).join(", ")}`);
    }
    return { shape: x.dy.shape, dtype: floatDtype("maximumGrad", x) };
  },
  kernel: (k, { dy, a, b }, dx) => k.maximumGrad(dx.ptr, dy.ptr, a.ptr, b.ptr, dx.size),
  saves: ["a", "b"],
  vjp: (g, { a, b }) => ({ dy: () => maximumGrad(g, a, b), a: "zero", b: "zero" }),
  samples: [
    (draw) => {
      const shape = draw.shape();
      return { inputs: { dy: { shape }, a: steps(draw, shape, 0), b: steps(draw, shape, 0.125) } };
    },
  ],
});

/** Operands that broadcast and differ by 1/8 or more. */
function distinct(draw: Draw) {
  const [a, b] = draw.broadcast();
  return { inputs: { a: steps(draw, a, 0), b: steps(draw, b, 0.125) } };
}

/**
 * x moved into [lo, hi]: min(max(x, lo), hi); NaN stays, and a bound of NaN makes all NaN. Bounds are numbers, null where open,
 * or tensors that broadcast with x. The derivative is 1 within the bounds and at them, else 0; elsewhere that of a tensor
 * bound that was taken is 1. float32, float64, int32. Throws ConfigError unless there is at least one bound.
 */
export function clamp(x: Tensor, lo: AnyBound, hi: AnyBound = null): Tensor {
  checkedTensor("clamp", "x", x);
  if (!(lo instanceof Tensor) && !(hi instanceof Tensor)) return apply(clampOp, { x }, bounds("clamp", x, lo, hi));
  bounds("clamp", x, lo instanceof Tensor ? 0 : lo, hi instanceof Tensor ? 0 : hi);
  numberDtype("clamp", { x, ...(lo instanceof Tensor && { lo }), ...(hi instanceof Tensor && { hi }) });
  const moved = (y: Tensor, bound: AnyBound | undefined, beyond: (y: Tensor, bound: Operand) => Tensor): Tensor => {
    if (bound === null || bound === undefined) return y;
    const taken = beyond(y, bound);
    return where(isFloat(x.dtype) ? logicalOr(taken, ne(bound, bound)) : taken, bound, y);
  };
  return scope(() => moved(moved(x, lo, lt), hi, gt));
}
const clampOp = op({
  name: "clamp",
  split: "elements",
  inputs: ["x"],
  batch: leading,
  shape: (x: { x: Spec }, _: Bounds) => ({ shape: x.x.shape, dtype: numberDtype("clamp", x) }),
  kernel: (k, { x }, y, { low, high }) => (y.dtype === "int32" ? k.clampInt32 : k.clamp)(y.ptr, x.ptr, low, high, y.size),
  saves: ["x"],
  vjp: (dy, { x }, { params }) => ({ x: () => clampGrad(dy, x, params) }),
  samples: [
    (draw) => ({ ...anyShape({ away: 0.1 })(draw), params: draw.pick([OPEN_ABOVE, OPEN_BELOW]) }),
    (draw) => ({ ...anyShape({ away: 0.1 })(draw), params: { low: 0, high: 2.5 } }),
  ],
});
const OPEN_ABOVE = { low: 0, high: Number.POSITIVE_INFINITY };
const OPEN_BELOW = { low: Number.NEGATIVE_INFINITY, high: 0 };

/** dy where low <= x <= high, else 0. */
function clampGrad(dy: Tensor, x: Tensor, params: Bounds): Tensor {
  return apply(clampGradOp, { dy, x }, params);
}
const clampGradOp = op({
  name: "clampGrad",
  split: "elements",
  inputs: ["dy", "x"],
  batch: leading,
  shape: (x: { dy: Spec; x: Spec }, _: Bounds) => ({ shape: x.x.shape, dtype: floatDtype("clampGrad", x) }),
  kernel: (k, { dy, x }, dx, { low, high }) => k.clampGrad(dx.ptr, dy.ptr, x.ptr, low, high, dx.size),
  saves: ["x"],
  vjp: (g, { x }, { params }) => ({ dy: () => clampGrad(g, x, params), x: "zero" }),
  samples: [(draw) => ({ ...anyPair("x", { away: 0.1 })(draw), params: { low: 0, high: 2.5 } })],
});
