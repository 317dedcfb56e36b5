// Surrogates of the zero-one loss over classes: the margin loss and the focal loss.
import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add, mul, sub } from "../ops/binary.js";
import { checkedNumber, checkedOptions, checkedReduction } from "../ops/checks.js";
import { ne } from "../ops/compare.js";
import { expm1 } from "../ops/exponential.js";
import { takeAlongAxis } from "../ops/gather.js";
import { checkedTensor, floatDtype } from "../ops/operands.js";
import { relu } from "../ops/piecewise.js";
import { pow } from "../ops/power.js";
import { mean } from "../ops/reduce.js";
import { oneHot } from "../ops/scatter.js";
import { clamp, where } from "../ops/select.js";
import { reshape } from "../ops/shape.js";
import { logSoftmax } from "../ops/softmax.js";
import { neg } from "../ops/unary.js";
import { type LossOptions, reduced } from "./reduced.js";

/** Throws unless scores are [N, C] and targets [N] class numbers. */
function checkClasses(name: string, input: unknown, target: unknown): void {
  checkedTensor(name, "input", input);
  checkedTensor(name, "target", target);
  input.alive(`${name}: input`);
  target.alive(`${name}: target`);
  floatDtype(name, { input });
  if (target.dtype !== "int32") throw new DtypeError(`${name}: expected targets of dtype int32 (class numbers); got ${target.describe()}`);
  if (input.ndim !== 2 || !sameShape(target.shape, [input.shape[0]])) {
    throw new ShapeError(`${name}: expected input [N, C] and target [N]; got ${showShape(input.shape)} and ${showShape(target.shape)}`);
  }
}

/** The element of each row at its target, [N, 1]. */
function atTarget(x: Tensor, target: Tensor): Tensor {
  return takeAlongAxis(x, reshape(target, [target.size, 1]), { axis: 1 });
}

export interface MultiMarginOptions extends LossOptions {
  /** 1 (default) or 2: the power of each violated margin. */
  p?: number;
  /** 1 by default. */
  margin?: number;
}

/**
 * Hinge loss of several classes (Crammer and Singer 2001) of scores x [N, C] and class numbers t [N]:
 * sum over c != t of max(0, margin - x[t] + x[c])^p / C a row, its mean by default. As torch.nn.MultiMarginLoss.
 * Throws ShapeError, DtypeError, ConfigError, NumericError for a class outside 0..C-1.
 */
export function multiMarginLoss(input: Tensor, target: Tensor, options: MultiMarginOptions = {}): Tensor {
  const name = "multiMarginLoss";
  checkClasses(name, input, target);
  const { reduction, p = 1, margin = 1 } = checkedOptions(name, options, ["reduction", "p", "margin"]);
  checkedReduction(name, reduction ?? "mean");
  checkedNumber(name, "margin", margin, -Number.MAX_VALUE, Number.MAX_VALUE);
  if (p !== 1 && p !== 2) throw new ConfigError(`${name}: expected 1 or 2 for p; got ${showValue(p)}`);
  return scope(() => {
    const classes = input.shape[1];
    const violated = relu(add(sub(margin, atTarget(input, target)), input));
    const others = where(ne(oneHot(target, classes), 0), 0, p === 1 ? violated : pow(violated, p));
    return reduced(name, mean(others, { axis: 1 }), reduction);
  });
}

const LEAST_DOUBT = 1e-30;

export interface FocalOptions extends LossOptions {
  /** How much sure examples count less; 2 by default, 0 is the cross-entropy. */
  gamma?: number;
  /** A factor for all; 1 by default. */
  alpha?: number;
}

/**
 * Focal loss (Lin et al. 2017, equation 5) of logits [N, C] and class numbers t [N]: -alpha (1 - p)^gamma log p with
 * p = softmax(x)[t], its mean by default. Throws ShapeError, DtypeError, ConfigError, NumericError for a class outside 0..C-1.
 */
export function focalLoss(input: Tensor, target: Tensor, options: FocalOptions = {}): Tensor {
  const name = "focalLoss";
  checkClasses(name, input, target);
  const { reduction, gamma = 2, alpha = 1 } = checkedOptions(name, options, ["reduction", "gamma", "alpha"]);
  checkedReduction(name, reduction ?? "mean");
  checkedNumber(name, "gamma", gamma, 0, Number.MAX_VALUE);
  checkedNumber(name, "alpha", alpha, 0, Number.MAX_VALUE);
  return scope(() => {
    const logs = reshape(atTarget(logSoftmax(input, { axis: 1 }), target), [target.size]);
    if (gamma === 0) return reduced(name, mul(logs, -alpha), reduction);
    // 1 - p without the loss of digits where p is near 1; from where it is 0 a power below 1 would have an infinite slope
    const doubt = clamp(neg(expm1(logs)), LEAST_DOUBT, null);
    return reduced(name, mul(mul(pow(doubt, gamma), logs), -alpha), reduction);
  });
}
