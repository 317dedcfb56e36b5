// Hyperbolic functions and the logistic sigmoid.
import { apply, op } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { mul, sub } from "./binary.js";
import { unary, unaryGrad } from "./operands.js";
import { anyPair, anyShape } from "./samples.js";

/** Hyperbolic sine: (e^x - e^-x) / 2. */
export function sinh(x: Tensor): Tensor {
  return apply(sinhOp, { x });
}
const sinhOp = op({
  ...unary("sinh", "sinh"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => mul(dy, cosh(x)) }),
  samples: [anyShape()],
});

/** Hyperbolic cosine: (e^x + e^-x) / 2. */
export function cosh(x: Tensor): Tensor {
  return apply(coshOp, { x });
}
const coshOp = op({
  ...unary("cosh", "cosh"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => mul(dy, sinh(x)) }),
  samples: [anyShape()],
});

/** Hyperbolic tangent: sinh(x) / cosh(x). */
export function tanh(x: Tensor): Tensor {
  return apply(tanhOp, { x });
}
const tanhOp = op({
  ...unary("tanh", "tanh"),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => tanhGrad(dy, y) }),
  samples: [anyShape()],
});

function tanhGrad(dy: Tensor, y: Tensor): Tensor {
  return apply(tanhGradOp, { dy, y });
}
/** dy (1 - y^2). */
const tanhGradOp = op({
  ...unaryGrad("tanhGrad"),
  saves: ["dy", "y"],
  vjp: (g, { dy, y }) => ({ dy: () => tanhGrad(g, y), y: () => mul(mul(g, dy), mul(y, -2)) }),
  samples: [anyPair("y")],
});

/** Logistic sigmoid: 1 / (1 + e^-x). */
export function sigmoid(x: Tensor): Tensor {
  return apply(sigmoidOp, { x });
}
const sigmoidOp = op({
  ...unary("sigmoid", "sigmoid"),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => sigmoidGrad(dy, y) }),
  samples: [anyShape()],
});

function sigmoidGrad(dy: Tensor, y: Tensor): Tensor {
  return apply(sigmoidGradOp, { dy, y });
}
/** dy y (1 - y). */
const sigmoidGradOp = op({
  ...unaryGrad("sigmoidGrad"),
  saves: ["dy", "y"],
  vjp: (g, { dy, y }) => ({ dy: () => sigmoidGrad(g, y), y: () => mul(mul(g, dy), sub(1, mul(y, 2))) }),
  samples: [anyPair("y", { low: 0, high: 1 })],
});
