// Similarities and distances of vectors.
import { ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { broadcastShapes, checkedAxis, sameShape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add, div, mul, sub } from "../ops/binary.js";
import { checkedFlag, checkedNumber, checkedOptions, checkedReduction } from "../ops/checks.js";
import { eq } from "../ops/compare.js";
import { exp, log } from "../ops/exponential.js";
import { amax } from "../ops/extrema.js";
import { checkedTensor, floatDtype } from "../ops/operands.js";
import { relu } from "../ops/piecewise.js";
import { sum } from "../ops/reduce.js";
import { clamp, minimum, where } from "../ops/select.js";
import { abs, sqrt, square } from "../ops/unary.js";
import { type LossOptions, reduced } from "./reduced.js";

export interface CosineSimilarityOptions {
  /** The axis of the vectors; 1 by default. */
  axis?: number;
  /** Least length that is divided by; 1e-8 by default. */
  eps?: number;
}

/**
 * Cosine of the angle between vectors along an axis: sum(a b) / (max(|a|, eps) max(|b|, eps)); a and b broadcast.
 * Throws ShapeError, DtypeError, ConfigError.
 */
export function cosineSimilarity(a: Tensor, b: Tensor, options: CosineSimilarityOptions = {}): Tensor {
  const name = "cosineSimilarity";
  checkedTensor(name, "a", a);
  checkedTensor(name, "b", b);
  floatDtype(name, { a, b });
  const { axis = 1, eps = 1e-8 } = checkedOptions(name, options, ["axis", "eps"]);
  checkedNumber(name, "eps", eps, 0, Number.MAX_VALUE);
  const shape = broadcastShapes(name, a.shape, b.shape);
  const at = checkedAxis(name, axis, shape.length) - shape.length;
  return scope(() => {
    // an operand that is widened along the axis counts as often
    const length = (x: Tensor): Tensor => {
      const squares = square(x);
      const repeats = shape[shape.length + at] / (x.ndim + at < 0 ? 1 : x.shape[x.ndim + at]);
      const total = x.ndim + at < 0 ? squares : sum(squares, { axis: at, keepdims: true });
      return sqrt(clamp(repeats === 1 ? total : mul(total, repeats), eps * eps));
    };
    const cosine = div(sum(mul(a, b), { axis: at, keepdims: true }), mul(length(a), length(b)));
    return sum(cosine, { axis: at });
  });
}

export interface TripletMarginOptions extends LossOptions {
  /** 1 by default. */
  margin?: number;
  /** The norm of the distances, above 0, Infinity too; 2 by default. */
  p?: number;
  /** Added to each difference; 1e-6 by default. */
  eps?: number;
  /** Use the distance of positive and negative where it is less (Balntas et al. 2016); false by default. */
  swap?: boolean;
}

/** sum(|x|^p)^(1/p) over the last axis, or the largest |x|; its derivative at 0 is 0. */
function lengthOf(x: Tensor, p: number): Tensor {
  if (p === 1) return sum(abs(x), { axis: -1 });
  if (p === Number.POSITIVE_INFINITY) return x.shape[x.ndim - 1] === 0 ? sum(x, { axis: -1 }) : amax(abs(x), { axis: -1 });
  const power = (y: Tensor, exponent: number): Tensor => {
    const none = eq(y, 0);
    const safe = where(none, 1, y);
    return where(none, 0, exponent === 0.5 ? sqrt(safe) : exp(mul(log(safe), exponent)));
  };
  return power(sum(p === 2 ? square(x) : power(abs(x), p), { axis: -1 }), 1 / p);
}

/**
 * Triplet loss of vectors along the last axis: max(0, |anchor - positive + eps| - |anchor - negative + eps| + margin).
 * Throws ShapeError, DtypeError, ConfigError.
 */
export function tripletMarginLoss(anchor: Tensor, positive: Tensor, negative: Tensor, options: TripletMarginOptions = {}): Tensor {
  const name = "tripletMarginLoss";
  checkedTensor(name, "anchor", anchor);
  checkedTensor(name, "positive", positive);
  checkedTensor(name, "negative", negative);
  floatDtype(name, { anchor, positive, negative });
  const { reduction, margin = 1, p = 2, eps = 1e-6, swap = false } = checkedOptions(name, options, ["reduction", "margin", "p", "eps", "swap"]);
  checkedReduction(name, reduction ?? "mean");
  checkedNumber(name, "margin", margin, -Number.MAX_VALUE, Number.MAX_VALUE);
  checkedNumber(name, "p", p, 0, Number.POSITIVE_INFINITY, true);
  checkedNumber(name, "eps", eps, -Number.MAX_VALUE, Number.MAX_VALUE);
  checkedFlag(name, "swap", swap);
  if (anchor.ndim === 0 || !sameShape(anchor.shape, positive.shape) || !sameShape(anchor.shape, negative.shape)) {
    const got = [anchor, positive, negative].map((t) => showShape(t.shape)).join(", ");
    throw new ShapeError(`${name}: expected anchor, positive and negative of one shape [..., D]; got ${got}`);
  }
  return scope(() => {
    const distance = (a: Tensor, b: Tensor): Tensor => lengthOf(add(sub(a, b), eps), p);
    let far = distance(anchor, negative);
    if (swap) far = minimum(far, distance(positive, negative));
    return reduced(name, relu(add(sub(distance(anchor, positive), far), margin)), reduction);
  });
}
