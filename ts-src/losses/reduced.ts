// What all losses share: two operands of one shape, and the reduction of the losses of elements.
import { DtypeError, ShapeError } from "../../bindings/errors.js";
import { broadcastShapes, sameShape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedConstant, checkedReduction, type Reduction } from "../ops/checks.js";
import { checkedTensor, floatDtype } from "../ops/operands.js";
import { mean, sum } from "../ops/reduce.js";

export interface LossOptions {
  /** "mean" (default), "sum", or "none" for a loss an element. */
  reduction?: Reduction;
}

/** Throws unless both are float tensors of one shape and dtype. */
export function checkPair(name: string, input: unknown, target: unknown): void {
  checkedTensor(name, "input", input);
  checkedTensor(name, "target", target);
  input.alive(`${name}: input`);
  target.alive(`${name}: target`);
  floatDtype(name, { input, target });
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError(`${name}: expected input and target of one shape; got ${showShape(input.shape)} and ${showShape(target.shape)}`);
  }
}

export function reduced(name: string, losses: Tensor, reduction: Reduction | undefined): Tensor {
  const how = checkedReduction(name, reduction ?? "mean");
  return how === "none" ? losses : how === "sum" ? sum(losses) : mean(losses);
}

/** Weights that broadcast to x; undefined if none came. Throws GradientError if they require a gradient, for which there is no derivative, as in PyTorch. */
export function checkedWeight(name: string, label: string, weight: Tensor | null | undefined, x: Tensor): Tensor | undefined {
  if (weight === undefined || weight === null) return undefined;
  checkedTensor(name, label, weight);
  weight.alive(`${name}: ${label}`);
  if (weight.dtype !== x.dtype) throw new DtypeError(`${name}: expected ${label} of dtype ${x.dtype}, as the input has; got ${weight.dtype}`);
  if (!sameShape(broadcastShapes(name, weight.shape, x.shape), x.shape)) {
    throw new ShapeError(`${name}: expected ${label} that broadcasts to ${showShape(x.shape)}; got ${showShape(weight.shape)}`);
  }
  checkedConstant(name, label, weight);
  return weight;
}
