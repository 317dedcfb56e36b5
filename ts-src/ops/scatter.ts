// Elements written or added by index along an axis, or by a mask, into a new tensor.

import { checkedDtype, type DType } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, copyInto, op, type Spec } from "../../bindings/op.js";
import { checkedShape, type Shape, sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { merged, parted } from "./batching.js";
import { mul } from "./binary.js";
import { checkedOptions } from "./checks.js";
import { ne } from "./compare.js";
import { arange, fillWith, zeros } from "./create.js";
import { gatherAlong, type IndexOptions } from "./gather.js";
import { drawnAlong } from "./index-samples.js";
import { type Along, alongIndex, axisOf, checkedIndex, checkedLive, fitsWithin, scatterInto, spread } from "./indexing.js";
import { floatDtype, type Operand, scalar } from "./operands.js";
import { where } from "./select.js";
import { reshape } from "./shape.js";
import { slice } from "./slice.js";

/** Calls `fn` with an operand as a tensor of the dtype of x: a number becomes a scalar. */
function withOperand(name: string, label: string, x: Tensor, operand: Operand, fn: (operand: Tensor) => Tensor): Tensor {
  if (operand instanceof Tensor) {
    checkedLive(name, label, operand);
    if (operand.dtype !== x.dtype) {
      throw new DtypeError(`${name}: expected ${label} of dtype ${x.dtype}, as x has; got ${operand.dtype}; convert it with .to("${x.dtype}")`);
    }
    return fn(operand);
  }
  const number = scalar(name, label, operand, x.dtype);
  try {
    return fn(number);
  } finally {
    number.dispose();
  }
}

/**
 * x with elements replaced by index along an axis (0 by default): y[index[i, j], j] = source[i, j] for axis 0. index: int32
 * with the axes of x, no larger than x beside the axis; source: of its shape (of a larger one its beginning is read), or a
 * number. Where several go to one place, the last in row-major order stays, and only that one gets the gradient.
 * Throws ShapeError, DtypeError, NumericError for an index outside 0..size-1. As torch.scatter, but deterministic.
 */
export function scatter(x: Tensor, index: Tensor, source: Operand, options: IndexOptions = {}): Tensor {
  const axis = checkedScatter("scatter", x, index, source, options);
  return withOperand("scatter", "source", x, source, (values) =>
    scope(() => apply(scatterOp, { x, index, source: beginning(values, index) }, { fn: "scatter", axis })),
  );
}
const scatterOp = op({
  name: "scatter",
  inputs: ["x", "index", "source"],
  batch: alongIndex,
  shape: (s: { x: Spec; index: Spec; source: Spec }, _along: Along): Spec => s.x,
  strided: true,
  kernel(k, { x, index, source }, y, along) {
    copyInto(y, x);
    scatterInto(k, y, index, source, index.shape, along);
  },
  saves: ["index"],
  vjp: (dy, { index }, { params, shapes }) => ({
    x: () => scatter(dy, index, 0, { axis: params.axis }),
    index: "none",
    source: () => where(overwritten(index, shapes.x, params), 0, gatherAlong(dy, index, params)),
  }),
  samples: [
    (draw) => {
      const { shape, axis, index } = drawnAlong(draw);
      return { inputs: { x: { shape }, index, source: { shape: draw.pick([index.shape, []]) } }, params: { fn: "scatter", axis } };
    },
  ],
});

/** Per position of index, whether a later one writes to the same place of a tensor of this shape. */
function overwritten(index: Tensor, shape: Shape, along: Along): Tensor {
  const numbers = reshape(arange(0, index.size, 1, { dtype: "int32" }), index.shape);
  const last = apply(scatterOp, { x: zeros(shape, { dtype: "int32" }), index, source: numbers }, along);
  return ne(gatherAlong(last, index, along), numbers);
}

/**
 * x with elements added by index along an axis (0 by default): y = x, then y[index[i, j], j] = itself + source[i, j] for
 * axis 0, in row-major order, so the bits depend on the operands alone. index and source as in scatter; floats only.
 * Throws ShapeError, DtypeError, NumericError for an index outside 0..size-1. As torch.scatter_add.
 */
export function scatterAdd(x: Tensor, index: Tensor, source: Operand, options: IndexOptions = {}): Tensor {
  const axis = checkedScatter("scatterAdd", x, index, source, options);
  return withOperand("scatterAdd", "source", x, source, (values) =>
    scope(() => apply(scatterAddOp, { x, index, source: beginning(values, index) }, { fn: "scatterAdd", axis, alpha: 1 })),
  );
}

interface AddParams extends Along {
  readonly alpha: number;
}

const scatterAddOp = op({
  name: "scatterAdd",
  inputs: ["x", "index", "source"],
  batch: alongIndex,
  shape: (s: { x: Spec; index: Spec; source: Spec }, params: AddParams) => ({
    shape: s.x.shape,
    dtype: floatDtype(params.fn, { x: s.x, source: s.source }),
  }),
  strided: true,
  kernel(k, { x, index, source }, y, params) {
    copyInto(y, x);
    scatterInto(k, y, index, source, index.shape, params, params.alpha);
  },
  saves: ["index"],
  vjp: (dy, { index }, { params: { alpha, ...along } }) => ({
    x: () => dy,
    index: "none",
    source: () => (alpha === 1 ? gatherAlong(dy, index, along) : mul(gatherAlong(dy, index, along), alpha)),
  }),
  samples: [
    (draw) => {
      const { shape, axis, index } = drawnAlong(draw);
      return {
        inputs: { x: { shape }, index, source: { shape: draw.pick([index.shape, []]) } },
        params: { fn: "scatterAdd", axis, alpha: draw.pick([1, -0.5]) },
      };
    },
  ],
});

/** The part of a source that index covers; a number covers all. */
function beginning(source: Tensor, index: Tensor): Tensor {
  return source.ndim === 0 || sameShape(source.shape, index.shape) ? source : slice(source, ...index.shape.map((n) => [0, n]));
}

function checkedScatter(name: string, x: Tensor, index: Tensor, source: unknown, options: IndexOptions): number {
  checkedLive(name, "x", x);
  checkedIndex(name, index);
  const axis = axisOf(name, checkedOptions(name, options, ["axis"]).axis ?? 0, x.ndim);
  fitsWithin(name, x, index, axis);
  if (source instanceof Tensor && (source.ndim !== index.ndim || index.shape.some((n, i) => n > source.shape[i]))) {
    throw new ShapeError(`${name}: expected source of shape ${showShape(index.shape)}, as index has, or larger; got ${showShape(source.shape)}`);
  }
  return axis;
}

export interface IndexAddOptions extends IndexOptions {
  /** Factor of what is added; 1 by default. */
  alpha?: number;
}

/**
 * x with slices added by index along an axis (0 by default): y = x, then y[index[i], j] = itself + alpha source[i, j] for
 * axis 0, in ascending i. index: int32 [n]; source: the shape of x with n along the axis; floats only.
 * Throws ShapeError, DtypeError, NumericError for an index outside 0..size-1. As torch.index_add.
 */
export function indexAdd(x: Tensor, index: Tensor, source: Tensor, options: IndexAddOptions = {}): Tensor {
  checkedLive("indexAdd", "x", x);
  checkedIndex("indexAdd", index);
  checkedLive("indexAdd", "source", source);
  const { axis: chosen = 0, alpha = 1 } = checkedOptions("indexAdd", options, ["axis", "alpha"]);
  const axis = axisOf("indexAdd", chosen, x.ndim);
  if (typeof alpha !== "number") throw new ConfigError(`indexAdd: expected a number for alpha; got ${showValue(alpha)}`);
  const slices = x.shape.map((n, i) => (i === axis ? index.size : n));
  if (x.ndim === 0 || index.ndim !== 1 || !sameShape(source.shape, slices)) {
    throw new ShapeError(
      `indexAdd: expected x with an axis, index [n] and source of the shape of x with n at axis ${axis}; got ${[x, index, source].map((t) => showShape(t.shape)).join(", ")}`,
    );
  }
  return withOperand("indexAdd", "source", x, source, (values) =>
    scope(() => apply(scatterAddOp, { x, index: spread(index, x.shape, axis), source: values }, { fn: "indexAdd", axis, from: index.shape, alpha })),
  );
}

/**
 * Indices as rows of zeros with a one: y[..., index[...]] = 1, of shape [..., depth], for index int32 of any shape.
 * Without a depth: the largest index + 1. dtype float32 by default.
 * Throws ShapeError, DtypeError, NumericError for an index outside 0..depth-1. As torch.nn.functional.one_hot.
 */
export function oneHot(index: Tensor, depth?: number, options: { dtype?: DType } = {}): Tensor {
  checkedIndex("oneHot", index);
  const { dtype = "float32" } = checkedOptions("oneHot", options, ["dtype"]);
  checkedDtype("oneHot", dtype);
  if (depth === undefined && index.size === 0) throw new ShapeError(`oneHot: expected a depth for no indices; got ${showShape(index.shape)} without one`);
  const size = depth ?? largest(index) + 1;
  if (!Number.isInteger(size) || size < 0) throw new ShapeError(`oneHot: expected a whole depth >= 0; got ${showValue(depth)}`);
  const shape = checkedShape("oneHot", [...index.shape, size]);
  return scope(() => {
    const rows = apply(oneHotOp, { index: reshape(index, [index.size, 1]) }, { fn: "oneHot", axis: 1, from: index.shape, depth: size, dtype });
    return reshape(rows, shape);
  });
}

function largest(index: Tensor): number {
  let most = -1;
  for (const i of index.data()) most = Math.max(most, i);
  return most;
}

interface OneHotParams extends Along {
  readonly depth: number;
  readonly dtype: DType;
}

/** Rows [n, depth] from a column of indices. */
const oneHotOp = op({
  name: "oneHot",
  inputs: ["index"],
  batch: ({ inputs, params, size, again }) => parted(again({ index: merged(inputs.index) }, { ...params, from: [size, ...(params.from ?? [])] }), size),
  shape: (s: { index: Spec }, { depth, dtype }: OneHotParams): Spec => ({ shape: [s.index.shape[0], depth], dtype }),
  strided: true,
  kernel(k, { index }, y, along) {
    fillWith(y, 0);
    const one = scalar("oneHot", "one", 1, y.dtype);
    try {
      scatterInto(k, y, index, one, index.shape, along);
    } finally {
      one.dispose();
    }
  },
  saves: [],
  vjp: "none",
  samples: [],
});

/**
 * x with `value` (a number, or a tensor of one element with a gradient of its own) where the mask holds; mask: bool, broadcast
 * to x. Throws ShapeError, DtypeError. As torch.masked_fill.
 */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand): Tensor {
  checkedLive("maskedFill", "x", x);
  checkedLive("maskedFill", "mask", mask);
  if (mask.dtype !== "bool") throw new DtypeError(`maskedFill: expected a mask of dtype bool; got ${mask.dtype}; compare it, as in ne(mask, 0)`);
  if (!broadcasts(mask.shape, x.shape))
    throw new ShapeError(`maskedFill: expected a mask that broadcasts to ${showShape(x.shape)}; got ${showShape(mask.shape)}`);
  if (value instanceof Tensor && value.ndim !== 0)
    throw new ShapeError(`maskedFill: expected a number or a 0-d tensor for value; got shape ${showShape(value.shape)}`);
  return withOperand("maskedFill", "value", x, value, (fill) => where(mask, fill, x));
}

function broadcasts(from: Shape, to: Shape): boolean {
  const added = to.length - from.length;
  return added >= 0 && from.every((n, i) => n === 1 || n === to[added + i]);
}
