// Largest and smallest elements over axes, and where they stand.
import { itemBytes } from "../../bindings/dtype.js";
import { ShapeError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { scratch } from "../../bindings/memory.js";
import { allocated, apply, op, type Spec } from "../../bindings/op.js";
import { sizeOf } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { anyReduction, checkedNumbers, checkedReduced, checkedSomething, keptShape, type Reduced, type ReduceOptions, reducedShape } from "./axes.js";
import { alongAxis, overAxes } from "./batching.js";
import { div, mul } from "./binary.js";
import { sameOp } from "./guarded.js";
import { reduceInto } from "./loops.js";
import { floatDtype } from "./operands.js";
import { sum } from "./reduce.js";
import { reshape } from "./shape.js";
import { reducedRows } from "./splits.js";

/** Where the gradient goes if several elements are the extreme. */
type Ties = "first" | "even";
type Extreme = Reduced & { readonly ties: Ties };

function checkedExtreme(name: string, x: Tensor, options: ReduceOptions, ties: Ties): Extreme {
  const params = checkedReduced(name, x, options);
  checkedNumbers(name, x);
  checkedSomething(name, x, params.axes);
  return { ...params, ties };
}

/** One axis that is named: the gradient goes to the first extreme, as of PyTorch's max(dim). */
function tiesOf(options: ReduceOptions): Ties {
  return typeof options?.axis === "number" ? "first" : "even";
}

/**
 * Largest element over axes, NaN if one is NaN. If several are largest, the gradient goes to the first for one `axis`, and
 * is shared evenly for all axes or a list, as in PyTorch 1.13. Throws ShapeError for a wrong axis or where there is no
 * element, DtypeError unless the dtype is a float or int32.
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  return apply(maxOp, { x }, checkedExtreme("max", x, options, tiesOf(options)));
}

/** As max; the gradient is always shared evenly between equal elements. */
export function amax(x: Tensor, options: ReduceOptions = {}): Tensor {
  return apply(maxOp, { x }, checkedExtreme("amax", x, options, "even"));
}

/** Smallest element over axes; else as max. */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor {
  return apply(minOp, { x }, checkedExtreme("min", x, options, tiesOf(options)));
}

/** As min; the gradient is always shared evenly between equal elements. */
export function amin(x: Tensor, options: ReduceOptions = {}): Tensor {
  return apply(minOp, { x }, checkedExtreme("amin", x, options, "even"));
}

function extreme(name: "max" | "min") {
  return {
    name,
    inputs: ["x"],
    split: reducedRows,
    batch: overAxes,
    shape: (s: { x: Spec }, params: Extreme): Spec => ({ shape: reducedShape(s.x.shape, params), dtype: s.x.dtype }),
    strided: true,
    kernel: (k: Kernels, { x }: { x: Tensor }, y: Tensor, { axes }: Extreme): void => reduceInto(k[kernelOf(name, x)], y, x, axes),
    saves: ["x", "y"],
    samples: [
      (draw: Parameters<ReturnType<typeof anyReduction>>[0]) => {
        const { inputs, params } = anyReduction({ least: 1, gap: 0.1 })(draw);
        return { inputs, params: { ...params, ties: params.axes.length === 1 ? draw.pick(["first", "even"] as const) : "even" } };
      },
    ],
  } as const;
}

function kernelOf(name: "max" | "min", x: Tensor): "max" | "min" | "maxInt32" | "minInt32" {
  return x.dtype === "int32" ? `${name}Int32` : name;
}

const maxOp = op({
  ...extreme("max"),
  vjp: (dy, { x, y }, { params }) => ({ x: () => extremeGrad(dy, x, y, params) }),
});
const minOp = op({
  ...extreme("min"),
  vjp: (dy, { x, y }, { params }) => ({ x: () => extremeGrad(dy, x, y, params) }),
});

/** dy at the first element that equals y, or shared between all of them. */
export function extremeGrad(dy: Tensor, x: Tensor, y: Tensor, { axes, ties }: Extreme): Tensor {
  const shape = keptShape(x.shape, axes);
  const m = reshape(y, shape);
  const g = reshape(dy, shape);
  if (ties === "first" && axes.length === 1) return mul(g, apply(firstSameOp, { x, m }, { axis: axes[0] }));
  const same = apply(sameOp, { a: x, b: m });
  return mul(same, div(g, sum(same, { axis: axes, keepdims: true })));
}

/** 1 at the first element along `axis` that equals m [.., 1, ..], else 0. */
const firstSameOp = op({
  name: "firstSame",
  inputs: ["x", "m"],
  batch: alongAxis,
  shape: (s: { x: Spec; m: Spec }, _params: { axis: number }) => ({ shape: s.x.shape, dtype: floatDtype("firstSame", s) }),
  kernel(k, { x, m }, y, { axis }) {
    if (y.size === 0) return;
    const n = x.shape[axis];
    const inner = sizeOf(x.shape.slice(axis + 1));
    const index = scratch(m.size * itemBytes("int32"));
    k.findFirst(index, x.ptr, m.ptr, m.size / inner, n, inner, n * inner, inner, 1);
    k.onesAt(y.ptr, index, m.size / inner, n, inner);
  },
  saves: [],
  vjp: "zero",
  samples: [
    (draw) => {
      // m must be what x holds: the largest of each column
      const [n, inner] = [draw.integer(1, 4), draw.integer(1, 4)];
      const x = Array.from({ length: n * inner }, () => draw.integer(-3, 3));
      const m = Array.from({ length: inner }, (_, j) => Math.max(...Array.from({ length: n }, (_unused, i) => x[i * inner + j])));
      const dtype = "float64" as const;
      return { inputs: { x: { values: x, shape: [n, inner], dtype }, m: { values: m, shape: [1, inner], dtype } }, params: { axis: 0 } };
    },
  ],
});

/** Options of argmax and argmin. */
export interface ArgOptions {
  /** The axis to search; negatives count from the end; the flattened tensor by default. */
  axis?: number;
  /** Keep the reduced axes with size 1. */
  keepdims?: boolean;
}

/**
 * Position (int32) of the first largest element along an axis, or in the flattened tensor; a NaN counts as largest.
 * Throws ShapeError for a wrong axis or where there is no element, DtypeError unless the dtype is a float or int32.
 */
export function argmax(x: Tensor, options: ArgOptions = {}): Tensor {
  return apply(argmaxOp, { x }, checkedPosition("argmax", x, options));
}
/** Position (int32) of the first smallest element; a NaN counts as smallest; else as argmax. */
export function argmin(x: Tensor, options: ArgOptions = {}): Tensor {
  return apply(argminOp, { x }, checkedPosition("argmin", x, options));
}

function checkedPosition(name: string, x: Tensor, options: ArgOptions): Reduced {
  const params = checkedReduced(name, x, options);
  checkedNumbers(name, x);
  if (Array.isArray(options.axis)) throw new ShapeError(`${name}: expected an axis; got a list`);
  checkedSomething(name, x, params.axes);
  return params;
}

function position(name: "argmax" | "argmin", extreme: "max" | "min") {
  return {
    name,
    inputs: ["x"],
    batch: overAxes,
    shape: (s: { x: Spec }, params: Reduced): Spec => ({ shape: reducedShape(s.x.shape, params), dtype: "int32" }),
    strided: true,
    kernel(k: Kernels, { x }: { x: Tensor }, y: Tensor, { axes }: Reduced): void {
      const m = allocated(extreme, x.dtype, y.shape);
      try {
        reduceInto(k[kernelOf(extreme, x)], m, x, axes);
        const find = x.dtype === "int32" ? k.findFirstInt32 : k.findFirst;
        const bytes = itemBytes(x.dtype) / itemBytes(y.dtype);
        reduceInto(
          (to, from, _scratch, outer, _n1, n, inner, s0, _t1, t, s1) => find(to, from, m.ptr + (to - y.ptr) * bytes, outer, n, inner, s0, t, s1),
          y,
          x,
          axes,
        );
      } finally {
        m.dispose();
      }
    },
    saves: [],
    vjp: "none",
    samples: [],
  } as const;
}
const argmaxOp = op(position("argmax", "max"));
const argminOp = op(position("argmin", "min"));
