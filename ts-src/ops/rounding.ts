// Rounding, the remainders of division, and numbers in place of NaN and infinities. Float dtypes.

import { ConfigError } from "../../bindings/errors.js";
import { apply, type Draw, op, type Spec } from "../../bindings/op.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { leading } from "./batching.js";
import { div, mul, sub } from "./binary.js";
import { checkedOptions } from "./checks.js";
import { isfinite } from "./compare.js";
import { binary, checkedTensor, floatDtype, type Operand, unary, withScalars } from "./operands.js";
import { anyShape, steps } from "./samples.js";
import { where } from "./select.js";
import { neg } from "./unary.js";

/** The largest whole number <= x; its derivative is 0. */
export function floor(x: Tensor): Tensor {
  return apply(floorOp, { x });
}
const floorOp = op({ ...unary("floor", "floor"), saves: [], vjp: "zero", samples: [] });

/** The smallest whole number >= x; its derivative is 0. */
export function ceil(x: Tensor): Tensor {
  return apply(ceilOp, { x });
}
const ceilOp = op({ ...unary("ceil", "ceil"), saves: [], vjp: "zero", samples: [] });

/** The nearest whole number, halves to the even one; its derivative is 0. */
export function round(x: Tensor): Tensor {
  return apply(roundOp, { x });
}
const roundOp = op({ ...unary("round", "round"), saves: [], vjp: "zero", samples: [] });

/** x without its fraction; its derivative is 0. */
export function trunc(x: Tensor): Tensor {
  return apply(truncOp, { x });
}
const truncOp = op({ ...unary("trunc", "trunc"), saves: [], vjp: "zero", samples: [] });

/** What division leaves, with the sign of a: a - b trunc(a / b), exact; NaN for b = 0 or an infinite a, a for an infinite b. */
export function fmod(a: Operand, b: Operand): Tensor {
  return withScalars("fmod", a, b, (p, q) => apply(fmodOp, { a: p, b: q }));
}
const fmodOp = op({
  ...binary("fmod", "fmod"),
  saves: ["a", "b"],
  vjp: (dy, { a, b }) => ({ a: () => dy, b: () => neg(mul(dy, trunc(div(a, b)))) }),
  samples: [quotients],
});

/** What division leaves, with the sign of b: a - b floor(a / b); NaN for b = 0 or an infinite a. */
export function remainder(a: Operand, b: Operand): Tensor {
  return withScalars("remainder", a, b, (p, q) => apply(remainderOp, { a: p, b: q }));
}
const remainderOp = op({
  ...binary("remainder", "remainder"),
  saves: ["a", "b", "y"],
  // (a - y) / b is a whole number but for its rounding
  vjp: (dy, { a, b, y }) => ({ a: () => dy, b: () => neg(mul(dy, round(div(sub(a, y), b)))) }),
  samples: [quotients],
});

/** Operands that broadcast and whose quotient is 1/16 or more away from whole numbers. */
function quotients(draw: Draw) {
  const [a, b] = draw.broadcast();
  const size = b.reduce((n, length) => n * length, 1);
  const divisors = Array.from({ length: size }, () => draw.pick([-2, -1, 1, 2]));
  return { inputs: { a: steps(draw, a, 0.125), b: { values: divisors, shape: b, dtype: "float64" as const } } };
}

export interface NanToNumOptions {
  /** In place of NaN; 0 by default. */
  nan?: number;
  /** In place of infinity; the largest number of the dtype by default. */
  posinf?: number;
  /** In place of -infinity; the lowest number of the dtype by default. */
  neginf?: number;
}

/** x with numbers in place of NaN and the infinities, where the derivative is 0. Throws ConfigError for options that are no numbers. */
export function nanToNum(x: Tensor, options: NanToNumOptions = {}): Tensor {
  checkedTensor("nanToNum", "x", x);
  checkedOptions("nanToNum", options, ["nan", "posinf", "neginf"]);
  const largest = x.dtype === "float64" ? Number.MAX_VALUE : 3.4028234663852886e38;
  const { nan = 0, posinf = largest, neginf = -largest } = options;
  for (const [name, value] of Object.entries({ nan, posinf, neginf })) {
    if (typeof value !== "number") throw new ConfigError(`nanToNum: expected a number for ${name}; got ${showValue(value)}`);
  }
  return apply(nanToNumOp, { x }, { nan, posinf, neginf });
}
const nanToNumOp = op({
  name: "nanToNum",
  split: "elements",
  inputs: ["x"],
  batch: leading,
  shape: (x: { x: Spec }, _: Required<NanToNumOptions>) => ({ shape: x.x.shape, dtype: floatDtype("nanToNum", x) }),
  kernel: (k, { x }, y, { nan, posinf, neginf }) => k.nanToNum(y.ptr, x.ptr, nan, posinf, neginf, y.size),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => where(isfinite(x), dy, 0) }),
  samples: [(draw) => ({ ...anyShape()(draw), params: { nan: 0, posinf: 1, neginf: -1 } })],
});
