// Losses of real-valued targets.
import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { sub } from "../ops/binary.js";
import type { Reduction } from "../ops/checks.js";
import { mean, sum } from "../ops/reduce.js";
import { square } from "../ops/unary.js";

/** Squared error (input - target)^2, its mean by default; throws ShapeError unless both have one shape. */
export function mseLoss(input: Tensor, target: Tensor, options: { reduction?: Reduction } = {}): Tensor {
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError(`mseLoss: expected input and target of one shape; got ${showShape(input.shape)} and ${showShape(target.shape)}`);
  }
  const errors = square(sub(input, target));
  const reduction = options.reduction ?? "mean";
  if (reduction === "none") return errors;
  if (reduction === "sum") return sum(errors);
  if (reduction === "mean") return mean(errors);
  throw new ConfigError(`mseLoss: expected reduction none, sum or mean; got ${String(reduction)}`);
}
