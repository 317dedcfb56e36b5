// Elements and rows read by index along an axis. All are one op, over an index that is spread by strides where one number
// names a whole row, so their gradient is one too: a sum of what comes back, in the order of the positions.
import { type DType, isFloat } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, op, type Spec, showValue } from "../../bindings/op.js";
import { broadcastShapes, type Shape, sameShape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { fillWith } from "./create.js";
import { type Along, axisOf, checkedFlag, checkedIndex, checkedOptions, fitsWithin, gatherInto, scatterInto } from "./indexing.js";
import { maskedFill, paddingMask } from "./masked.js";
import { checkedTensor } from "./operands.js";
import { anyIndex, rowIndex } from "./samples-index.js";
import { broadcastTo, reshape } from "./shape.js";

export interface AxisOption {
  /** The axis that the indices step along; negatives count from the end. */
  axis?: number;
}

/**
 * Elements by index along an axis (0 by default): y[i, j] = x[index[i, j], j] for axis 0. index: int32 with the axes of x,
 * no larger than x beside the axis; y has its shape. Gradients of an element read twice add up in the order of the positions.
 * Throws ShapeError, DtypeError, NumericError for an index outside 0..size-1. As torch.gather.
 */
export function gather(x: Tensor, index: Tensor, options: AxisOption = {}): Tensor {
  checkedTensor("gather", "x", x);
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
export function takeAlongAxis(x: Tensor, index: Tensor, options: AxisOption = {}): Tensor {
  checkedTensor("takeAlongAxis", "x", x);
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
export function indexSelect(x: Tensor, index: Tensor, options: AxisOption = {}): Tensor {
  checkedTensor("indexSelect", "x", x);
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
  /** Divide the gradient of a row by how often it was read; false by default. */
  scaleGradByFreq?: boolean;
}

/**
 * Rows of a table: y[..., :] = weight[indices[...], :] for indices int32 of any shape and weight [rows, cols]. The gradient
 * of a row is the sum of what its readers get, in the order of the positions; 0 for the row `paddingIdx`.
 * Throws ShapeError, DtypeError, NumericError for an index outside 0..rows-1, ConfigError. As torch.nn.functional.embedding.
 */
export function embedding(indices: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  checkedIndex("embedding", indices, "indices");
  checkedTensor("embedding", "weight", weight);
  const { paddingIdx = null, scaleGradByFreq } = checkedOptions("embedding", options, ["paddingIdx", "scaleGradByFreq"]);
  const scaled = checkedFlag("embedding", "scaleGradByFreq", scaleGradByFreq, false);
  if (weight.ndim !== 2) throw new ShapeError(`embedding: expected weight [rows, cols]; got ${showShape(weight.shape)}`);
  const [rows, cols] = weight.shape;
  if (paddingIdx !== null && !(Number.isInteger(paddingIdx) && paddingIdx >= -rows && paddingIdx < rows)) {
    throw new ConfigError(`embedding: expected paddingIdx from ${-rows} to ${rows - 1}, or null; got ${showValue(paddingIdx)}`);
  }
  return scope(() => {
    const flat = reshape(indices, [-1]);
    let y = gatherAlong(weight, spread(flat, weight.shape, 0), { fn: "embedding", axis: 0, from: indices.shape });
    if (y.requiresGrad && scaled) y = apply(embeddingFrequencyOp, { x: y, index: flat }, { rows });
    if (y.requiresGrad && paddingIdx !== null) y = apply(embeddingPaddingOp, { x: y, mask: paddingMask(flat, paddingIdx < 0 ? paddingIdx + rows : paddingIdx) });
    return reshape(y, [...indices.shape, cols]);
  });
}
