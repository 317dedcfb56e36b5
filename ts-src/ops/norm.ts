// Norms of vectors, of all elements or over axes.

import { ConfigError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { allocated, apply, copyInto, op, type Spec } from "../../bindings/op.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedReduced, checkedSomething, distinct, drawnReduction, keptShape, type Reduced, type ReduceOptions, reducedShape } from "./axes.js";
import { overAxes } from "./batching.js";
import { mul } from "./binary.js";
import { extremeGrad } from "./extrema.js";
import { absPower, divNoNan } from "./guarded.js";
import { reduceInto, sharedSum } from "./loops.js";
import { floatDtype } from "./operands.js";
import { spread } from "./reduce.js";
import { reshape } from "./shape.js";
import { reducedRows } from "./splits.js";
import { abs, sign } from "./unary.js";

export interface NormOptions extends ReduceOptions {
  /** 2 (default), 1, any other number, Infinity (the largest |x|), -Infinity (the smallest) or 0 (how many are not 0). */
  ord?: number;
}

type Ordered = Reduced & { readonly ord: number };

/**
 * Norm of the vectors along axes: (sum |x|^ord)^(1 / ord). The derivative is 0 where the norm or, for ord < 1, the element
 * is 0; equal largest elements share it evenly. Throws DtypeError unless the dtype is a float, ShapeError for a wrong axis
 * or, with ord below 0 or infinite, where there is no element, ConfigError for an unknown option.
 */
export function norm(x: Tensor, options: NormOptions = {}): Tensor {
  const params = checkedReduced("norm", x, options, ["ord"]);
  const { ord = 2 } = options;
  if (typeof ord !== "number" || Number.isNaN(ord)) throw new ConfigError(`norm: expected a number for ord; got ${showValue(ord)}`);
  if (ord < 0 || ord === Number.POSITIVE_INFINITY) checkedSomething("norm", x, params.axes);
  return apply(normOp, { x }, { ...params, ord });
}
const normOp = op({
  name: "norm",
  inputs: ["x"],
  split: reducedRows,
  batch: overAxes,
  shape: (s: { x: Spec }, params: Ordered) => ({ shape: reducedShape(s.x.shape, params), dtype: floatDtype("norm", s) }),
  strided: true,
  kernel(k, { x }, y, { axes, ord }) {
    if (ord === 2) {
      if (!sharedSum("sumSquares", y, x, 1)) reduceInto(k.sumSquares, y, x, axes);
      k.sqrt(y.ptr, y.ptr, y.size);
      return;
    }
    const powers = allocated("norm", x.dtype, x.shape);
    try {
      copyInto(powers, x);
      raise(k, powers, ord);
      if (Number.isFinite(ord)) reduceInto((...args) => k.sum(...args, 1), y, powers, axes);
      else reduceInto(ord > 0 ? k.max : k.min, y, powers, axes);
    } finally {
      powers.dispose();
    }
    if (Number.isFinite(ord) && ord !== 0 && ord !== 1) k.absPower(y.ptr, y.ptr, y.size, 1 / ord, ord < 0 ? Number.POSITIVE_INFINITY : 0, 0);
  },
  saves: ["x", "y"],
  vjp: (dy, { x, y }, { params }) => ({ x: params.ord === 0 ? "zero" : () => normGrad(dy, x, y, params) }),
  samples: [
    (draw) => {
      const { shape, params } = drawnReduction(draw, 1);
      const ord = draw.pick([2, 2, 1, 0, 0.5, 1.5, 3, -1, -2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
      return { inputs: { x: distinct(draw, shape, 0.3) }, params: { ...params, ord } };
    },
  ],
});

/** x = |x|^ord in place, |x| if ord is infinite, 1 for ord 0 where x is not 0. */
function raise(k: Kernels, x: Tensor, ord: number): void {
  if (ord === 1 || !Number.isFinite(ord)) k.abs(x.ptr, x.ptr, x.size);
  else k.absPower(x.ptr, x.ptr, x.size, ord, ord < 0 ? Number.POSITIVE_INFINITY : 0, 0);
}

/** dy sign(x) (|x| / y)^(ord - 1). */
function normGrad(dy: Tensor, x: Tensor, y: Tensor, params: Ordered): Tensor {
  const { axes, ord } = params;
  if (ord === 1) return mul(spread(dy, x.shape, axes), sign(x));
  if (!Number.isFinite(ord)) return mul(sign(x), extremeGrad(dy, abs(x), y, { ...params, ties: "even" }));
  const shape = keptShape(x.shape, axes);
  const ratio = divNoNan(x, reshape(y, shape));
  return mul(reshape(dy, shape), ord === 2 ? ratio : absPower(ratio, { p: ord - 1, signed: true }));
}
