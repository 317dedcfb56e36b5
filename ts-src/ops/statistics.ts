// Variance, standard deviation, and the logarithm of a sum of exponentials.

import { ConfigError } from "../../bindings/errors.js";
import { apply, type Draw, op, type Spec } from "../../bindings/op.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { anyReduction, checkedReduced, distinct, drawnReduction, keptShape, type Reduced, type ReduceOptions, reducedShape, reducedSize } from "./axes.js";
import { overAxes } from "./batching.js";
import { mul, sub } from "./binary.js";
import { detach } from "./convert.js";
import { divNoNan, expSub } from "./guarded.js";
import { reduceInto } from "./loops.js";
import { floatDtype } from "./operands.js";
import { mean, sum } from "./reduce.js";
import { reshape } from "./shape.js";
import { reducedRows } from "./splits.js";

export interface VarianceOptions extends ReduceOptions {
  /** Taken from the count n in the divisor n - correction: 1 (default, unbiased) or 0 (of a whole population). */
  correction?: number;
}

type Corrected = Reduced & { readonly correction: number };

function checkedVariance(name: string, x: Tensor, options: VarianceOptions): Corrected {
  const params = checkedReduced(name, x, options, ["correction"]);
  const { correction = 1 } = options;
  if (typeof correction !== "number" || !Number.isFinite(correction)) {
    throw new ConfigError(`${name}: expected a finite number for correction; got ${showValue(correction)}`);
  }
  return { ...params, correction };
}

function corrected(draw: Draw, gap?: number) {
  const correction = draw.pick([0, 1]);
  const { shape, params } = drawnReduction(draw, correction + 1);
  return { inputs: { x: gap === undefined ? { shape } : distinct(draw, shape, gap) }, params: { ...params, correction } };
}

/** x less its mean over axes. */
function deviations(x: Tensor, axes: readonly number[]): Tensor {
  return sub(x, mean(x, { axis: axes, keepdims: true }));
}

/**
 * Variance over axes: sum (x - mean)^2 / (n - correction), NaN where n <= correction leaves 0 / 0. Takes two passes, the
 * second corrected for the rounding of the mean (Chan, Golub and LeVeque 1983), so a large mean costs no accuracy.
 * Throws DtypeError unless the dtype is a float, ShapeError for a wrong axis, ConfigError for an unknown option.
 */
export function variance(x: Tensor, options: VarianceOptions = {}): Tensor {
  return apply(varianceOp, { x }, checkedVariance("variance", x, options));
}
const varianceOp = op({
  name: "variance",
  inputs: ["x"],
  split: reducedRows,
  batch: overAxes,
  shape: (s: { x: Spec }, params: Corrected) => ({ shape: reducedShape(s.x.shape, params), dtype: floatDtype("variance", s) }),
  strided: true,
  kernel: (k, { x }, y, { axes, correction }) => reduceInto((...args) => k.variance(...args, correction), y, x, axes),
  saves: ["x"],
  vjp: (dy, { x }, { params: { axes, correction } }) => ({
    x: () => mul(mul(reshape(dy, keptShape(x.shape, axes)), 2 / (reducedSize(x.shape, axes) - correction)), deviations(x, axes)),
  }),
  samples: [(draw) => corrected(draw)],
});

/** Standard deviation over axes: the root of variance(); its derivative at 0 is 0. Throws as variance(). */
export function std(x: Tensor, options: VarianceOptions = {}): Tensor {
  return apply(stdOp, { x }, checkedVariance("std", x, options));
}
const stdOp = op({
  name: "std",
  inputs: ["x"],
  split: reducedRows,
  batch: overAxes,
  shape: (s: { x: Spec }, params: Corrected) => ({ shape: reducedShape(s.x.shape, params), dtype: floatDtype("std", s) }),
  strided: true,
  kernel(k, { x }, y, { axes, correction }) {
    reduceInto((...args) => k.variance(...args, correction), y, x, axes);
    k.sqrt(y.ptr, y.ptr, y.size);
  },
  saves: ["x", "y"],
  vjp: (dy, { x, y }, { params: { axes, correction } }) => ({
    x() {
      const scale = mul(divNoNan(dy, y), 1 / (reducedSize(x.shape, axes) - correction));
      return mul(reshape(scale, keptShape(x.shape, axes)), deviations(x, axes));
    },
  }),
  samples: [(draw) => corrected(draw, 0.5)],
});

/**
 * log(sum(e^x)) over axes, with the largest element taken out first so that nothing overflows; -Infinity where all
 * elements are, with gradient 0. Throws DtypeError unless the dtype is a float, ShapeError for a wrong axis.
 */
export function logsumexp(x: Tensor, options: ReduceOptions = {}): Tensor {
  return apply(logsumexpOp, { x }, checkedReduced("logsumexp", x, options));
}
const logsumexpOp = op({
  name: "logsumexp",
  inputs: ["x"],
  split: reducedRows,
  batch: overAxes,
  shape: (s: { x: Spec }, params: Reduced) => ({ shape: reducedShape(s.x.shape, params), dtype: floatDtype("logsumexp", s) }),
  strided: true,
  kernel: (k, { x }, y, { axes }) => reduceInto(k.logsumexp, y, x, axes),
  saves: ["x", "y"],
  // softmax as e^(x - y) over its sum, in which the rounding of y cancels
  vjp: (dy, { x, y }, { params: { axes } }) => ({
    x() {
      const shape = keptShape(x.shape, axes);
      const p = expSub(x, reshape(detach(y), shape));
      return mul(p, divNoNan(reshape(dy, shape), sum(p, { axis: axes, keepdims: true })));
    },
  }),
  samples: [anyReduction({ least: 1 })],
});
