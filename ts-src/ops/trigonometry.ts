// Circular functions and their inverses, in radians, right for arguments of any size. NaN at infinity.
import { apply, op } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add, div, mul, sub } from "./binary.js";
import { binary, type Operand, unary, withScalars } from "./operands.js";
import { anyBroadcast, anyShape } from "./samples.js";
import { neg, sqrt, square } from "./unary.js";

/** Sine. */
export function sin(x: Tensor): Tensor {
  return apply(sinOp, { x });
}
const sinOp = op({
  ...unary("sin", "sin"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => mul(dy, cos(x)) }),
  samples: [anyShape({ low: -8, high: 8 })],
});

/** Cosine. */
export function cos(x: Tensor): Tensor {
  return apply(cosOp, { x });
}
const cosOp = op({
  ...unary("cos", "cos"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => neg(mul(dy, sin(x))) }),
  samples: [anyShape({ low: -8, high: 8 })],
});

/** Tangent. */
export function tan(x: Tensor): Tensor {
  return apply(tanOp, { x });
}
const tanOp = op({
  ...unary("tan", "tan"),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => mul(dy, add(square(y), 1)) }),
  samples: [anyShape({ low: -1.2, high: 1.2 })],
});

/** Arc sine, from -pi/2 to pi/2; NaN for |x| > 1. Its derivative at -1 and 1 is infinite. */
export function asin(x: Tensor): Tensor {
  return apply(asinOp, { x });
}
const asinOp = op({
  ...unary("asin", "asin"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => div(dy, cosOfAsin(x)) }),
  samples: [anyShape({ low: -0.85, high: 0.85 })],
});

/** Arc cosine, from 0 to pi; NaN for |x| > 1. Its derivative at -1 and 1 is infinite. */
export function acos(x: Tensor): Tensor {
  return apply(acosOp, { x });
}
const acosOp = op({
  ...unary("acos", "acos"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => neg(div(dy, cosOfAsin(x))) }),
  samples: [anyShape({ low: -0.85, high: 0.85 })],
});

/** sqrt(1 - x^2), by (1 - x)(1 + x), which does not cancel. */
function cosOfAsin(x: Tensor): Tensor {
  return sqrt(mul(sub(1, x), add(x, 1)));
}

/** Arc tangent, from -pi/2 to pi/2. */
export function atan(x: Tensor): Tensor {
  return apply(atanOp, { x });
}
const atanOp = op({
  ...unary("atan", "atan"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => div(dy, add(square(x), 1)) }),
  samples: [anyShape()],
});

/**
 * Angle of the point (b, a), from -pi to pi, with broadcasting: atan2(y, x) as in C, signs of zeros included.
 * The derivative at (0, 0) is NaN.
 */
export function atan2(a: Operand, b: Operand): Tensor {
  return withScalars("atan2", a, b, (p, q) => apply(atan2Op, { a: p, b: q }));
}
const atan2Op = op({
  ...binary("atan2", "atan2"),
  saves: ["a", "b"],
  vjp(dy, { a, b }) {
    const scaled = (x: Tensor): Tensor => mul(dy, div(x, add(square(a), square(b))));
    return { a: () => scaled(b), b: () => neg(scaled(a)) };
  },
  samples: [anyBroadcast({ away: 0.3 }, { away: 0.3 })],
});
