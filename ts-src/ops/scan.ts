// Running sums and products along an axis.
import { type DType, isFloat } from "../../bindings/dtype.js";
import type { Kernels } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedOneAxis } from "./axes.js";
import { alongAxis } from "./batching.js";
import { checkedOptions } from "./checks.js";
import { inDtype, to } from "./convert.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { type Along, anyAlong, around, runningProduct, scanScratch } from "./recurrence.js";
import { reshape } from "./shape.js";
import { rowsBeside } from "./splits.js";

export interface ScanOptions {
  /** The axis to go along; negatives count from the end; the flattened tensor by default, as in NumPy. */
  axis?: number;
  /** Convert x to this dtype, a float or int32, first. */
  dtype?: DType | null;
}

/** Applies `fn` along the axis that the options name. */
function along(name: string, x: Tensor, options: ScanOptions, fn: (x: Tensor, axis: number) => Tensor): Tensor {
  checkedTensor(name, "x", x);
  x.alive(name);
  checkedOptions(name, options, ["axis", "dtype"]);
  const axis = options.axis === undefined ? undefined : checkedOneAxis(name, options.axis, x.ndim);
  return inDtype(name, x, options.dtype, true, (t) => {
    if (options.axis === undefined) return scope(() => fn(reshape(t, [t.size]), 0));
    if (axis === undefined) return scope(() => reshape(fn(reshape(t, [1]), 0), []));
    return fn(t, axis);
  });
}

/**
 * Running sum along an axis: y[j] = x[0] + ... + x[j]. Integers and booleans give int32, modulo 2^32.
 * Throws ShapeError for a wrong axis, ConfigError for an unknown option.
 */
export function cumsum(x: Tensor, options: ScanOptions = {}): Tensor {
  return along("cumsum", x, options, (t, axis) =>
    isFloat(t.dtype) ? runningSum(t, { axis, reverse: false }) : scope(() => apply(cumsumInt32Op, { x: to(t, "int32") }, { axis })),
  );
}

function runningSum(x: Tensor, params: Along): Tensor {
  return apply(cumsumOp, { x }, params);
}
const cumsumOp = op({
  name: "cumsum",
  inputs: ["x"],
  split: rowsBeside("x"),
  batch: alongAxis,
  shape: (s: { x: Spec }, _params: Along) => ({ shape: s.x.shape, dtype: floatDtype("cumsum", s) }),
  kernel: (k, { x }, y, { axis, reverse }) => k.cumsum(y.ptr, x.ptr, scanScratch(), ...around(x.shape, axis), reverse ? 1 : 0),
  saves: [],
  vjp: (dy, _, { params: { axis, reverse } }) => ({ x: () => runningSum(dy, { axis, reverse: !reverse }) }),
  samples: [
    (draw) => {
      const { shape, params } = anyAlong(draw);
      return { inputs: { x: { shape } }, params };
    },
  ],
});
const cumsumInt32Op = op(wholeScan("cumsumInt32"));

function wholeScan(name: "cumsumInt32" | "cumprodInt32") {
  return {
    name,
    inputs: ["x"] as const,
    batch: alongAxis,
    shape: (s: { x: Spec }, _params: { axis: number }) => ({ shape: s.x.shape, dtype: "int32" as const }),
    kernel: (k: Kernels, { x }: { x: Tensor }, y: Tensor, { axis }: { axis: number }): void => k[name](y.ptr, x.ptr, ...around(x.shape, axis)),
    saves: [] as const,
    vjp: "none" as const,
    samples: [],
  };
}

/**
 * Running product along an axis: y[j] = x[0] ... x[j]; its derivatives are right where elements are 0. Integers and booleans
 * give int32, modulo 2^32. Throws ShapeError for a wrong axis, ConfigError for an unknown option.
 */
export function cumprod(x: Tensor, options: ScanOptions = {}): Tensor {
  return along("cumprod", x, options, (t, axis) =>
    isFloat(t.dtype) ? runningProduct(t, { axis, reverse: false }) : scope(() => apply(cumprodInt32Op, { x: to(t, "int32") }, { axis })),
  );
}
const cumprodInt32Op = op(wholeScan("cumprodInt32"));
