// Losses of probabilities, logits and signs.
import { ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add, div, mul, sub } from "../ops/binary.js";
import { checkedFlag, checkedNumber, checkedOptions, checkedReduction, type Reduction } from "../ops/checks.js";
import { eq } from "../ops/compare.js";
import { exp, log } from "../ops/exponential.js";
import { binaryCrossEntropyTerms, logSigmoid } from "../ops/logistic.js";
import { relu } from "../ops/piecewise.js";
import { sum } from "../ops/reduce.js";
import { where } from "../ops/select.js";
import { checkedWeight, checkPair, type LossOptions, reduced } from "./reduced.js";

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Factors that broadcast to the input; there is no gradient for them. */
  weight?: Tensor | null;
}

/**
 * Binary cross-entropy of probabilities: -(t log x + (1 - t) log(1 - x)), logarithms at least -100 as in PyTorch; NaN for
 * probabilities outside 0..1. Throws ShapeError, DtypeError, ConfigError, GradientError for a weight that requires a gradient.
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor {
  const name = "binaryCrossEntropy";
  checkPair(name, input, target);
  const { reduction, weight } = checkedOptions(name, options, ["reduction", "weight"]);
  checkedReduction(name, reduction ?? "mean");
  return scope(() => {
    const w = checkedWeight(name, "weight", weight, input);
    const terms = binaryCrossEntropyTerms(input, target);
    return reduced(name, w === undefined ? terms : mul(terms, w), reduction);
  });
}

/**
 * Binary cross-entropy of logits: -(posWeight t log s(x) + (1 - t) log(1 - s(x))) with the sigmoid s, computed as
 * (1 - t) x - (1 + (posWeight - 1) t) log s(x), which loses no digits. Throws ShapeError, DtypeError, ConfigError,
 * GradientError for a weight or posWeight that requires a gradient.
 */
export function binaryCrossEntropyWithLogits(input: Tensor, target: Tensor, options: BinaryCrossEntropyOptions & { posWeight?: Tensor | null } = {}): Tensor {
  const name = "binaryCrossEntropyWithLogits";
  checkPair(name, input, target);
  const { reduction, weight, posWeight } = checkedOptions(name, options, ["reduction", "weight", "posWeight"]);
  checkedReduction(name, reduction ?? "mean");
  return scope(() => {
    const w = checkedWeight(name, "weight", weight, input);
    const positive = checkedWeight(name, "posWeight", posWeight, input);
    let likelihood = logSigmoid(input);
    if (positive !== undefined) likelihood = mul(likelihood, add(mul(sub(positive, 1), target), 1));
    const terms = sub(mul(sub(1, target), input), likelihood);
    return reduced(name, w === undefined ? terms : mul(terms, w), reduction);
  });
}

/**
 * Hinge loss of scores and targets -1 or 1: max(0, margin - target input), margin 1 by default, its mean by default; the
 * derivative at the kink is 0. Throws ShapeError, DtypeError, ConfigError.
 */
export function hingeLoss(input: Tensor, target: Tensor, options: LossOptions & { margin?: number } = {}): Tensor {
  const name = "hingeLoss";
  checkPair(name, input, target);
  const { reduction, margin = 1 } = checkedOptions(name, options, ["reduction", "margin"]);
  checkedReduction(name, reduction ?? "mean");
  checkedNumber(name, "margin", margin, -Number.MAX_VALUE, Number.MAX_VALUE);
  return scope(() => reduced(name, relu(sub(margin, mul(target, input))), reduction));
}

export interface KlDivOptions {
  /** "mean" (default) over all elements, "batchmean" over the first axis, as the definition has it, "sum", "none". */
  reduction?: Reduction | "batchmean";
  /** Whether the target holds log-probabilities too; false by default. */
  logTarget?: boolean;
}

/**
 * Kullback-Leibler divergence of log-probabilities x from probabilities t: t (log t - x), 0 where t is 0; with logTarget
 * e^t (t - x). Throws ShapeError, DtypeError, ConfigError.
 */
export function klDiv(input: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  const name = "klDiv";
  checkPair(name, input, target);
  const { reduction = "mean", logTarget = false } = checkedOptions(name, options, ["reduction", "logTarget"]);
  checkedReduction(name, reduction, ["none", "sum", "mean", "batchmean"]);
  checkedFlag(name, "logTarget", logTarget);
  if (reduction === "batchmean" && input.ndim === 0) throw new ShapeError(`${name}: expected an axis to average over; got a scalar`);
  return scope(() => {
    const logs = logTarget ? target : log(where(eq(target, 0), 1, target));
    const terms = mul(logTarget ? exp(target) : target, sub(logs, input));
    return reduction === "batchmean" ? div(sum(terms), input.shape[0]) : reduced(name, terms, reduction);
  });
}
