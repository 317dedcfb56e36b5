// Softmax and its logarithm over an axis.
import type { DType } from "../../bindings/dtype.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, type Draw, op, type Spec } from "../../bindings/op.js";
import { checkedAxis, type Shape, sizeOf } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { alongAxis, leading } from "./batching.js";
import { mul, sub } from "./binary.js";
import { checkedOptions } from "./checks.js";
import { inDtype } from "./convert.js";
import { exp } from "./exponential.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { sum } from "./reduce.js";
import { reshape } from "./shape.js";
import { rowsBefore, rowsBeside } from "./splits.js";
import { neg } from "./unary.js";

export interface SoftmaxOptions {
  /** The axis whose elements add up to 1; the last, -1, by default. */
  axis?: number;
  /** Convert x to this float dtype first. */
  dtype?: DType | null;
}

interface Along {
  readonly axis: number;
}

/** Calls `fn` with the axis counted from 0; a scalar is a row of one element. */
function along(name: string, x: Tensor, options: SoftmaxOptions, fn: (x: Tensor, axis: number) => Tensor): Tensor {
  checkedTensor(name, "x", x);
  const { axis = -1, dtype } = checkedOptions(name, options, ["axis", "dtype"]);
  const at = checkedAxis(name, axis, Math.max(1, x.ndim));
  return inDtype(name, x, dtype, false, (t) => (t.ndim === 0 ? scope(() => reshape(fn(reshape(t, [1]), 0), [])) : fn(t, at)));
}

/** The sizes before, at and after an axis. */
function parts(shape: Shape, axis: number): [outer: number, n: number, inner: number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];
}

function anyAxis(draw: Draw): { shape: number[]; params: Along } {
  const shape = draw.shape(1);
  return { shape, params: { axis: draw.integer(0, shape.length - 1) } };
}

/**
 * Softmax over an axis (the last by default): e^x / sum(e^x), with the largest x subtracted first.
 * Where all x are -Infinity, or one is NaN or Infinity, the answer is NaN.
 */
export function softmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  return along("softmax", x, options, (rows, axis) => apply(softmaxOp, { x: rows }, { axis }));
}
const softmaxOp = op({
  name: "softmax",
  inputs: ["x"],
  split: rowsBeside("x"),
  batch: alongAxis,
  shape: (s: { x: Spec }, _params: Along) => ({ shape: s.x.shape, dtype: floatDtype("softmax", s) }),
  kernel(k, { x }, y, { axis }) {
    if (x.size === 0) return;
    const [outer, n, inner] = parts(x.shape, axis);
    if (inner === 1) k.softmaxRows(y.ptr, x.ptr, outer, n, 0);
    else k.softmaxColumns(y.ptr, x.ptr, outer, n, inner);
  },
  saves: ["y"],
  vjp: (dy, { y }, { params }) => ({ x: () => softmaxGrad(dy, y, params) }),
  samples: [
    (draw) => {
      const { shape, params } = anyAxis(draw);
      return { inputs: { x: { shape } }, params };
    },
  ],
});

/** Softmax over the last axis, with 0 in rows where all x are -Infinity. */
export function maskedSoftmax(x: Tensor): Tensor {
  return apply(maskedSoftmaxOp, { x });
}
const maskedSoftmaxOp = op({
  name: "maskedSoftmax",
  inputs: ["x"],
  split: rowsBefore(1, "x"),
  batch: leading,
  shape: (s: { x: Spec }) => ({ shape: s.x.shape, dtype: floatDtype("maskedSoftmax", s) }),
  kernel(k, { x }, y) {
    if (x.size > 0) k.softmaxRows(y.ptr, x.ptr, x.size / x.shape[x.ndim - 1], x.shape[x.ndim - 1], 1);
  },
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => softmaxGrad(dy, y, { axis: y.ndim - 1 }) }),
  samples: [(draw) => ({ inputs: { x: { shape: draw.shape(1) } } })],
});

function softmaxGrad(dy: Tensor, y: Tensor, params: Along): Tensor {
  return apply(softmaxGradOp, { dy, y }, params);
}
/** The derivative of softmax, y (dy - sum(dy y)), for cross-entropy too. */
export function softmaxGradRows(dy: Tensor, y: Tensor): Tensor {
  return softmaxGrad(dy, y, { axis: y.ndim - 1 });
}
/** The gradient of softmax along the axis, y its output: y (dy - sum(dy y)). */
const softmaxGradOp = op({
  name: "softmaxGrad",
  inputs: ["dy", "y"],
  split: rowsBeside("dy", "y"),
  batch: alongAxis,
  shape: (s: { dy: Spec; y: Spec }, _params: Along) => ({ shape: s.y.shape, dtype: floatDtype("softmaxGrad", s) }),
  kernel(k, { dy, y }, dx, { axis }) {
    if (y.size === 0) return;
    const [outer, n, inner] = parts(y.shape, axis);
    if (inner === 1) k.softmaxGradRows(dx.ptr, dy.ptr, y.ptr, outer, n);
    else k.softmaxGradColumns(dx.ptr, dy.ptr, y.ptr, outer, n, inner);
  },
  saves: ["dy", "y"],
  vjp: (g, { dy, y }, { params }) => ({
    dy: () => softmaxGrad(g, y, params),
    y: () => sub(mul(g, sub(dy, dot(dy, y, params))), mul(dot(g, y, params), dy)),
  }),
  samples: [
    (draw) => {
      const { shape, params } = anyAxis(draw);
      return { inputs: { dy: { shape }, y: { shape } }, params };
    },
  ],
});

/** Along the axis sum(a b), kept with size 1. */
function dot(a: Tensor, b: Tensor, { axis }: Along): Tensor {
  return sum(mul(a, b), { axis, keepdims: true });
}

/**
 * Logarithm of softmax over an axis (the last by default): x - log(sum(e^x)), with the largest x subtracted first.
 * Where all x are -Infinity, or one is NaN or Infinity, the answer is NaN.
 */
export function logSoftmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  return along("logSoftmax", x, options, (rows, axis) => apply(logSoftmaxOp, { x: rows }, { axis }));
}
const logSoftmaxOp = op({
  name: "logSoftmax",
  inputs: ["x"],
  split: rowsBeside("x"),
  batch: alongAxis,
  shape: (s: { x: Spec }, _params: Along) => ({ shape: s.x.shape, dtype: floatDtype("logSoftmax", s) }),
  kernel(k, { x }, y, { axis }) {
    if (x.size === 0) return;
    const [outer, n, inner] = parts(x.shape, axis);
    if (inner === 1) k.logSoftmaxRows(y.ptr, x.ptr, outer, n);
    else k.logSoftmaxColumns(y.ptr, x.ptr, outer, n, inner);
  },
  saves: ["y"],
  vjp: (dy, { y }, { params }) => ({ x: () => logSoftmaxGrad(dy, y, params) }),
  samples: [
    (draw) => {
      const { shape, params } = anyAxis(draw);
      return { inputs: { x: { shape } }, params };
    },
  ],
});

function logSoftmaxGrad(dy: Tensor, y: Tensor, params: Along): Tensor {
  return apply(logSoftmaxGradOp, { dy, y }, params);
}
/** dy - e^y sum(dy). */
const logSoftmaxGradOp = op({
  name: "logSoftmaxGrad",
  inputs: ["dy", "y"],
  split: rowsBeside("dy", "y"),
  batch: alongAxis,
  shape: (s: { dy: Spec; y: Spec }, _params: Along) => ({ shape: s.y.shape, dtype: floatDtype("logSoftmaxGrad", s) }),
  kernel(k, { dy, y }, dx, { axis }) {
    if (y.size === 0) return;
    const [outer, n, inner] = parts(y.shape, axis);
    if (inner === 1) k.logSoftmaxGradRows(dx.ptr, dy.ptr, y.ptr, outer, n);
    else k.logSoftmaxGradColumns(dx.ptr, dy.ptr, y.ptr, outer, n, inner);
  },
  saves: ["dy", "y"],
  vjp: (g, { dy, y }, { params }) => ({
    dy: () => sub(g, dot(g, exp(y), params)),
    y: () => neg(mul(mul(g, exp(y)), sum(dy, { axis: params.axis, keepdims: true }))),
  }),
  samples: [
    (draw) => {
      const { shape, params } = anyAxis(draw);
      return { inputs: { dy: { shape }, y: { shape } }, params };
    },
  ],
});
