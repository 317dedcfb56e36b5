// Triangles and diagonals of matrices, which are any two axes.

import { itemBytes } from "../../bindings/dtype.js";
import { ShapeError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, type Draw, type Layout, op, type Spec } from "../../bindings/op.js";
import { checkedAxis, contiguousStrides, type Shape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { leading } from "./batching.js";
import { checkedOptions } from "./checks.js";
import { checkedTensor } from "./operands.js";
import { scattered } from "./places.js";
import { sum } from "./reduce.js";

/** The matrices [..., m, n] with 0 above diagonal k: kept where j - i <= k. Copies. Throws ShapeError for less than two axes. */
export function tril(x: Tensor, k = 0): Tensor {
  checkedTriangle("tril", x, k);
  return apply(trilOp, { x }, { k });
}
const trilOp = op({
  ...triangle("tril"),
  vjp: (dy, _, { params }) => ({ x: () => tril(dy, params.k) }),
});

/** The matrices [..., m, n] with 0 below diagonal k: kept where j - i >= k. Copies. Throws ShapeError for less than two axes. */
export function triu(x: Tensor, k = 0): Tensor {
  checkedTriangle("triu", x, k);
  return apply(triuOp, { x }, { k });
}
const triuOp = op({
  ...triangle("triu"),
  vjp: (dy, _, { params }) => ({ x: () => triu(dy, params.k) }),
});

function checkedTriangle(name: string, x: Tensor, k: number): void {
  checkedTensor(name, "x", x);
  if (x.ndim < 2) throw new ShapeError(`${name}: expected matrices [..., m, n]; got shape ${showShape(x.shape)}`);
  if (!Number.isInteger(k)) throw new ShapeError(`${name}: expected a whole number as diagonal k; got ${showValue(k)}`);
}

function triangle(name: "tril" | "triu") {
  return {
    name,
    inputs: ["x"],
    batch: leading,
    shape: (x: { x: Spec }, _params: { readonly k: number }): Spec => x.x,
    kernel(kernels: Kernels, { x }: { x: Tensor }, y: Tensor, { k }: { readonly k: number }): void {
      if (y.size === 0) return;
      const [rows, cols] = y.shape.slice(-2);
      kernels[name](y.ptr, x.ptr, y.size / (rows * cols), rows, cols, Math.max(-rows, Math.min(cols, k)), itemBytes(y.dtype));
    },
    saves: [],
    samples: [(draw: Draw) => ({ inputs: { x: { shape: draw.shape(2) } }, params: { k: draw.integer(-4, 4) } })],
  } as const;
}

export interface DiagonalOptions {
  /** How far above the main diagonal (below, if negative); 0 by default. */
  offset?: number;
  /** The rows; axis 0 by default. */
  axis1?: number;
  /** The columns; axis 1 by default. */
  axis2?: number;
}

interface Diagonal {
  readonly offset: number;
  readonly axis1: number;
  readonly axis2: number;
}

function checkedDiagonal(name: string, x: Tensor, options: DiagonalOptions): Diagonal {
  checkedTensor(name, "x", x);
  checkedOptions(name, options, ["offset", "axis1", "axis2"]);
  const { offset = 0 } = options;
  if (x.ndim < 2) throw new ShapeError(`${name}: expected at least two axes; got shape ${showShape(x.shape)}`);
  if (!Number.isInteger(offset)) throw new ShapeError(`${name}: expected a whole number as offset; got ${showValue(offset)}`);
  const axis1 = checkedAxis(name, options.axis1 ?? 0, x.ndim);
  const axis2 = checkedAxis(name, options.axis2 ?? 1, x.ndim);
  if (axis1 === axis2) throw new ShapeError(`${name}: expected two different axes; got ${axis1} twice`);
  return { offset, axis1, axis2 };
}

/**
 * The diagonals of the matrices in two axes, which become one last axis: y[..., i] = x[..., i, i + offset].
 * A view. Throws ShapeError for less than two axes or one axis twice.
 */
export function diagonal(x: Tensor, options: DiagonalOptions = {}): Tensor {
  return apply(diagonalOp, { x }, checkedDiagonal("diagonal", x, options));
}

function diagonalShape(shape: Shape, { offset, axis1, axis2 }: Diagonal): number[] {
  const [m, n] = [shape[axis1], shape[axis2]];
  const size = offset >= 0 ? Math.min(m, n - offset) : Math.min(m + offset, n);
  return [...shape.filter((_, axis) => axis !== axis1 && axis !== axis2), Math.max(0, size)];
}

function diagonalLayout(x: Layout, at: Diagonal): Layout {
  const shape = diagonalShape(x.shape, at);
  const [s, t] = [x.strides[at.axis1], x.strides[at.axis2]];
  const strides = [...x.strides.filter((_, axis) => axis !== at.axis1 && axis !== at.axis2), s + t];
  if (shape.includes(0)) return { shape, strides, offset: x.offset };
  return { shape, strides, offset: x.offset + (at.offset >= 0 ? at.offset * t : -at.offset * s) };
}

function drawnDiagonal(draw: Draw) {
  const shape = draw.shape(2);
  const axis1 = draw.integer(0, shape.length - 1);
  const axis2 = (axis1 + draw.integer(1, shape.length - 1)) % shape.length;
  return { shape, at: { offset: draw.integer(-3, 3), axis1, axis2 } };
}

/** The same diagonals behind a new first axis. */
function behind({ offset, axis1, axis2 }: Diagonal): Diagonal {
  return { offset, axis1: axis1 + 1, axis2: axis2 + 1 };
}

const diagonalOp = op({
  name: "diagonal",
  inputs: ["x"],
  batch: ({ inputs, params, again }) => again(inputs, behind(params)),
  shape: (x: { x: Spec }, params: Diagonal) => ({ shape: diagonalShape(x.x.shape, params), dtype: x.x.dtype }),
  view: (x, _y, params) => diagonalLayout(x, params),
  saves: [],
  vjp: (dy, _, { params, shapes }) => ({ x: () => apply(diagonalGradOp, { dy }, { ...params, shape: shapes.x }) }),
  samples: [
    (draw) => {
      const { shape, at } = drawnDiagonal(draw);
      return { inputs: { x: { shape } }, params: at };
    },
  ],
});

/** dy on the diagonals, 0 elsewhere. */
const diagonalGradOp = op({
  name: "diagonalGrad",
  inputs: ["dy"],
  batch: ({ inputs, params, size, again }) => again(inputs, { ...behind(params), shape: [size, ...params.shape] }),
  shape: (x: { dy: Spec }, params: Diagonal & { readonly shape: Shape }) => ({ shape: params.shape, dtype: x.dy.dtype }),
  strided: true,
  kernel: (_, { dy }, dx, params) => scattered(dx, diagonalLayout({ shape: params.shape, strides: contiguousStrides(params.shape), offset: 0 }, params), dy),
  saves: [],
  vjp: (g, _, { params: { offset, axis1, axis2 } }) => ({ dy: () => diagonal(g, { offset, axis1, axis2 }) }),
  samples: [
    (draw) => {
      const { shape, at } = drawnDiagonal(draw);
      return { inputs: { dy: { shape: diagonalShape(shape, at) } }, params: { ...at, shape } };
    },
  ],
});

/** The sums of the diagonals: sum of x[..., i, i + offset] over i. Throws ShapeError as `diagonal` does. */
export function trace(x: Tensor, options: DiagonalOptions = {}): Tensor {
  const at = checkedDiagonal("trace", x, options);
  x.alive("trace");
  return scope(() => sum(apply(diagonalOp, { x }, at), { axis: -1 }));
}
