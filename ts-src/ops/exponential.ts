// Exponentials, logarithms and the error function. Their errors in units in the last place: docs/numerics.md.
import { apply, op } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add, div, mul } from "./binary.js";
import { unary } from "./operands.js";
import { anyShape } from "./samples.js";
import { neg, square } from "./unary.js";

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

/** Power of two: 2^x. */
export function exp2(x: Tensor): Tensor {
  return apply(exp2Op, { x });
}
const exp2Op = op({
  ...unary("exp2", "exp2"),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => mul(dy, mul(y, Math.LN2)) }),
  samples: [anyShape()],
});

/** e^x - 1, accurate near 0. */
export function expm1(x: Tensor): Tensor {
  return apply(expm1Op, { x });
}
const expm1Op = op({
  ...unary("expm1", "expm1"),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => mul(dy, add(y, 1)) }),
  samples: [anyShape()],
});

/** Natural logarithm: -infinity at 0, NaN for x < 0. */
export function log(x: Tensor): Tensor {
  return apply(logOp, { x });
}
const logOp = op({
  ...unary("log", "log"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => div(dy, x) }),
  samples: [anyShape({ low: 0.5, high: 4 })],
});

/** Logarithm to base 2: -infinity at 0, NaN for x < 0. */
export function log2(x: Tensor): Tensor {
  return apply(log2Op, { x });
}
const log2Op = op({
  ...unary("log2", "log2"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => div(dy, mul(x, Math.LN2)) }),
  samples: [anyShape({ low: 0.5, high: 4 })],
});

/** Logarithm to base 10: -infinity at 0, NaN for x < 0. */
export function log10(x: Tensor): Tensor {
  return apply(log10Op, { x });
}
const log10Op = op({
  ...unary("log10", "log10"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => div(dy, mul(x, Math.LN10)) }),
  samples: [anyShape({ low: 0.5, high: 4 })],
});

/** log(1 + x), accurate near 0: -infinity at -1, NaN below. */
export function log1p(x: Tensor): Tensor {
  return apply(log1pOp, { x });
}
const log1pOp = op({
  ...unary("log1p", "log1p"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => div(dy, add(x, 1)) }),
  samples: [anyShape({ low: -0.5, high: 3 })],
});

/** Error function: 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
export function erf(x: Tensor): Tensor {
  return apply(erfOp, { x });
}
const erfOp = op({
  ...unary("erf", "erf"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))) }),
  samples: [anyShape()],
});
