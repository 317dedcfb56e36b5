// Views: another shape or order of axes over the same memory.
import { ShapeError } from "../../bindings/errors.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { broadcastShapes, checkedAxis, checkedShape, contiguousStrides, type Shape, sameShape, showShape, sizeOf } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { clone } from "./convert.js";
import { checkedTensor } from "./operands.js";

/**
 * The same elements in another shape; one size may be -1 and is worked out. Copies only if x is not contiguous.
 * Throws ShapeError if the number of elements differs.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkedTensor("reshape", "x", x);
  const known = resolved(x, shape);
  return apply(reshapeOp, { x: x.contiguous ? x : clone(x) }, { shape: known });
}
const reshapeOp = op({
  name: "reshape",
  inputs: ["x"],
  shape(x: { x: Spec }, params: { shape: Shape }) {
    if (sizeOf(params.shape) !== sizeOf(x.x.shape)) {
      throw new ShapeError(`reshape: expected ${sizeOf(x.x.shape)} elements, as in ${showShape(x.x.shape)}; got shape ${showShape(params.shape)}`);
    }
    return { shape: params.shape, dtype: x.x.dtype };
  },
  view: (x, y) => ({ shape: y.shape, strides: contiguousStrides(y.shape), offset: x.offset }),
  saves: [],
  vjp: (dy, _, { shapes }) => ({ x: () => reshape(dy, shapes.x) }),
  samples: [
    { inputs: { x: { shape: [2, 6] } }, params: { shape: [3, 4] } },
    { inputs: { x: { shape: [0, 3] } }, params: { shape: [0] } },
  ],
});

function resolved(x: Tensor, shape: Shape): Shape {
  if (!Array.isArray(shape) || !shape.includes(-1)) return checkedShape("reshape", shape);
  const rest = checkedShape(
    "reshape",
    shape.filter((n) => n !== -1),
  );
  const size = sizeOf(rest);
  if (shape.length !== rest.length + 1 || size === 0 || x.size % size !== 0) {
    throw new ShapeError(`reshape: expected one -1 that ${x.size} elements can fill; got shape ${showShape(shape)}`);
  }
  return shape.map((n) => (n === -1 ? x.size / size : n));
}

/** Axes from start to end (inclusive) as one; all by default. */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  checkedTensor("flatten", "x", x);
  if (x.ndim === 0) return reshape(x, [1]);
  const first = checkedAxis("flatten", start, x.ndim);
  const last = checkedAxis("flatten", end, x.ndim);
  if (first > last) throw new ShapeError(`flatten: expected start <= end; got ${start} and ${end}`);
  return reshape(x, [...x.shape.slice(0, first), sizeOf(x.shape.slice(first, last + 1)), ...x.shape.slice(last + 1)]);
}

/** Axes in another order: y.shape[i] = x.shape[axes[i]]; throws ShapeError unless each axis stands once. */
export function permute(x: Tensor, ...axes: number[]): Tensor {
  checkedTensor("permute", "x", x);
  const order = axes.map((axis) => checkedAxis("permute", axis, x.ndim));
  if (order.length !== x.ndim || new Set(order).size !== x.ndim) {
    throw new ShapeError(`permute: expected each of the ${x.ndim} axes once; got ${showShape(axes)}`);
  }
  return apply(permuteOp, { x }, { order });
}
const permuteOp = op({
  name: "permute",
  inputs: ["x"],
  shape: (x: { x: Spec }, params: { order: readonly number[] }) => ({ shape: params.order.map((axis) => x.x.shape[axis]), dtype: x.x.dtype }),
  view: (x, y, { order }) => ({ shape: y.shape, strides: order.map((axis) => x.strides[axis]), offset: x.offset }),
  saves: [],
  vjp: (dy, _, { params }) => ({ x: () => permute(dy, ...params.order.map((_axis, i) => params.order.indexOf(i))) }),
  samples: [
    { inputs: { x: { shape: [2, 3, 4] } }, params: { order: [2, 0, 1] } },
    { inputs: { x: { shape: [2, 0] } }, params: { order: [1, 0] } },
  ],
});

/** Two axes exchanged, the last two by default. */
export function transpose(x: Tensor, a = -2, b = -1): Tensor {
  checkedTensor("transpose", "x", x);
  const p = checkedAxis("transpose", a, x.ndim);
  const q = checkedAxis("transpose", b, x.ndim);
  const order = x.shape.map((_, i) => (i === p ? q : i === q ? p : i));
  return apply(permuteOp, { x }, { order });
}

/** x repeated to a larger shape without a copy, as in broadcasting; throws ShapeError if it does not fit. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  checkedTensor("broadcastTo", "x", x);
  return apply(broadcastToOp, { x }, { shape: checkedShape("broadcastTo", shape) });
}
const broadcastToOp = op({
  name: "broadcastTo",
  inputs: ["x"],
  shape(x: { x: Spec }, params: { shape: Shape }) {
    const from = x.x.shape;
    if (from.length > params.shape.length || !sameShape(broadcastShapes("broadcastTo", from, params.shape), params.shape)) {
      throw new ShapeError(`broadcastTo: expected a shape to which ${showShape(from)} broadcasts; got ${showShape(params.shape)}`);
    }
    return { shape: params.shape, dtype: x.x.dtype };
  },
  view(x, y) {
    const added = y.shape.length - x.shape.length;
    return {
      shape: y.shape,
      strides: y.shape.map((n, i) => (i < added || (x.shape[i - added] === 1 && n !== 1) ? 0 : x.strides[i - added])),
      offset: x.offset,
    };
  },
  saves: [],
  vjp: (dy) => ({ x: () => dy }),
  samples: [
    { inputs: { x: { shape: [3, 1] } }, params: { shape: [2, 3, 4] } },
    { inputs: { x: { shape: [] } }, params: { shape: [2, 2] } },
    { inputs: { x: { shape: [1, 3] } }, params: { shape: [0, 3] } },
  ],
});

/** As broadcastTo, where a size of -1 keeps that of x. */
export function expand(x: Tensor, shape: Shape): Tensor {
  checkedTensor("expand", "x", x);
  if (!Array.isArray(shape)) return broadcastTo(x, shape);
  return broadcastTo(
    x,
    shape.map((n, i) => (n === -1 ? (x.shape[i - shape.length + x.ndim] ?? -1) : n)),
  );
}

/** An axis of size 1 added before `axis`. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  checkedTensor("unsqueeze", "x", x);
  const at = checkedAxis("unsqueeze", axis, x.ndim + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** The axis of size 1 at `axis` taken away, or all of them; throws ShapeError if its size is not 1. */
export function squeeze(x: Tensor, axis?: number): Tensor {
  checkedTensor("squeeze", "x", x);
  if (axis === undefined) {
    return reshape(
      x,
      x.shape.filter((n) => n !== 1),
    );
  }
  const at = checkedAxis("squeeze", axis, x.ndim);
  if (x.shape[at] !== 1) throw new ShapeError(`squeeze: expected size 1 at axis ${axis}; got shape ${showShape(x.shape)}`);
  return reshape(
    x,
    x.shape.filter((_, i) => i !== at),
  );
}
