// Elements and rows read by index along an axis. All are one op, over an index that is spread by strides where one number
// names a whole row, so their gradient is one too: a sum of what comes back, in the order of the positions.

import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { broadcastShapes, type Shape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { withRecording } from "../../bindings/tape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { activeTracer, change } from "../../bindings/trace.js";
import { leading } from "./batching.js";
import { add, div, mul } from "./binary.js";
import { checkedFlag, checkedNumber, checkedOptions } from "./checks.js";
import { eq, gt } from "./compare.js";
import { to } from "./convert.js";
import { fillWith } from "./create.js";
import { groupSizes } from "./groups.js";
import { drawnAlong, drawnIndex } from "./index-samples.js";
import { type Along, alongIndex, axisOf, checkedIndex, checkedLive, fitsWithin, gatherInto, scatterInto, spread } from "./indexing.js";
import { norm } from "./norm.js";
import { floatDtype } from "./operands.js";
import { where } from "./select.js";
import { reshape, unsqueeze } from "./shape.js";

/** PyTorch's addition to a norm that is divided by. */
const RENORM_EPS = 1e-7;

export interface IndexOptions {
  /** The axis that the indices step along; negatives count from the end. */
  axis?: number;
}

/**
 * Elements by index along an axis (0 by default): y[i, j] = x[index[i, j], j] for axis 0. index: int32 with the axes of x,
 * no larger than x beside the axis; y has its shape. Gradients of an element read twice add up in the order of the positions.
 * Throws ShapeError, DtypeError, NumericError for an index outside 0..size-1. As torch.gather.
 */
export function gather(x: Tensor, index: Tensor, options: IndexOptions = {}): Tensor {
  checkedLive("gather", "x", x);
  checkedIndex("gather", index);
  const axis = axisOf("gather", checkedOptions("gather", options, ["axis"]).axis ?? 0, x.ndim);
  fitsWithin("gather", x, index, axis);
  return gatherAlong(x, index, { fn: "gather", axis });
}

/**
 * Elements by index along an axis (the last by default), as gather, where x and index broadcast beside the axis and
 * negative indices count from the end. Throws ShapeError, DtypeError, NumericError for an index outside -size..size-1.
 * As numpy.take_along_axis.
 */
export function takeAlongAxis(x: Tensor, index: Tensor, options: IndexOptions = {}): Tensor {
  checkedLive("takeAlongAxis", "x", x);
  checkedIndex("takeAlongAxis", index);
  const axis = axisOf("takeAlongAxis", checkedOptions("takeAlongAxis", options, ["axis"]).axis ?? -1, x.ndim);
  if (index.ndim !== x.ndim) {
    throw new ShapeError(`takeAlongAxis: expected index with ${x.ndim} axes, as x ${showShape(x.shape)} has; got ${showShape(index.shape)}`);
  }
  return gatherAlong(x, index, { fn: "takeAlongAxis", axis, wrap: true });
}

/**
 * Slices by index along an axis (0 by default): y[i, j] = x[index[i], j] for axis 0, with index int32 [n].
 * Throws ShapeError, DtypeError, NumericError for an index outside 0..size-1. As torch.index_select.
 */
export function indexSelect(x: Tensor, index: Tensor, options: IndexOptions = {}): Tensor {
  checkedLive("indexSelect", "x", x);
  checkedIndex("indexSelect", index);
  const axis = axisOf("indexSelect", checkedOptions("indexSelect", options, ["axis"]).axis ?? 0, x.ndim);
  if (x.ndim === 0 || index.ndim !== 1) {
    throw new ShapeError(`indexSelect: expected x with an axis and index [n]; got ${showShape(x.shape)} and ${showShape(index.shape)}`);
  }
  return scope(() => gatherAlong(x, spread(index, x.shape, axis), { fn: "indexSelect", axis, from: index.shape }));
}

export interface EmbeddingOptions {
  /** The row of weight that gets no gradient; negatives count from the end; none by default. */
  paddingIdx?: number | null;
  /** Rows that are read and longer than this are scaled down to it, in place, before they are read; none by default. */
  maxNorm?: number | null;
  /** The norm of maxNorm: sum(|w|^p)^(1/p), or Infinity; 2 by default. */
  normType?: number;
  /** Divide the gradient of a row by how often it was read; false by default. */
  scaleGradByFreq?: boolean;
}

/**
 * Rows of a table: y[..., :] = weight[indices[...], :] for indices int32 of any shape and weight [rows, cols]. The gradient
 * of a row is the sum of what its readers get, in the order of the positions; 0 for the row `paddingIdx`. With `maxNorm` the
 * weight is changed, without a derivative, and its version counts up.
 * Throws ShapeError, DtypeError, NumericError for an index outside 0..rows-1, ConfigError. As torch.nn.functional.embedding.
 */
export function embedding(indices: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  checkedIndex("embedding", indices, "indices");
  checkedLive("embedding", "weight", weight);
  const known = ["paddingIdx", "maxNorm", "normType", "scaleGradByFreq"] as const;
  const { paddingIdx = null, maxNorm = null, normType = 2, scaleGradByFreq = false } = checkedOptions("embedding", options, known);
  if (maxNorm !== null) checkedNumber("embedding", "maxNorm", maxNorm, 0, Number.POSITIVE_INFINITY);
  checkedNumber("embedding", "normType", normType, 0, Number.POSITIVE_INFINITY);
  const scaled = checkedFlag("embedding", "scaleGradByFreq", scaleGradByFreq);
  if (weight.ndim !== 2) throw new ShapeError(`embedding: expected weight [rows, cols]; got ${showShape(weight.shape)}`);
  const [rows, cols] = weight.shape;
  if (paddingIdx !== null && !(Number.isInteger(paddingIdx) && paddingIdx >= -rows && paddingIdx < rows)) {
    throw new ConfigError(`embedding: expected paddingIdx from ${-rows} to ${rows - 1}, or null; got ${showValue(paddingIdx)}`);
  }
  return scope(() => {
    const flat = reshape(indices, [-1]);
    const places = spread(flat, weight.shape, 0);
    const along = { fn: "embedding", axis: 0, from: indices.shape };
    if (maxNorm !== null) shorten(weight, places, along, maxNorm, normType);
    let y = gatherAlong(weight, places, along);
    // within vmap a derivative outside of it may want gradients that no example tells of
    const derived = y.requiresGrad || activeTracer()?.mapper !== undefined;
    if (derived && scaled) y = apply(embeddingScaleOp, { x: y, count: readers(flat, rows, y) });
    if (derived && paddingIdx !== null) {
      const padding = unsqueeze(eq(flat, paddingIdx < 0 ? paddingIdx + rows : paddingIdx), 1);
      y = apply(embeddingPaddingOp, { x: y, padding });
    }
    return reshape(y, [...indices.shape, cols]);
  });
}

/** Scales the rows that are read down to a norm, in place. A row that is read twice gets the same elements twice. */
function shorten(weight: Tensor, places: Tensor, along: Along, most: number, ord: number): void {
  const dtype = floatDtype("embedding", { weight });
  if (!weight.contiguous) throw new ShapeError(`embedding: expected a contiguous weight for maxNorm; got a view ${weight.describe()}; pass a clone()`);
  withRecording(false, () => {
    const rows = gatherAlong(weight, places, along);
    const length = norm(rows, { ord, axis: 1, keepdims: true });
    const scaled = where(gt(length, most), mul(rows, div(most, add(length, RENORM_EPS))), rows);
    change({
      name: "embeddingRenorm",
      tensors: { weight, places, scaled },
      writes: ["weight"],
      run: ({ weight: w, places: at, scaled: from }) => scatterInto(kernelsOf(dtype), w, at, from, from.shape, along),
    });
  });
}

/** How often the row behind each index was read, as a column of the dtype of y. */
function readers(index: Tensor, rows: number, y: Tensor): Tensor {
  const counts = gatherAlong(groupSizes(index, rows), index, { fn: "embedding", axis: 0 });
  return unsqueeze(to(counts, y.dtype), 1);
}

/** x itself; its gradient is divided by `count`. */
const embeddingScaleOp = op({
  name: "embeddingScale",
  inputs: ["x", "count"],
  batch: leading,
  shape: (s: { x: Spec; count: Spec }) => s.x,
  view: (x) => x,
  saves: ["count"],
  vjp: (dy, { count }) => ({ x: () => div(dy, count), count: "zero" }),
  // the rule is no derivative unless every count is 1
  samples: [(draw) => ({ inputs: { x: { shape: draw.shape(2, 2) }, count: { values: [1], shape: [1, 1], dtype: "float64" } } })],
});

/** x itself; its gradient is 0 where `padding` holds. */
const embeddingPaddingOp = op({
  name: "embeddingPadding",
  inputs: ["x", "padding"],
  batch: leading,
  shape: (s: { x: Spec; padding: Spec }) => s.x,
  view: (x) => x,
  saves: ["padding"],
  vjp: (dy, { padding }) => ({ x: () => where(padding, 0, dy), padding: "none" }),
  // the rule is no derivative where there is padding
  samples: [(draw) => ({ inputs: { x: { shape: draw.shape(2, 2) }, padding: { values: [0], shape: [1, 1], dtype: "bool" } } })],
});

/** y[p] = x[p with index[p] on the axis], for arguments that were checked; x and index broadcast beside the axis. */
export function gatherAlong(x: Tensor, index: Tensor, along: Along): Tensor {
  return apply(gatherOp, { x, index }, along);
}
const gatherOp = op({
  name: "gather",
  inputs: ["x", "index"],
  batch: alongIndex,
  shape: (s: { x: Spec; index: Spec }, along: Along) => ({ shape: positions(s.x.shape, s.index.shape, along), dtype: s.x.dtype }),
  strided: true,
  kernel: (k, { x, index }, y, along) => gatherInto(k, y, x, index, along),
  saves: ["index"],
  vjp: (dy, { index }, { params, shapes }) => ({ x: () => gatherGrad(dy, index, { ...params, shape: shapes.x }), index: "none" }),
  samples: [
    (draw) => {
      const { shape, axis, index } = drawnAlong(draw);
      return { inputs: { x: { shape }, index }, params: { fn: "gather", axis } };
    },
    (draw) => {
      const { shape, axis, size, index } = drawnAlong(draw);
      const narrow = (own: Shape): number[] => own.map((n, i) => (i !== axis && draw.integer(0, 2) === 0 ? 1 : n));
      const x = narrow(shape);
      const fit = narrow(shape).map((n, i) => (i === axis ? index.shape[i] : n));
      return { inputs: { x: { shape: x }, index: drawnIndex(draw, fit, -size, size - 1) }, params: { fn: "takeAlongAxis", axis, wrap: true } };
    },
  ],
});

/** The positions at which elements are read: the shape of index, both broadcast beside the axis if negatives wrap. */
function positions(x: Shape, index: Shape, along: Along): Shape {
  if (!along.wrap) return index;
  return broadcastShapes(
    along.fn,
    x.map((n, i) => (i === along.axis ? index[i] : n)),
    index,
  );
}

interface GatherGradParams extends Along {
  /** Of what was read. */
  readonly shape: Shape;
}

/** The sum of dy over the positions that read an element of `shape`. */
export function gatherGrad(dy: Tensor, index: Tensor, params: GatherGradParams): Tensor {
  return apply(gatherGradOp, { dy, index }, params);
}
/** The sum of dy over the positions that read an element. */
const gatherGradOp = op({
  name: "gatherGrad",
  inputs: ["dy", "index"],
  batch: alongIndex,
  shape: (s: { dy: Spec; index: Spec }, params: GatherGradParams) => ({ shape: params.shape, dtype: floatDtype("gatherGrad", { dy: s.dy }) }),
  strided: true,
  kernel(k, { dy, index }, dx, params) {
    fillWith(dx, 0);
    scatterInto(k, dx, index, dy, dy.shape, params, 1);
  },
  saves: ["index"],
  vjp: (g, { index }, { params: { fn, axis, wrap, from } }) => ({ dy: () => gatherAlong(g, index, { fn, axis, wrap, from }), index: "none" }),
  samples: [
    (draw) => {
      const { shape, axis, index } = drawnAlong(draw);
      return { inputs: { dy: { shape: index.shape }, index }, params: { fn: "gather", axis, shape } };
    },
  ],
});
