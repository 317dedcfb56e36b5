// Batching rules of the losses over class numbers: the rows of all examples are one batch of rows, whose losses are then reduced
// example by example.
import type { DType } from "../../bindings/dtype.js";
import type { Batch } from "../../bindings/op.js";
import type { Shape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { everyOperand, merged } from "./batching.js";
import { div } from "./binary.js";
import type { Reduction } from "./checks.js";
import { sum } from "./reduce.js";
import { broadcastTo, reshape } from "./shape.js";

interface Reducing {
  readonly reduction: Reduction;
}

/** The weights of targets that are not ignored, over the `cols` classes of a row. */
export type WeightsOf<P> = (target: Tensor, params: P, cols: number, dtype: DType) => Tensor;

/** Rows of all examples as one axis; an example of one row without an axis for it is a row already. */
function rows(x: Tensor, example: Shape): Tensor {
  return example.length === 0 ? x : merged(x);
}

/** Per example the sum of the targets' weights, [B], by which a mean divides. */
function divisors<P>(target: Tensor, size: number, params: P, cols: number, dtype: DType, weights: WeightsOf<P>): Tensor {
  return sum(reshape(weights(reshape(target, [target.size]), params, cols, dtype), [size, target.size / size]), { axis: 1 });
}

/** For a loss of x and target. `classes` is the number of classes. */
export function batchedLoss<P extends Reducing>(batch: Batch<"x" | "target", P>, classes: number, weights: WeightsOf<P>): Tensor {
  const { size, params, shapes } = batch;
  const { x, target } = everyOperand(batch);
  const flat = { x: shapes.x.length === 1 ? x : merged(x), target: rows(target, shapes.target) };
  const losses = reshape(batch.again(flat, { ...params, reduction: "none" }), [size, ...shapes.target]);
  if (params.reduction === "none") return losses;
  const totals = sum(losses, { axis: shapes.target.map((_, i) => i + 1) });
  return params.reduction === "sum" ? totals : div(totals, divisors(target, size, params, classes, batch.y.dtype, weights));
}

/** dy of all rows, from that of the reduced loss, as the derivative of losses that are not reduced takes it. */
export function rowGradients<I extends string, P extends Reducing>(
  { size, params, shapes }: Batch<I | "dy" | "target", P>,
  dy: Tensor,
  target: Tensor,
  classes: number,
  weights: WeightsOf<P>,
): Tensor {
  if (params.reduction === "none") return rows(dy, shapes.target);
  const each = params.reduction === "sum" ? dy : div(dy, divisors(target, size, params, classes, dy.dtype, weights));
  const ones = shapes.target.map(() => 1);
  return rows(broadcastTo(reshape(each, [size, ...ones]), [size, ...shapes.target]), shapes.target);
}

/** The factors of all rows, over the divisors of their examples. */
export function batchedScale<P extends Reducing>(batch: Batch<"target", P>, weights: WeightsOf<P>, classes: number): Tensor {
  const { size, params, inputs, y } = batch;
  const factors = reshape(batch.again({ target: merged(inputs.target) }, { ...params, reduction: "none" }), [size, ...y.shape]);
  if (params.reduction !== "mean") return factors;
  return div(factors, reshape(divisors(inputs.target, size, params, classes, y.dtype, weights), [size, 1]));
}
