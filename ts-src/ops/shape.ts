// Views: another shape or order of axes over the same memory.
import { ShapeError } from "../../bindings/errors.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { checkedAxes, checkedAxis, checkedShape, reshapedStrides, type Shape, showShape, sizeOf } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { aligned } from "./batching.js";
import { checkedTensor } from "./operands.js";

/**
 * The same elements in another shape; one size may be -1 and is worked out. A view where strides allow (as PyTorch's
 * `view`), else a copy. Throws ShapeError if the number of elements differs.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkedTensor("reshape", "x", x);
  return apply(reshapeOp, { x }, { shape: resolved(x, shape) });
}

/** As reshape, to a shape that is known to fit; `name` begins the error for a disposed x. */
function reshaped(name: string, x: Tensor, shape: Shape): Tensor {
  return apply(reshapeOp, { x: x.alive(name) }, { shape });
}
const reshapeOp = op({
  name: "reshape",
  inputs: ["x"],
  batch: ({ inputs, params, size, again }) => again(inputs, { shape: [size, ...params.shape] }),
  shape(x: { x: Spec }, params: { shape: Shape }) {
    const [n, size] = [sizeOf(x.x.shape), sizeOf(params.shape)];
    if (n !== size) throw new ShapeError(`reshape: expected ${n} elements, as in ${showShape(x.x.shape)}; got shape ${showShape(params.shape)}`);
    return { shape: params.shape, dtype: x.x.dtype };
  },
  view(x, y) {
    const strides = reshapedStrides(x.shape, x.strides, y.shape);
    return strides && { shape: y.shape, strides, offset: x.offset };
  },
  saves: [],
  vjp: (dy, _, { shapes }) => ({ x: () => reshape(dy, shapes.x) }),
  samples: [
    { inputs: { x: { shape: [2, 6] } }, params: { shape: [3, 4] } },
    { inputs: { x: { shape: [0, 3] } }, params: { shape: [0] } },
    (draw) => {
      // neighbours merged and axes of size 1 put between
      const from = draw.shape();
      const to: number[] = [];
      for (const n of from) {
        if (to.length > 0 && draw.integer(0, 1) === 1) to.push((to.pop() as number) * n);
        else to.push(...(draw.integer(0, 3) === 0 ? [1, n] : [n]));
      }
      return draw.integer(0, 1) === 1 ? { inputs: { x: { shape: from } }, params: { shape: to } } : { inputs: { x: { shape: to } }, params: { shape: from } };
    },
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

/** Axes from start to end (inclusive) as one; all by default. A view where strides allow. Throws ShapeError for axes that are not there. */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  checkedTensor("flatten", "x", x);
  if (x.ndim === 0) return reshaped("flatten", x, [1]);
  const first = checkedAxis("flatten", start, x.ndim);
  const last = checkedAxis("flatten", end, x.ndim);
  if (first > last) throw new ShapeError(`flatten: expected start <= end; got ${start} and ${end}`);
  return reshaped("flatten", x, [...x.shape.slice(0, first), sizeOf(x.shape.slice(first, last + 1)), ...x.shape.slice(last + 1)]);
}

/** Axes in another order, given one by one or as a list: y.shape[i] = x.shape[axes[i]]. A view. Throws ShapeError unless each axis stands once. */
export function permute(x: Tensor, ...axes: number[] | [readonly number[]]): Tensor {
  checkedTensor("permute", "x", x);
  const list = axes.length === 1 && Array.isArray(axes[0]) ? (axes[0] as readonly number[]) : (axes as readonly number[]);
  if (list.length !== x.ndim) throw new ShapeError(`permute: expected each of the ${x.ndim} axes once; got ${showShape(list)}`);
  const order = checkedAxes("permute", list, x.ndim);
  return apply(permuteOp, { x }, { order });
}
const permuteOp = op({
  name: "permute",
  inputs: ["x"],
  batch: ({ inputs, params, again }) => again(inputs, { order: [0, ...params.order.map((axis) => axis + 1)] }),
  shape: (x: { x: Spec }, params: { order: readonly number[] }) => ({ shape: params.order.map((axis) => x.x.shape[axis]), dtype: x.x.dtype }),
  view: (x, y, { order }) => ({ shape: y.shape, strides: order.map((axis) => x.strides[axis]), offset: x.offset }),
  saves: [],
  vjp: (dy, _, { params }) => ({ x: () => permute(dy, ...params.order.map((_axis, i) => params.order.indexOf(i))) }),
  samples: [
    { inputs: { x: { shape: [2, 3, 4] } }, params: { order: [2, 0, 1] } },
    { inputs: { x: { shape: [2, 0] } }, params: { order: [1, 0] } },
    (draw) => {
      const shape = draw.shape();
      const order = shape.map((_, i) => i);
      for (let i = order.length - 1; i > 0; i--) {
        const j = draw.integer(0, i);
        [order[i], order[j]] = [order[j], order[i]];
      }
      return { inputs: { x: { shape } }, params: { order } };
    },
  ],
});

/** Two axes exchanged, the last two by default. A view. Throws ShapeError for an axis that is not there. */
export function transpose(x: Tensor, a = -2, b = -1): Tensor {
  checkedTensor("transpose", "x", x);
  const p = checkedAxis("transpose", a, x.ndim);
  const q = checkedAxis("transpose", b, x.ndim);
  const order = x.shape.map((_, i) => (i === p ? q : i === q ? p : i));
  return apply(permuteOp, { x: x.alive("transpose") }, { order });
}

/** x repeated to a larger shape as in broadcasting. A view, its strides 0 where it repeats. Throws ShapeError if it does not fit. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  checkedTensor("broadcastTo", "x", x);
  return widened("broadcastTo", x, checkedShape("broadcastTo", shape));
}

function widened(name: string, x: Tensor, shape: Shape): Tensor {
  x.alive(name);
  const added = shape.length - x.ndim;
  if (added < 0 || x.shape.some((n, i) => n !== 1 && n !== shape[added + i])) {
    throw new ShapeError(`${name}: expected a shape to which ${showShape(x.shape)} broadcasts; got ${showShape(shape)}`);
  }
  return apply(broadcastToOp, { x }, { shape });
}

const broadcastToOp = op({
  name: "broadcastTo",
  inputs: ["x"],
  batch: (batch) => batch.again({ x: aligned(batch, "x", batch.params.shape.length) }, { shape: [batch.size, ...batch.params.shape] }),
  shape: (x: { x: Spec }, params: { shape: Shape }) => ({ shape: params.shape, dtype: x.x.dtype }),
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
    (draw) => {
      const shape = draw.shape();
      const from = shape.slice(draw.integer(0, shape.length)).map((n) => (draw.integer(0, 2) === 0 ? 1 : n));
      return { inputs: { x: { shape: from } }, params: { shape } };
    },
  ],
});

/** As broadcastTo, where a size of -1 keeps that of x. */
export function expand(x: Tensor, shape: Shape): Tensor {
  checkedTensor("expand", "x", x);
  if (!Array.isArray(shape)) checkedShape("expand", shape);
  const sizes = Array.from(shape as readonly number[], (n, i) => (n === -1 ? (x.shape[i - shape.length + x.ndim] ?? n) : n));
  return widened("expand", x, checkedShape("expand", sizes));
}

/** An axis of size 1 added before `axis`, which counts in the new shape. A view. Throws ShapeError for an axis that is not there. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  checkedTensor("unsqueeze", "x", x);
  const at = checkedAxis("unsqueeze", axis, x.ndim + 1);
  return reshaped("unsqueeze", x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** One or more axes of size 1 taken away, or all of them. A view. Throws ShapeError if a size is not 1. */
export function squeeze(x: Tensor, axis?: number | readonly number[]): Tensor {
  checkedTensor("squeeze", "x", x);
  const axes = checkedAxes("squeeze", axis ?? undefined, x.ndim);
  if (axis !== undefined && axis !== null) {
    for (const i of axes) if (x.shape[i] !== 1) throw new ShapeError(`squeeze: expected size 1 at axis ${i}; got shape ${showShape(x.shape)}`);
  }
  return reshaped(
    "squeeze",
    x,
    x.shape.filter((n, i) => n !== 1 || !axes.includes(i)),
  );
}
