// Elementwise functions of one tensor: y[i] = f(x[i]).
import { apply, op } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { div, mul, sub } from "./binary.js";
import { unary, unaryGrad } from "./operands.js";
import { anyPair, anyShape } from "./samples.js";

/** Negative: -x; of int32 modulo 2^32. */
export function neg(x: Tensor): Tensor {
  return apply(negOp, { x });
}
const negOp = op({
  ...unary("neg", "neg", "negInt32"),
  saves: [],
  vjp: (dy) => ({ x: () => neg(dy) }),
  samples: [anyShape()],
});

/** Absolute value: |x|; its derivative at 0 is 0. Of int32 -2^31 it is -2^31. */
export function abs(x: Tensor): Tensor {
  return apply(absOp, { x });
}
const absOp = op({
  ...unary("abs", "abs", "absInt32"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => mul(dy, sign(x)) }),
  samples: [anyShape({ away: 0.1 })],
});

/** Sign: -1, 0 or 1; NaN stays. */
export function sign(x: Tensor): Tensor {
  return apply(signOp, { x });
}
const signOp = op({
  ...unary("sign", "sign", "signInt32"),
  saves: [],
  vjp: "zero",
  samples: [anyShape({ away: 0.1 })],
});

/** Square: x^2. */
export function square(x: Tensor): Tensor {
  return apply(squareOp, { x });
}
const squareOp = op({
  ...unary("square", "square"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => mul(dy, mul(x, 2)) }),
  samples: [anyShape()],
});

/** Square root; NaN for x < 0. Its derivative at 0 is infinite. */
export function sqrt(x: Tensor): Tensor {
  return apply(sqrtOp, { x });
}
const sqrtOp = op({
  ...unary("sqrt", "sqrt"),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => div(dy, mul(y, 2)) }),
  samples: [anyShape({ low: 0.5, high: 4 })],
});

/** Reciprocal square root: x^(-1/2); NaN for x < 0. */
export function rsqrt(x: Tensor): Tensor {
  return apply(rsqrtOp, { x });
}
const rsqrtOp = op({
  ...unary("rsqrt", "rsqrt"),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => mul(mul(dy, -0.5), mul(square(y), y)) }),
  samples: [anyShape({ low: 0.5, high: 4 })],
});

/** Reciprocal: 1 / x. */
export function reciprocal(x: Tensor): Tensor {
  return apply(reciprocalOp, { x });
}
const reciprocalOp = op({
  ...unary("reciprocal", "reciprocal"),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => neg(mul(dy, square(y))) }),
  samples: [anyShape({ away: 0.5 })],
});

/** Exponential: e^x. */
export function exp(x: Tensor): Tensor {
  return apply(expOp, { x });
}
const expOp = op({
  ...unary("exp", "exp"),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => mul(dy, y) }),
  samples: [anyShape()],
});

/** Natural logarithm; NaN for x < 0. */
export function log(x: Tensor): Tensor {
  return apply(logOp, { x });
}
const logOp = op({
  ...unary("log", "log"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => div(dy, x) }),
  samples: [anyShape({ low: 0.5, high: 4 })],
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

/** Hyperbolic tangent. */
export function tanh(x: Tensor): Tensor {
  return apply(tanhOp, { x });
}
const tanhOp = op({
  ...unary("tanh", "tanh"),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => tanhGrad(dy, y) }),
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
