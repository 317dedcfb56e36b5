// Pools over windows of images. A maximum is picked by its position, so that its derivative is a scatter and the next a gather.
import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { scratch } from "../../bindings/memory.js";
import { apply, type Draw, op, type Spec } from "../../bindings/op.js";
import { showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { leading } from "./batching.js";
import { checkedFlag, checkedOptions } from "./checks.js";
import { windowMean } from "./mean-windows.js";
import { floatDtype } from "./operands.js";
import { squeeze, unsqueeze } from "./shape.js";
import { rowsBefore } from "./splits.js";
import { checkedImage, checkedPair, type Pair, type PerAxis, pairOf, planesOf, poolCount, showOption } from "./window.js";

export interface MaxPoolOptions {
  /** Distance between windows; that of the kernel by default. */
  stride?: PerAxis;
  /** Places before and after that never win, 0 by default; at most half of the kernel. */
  padding?: PerAxis;
  /** Distance between the taps of a window, 1 by default. */
  dilation?: PerAxis;
  /** Also windows that reach over the end, if they begin inside; false by default. */
  ceilMode?: boolean;
  /** Answer `{ values, indices }`, indices int32 within the image of each channel; false by default. */
  returnIndices?: boolean;
}

export interface AvgPoolOptions {
  stride?: PerAxis;
  /** Zeros before and after, 0 by default; at most half of the kernel. */
  padding?: PerAxis;
  ceilMode?: boolean;
  /** Whether these zeros count in the mean, true by default. */
  countIncludePad?: boolean;
}

export interface AvgPool2dOptions extends AvgPoolOptions {
  /** What sums are divided by instead of the number of elements. */
  divisorOverride?: number | null;
}

/** Maxima and their positions (int32). */
export interface Picked {
  values: Tensor;
  indices: Tensor;
}

/** Largest element of each window of x [N, C, L] or [C, L]; as maxPool2d with one axis (PyTorch's max_pool1d). */
export function maxPool1d(x: Tensor, kernel: PerAxis, options: MaxPoolOptions & { returnIndices: true }): Picked;
export function maxPool1d(x: Tensor, kernel: PerAxis, options?: MaxPoolOptions): Tensor;
export function maxPool1d(x: Tensor, kernel: PerAxis, options: MaxPoolOptions = {}): Tensor | Picked {
  return maxPool("maxPool1d", 1, x, kernel, options);
}

/**
 * Largest element of each window of x [N, C, H, W] or [C, H, W] (PyTorch's max_pool2d): H' = floor((H + 2 padding - dilation
 * (kernel - 1) - 1) / stride) + 1. The first of equal elements takes the gradient; a NaN counts as largest, the last one wins.
 * Throws ShapeError, DtypeError, ConfigError for an option that cannot be.
 */
export function maxPool2d(x: Tensor, kernel: PerAxis, options: MaxPoolOptions & { returnIndices: true }): Picked;
export function maxPool2d(x: Tensor, kernel: PerAxis, options?: MaxPoolOptions): Tensor;
export function maxPool2d(x: Tensor, kernel: PerAxis, options: MaxPoolOptions = {}): Tensor | Picked {
  return maxPool("maxPool2d", 2, x, kernel, options);
}

interface MaxParams {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly size: Pair;
}

function maxPool(name: string, axes: 1 | 2, x: Tensor, window: PerAxis, options: MaxPoolOptions): Tensor | Picked {
  checkedImage(name, x, axes, true);
  floatDtype(name, { x });
  checkedOptions(name, options, ["stride", "padding", "dilation", "ceilMode", "returnIndices"]);
  const kernel = checkedPair(name, "kernel", window, axes, 1, 1);
  const stride = checkedPair(name, "stride", options.stride ?? window, axes, 1, 1);
  const padding = checkedPair(name, "padding", options.padding ?? 0, axes, 0, 0);
  const dilation = checkedPair(name, "dilation", options.dilation ?? 1, axes, 1, 1);
  const { ceilMode = false, returnIndices = false } = options;
  checkedFlag(name, "ceilMode", ceilMode);
  checkedFlag(name, "returnIndices", returnIndices);
  const image: Pair = axes === 1 ? [1, x.shape[x.ndim - 1]] : pairOf(x.shape);
  const size = image.map((n, axis) => poolCount(name, n, kernel[axis], stride[axis], padding[axis], dilation[axis], ceilMode)) as unknown as Pair;
  return scope((): Tensor | Picked => {
    const planes = axes === 1 ? unsqueeze(x, -2) : x;
    const params = { kernel, stride, padding, dilation, size };
    const values = apply(maxPoolOp, { x: planes }, params);
    const answer = axes === 1 ? squeeze(values, -2) : values;
    if (!returnIndices) return answer;
    const indices = positionsOf(planes, params);
    return { values: answer, indices: axes === 1 ? squeeze(indices, -2) : indices };
  });
}

/** Calls a kernel over windows. */
function run(k: Kernels, kernel: Kernels["maxPool"], x: Tensor, y: Tensor, { kernel: taps, stride, padding, dilation, size }: MaxParams): void {
  if (y.size === 0) return;
  // a stride between single windows and a dilation of single taps mean nothing
  const apart = stride.map((n, axis) => (size[axis] === 1 ? 1 : n));
  const spread = dilation.map((n, axis) => (taps[axis] === 1 ? 1 : n));
  const workspace = scratch(k.maxPoolScratchBytes(...size, ...taps, apart[0], apart[1], spread[0], spread[1]));
  kernel(y.ptr, x.ptr, workspace, planesOf(x.shape), ...pairOf(x.shape), ...size, ...taps, apart[0], apart[1], ...padding, spread[0], spread[1]);
}

/** Largest element of each window, -Infinity for a window without any; the derivative finds its position again. */
const maxPoolOp = op({
  name: "maxPool",
  inputs: ["x"],
  split: rowsBefore(2, "x"),
  batch: leading,
  shape: (s: { x: Spec }, p: MaxParams) => ({ shape: [...s.x.shape.slice(0, -2), ...p.size], dtype: floatDtype("maxPool", s) }),
  kernel: (k, { x }, y, params) => run(k, k.maxPool, x, y, params),
  saves: ["x"],
  vjp: (dy, { x }, { params, shapes }) => ({ x: () => planeScatter(dy, positionsOf(x, params), pairOf(shapes.x)) }),
  samples: [windows],
});

/** Images whose elements all differ by more than a step of finite differences. */
function windows(draw: Draw) {
  const planes = draw.shape(0, 2);
  const image: Pair = [draw.integer(1, 6), draw.integer(1, 9)];
  const kernel: Pair = [draw.integer(1, image[0]), draw.integer(1, Math.min(3, image[1]))];
  const stride: Pair = draw.pick([kernel, [draw.integer(1, 3), draw.integer(1, 3)]]);
  const padding: Pair = draw.pick([
    [0, 0],
    [draw.integer(0, Math.floor(kernel[0] / 2)), draw.integer(0, Math.floor(kernel[1] / 2))],
  ]);
  const size = image.map((n, axis) => poolCount("sample", n, kernel[axis], stride[axis], padding[axis], 1, false)) as unknown as Pair;
  const count = [...planes, ...image].reduce((a, b) => a * b, 1);
  const start = draw.integer(0, 100);
  // 37 and 256 have no common divisor: no two of 256 neighbours are equal
  const values = Array.from({ length: count }, (_, i) => ((start + i * 37) % 256) / 16);
  const x = { values, shape: [...planes, ...image], dtype: "float64" as const };
  return { inputs: { x }, params: { kernel, stride, padding, dilation: [1, 1] as Pair, size } };
}

function positionsOf(x: Tensor, params: MaxParams): Tensor {
  return apply(maxPoolIndicesOp, { x }, params);
}

/** Position in its plane of the largest element of each window; -1 for a window without any. */
const maxPoolIndicesOp = op({
  name: "maxPoolIndices",
  inputs: ["x"],
  split: rowsBefore(2, "x"),
  batch: leading,
  shape: (s: { x: Spec }, p: MaxParams) => ({ shape: [...s.x.shape.slice(0, -2), ...p.size], dtype: "int32" as const }),
  kernel: (k, { x }, y, params) => run(k, k.maxPoolIndices, x, y, params),
  saves: [],
  vjp: "none",
  samples: [],
});

function checkIndex(name: string, x: Spec, index: Spec): void {
  if (index.dtype !== "int32") throw new DtypeError(`${name}: expected an index of dtype int32; got ${index.dtype}`);
  if (x.shape.length !== index.shape.length || planesOf(x.shape) !== planesOf(index.shape)) {
    throw new ShapeError(`${name}: expected an index of the planes of ${showShape(x.shape)}; got shape ${showShape(index.shape)}`);
  }
}

function areaOf(x: Tensor): number {
  const [rows, cols] = pairOf(x.shape);
  return rows * cols;
}

function planeGather(x: Tensor, index: Tensor, outside: number): Tensor {
  return apply(planeGatherOp, { x, index }, { outside });
}
/** y[plane, j] = x[plane, index[plane, j]], `outside` where the index is negative. */
const planeGatherOp = op({
  name: "planeGather",
  inputs: ["x", "index"],
  split: rowsBefore(2, "x", "index"),
  batch: leading,
  shape(s: { x: Spec; index: Spec }, _params: { outside: number }) {
    checkIndex("planeGather", s.x, s.index);
    return { shape: s.index.shape, dtype: floatDtype("planeGather", { x: s.x }) };
  },
  kernel(k, { x, index }, y, { outside }) {
    if (y.size > 0) k.planeGather(y.ptr, x.ptr, index.ptr, planesOf(x.shape), areaOf(y), areaOf(x), outside);
  },
  saves: ["index"],
  vjp: (dy, { index }, { shapes }) => ({ x: () => planeScatter(dy, index, pairOf(shapes.x)), index: "none" }),
  samples: [
    { inputs: { x: { shape: [2, 2, 3] }, index: { values: [0, 5, 5, 2], shape: [2, 1, 2], dtype: "int32" } }, params: { outside: 0 } },
    (draw) => {
      const { planes, size, index } = positions(draw);
      return { inputs: { x: { shape: [...planes, ...size] }, index }, params: { outside: 2 } };
    },
  ],
});

function planeScatter(dy: Tensor, index: Tensor, size: Pair): Tensor {
  return apply(planeScatterOp, { dy, index }, { size });
}
/** dx[plane, i] = sum of dy[plane, j] over the j whose index is i. */
const planeScatterOp = op({
  name: "planeScatter",
  inputs: ["dy", "index"],
  split: rowsBefore(2, "dy", "index"),
  batch: leading,
  shape(s: { dy: Spec; index: Spec }, params: { size: Pair }) {
    checkIndex("planeScatter", s.dy, s.index);
    return { shape: [...s.dy.shape.slice(0, -2), ...params.size], dtype: floatDtype("planeScatter", { dy: s.dy }) };
  },
  kernel(k, { dy, index }, dx) {
    if (dx.size > 0) k.planeScatter(dx.ptr, dy.ptr, index.ptr, planesOf(dy.shape), areaOf(dy), areaOf(dx));
  },
  saves: ["index"],
  vjp: (g, { index }) => ({ dy: () => planeGather(g, index, 0), index: "none" }),
  samples: [
    { inputs: { dy: { shape: [2, 1, 2] }, index: { values: [0, -1, 5, 2], shape: [2, 1, 2], dtype: "int32" } }, params: { size: [2, 3] } },
    (draw) => {
      const { size, index } = positions(draw);
      return { inputs: { dy: { shape: index.shape }, index }, params: { size } };
    },
  ],
});

/** Planes, their size, and positions in them: some twice, some -1. */
function positions(draw: Draw) {
  const planes = draw.shape(0, 2);
  const size: Pair = [draw.integer(1, 3), draw.integer(1, 3)];
  const out = draw.shape(2, 2);
  const count = [...planes, ...out].reduce((a, b) => a * b, 1);
  const values = Array.from({ length: count }, () => draw.integer(-1, size[0] * size[1] - 1));
  return { planes, size, index: { values, shape: [...planes, ...out], dtype: "int32" as const } };
}

/** Mean of each window of x [N, C, L] or [C, L]; as avgPool2d with one axis (PyTorch's avg_pool1d). */
export function avgPool1d(x: Tensor, kernel: PerAxis, options: AvgPoolOptions = {}): Tensor {
  return avgPool("avgPool1d", 1, x, kernel, options);
}

/**
 * Mean of each window of x [N, C, H, W] or [C, H, W] (PyTorch's avg_pool2d), sizes as in maxPool2d. What `ceilMode` adds behind
 * the padding never counts. Throws ShapeError, DtypeError, ConfigError for an option that cannot be.
 */
export function avgPool2d(x: Tensor, kernel: PerAxis, options: AvgPool2dOptions = {}): Tensor {
  return avgPool("avgPool2d", 2, x, kernel, options);
}

function avgPool(name: string, axes: 1 | 2, x: Tensor, window: PerAxis, options: AvgPool2dOptions): Tensor {
  checkedImage(name, x, axes, true);
  floatDtype(name, { x });
  checkedOptions(name, options, ["stride", "padding", "ceilMode", "countIncludePad", ...(axes === 2 ? (["divisorOverride"] as const) : [])]);
  const kernel = checkedPair(name, "kernel", window, axes, 1, 1);
  const stride = checkedPair(name, "stride", options.stride ?? window, axes, 1, 1);
  const padding = checkedPair(name, "padding", options.padding ?? 0, axes, 0, 0);
  const { ceilMode = false, countIncludePad = true } = options;
  const divisor = options.divisorOverride ?? null;
  checkedFlag(name, "ceilMode", ceilMode);
  checkedFlag(name, "countIncludePad", countIncludePad);
  if (divisor !== null && (!Number.isInteger(divisor) || divisor === 0 || Math.abs(divisor) > 2 ** 30)) {
    throw new ConfigError(`${name}: expected a whole number other than 0 for divisorOverride; got ${showOption(divisor)}`);
  }
  const image: Pair = axes === 1 ? [1, x.shape[x.ndim - 1]] : pairOf(x.shape);
  const out = image.map((n, axis) => poolCount(name, n, kernel[axis], stride[axis], padding[axis], 1, ceilMode)) as unknown as Pair;
  const params = { rule: { kernel, stride, padding, countIncludePad, divisor }, image, out };
  return axes === 2 ? windowMean(x, params) : scope(() => squeeze(windowMean(unsqueeze(x, -2), params), -2));
}

/**
 * Means over h x w windows that cover x [N, C, H, W] or [C, H, W] as evenly as can be: window i of n over H rows reaches from
 * floor(i H / n) to ceil((i + 1) H / n) (PyTorch's adaptive_avg_pool2d). `size` is [h, w], or n for both; null keeps that of x.
 * Throws ShapeError, DtypeError, ConfigError for a size that cannot be.
 */
export function adaptiveAvgPool2d(x: Tensor, size: number | readonly [number | null, number | null]): Tensor {
  const name = "adaptiveAvgPool2d";
  checkedImage(name, x, 2, true);
  floatDtype(name, { x });
  const image = pairOf(x.shape);
  const wanted = Array.isArray(size) ? size.map((n, axis) => n ?? image[axis]) : size;
  const out = checkedPair(name, "size", wanted, 2, 0, 1);
  if (image[0] === 0 || image[1] === 0) throw new ShapeError(`${name}: expected an image of at least one pixel; got shape ${showShape(x.shape)}`);
  return windowMean(x, { rule: null, image, out });
}
