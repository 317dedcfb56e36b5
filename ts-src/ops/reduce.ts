// Sums and products over one or more axes.
import { type DType, isFloat } from "../../bindings/dtype.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { allocated, apply, copyInto, op, type Spec } from "../../bindings/op.js";
import type { Shape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { anyReduction, checkedReduced, keptShape, type Reduced, type ReduceOptions, reducedShape, reducedSize } from "./axes.js";
import { overAxes } from "./batching.js";
import { div, mul } from "./binary.js";
import { inDtype, to } from "./convert.js";
import { type ReduceCall, reduceInto, sharedSum } from "./loops.js";
import { floatDtype } from "./operands.js";
import { exclusiveProduct } from "./recurrence.js";
import { broadcastTo, permute, reshape } from "./shape.js";
import { reducedRows } from "./splits.js";

export interface TotalOptions extends ReduceOptions {
  /** Convert x to this dtype first: a float or, but for a mean, int32. */
  dtype?: DType | null;
}

/**
 * Sum over axes; 0 over an empty one. Integers and booleans give int32, modulo 2^32. Adds in a fixed order that depends
 * on the shape alone. Throws ShapeError for a wrong axis, ConfigError for an unknown option.
 */
export function sum(x: Tensor, options: TotalOptions = {}): Tensor {
  const params = checkedReduced("sum", x, options, ["dtype"]);
  return inDtype("sum", x, options.dtype, true, (t) => apply(sumOp, { x: t }, params));
}
const sumOp = op({
  name: "sum",
  inputs: ["x"],
  split: reducedRows,
  batch: overAxes,
  shape: (s: { x: Spec }, params: Reduced): Spec => ({ shape: reducedShape(s.x.shape, params), dtype: isFloat(s.x.dtype) ? s.x.dtype : "int32" }),
  strided: true,
  kernel(k, { x }, y, { axes }) {
    if (!isFloat(x.dtype)) reduceWhole(k.sumInt32, y, x, axes);
    else if (!sharedSum("sum", y, x, 1)) reduceInto((...args) => k.sum(...args, 1), y, x, axes);
  },
  saves: [],
  vjp: (dy, _, { params, shapes }) => ({ x: () => spread(dy, shapes.x, params.axes) }),
  samples: [
    anyReduction(),
    { inputs: { x: { shape: [2, 3, 5] } }, params: { axes: [1], keepdims: false } },
    { inputs: { x: { shape: [3, 0] } }, params: { axes: [1], keepdims: false } },
    { inputs: { x: { shape: [2, 3, 2, 3, 2] } }, params: { axes: [0, 2, 4], keepdims: true } },
    { inputs: { x: { shape: [70, 5] } }, params: { axes: [0], keepdims: false } },
  ],
});

/** Reduces int32, or bytes widened to it. */
function reduceWhole(kernel: ReduceCall, y: Tensor, x: Tensor, axes: readonly number[]): void {
  if (x.dtype === "int32") {
    reduceInto(kernel, y, x, axes);
    return;
  }
  const wide = widened(x);
  try {
    reduceInto(kernel, y, wide, axes);
  } finally {
    wide.dispose();
  }
}

/** Bytes as int32; the caller disposes it. */
function widened(x: Tensor): Tensor {
  const y = allocated("widen", "int32", x.shape);
  const k = kernelsOf("float32");
  if (x.contiguous) k.widen(y.ptr, x.ptr, x.size);
  else {
    const packed = allocated("copy", x.dtype, x.shape);
    copyInto(packed, x);
    k.widen(y.ptr, packed.ptr, x.size);
    packed.dispose();
  }
  return y;
}

/** dy, the gradient of a reduction to `shape` without `axes`, repeated over them. */
export function spread(dy: Tensor, shape: Shape, axes: readonly number[]): Tensor {
  return broadcastTo(reshape(dy, keptShape(shape, axes)), shape);
}

/** Mean over axes; NaN over an empty one. Throws DtypeError unless the dtype is a float, ShapeError for a wrong axis. */
export function mean(x: Tensor, options: TotalOptions = {}): Tensor {
  const params = checkedReduced("mean", x, options, ["dtype"]);
  return inDtype("mean", x, options.dtype, false, (t) => apply(meanOp, { x: t }, params));
}
const meanOp = op({
  name: "mean",
  inputs: ["x"],
  split: reducedRows,
  batch: overAxes,
  shape: (s: { x: Spec }, params: Reduced) => ({ shape: reducedShape(s.x.shape, params), dtype: floatDtype("mean", s) }),
  strided: true,
  kernel(k, { x }, y, { axes }) {
    const count = reducedSize(x.shape, axes);
    if (!sharedSum("sum", y, x, count)) reduceInto((...args) => k.sum(...args, count), y, x, axes);
  },
  saves: [],
  vjp: (dy, _, { params, shapes }) => ({ x: () => spread(div(dy, reducedSize(shapes.x, params.axes)), shapes.x, params.axes) }),
  samples: [anyReduction({ least: 1 })],
});

/**
 * Product over axes; 1 over an empty one. Integers and booleans give int32, modulo 2^32. Throws ShapeError for a wrong axis,
 * ConfigError for an unknown option.
 */
export function prod(x: Tensor, options: TotalOptions = {}): Tensor {
  const params = checkedReduced("prod", x, options, ["dtype"]);
  return inDtype("prod", x, options.dtype, true, (t) => apply(prodOp, { x: t }, params));
}
const prodOp = op({
  name: "prod",
  inputs: ["x"],
  split: reducedRows,
  batch: overAxes,
  shape: (s: { x: Spec }, params: Reduced): Spec => ({ shape: reducedShape(s.x.shape, params), dtype: isFloat(s.x.dtype) ? s.x.dtype : "int32" }),
  strided: true,
  kernel(k, { x }, y, { axes }) {
    if (isFloat(x.dtype)) reduceInto(k.prod, y, x, axes);
    else reduceWhole(k.prodInt32, y, x, axes);
  },
  saves: ["x"],
  vjp: (dy, { x }, { params }) => ({ x: () => mul(reshape(dy, keptShape(x.shape, params.axes)), productOfOthers(x, params.axes)) }),
  samples: [
    anyReduction(),
    { inputs: { x: { values: [2, 0, -1.5, 0.5, 0, 0, 1, 2, 3], shape: [3, 3], dtype: "float64" } }, params: { axes: [1], keepdims: false } },
    { inputs: { x: { values: [2, 0, -1.5, 0.5, 0, 0, 1, 2], shape: [2, 2, 2], dtype: "float64" } }, params: { axes: [0, 2], keepdims: false } },
  ],
});

/** At each element the product of the others along `axes`, without a division, so right where some are 0. */
function productOfOthers(x: Tensor, axes: readonly number[]): Tensor {
  if (x.size === 0) return x;
  const rest = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const order = [...rest, ...axes];
  const moved = permute(x, ...order);
  const rows = reshape(moved, [...rest.map((axis) => x.shape[axis]), reducedSize(x.shape, axes)]);
  const others = mul(exclusiveProduct(rows, rest.length, false), exclusiveProduct(rows, rest.length, true));
  return permute(reshape(others, moved.shape), ...order.map((_, i) => order.indexOf(i)));
}

/** Whether every element over the axes is other than 0 (NaN is); true over an empty one. Any dtype, to bool. */
export function all(x: Tensor, options: ReduceOptions = {}): Tensor {
  const params = checkedReduced("all", x, options);
  return scope(() => to(apply(prodOp, { x: to(x, "bool") }, params), "bool"));
}

/** Whether an element over the axes is other than 0 (NaN is); false over an empty one. Any dtype, to bool. */
export function any(x: Tensor, options: ReduceOptions = {}): Tensor {
  const params = checkedReduced("any", x, options);
  return scope(() => to(apply(sumOp, { x: to(x, "bool") }, params), "bool"));
}

/** x summed to the shape that was broadcast to its own. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const added = x.ndim - shape.length;
  const axes: number[] = [];
  for (let i = 0; i < x.ndim; i++) if (i < added || (shape[i - added] === 1 && x.shape[i] !== 1)) axes.push(i);
  if (axes.length === 0) return reshape(x, shape);
  const y = apply(sumOp, { x }, { axes, keepdims: true });
  return added === 0 ? y : reshape(y, shape);
}
