// Elementwise functions of one tensor: y[i] = f(x[i]).
import { apply, op } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { div, mul } from "./binary.js";
import { pairGrad } from "./fused.js";
import { unary } from "./operands.js";
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
  vjp: (dy, { x }) => ({ x: () => absGrad(dy, x) }),
  samples: [anyShape({ away: 0.1 })],
});

/** dy sign(x); 0 where x is 0. */
function absGrad(dy: Tensor, x: Tensor): Tensor {
  return apply(absGradOp, { dy, x });
}
const absGradOp = op({
  ...pairGrad("absGrad"),
  saves: ["x"],
  vjp: (g, { x }) => ({ dy: () => absGrad(g, x), x: "zero" }),
  samples: [anyPair("x", { away: 0.1 })],
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
  vjp: (dy, { x }) => ({ x: () => squareGrad(dy, x) }),
  samples: [anyShape()],
});

/** 2 dy x. */
function squareGrad(dy: Tensor, x: Tensor): Tensor {
  return apply(squareGradOp, { dy, x });
}
const squareGradOp = op({
  ...pairGrad("squareGrad"),
  saves: ["dy", "x"],
  vjp: (g, { dy, x }) => ({ dy: () => squareGrad(g, x), x: () => squareGrad(g, dy) }),
  samples: [anyPair("x")],
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
