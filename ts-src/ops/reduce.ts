// Reductions over one or more axes.
import { ShapeError } from "../../bindings/errors.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { checkedAxis, type Shape, showShape, sizeOf } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { div } from "./binary.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { broadcastTo, permute, reshape } from "./shape.js";

export interface ReduceOptions {
  /** The axis or axes to reduce; negatives count from the end; all by default. */
  axis?: number | readonly number[];
  /** Keep the reduced axes with size 1. */
  keepdims?: boolean;
}

function checkedAxes(name: string, x: Tensor, axis: ReduceOptions["axis"]): number[] {
  if (axis === undefined) return x.shape.map((_, i) => i);
  const list = (typeof axis === "number" ? [axis] : [...axis]).map((a) => checkedAxis(name, a, x.ndim));
  if (new Set(list).size !== list.length) throw new ShapeError(`${name}: expected each axis once; got ${showShape(list)}`);
  return list.sort((a, b) => a - b);
}

function kept(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((n, i) => (axes.includes(i) ? 1 : n));
}

/** Sum over axes; 0 over an empty one. Adds in a fixed order that depends on the shape alone. */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkedTensor("sum", "x", x);
  const axes = checkedAxes("sum", x, options.axis);
  const neighbours = axes.length === 0 || axes[axes.length - 1] - axes[0] === axes.length - 1;
  let y: Tensor;
  if (neighbours) y = apply(sumOp, { x }, { first: axes[0] ?? x.ndim, count: axes.length });
  else {
    const rest = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    y = apply(sumOp, { x: permute(x, ...rest, ...axes) }, { first: rest.length, count: axes.length });
  }
  return options.keepdims ? reshape(y, kept(x.shape, axes)) : y;
}
const sumOp = op({
  name: "sum",
  inputs: ["x"],
  shape: (x: { x: Spec }, params: { first: number; count: number }) => ({
    shape: [...x.x.shape.slice(0, params.first), ...x.x.shape.slice(params.first + params.count)],
    dtype: floatDtype("sum", x),
  }),
  kernel(k, { x }, y, { first, count }) {
    const n = sizeOf(x.shape.slice(first, first + count));
    if (y.size === 0) return;
    if (first + count === x.ndim) k.sumRows(y.ptr, x.ptr, y.size, n);
    else {
      const inner = sizeOf(x.shape.slice(first + count));
      k.sumColumns(y.ptr, x.ptr, y.size / inner, n, inner);
    }
  },
  saves: [],
  vjp: (dy, _, { params, shapes }) => {
    const axes = Array.from({ length: params.count }, (_unused, i) => params.first + i);
    return { x: () => broadcastTo(reshape(dy, kept(shapes.x, axes)), shapes.x) };
  },
  samples: [
    { inputs: { x: { shape: [3, 4] } }, params: { first: 0, count: 2 } },
    { inputs: { x: { shape: [2, 3, 5] } }, params: { first: 1, count: 1 } },
    { inputs: { x: { shape: [2, 3, 5] } }, params: { first: 2, count: 1 } },
    { inputs: { x: { shape: [3, 0] } }, params: { first: 1, count: 1 } },
    { inputs: { x: { shape: [0, 3] } }, params: { first: 1, count: 1 } },
  ],
});

/** Mean over axes; NaN over an empty one. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkedTensor("mean", "x", x);
  const axes = checkedAxes("mean", x, options.axis);
  const total = sum(x, options);
  return div(total, sizeOf(axes.map((axis) => x.shape[axis])));
}

/** Position (int32) of the first largest element along an axis, or in the flattened tensor; a NaN counts as largest. */
export function argmax(x: Tensor, options: { axis?: number; keepdims?: boolean } = {}): Tensor {
  checkedTensor("argmax", "x", x);
  if (options.axis === undefined) {
    const y = apply(argmaxOp, { x: reshape(x, [-1]) });
    return options.keepdims ? reshape(y, new Array<number>(x.ndim).fill(1)) : y;
  }
  const axis = checkedAxis("argmax", options.axis, x.ndim);
  const rest = x.shape.map((_, i) => i).filter((i) => i !== axis);
  const y = apply(argmaxOp, { x: permute(x, ...rest, axis) });
  return options.keepdims ? reshape(y, kept(x.shape, [axis])) : y;
}
const argmaxOp = op({
  name: "argmax",
  inputs: ["x"],
  shape(x: { x: Spec }) {
    floatDtype("argmax", x);
    const cols = x.x.shape[x.x.shape.length - 1];
    if (cols === 0) throw new ShapeError(`argmax: expected at least one element; got shape ${showShape(x.x.shape)}`);
    return { shape: x.x.shape.slice(0, -1), dtype: "int32" as const };
  },
  kernel: (k, { x }, y) => k.argmaxRows(y.ptr, x.ptr, y.size, x.shape[x.ndim - 1]),
  saves: [],
  vjp: "none",
  samples: [],
});

/** x summed to the shape that was broadcast to its own. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const added = x.ndim - shape.length;
  const axes: number[] = [];
  for (let i = 0; i < x.ndim; i++) if (i < added || (shape[i - added] === 1 && x.shape[i] !== 1)) axes.push(i);
  return reshape(sum(x, { axis: axes }), shape);
}
