// Rounding, the remainders of division, and numbers in place of NaN and infinities. int32 stays int32.

import { ConfigError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, copyInto, type Draw, op, type Spec } from "../../bindings/op.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { leading } from "./batching.js";
import { div, mul, sub } from "./binary.js";
import { checkedOptions } from "./checks.js";
import { isfinite } from "./compare.js";
import { binaryWhole, checkedTensor, floatDtype, numberDtype, type Operand, unary, withScalars } from "./operands.js";
import { anyShape, steps } from "./samples.js";
import { where } from "./select.js";
import { neg } from "./unary.js";

const NO_ZERO = "divisors of int32 other than 0; convert to a float dtype first";

/** The largest whole number <= x; its derivative is 0. int32 as it is. */
export function floor(x: Tensor): Tensor {
  return apply(floorOp, { x });
}
const floorOp = op({ ...whole("floor"), saves: [], vjp: "zero", samples: [] });

/** The smallest whole number >= x; its derivative is 0. int32 as it is. */
export function ceil(x: Tensor): Tensor {
  return apply(ceilOp, { x });
}
const ceilOp = op({ ...whole("ceil"), saves: [], vjp: "zero", samples: [] });

export interface RoundOptions {
  /** Decimal places, below 0 those before the point; 0 by default. */
  decimals?: number;
}

/**
 * The nearest whole number, halves to the even one, or round(10^decimals x) / 10^decimals; its derivative is 0. int32 as it is.
 * Throws ConfigError unless decimals is a whole number, DtypeError for int32 with decimals.
 */
export function round(x: Tensor, options?: RoundOptions): Tensor {
  if (options === undefined) return apply(roundOp, { x });
  const { decimals = 0 } = checkedOptions("round", options, ["decimals"]);
  if (!Number.isInteger(decimals)) throw new ConfigError(`round: expected a whole number for decimals; got ${showValue(decimals)}`);
  if (decimals === 0) return apply(roundOp, { x });
  checkedTensor("round", "x", x);
  floatDtype("round", { x });
  const factor = 10 ** Math.abs(decimals);
  return scope(() => (decimals > 0 ? div(apply(roundOp, { x: mul(x, factor) }), factor) : mul(apply(roundOp, { x: div(x, factor) }), factor)));
}
const roundOp = op({ ...whole("round"), saves: [], vjp: "zero", samples: [] });

/** x without its fraction; its derivative is 0. int32 as it is. */
export function trunc(x: Tensor): Tensor {
  return apply(truncOp, { x });
}
const truncOp = op({ ...whole("trunc"), saves: [], vjp: "zero", samples: [] });

/** The common part of rounding: int32 is whole as it is. */
function whole(name: "floor" | "ceil" | "round" | "trunc") {
  return {
    ...unary(name, name),
    shape: (x: { x: Spec }): Spec => ({ shape: x.x.shape, dtype: numberDtype(name, x) }),
    kernel(k: Kernels, { x }: { x: Tensor }, y: Tensor): void {
      if (y.dtype === "int32") copyInto(y, x);
      else k[name](y.ptr, x.ptr, y.size);
    },
  } as const;
}

/**
 * What division leaves, with the sign of a: a - b trunc(a / b), exact; NaN for b = 0 or an infinite a, a for an infinite b.
 * int32 stays int32. Throws NumericError for int32 b = 0.
 */
export function fmod(a: Operand, b: Operand): Tensor {
  return withScalars("fmod", a, b, (p, q) => apply(fmodOp, { a: p, b: q }));
}
const fmodOp = op({
  ...binaryWhole("fmod", "fmod", "fmodInt32", NO_ZERO),
  saves: ["a", "b"],
  vjp: (dy, { a, b }) => ({ a: () => dy, b: () => neg(mul(dy, trunc(div(a, b)))) }),
  samples: [quotients],
});

/**
 * What division leaves, with the sign of b: a - b floor(a / b); NaN for b = 0 or an infinite a. int32 stays int32.
 * Throws NumericError for int32 b = 0.
 */
export function remainder(a: Operand, b: Operand): Tensor {
  return withScalars("remainder", a, b, (p, q) => apply(remainderOp, { a: p, b: q }));
}
const remainderOp = op({
  ...binaryWhole("remainder", "remainder", "remainderInt32", NO_ZERO),
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

/** x with numbers in place of NaN and the infinities, where the derivative is 0; int32 as it is. Throws ConfigError for options that are no numbers. */
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
  shape: (x: { x: Spec }, _: Required<NanToNumOptions>) => ({ shape: x.x.shape, dtype: numberDtype("nanToNum", x) }),
  kernel(k, { x }, y, { nan, posinf, neginf }) {
    if (y.dtype === "int32") copyInto(y, x);
    else k.nanToNum(y.ptr, x.ptr, nan, posinf, neginf, y.size);
  },
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => where(isfinite(x), dy, 0) }),
  samples: [(draw) => ({ ...anyShape()(draw), params: { nan: 0, posinf: 1, neginf: -1 } })],
});
