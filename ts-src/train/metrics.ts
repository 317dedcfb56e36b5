// What is measured beside the loss: a number for a batch, the mean over its examples.
import { ShapeError } from "../../bindings/errors.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { noGrad } from "../ops/derivatives.js";
import { argmax } from "../ops/extrema.js";

export type Metric = (output: Tensor, target: Tensor) => number;

/** Share of rows whose largest output is at the target class; throws ShapeError unless output is [N, C], target [N]. */
export function accuracy(output: Tensor, target: Tensor): number {
  if (output.ndim !== 2 || !sameShape(target.shape, [output.shape[0]])) {
    throw new ShapeError(`accuracy: expected output [N, C] and target [N]; got ${showShape(output.shape)} and ${showShape(target.shape)}`);
  }
  return noGrad(() => {
    const predicted = argmax(output, { axis: 1 }).data();
    const wanted = target.data();
    let right = 0;
    for (let i = 0; i < wanted.length; i++) right += Number(predicted[i] === wanted[i]);
    return right / wanted.length;
  });
}
