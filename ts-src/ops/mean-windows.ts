// Means over windows that are a product of intervals of rows and columns, and their transpose. The kernels read the intervals
// from tables, so that any rule of windows is one op.
import { scratch, view } from "../../bindings/memory.js";
import type { Draw } from "../../bindings/op.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { leading } from "./batching.js";
import { floatDtype } from "./operands.js";
import { type Pair, planesOf, poolCount } from "./window.js";

/** Sliding windows, or as even as can be if null; image and output sizes. */
export interface MeanParams {
  readonly rule: {
    readonly kernel: Pair;
    readonly stride: Pair;
    readonly padding: Pair;
    readonly countIncludePad: boolean;
    readonly divisor: number | null;
  } | null;
  readonly image: Pair;
  readonly out: Pair;
}

/** Per window its first element, its end, and its part of the divisor. */
function write(table: { [i: number]: number }, { rule, image, out }: MeanParams, axis: 0 | 1): void {
  const n = image[axis];
  for (let i = 0; i < out[axis]; i++) {
    let start = Math.floor((i * n) / out[axis]);
    let end = Math.ceil(((i + 1) * n) / out[axis]);
    let divisor = end - start;
    if (rule !== null) {
      const first = i * rule.stride[axis] - rule.padding[axis];
      const last = Math.min(first + rule.kernel[axis], n + rule.padding[axis]);
      start = Math.min(n, Math.max(0, first));
      end = Math.max(start, Math.min(last, n));
      divisor = rule.divisor !== null ? (axis === 0 ? rule.divisor : 1) : rule.countIncludePad ? last - first : end - start;
    }
    table[3 * i] = start;
    table[3 * i + 1] = end;
    table[3 * i + 2] = divisor;
  }
}

/** Tables for the kernels and a line, in their scratch. */
function tables(params: MeanParams, itemBytes: number): [rows: number, cols: number, line: number] {
  const rounded = (bytes: number): number => Math.ceil(bytes / 64) * 64;
  const [rowBytes, colBytes] = [rounded(12 * params.out[0]), rounded(12 * params.out[1])];
  const rows = scratch(rowBytes + colBytes + params.image[1] * itemBytes);
  write(view(rows, 3 * params.out[0], "int32"), params, 0);
  write(view(rows + rowBytes, 3 * params.out[1], "int32"), params, 1);
  return [rows, rows + rowBytes, rows + rowBytes + colBytes];
}

export function windowMean(x: Tensor, params: MeanParams): Tensor {
  return apply(windowMeanOp, { x }, params);
}
/** y[plane, i, j] = sum of x over rows of window i and columns of window j / divisor. */
const windowMeanOp = op({
  name: "windowMean",
  inputs: ["x"],
  batch: leading,
  shape: (s: { x: Spec }, p: MeanParams) => ({ shape: [...s.x.shape.slice(0, -2), ...p.out], dtype: floatDtype("windowMean", s) }),
  kernel(k, { x }, y, p) {
    if (y.size > 0) k.windowMean(y.ptr, x.ptr, ...tables(p, y.dtype === "float64" ? 8 : 4), planesOf(x.shape), ...p.image, ...p.out);
  },
  saves: [],
  vjp: (dy, _, { params }) => ({ x: () => windowMeanGrad(dy, params) }),
  samples: [(draw) => sample("x", "image", draw)],
});

function windowMeanGrad(dy: Tensor, params: MeanParams): Tensor {
  return apply(windowMeanGradOp, { dy }, params);
}
/** dx[plane, r, c] = sum of dy / divisor over the windows that hold (r, c). */
const windowMeanGradOp = op({
  name: "windowMeanGrad",
  inputs: ["dy"],
  batch: leading,
  shape: (s: { dy: Spec }, p: MeanParams) => ({ shape: [...s.dy.shape.slice(0, -2), ...p.image], dtype: floatDtype("windowMeanGrad", s) }),
  kernel(k, { dy }, dx, p) {
    if (dx.size > 0) k.windowMeanGrad(dx.ptr, dy.ptr, ...tables(p, dx.dtype === "float64" ? 8 : 4), planesOf(dx.shape), ...p.image, ...p.out);
  },
  saves: [],
  vjp: (g, _, { params }) => ({ dy: () => windowMean(g, params) }),
  samples: [(draw) => sample("dy", "out", draw)],
});

function sample<const N extends "x" | "dy">(name: N, size: "image" | "out", draw: Draw) {
  const image: Pair = [draw.integer(1, 6), draw.integer(1, 6)];
  const kernel: Pair = [draw.integer(1, image[0]), draw.integer(1, image[1])];
  const stride: Pair = [draw.integer(1, 3), draw.integer(1, 3)];
  const padding: Pair = [draw.integer(0, Math.floor(kernel[0] / 2)), draw.integer(0, Math.floor(kernel[1] / 2))];
  const ceilMode = draw.pick([true, false]);
  const sliding = { kernel, stride, padding, countIncludePad: draw.pick([true, false]), divisor: draw.pick([null, null, 3]) };
  const count = (axis: 0 | 1): number => poolCount("sample", image[axis], kernel[axis], stride[axis], padding[axis], 1, ceilMode);
  const params: MeanParams = draw.pick([true, false])
    ? { rule: sliding, image, out: [count(0), count(1)] }
    : { rule: null, image, out: [draw.integer(1, 7), draw.integer(1, 7)] };
  const inputs = { [name]: { shape: [...draw.shape(0, 2), ...params[size]] } } as { [name in N]: { shape: number[] } };
  return { inputs, params };
}
