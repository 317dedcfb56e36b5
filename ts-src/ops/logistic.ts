// The elementwise parts of the logistic losses.
import { ShapeError } from "../../bindings/errors.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { leading } from "./batching.js";
import { div, mul, sub } from "./binary.js";
import { onesLike, zerosLike } from "./create.js";
import { sigmoid } from "./hyperbolic.js";
import { floatDtype, unary } from "./operands.js";
import { anyShape } from "./samples.js";
import { clamp } from "./select.js";
import { neg } from "./unary.js";

const LEAST = Math.fround(1e-12); // PyTorch's constant is a float

/** Logarithm of the sigmoid, -log(1 + e^-x), exact at both ends. */
export function logSigmoid(x: Tensor): Tensor {
  return apply(logSigmoidOp, { x });
}
const logSigmoidOp = op({
  ...unary("logSigmoid", "logSigmoid"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => mul(dy, sigmoid(neg(x))) }),
  samples: [anyShape()],
});

/**
 * -(t max(log x, -100) + (1 - t) max(log(1 - x), -100)), an element a loss; its derivative is that of the unclamped
 * formula with x (1 - x) at least 1e-12, as in PyTorch. NaN for x outside 0..1.
 */
export function binaryCrossEntropyTerms(x: Tensor, t: Tensor): Tensor {
  return apply(binaryCrossEntropyOp, { x, t });
}
const binaryCrossEntropyOp = op({
  name: "binaryCrossEntropy",
  split: "elements",
  inputs: ["x", "t"],
  batch: leading,
  shape(s: { x: Spec; t: Spec }) {
    if (!sameShape(s.x.shape, s.t.shape)) {
      throw new ShapeError(`binaryCrossEntropy: expected input and target of one shape; got ${showShape(s.x.shape)} and ${showShape(s.t.shape)}`);
    }
    return { shape: s.x.shape, dtype: floatDtype("binaryCrossEntropy", { input: s.x, target: s.t }) };
  },
  kernel: (k, { x, t }, y) => k.binaryCrossEntropy(y.ptr, x.ptr, t.ptr, y.size),
  saves: ["x", "t"],
  vjp: (dy, { x, t }) => ({
    x: () => mul(dy, div(sub(x, t), clamp(mul(x, sub(1, x)), LEAST))),
    t: () => mul(dy, sub(binaryCrossEntropyTerms(x, onesLike(x)), binaryCrossEntropyTerms(x, zerosLike(x)))),
  }),
  samples: [
    (draw) => {
      const shape = draw.shape();
      return { inputs: { x: { shape, low: 0.1, high: 0.9 }, t: { shape, low: 0, high: 1 } } };
    },
  ],
});
