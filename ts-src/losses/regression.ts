// Losses of real-valued targets; input and target have one shape.
import { scope } from "../../bindings/lifetime.js";
import type { Tensor } from "../../bindings/tensor.js";
import { mul, sub } from "../ops/binary.js";
import { checkedNumber, checkedOptions, checkedReduction } from "../ops/checks.js";
import { clamp } from "../ops/select.js";
import { abs, square } from "../ops/unary.js";
import { checkPair, type LossOptions, reduced } from "./reduced.js";

/** Squared error (input - target)^2, its mean by default. Throws ShapeError, DtypeError, ConfigError. */
export function mseLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkPair("mseLoss", input, target);
  const { reduction } = checkedOptions("mseLoss", options, ["reduction"]);
  checkedReduction("mseLoss", reduction ?? "mean");
  return scope(() => reduced("mseLoss", square(sub(input, target)), reduction));
}

/** Absolute error |input - target|, its mean by default; the derivative at 0 is 0. Throws ShapeError, DtypeError, ConfigError. */
export function l1Loss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkPair("l1Loss", input, target);
  const { reduction } = checkedOptions("l1Loss", options, ["reduction"]);
  checkedReduction("l1Loss", reduction ?? "mean");
  return scope(() => reduced("l1Loss", abs(sub(input, target)), reduction));
}

/** e^2 / 2 where e = |input - target| < delta, else delta (e - delta / 2): c (2 e - c) / 2 with c = min(e, delta). */
function huber(input: Tensor, target: Tensor, delta: number): Tensor {
  const error = abs(sub(input, target));
  const near = clamp(error, null, delta);
  return mul(mul(near, 0.5), sub(mul(error, 2), near));
}

/**
 * Huber loss (1964): e^2 / 2 where e = |input - target| < delta (1 by default), else delta (e - delta / 2).
 * Throws ShapeError, DtypeError, ConfigError unless delta > 0.
 */
export function huberLoss(input: Tensor, target: Tensor, options: LossOptions & { delta?: number } = {}): Tensor {
  checkPair("huberLoss", input, target);
  const { reduction, delta = 1 } = checkedOptions("huberLoss", options, ["reduction", "delta"]);
  checkedReduction("huberLoss", reduction ?? "mean");
  checkedNumber("huberLoss", "delta", delta, 0, Number.MAX_VALUE, true);
  return scope(() => reduced("huberLoss", huber(input, target, delta), reduction));
}

/**
 * Smooth L1 loss: e^2 / (2 beta) where e = |input - target| < beta (1 by default), else e - beta / 2; l1Loss for beta 0.
 * Throws ShapeError, DtypeError, ConfigError unless beta >= 0.
 */
export function smoothL1Loss(input: Tensor, target: Tensor, options: LossOptions & { beta?: number } = {}): Tensor {
  checkPair("smoothL1Loss", input, target);
  const { reduction, beta = 1 } = checkedOptions("smoothL1Loss", options, ["reduction", "beta"]);
  checkedReduction("smoothL1Loss", reduction ?? "mean");
  checkedNumber("smoothL1Loss", "beta", beta, 0, Number.MAX_VALUE);
  return scope(() => reduced("smoothL1Loss", beta === 0 ? abs(sub(input, target)) : mul(huber(input, target, beta), 1 / beta), reduction));
}
