// What is measured beside the loss. A metric is a function of output and target whose answers are averaged over examples, or one
// that gathers numbers over all batches and makes its value of them.
import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { noGrad } from "../ops/derivatives.js";
import { argmax } from "../ops/extrema.js";
import { topk } from "../ops/sort.js";
import { zeroOneLoss } from "../ops/zeroone.js";

export type Better = "higher" | "lower";

/** A number for a batch, averaged over examples; early stopping asks which is `better`. */
export type MetricFunction = ((output: Tensor, target: Tensor) => number) & { readonly better?: Better };

/** A metric that is no mean over batches, such as F1. What it has gathered is a list of numbers, so that a checkpoint can hold it. */
export interface GatheredMetric {
  readonly better: Better;
  /** What it has gathered before the first batch. */
  begin(): number[];
  /** Adds a batch to `gathered`, in place; `loss` is that of the batch. */
  add(gathered: number[], output: Tensor, target: Tensor, loss: number): void;
  value(gathered: readonly number[]): number;
}

export type Metric = MetricFunction | GatheredMetric;

/** Throws ShapeError unless output is [N, C] and target [N]. */
export function checkClassified(name: string, output: Tensor, target: Tensor): void {
  if (output.ndim !== 2 || !sameShape(target.shape, [output.shape[0]])) {
    throw new ShapeError(`${name}: expected output [N, C] and target [N]; got ${showShape(output.shape)} and ${showShape(target.shape)}`);
  }
}

function share(predicted: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let right = 0;
  for (let i = 0; i < wanted.length; i++) right += Number(predicted[i] === wanted[i]);
  return right / wanted.length;
}

function measured(better: Better, measure: (output: Tensor, target: Tensor) => number): MetricFunction {
  return Object.assign(measure, { better });
}

/** Share of rows whose largest output is at the target class; throws ShapeError unless output is [N, C], target [N]. */
export const accuracy: MetricFunction = measured("higher", (output, target) => {
  checkClassified("accuracy", output, target);
  return noGrad(() => share(argmax(output, { axis: 1 }).data(), target.data()));
});

/** Share of rows whose largest output is not at the target class: the mean of the zero-one loss. Throws ShapeError, DtypeError. */
export const zeroOne: MetricFunction = measured("lower", (output, target) => {
  checkClassified("zeroOne", output, target);
  return noGrad(() => zeroOneLoss(output, target).item());
});

/** Share of rows whose target class is among the k largest outputs. Throws ConfigError for k < 1, ShapeError. */
export function topKAccuracy(k: number): MetricFunction {
  if (!Number.isInteger(k) || k < 1) throw new ConfigError(`topKAccuracy: expected k, a whole number >= 1; got ${showValue(k)}`);
  return measured("higher", (output, target) => {
    checkClassified("topKAccuracy", output, target);
    const among = Math.min(k, output.shape[1]);
    return noGrad(() => {
      const best = topk(output, among, { axis: 1 }).indices.data();
      const wanted = target.data();
      let right = 0;
      for (let i = 0; i < wanted.length; i++) right += Number(best.subarray(i * among, (i + 1) * among).includes(wanted[i]));
      return right / wanted.length;
    });
  });
}

/** e to the mean loss, which is to be a negative log-likelihood: how many equally likely choices would be as hard to guess. */
export const perplexity: GatheredMetric = {
  better: "lower",
  begin: () => [0, 0],
  add(gathered, output, _target, loss) {
    gathered[0] += loss * output.shape[0];
    gathered[1] += output.shape[0];
  },
  value: ([sum, examples]) => Math.exp(sum / examples),
};
