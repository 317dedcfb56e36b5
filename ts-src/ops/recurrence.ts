// Recurrences along an axis, which give the derivatives of products without a division: y[j] = b[j] + a[j] y[j - 1].
import { ShapeError } from "../../bindings/errors.js";
import { scratch } from "../../bindings/memory.js";
import { apply, type Draw, op, type Spec } from "../../bindings/op.js";
import { type Shape, sameShape, showShape, sizeOf } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { alongAxis } from "./batching.js";
import { mul } from "./binary.js";
import { floatDtype } from "./operands.js";

/** Bytes of the totals that scans keep. */
const SCRATCH_BYTES = 4096;

/** The direction along one axis. */
export interface Along {
  readonly axis: number;
  /** From the last element to the first. */
  readonly reverse: boolean;
}

/** Shape as [outer, n, inner] around the axis. */
export function around(shape: Shape, axis: number): [outer: number, n: number, inner: number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];
}

export function anyAlong(draw: Draw): { shape: number[]; params: Along } {
  const shape = draw.shape(1);
  return { shape, params: { axis: draw.integer(0, shape.length - 1), reverse: draw.pick([true, false]) } };
}

export function scanScratch(): number {
  return scratch(SCRATCH_BYTES);
}

/** Running product along an axis. */
export function runningProduct(x: Tensor, params: Along): Tensor {
  return apply(cumprodOp, { x }, params);
}
const cumprodOp = op({
  name: "cumprod",
  inputs: ["x"],
  batch: alongAxis,
  shape: (s: { x: Spec }, _params: Along) => ({ shape: s.x.shape, dtype: floatDtype("cumprod", s) }),
  kernel: (k, { x }, y, { axis, reverse }) => k.cumprod(y.ptr, x.ptr, scanScratch(), ...around(x.shape, axis), reverse ? 1 : 0),
  saves: ["x", "y"],
  // y[j] = x[j] y[j - 1], so the gradient g of y[j] gathers from behind: g[j] = dy[j] + x[j + 1] g[j + 1]
  vjp: (dy, { x, y }, { params: { axis, reverse } }) => ({
    x: () => mul(linearScan(shift(x, { axis, reverse: !reverse, value: 0 }), dy, { axis, reverse: !reverse }), shift(y, { axis, reverse, value: 1 })),
  }),
  samples: [
    (draw) => {
      const { shape, params } = anyAlong(draw);
      return { inputs: { x: { shape } }, params };
    },
    { inputs: { x: { values: [2, 0, -1.5, 0.5, 0, 3], shape: [6], dtype: "float64" } }, params: { axis: 0, reverse: false } },
    { inputs: { x: { values: [2, 0, -1.5, 0.5, 0, 3], shape: [3, 2], dtype: "float64" } }, params: { axis: 0, reverse: true } },
  ],
});

/** Product of the elements before each one along the axis, or after it in reverse. */
export function exclusiveProduct(x: Tensor, axis: number, reverse: boolean): Tensor {
  return runningProduct(shift(x, { axis, reverse, value: 1 }), { axis, reverse });
}

/** y[j] = b[j] + a[j] y[j - 1], or y[j + 1] in reverse; y beyond the end is 0. */
function linearScan(a: Tensor, b: Tensor, params: Along): Tensor {
  return apply(linearScanOp, { a, b }, params);
}
const linearScanOp = op({
  name: "linearScan",
  inputs: ["a", "b"],
  batch: alongAxis,
  shape(s: { a: Spec; b: Spec }, _params: Along) {
    if (!sameShape(s.a.shape, s.b.shape)) {
      throw new ShapeError(`linearScan: expected a and b of one shape; got ${showShape(s.a.shape)} and ${showShape(s.b.shape)}`);
    }
    return { shape: s.b.shape, dtype: floatDtype("linearScan", s) };
  },
  kernel: (k, { a, b }, y, { axis, reverse }) => k.linearScan(y.ptr, a.ptr, b.ptr, ...around(y.shape, axis), reverse ? 1 : 0),
  saves: ["a", "y"],
  vjp(dy, { a, y }, { params: { axis, reverse } }) {
    const gathered = (): Tensor => linearScan(shift(a, { axis, reverse: !reverse, value: 0 }), dy, { axis, reverse: !reverse });
    return { a: () => mul(gathered(), shift(y, { axis, reverse, value: 0 })), b: gathered };
  },
  samples: [
    (draw) => {
      const { shape, params } = anyAlong(draw);
      return { inputs: { a: { shape }, b: { shape } }, params };
    },
  ],
});

/** y[j] = x[j - 1], or x[j + 1] in reverse; `value` where that is beyond the end. */
function shift(x: Tensor, params: Along & { readonly value: number }): Tensor {
  return apply(shiftOp, { x }, params);
}
const shiftOp = op({
  name: "shift",
  inputs: ["x"],
  batch: alongAxis,
  shape: (s: { x: Spec }, _params: Along & { readonly value: number }) => ({ shape: s.x.shape, dtype: floatDtype("shift", s) }),
  kernel: (k, { x }, y, { axis, reverse, value }) => k.shift(y.ptr, x.ptr, value, ...around(x.shape, axis), reverse ? 1 : 0),
  saves: [],
  vjp: (dy, _, { params: { axis, reverse } }) => ({ x: () => shift(dy, { axis, reverse: !reverse, value: 0 }) }),
  samples: [
    (draw) => {
      const { shape, params } = anyAlong(draw);
      return { inputs: { x: { shape } }, params: { ...params, value: draw.pick([0, 1]) } };
    },
  ],
});
