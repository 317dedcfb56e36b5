// Convolutions of images and their transposes. Three ops that are each other's derivatives: conv2d, conv2dGradInput and
// conv2dGradWeight; with one axis the image has one row.
import { ConfigError, ShapeError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { scratch } from "../../bindings/memory.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { type Shape, showShape, sizeOf } from "../../bindings/shape.js";
import type { Cut } from "../../bindings/split.js";
import type { Tensor } from "../../bindings/tensor.js";
import { foldingChannels } from "./batching.js";
import { add } from "./binary.js";
import { checkedOptions } from "./checks.js";
import { biasSample, gradInputSample, gradWeightSample, sample } from "./convolution-samples.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { sum } from "./reduce.js";
import { reshape, squeeze, unsqueeze } from "./shape.js";
import { leadingRows } from "./splits.js";
import { checkedImage, checkedPair, checkedWhole, type Pair, type PerAxis, pairOf, showOption, windowCount } from "./window.js";

export interface ConvOptions {
  /** Distance between windows, 1 by default. */
  stride?: PerAxis;
  /** Zeros before and after, 0 by default; "same" keeps the size (stride 1 only), "valid" is 0. */
  padding?: PerAxis | "same" | "valid";
  /** Distance between the taps of a window, 1 by default. */
  dilation?: PerAxis;
  /** Channels are cut into this many groups that do not mix, 1 by default. */
  groups?: number;
}

export interface ConvTransposeOptions {
  stride?: PerAxis;
  padding?: PerAxis;
  dilation?: PerAxis;
  groups?: number;
  /** Rows and columns added at the end of the output, 0 by default; less than stride or dilation. */
  outputPadding?: PerAxis;
}

/** What the three ops share: `padding` is that before an image, `size` the image (or kernel) size of their output. */
export interface ConvParams {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
  readonly size: Pair;
}

/**
 * Convolution over one axis: x [N, C, L] or [C, L], w [O, C / groups, K], b [O] or null, to [N, O, L'] (PyTorch's conv1d).
 * Throws as conv2d.
 */
export function conv1d(x: Tensor, w: Tensor, b: Tensor | null = null, options: ConvOptions = {}): Tensor {
  return convolution("conv1d", 1, x, w, b, options);
}

/**
 * Convolution (cross-correlation): x [N, C, H, W] or [C, H, W], w [O, C / groups, KH, KW], b [O] or null, to [N, O, H', W'] with
 * H' = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1 (PyTorch's conv2d).
 * Throws ShapeError, DtypeError, ConfigError for an option that cannot be.
 */
export function conv2d(x: Tensor, w: Tensor, b: Tensor | null = null, options: ConvOptions = {}): Tensor {
  return convolution("conv2d", 2, x, w, b, options);
}

/**
 * Transposed convolution, the gradient of conv2d with respect to its input: x [N, C, H, W] or [C, H, W], w [C, O / groups, KH, KW],
 * b [O] or null, to [N, O, H', W'] with H' = (H - 1) stride - 2 padding + dilation (KH - 1) + outputPadding + 1 (PyTorch's
 * conv_transpose2d). Throws as conv2d.
 */
export function convTranspose2d(x: Tensor, w: Tensor, b: Tensor | null = null, options: ConvTransposeOptions = {}): Tensor {
  const name = "convTranspose2d";
  checkOperands(name, 2, x, w, b);
  checkedOptions(name, options, ["stride", "padding", "dilation", "groups", "outputPadding"]);
  const stride = checkedPair(name, "stride", options.stride ?? 1, 2, 1, 1);
  const padding = checkedPair(name, "padding", options.padding ?? 0, 2, 0, 0);
  const dilation = checkedPair(name, "dilation", options.dilation ?? 1, 2, 1, 1);
  const extra = checkedPair(name, "outputPadding", options.outputPadding ?? 0, 2, 0, 0);
  const groups = checkedWhole(name, "groups", options.groups ?? 1, 1);
  const channels = x.shape[x.ndim - 3];
  const outs = w.shape[1] * groups;
  if (channels !== w.shape[0] || channels % groups !== 0) {
    throw new ShapeError(
      `${name}: expected x of ${w.shape[0]} channels, a multiple of ${groups} groups, as w ${showShape(w.shape)}; got shape ${showShape(x.shape)}`,
    );
  }
  checkBias(name, b, outs);
  const kernel = pairOf(w.shape);
  const size = pairOf(x.shape).map((n, axis) => {
    if (extra[axis] >= stride[axis] && extra[axis] >= dilation[axis]) {
      throw new ConfigError(`${name}: expected an outputPadding less than stride ${stride[axis]} or dilation ${dilation[axis]}; got ${extra[axis]}`);
    }
    const out = (n - 1) * stride[axis] - 2 * padding[axis] + dilation[axis] * (kernel[axis] - 1) + extra[axis] + 1;
    if (n < 1 || out < 1 || out + 2 * padding[axis] > 2 ** 30) {
      throw new ShapeError(`${name}: expected an output size from 1 to 2^30; got ${out} from size ${n}`);
    }
    return out;
  }) as unknown as Pair;
  return scope(() => {
    const images = x.ndim === 3 ? unsqueeze(x, 0) : x;
    const y = apply(conv2dGradInputOp, { dy: images, w }, { stride, padding, dilation, groups, size });
    const shifted = b === null ? y : add(y, reshape(b, [outs, 1, 1]));
    return x.ndim === 3 ? squeeze(shifted, 0) : shifted;
  });
}

function convolution(name: "conv1d" | "conv2d", axes: 1 | 2, x: Tensor, w: Tensor, b: Tensor | null, options: ConvOptions): Tensor {
  checkOperands(name, axes, x, w, b);
  checkedOptions(name, options, ["stride", "padding", "dilation", "groups"]);
  const stride = checkedPair(name, "stride", options.stride ?? 1, axes, 1, 1);
  const dilation = checkedPair(name, "dilation", options.dilation ?? 1, axes, 1, 1);
  const groups = checkedWhole(name, "groups", options.groups ?? 1, 1);
  const channels = x.shape[x.ndim - axes - 1];
  const outs = w.shape[0];
  if (channels !== w.shape[1] * groups) {
    throw new ShapeError(
      `${name}: expected x of ${w.shape[1] * groups} channels, as w ${showShape(w.shape)} and ${groups} groups; got shape ${showShape(x.shape)}`,
    );
  }
  if (outs % groups !== 0) throw new ShapeError(`${name}: expected output channels that ${groups} groups divide; got w ${showShape(w.shape)}`);
  checkBias(name, b, outs);
  const kernel: Pair = axes === 1 ? [1, w.shape[2]] : pairOf(w.shape);
  const image: Pair = axes === 1 ? [1, x.shape[x.ndim - 1]] : pairOf(x.shape);
  const { before, after } = paddings(name, axes, options.padding ?? 0, kernel, stride, dilation);
  const size = image.map((n, axis) => windowCount(name, n, kernel[axis], stride[axis], before[axis], after[axis], dilation[axis])) as unknown as Pair;
  const params: ConvParams = { stride, padding: before, dilation, groups, size };
  if (axes === 2 && x.ndim === 4) return convolved(x, w, b, params);
  return scope(() => {
    const batch = x.ndim === axes + 1 ? unsqueeze(x, 0) : x;
    const y = axes === 2 ? convolved(batch, w, b, params) : squeeze(convolved(unsqueeze(batch, 2), unsqueeze(w, 2), b, params), 2);
    return x.ndim === axes + 1 ? squeeze(y, 0) : y;
  });
}

function convolved(x: Tensor, w: Tensor, b: Tensor | null, params: ConvParams): Tensor {
  return b === null ? apply(conv2dOp, { x, w }, params) : apply(conv2dBiasOp, { x, w, b }, params);
}

function paddings(name: string, axes: number, padding: unknown, kernel: Pair, stride: Pair, dilation: Pair): { before: Pair; after: Pair } {
  if (padding === "valid") return { before: [0, 0], after: [0, 0] };
  if (padding === "same") {
    if (stride[0] !== 1 || stride[1] !== 1) throw new ConfigError(`${name}: expected stride 1 with padding "same"; got ${showOption(stride)}`);
    const total = [dilation[0] * (kernel[0] - 1), dilation[1] * (kernel[1] - 1)];
    const before: Pair = [Math.floor(total[0] / 2), Math.floor(total[1] / 2)];
    return { before, after: [total[0] - before[0], total[1] - before[1]] };
  }
  if (typeof padding === "string") throw new ConfigError(`${name}: expected padding "same", "valid" or numbers; got ${showOption(padding)}`);
  const before = checkedPair(name, "padding", padding, axes, 0, 0);
  return { before, after: before };
}

function checkOperands(name: string, axes: number, x: Tensor, w: Tensor, b: Tensor | null): void {
  checkedImage(name, x, axes, true);
  checkedTensor(name, "w", w);
  w.alive(name);
  if (b !== null) {
    checkedTensor(name, "b", b);
    b.alive(name);
  }
  floatDtype(name, b === null ? { x, w } : { x, w, b });
  if (w.ndim !== axes + 2) throw new ShapeError(`${name}: expected w with ${axes + 2} axes; got shape ${showShape(w.shape)}`);
  if (w.shape.slice(2).includes(0)) throw new ShapeError(`${name}: expected a kernel of at least one tap; got w ${showShape(w.shape)}`);
}

function checkBias(name: string, b: Tensor | null, outs: number): void {
  if (b !== null && (b.ndim !== 1 || b.shape[0] !== outs)) throw new ShapeError(`${name}: expected b of shape [${outs}]; got ${showShape(b.shape)}`);
}

type Sizes = Parameters<Kernels["conv2dScratchBytes"]>;

/** The kernels' sizes, from groups on. A stride between single windows and a dilation of single taps mean nothing, and become 1. */
function sizes(x: Shape, w: Shape, y: Shape, { stride, padding, dilation, groups }: ConvParams): Sizes {
  const apart = (axis: 0 | 1): number => (y[2 + axis] === 1 ? 1 : stride[axis]);
  const spread = (axis: 0 | 1): number => (w[2 + axis] === 1 ? 1 : dilation[axis]);
  return [groups, x[1], x[2], x[3], y[1], y[2], y[3], w[2], w[3], apart(0), apart(1), padding[0], padding[1], spread(0), spread(1)];
}

function forward(k: Kernels, x: Tensor, w: Tensor, b: Tensor | null, y: Tensor, params: ConvParams): void {
  if (y.size === 0) return;
  const s = sizes(x.shape, w.shape, y.shape, params);
  k.conv2d(y.ptr, x.ptr, w.ptr, b === null ? 0 : b.ptr, scratch(k.conv2dScratchBytes(...s)), x.shape[0], ...s);
}

/** The groups of all examples, which do not mix either. */
function grouped(params: ConvParams, size: number): ConvParams {
  return { ...params, groups: params.groups * size };
}

const conv2dOp = op({
  name: "conv2d",
  inputs: ["x", "w"],
  split: leadingRows("x"),
  batch: foldingChannels({ samples: ["x"], channels: ["w"], y: "samples" }, grouped),
  shape: (s: { x: Spec; w: Spec }, p: ConvParams) => ({ shape: [s.x.shape[0], s.w.shape[0], ...p.size], dtype: floatDtype("conv2d", s) }),
  flops: ({ w }, y) => 2 * sizeOf(y.shape) * sizeOf(w.shape.slice(1)),
  kernel: (k, { x, w }, y, params) => forward(k, x, w, null, y, params),
  saves: ["x", "w"],
  vjp: (dy, { x, w }, { params }) => ({
    x: () => gradInput(dy, w, params, x.shape),
    w: () => gradWeight(x, dy, params, w.shape),
  }),
  samples: [sample],
});

/** conv2d whose sums begin with b. */
const conv2dBiasOp = op({
  name: "conv2dBias",
  inputs: ["x", "w", "b"],
  split: leadingRows("x"),
  batch: foldingChannels({ samples: ["x"], channels: ["w", "b"], y: "samples" }, grouped),
  shape: (s: { x: Spec; w: Spec; b: Spec }, p: ConvParams) => ({ shape: [s.x.shape[0], s.w.shape[0], ...p.size], dtype: floatDtype("conv2d", s) }),
  flops: ({ w }, y) => sizeOf(y.shape) * (2 * sizeOf(w.shape.slice(1)) + 1),
  kernel: (k, { x, w, b }, y, params) => forward(k, x, w, b, y, params),
  saves: ["x", "w"],
  vjp: (dy, { x, w }, { params }) => ({
    x: () => gradInput(dy, w, params, x.shape),
    w: () => gradWeight(x, dy, params, w.shape),
    b: () => sum(sum(dy, { axis: [2, 3] }), { axis: 0 }),
  }),
  samples: [biasSample],
});

function gradInput(dy: Tensor, w: Tensor, params: ConvParams, x: Shape): Tensor {
  return apply(conv2dGradInputOp, { dy, w }, { ...params, size: pairOf(x) });
}
/** dx[n, c, i, j] = sum of w[o, c, u, v] dy[n, o, p, q] over the windows (p, q) whose tap (u, v) lies on (i, j). */
const conv2dGradInputOp = op({
  name: "conv2dGradInput",
  inputs: ["dy", "w"],
  split: leadingRows("dy"),
  batch: foldingChannels({ samples: ["dy"], channels: ["w"], y: "samples" }, grouped),
  shape: (s: { dy: Spec; w: Spec }, p: ConvParams) => ({
    shape: [s.dy.shape[0], s.w.shape[1] * p.groups, ...p.size],
    dtype: floatDtype("conv2dGradInput", s),
  }),
  flops: ({ dy, w }) => 2 * sizeOf(dy.shape) * sizeOf(w.shape.slice(1)),
  kernel(k, { dy, w }, dx, params) {
    if (dx.size === 0) return;
    const s = sizes(dx.shape, w.shape, dy.shape, params);
    k.conv2dGradInput(dx.ptr, dy.ptr, w.ptr, scratch(k.conv2dScratchBytes(...s)), dx.shape[0], ...s);
  },
  saves: ["dy", "w"],
  vjp: (g, { dy, w }, { params }) => ({
    dy: () => apply(conv2dOp, { x: g, w }, { ...params, size: pairOf(dy.shape) }),
    w: () => gradWeight(g, dy, params, w.shape),
  }),
  samples: [gradInputSample],
});

function gradWeight(x: Tensor, dy: Tensor, params: ConvParams, w: Shape): Tensor {
  return apply(conv2dGradWeightOp, { x, dy }, { ...params, size: pairOf(w) });
}
/** As LEAST_ROWS of assembly/conv/scratch.ts: fewer output channels are summed in another order. */
const LEAST_CHANNELS = 4;
/** Output channels of one group: each reads its own planes of dy, and all of x. */
function outputChannels(_x: unknown, dw: Tensor, { groups }: ConvParams, parts: number): Cut<"x" | "dy"> | undefined {
  const [channels] = dw.shape;
  const length = Math.ceil(channels / parts / LEAST_CHANNELS) * LEAST_CHANNELS;
  const rest = channels % length;
  return groups > 1 || channels < LEAST_CHANNELS || (rest > 0 && rest < LEAST_CHANNELS) ? undefined : { y: 0, operands: { dy: 1 }, step: LEAST_CHANNELS };
}
/** dw[o, c, u, v] = sum of dy[n, o, p, q] x[n, c, i, j] over the images n and the windows (p, q) whose tap (u, v) lies on (i, j). */
const conv2dGradWeightOp = op({
  name: "conv2dGradWeight",
  inputs: ["x", "dy"],
  split: outputChannels,
  batch: foldingChannels({ samples: ["x", "dy"], channels: [], y: "channels" }, grouped),
  shape: (s: { x: Spec; dy: Spec }, p: ConvParams) => ({
    shape: [s.dy.shape[1], s.x.shape[1] / p.groups, ...p.size],
    dtype: floatDtype("conv2dGradWeight", s),
  }),
  flops: ({ dy }, dw) => 2 * sizeOf(dy.shape) * sizeOf(dw.shape.slice(1)),
  kernel(k, { x, dy }, dw, params) {
    if (dw.size === 0) return;
    const s = sizes(x.shape, dw.shape, dy.shape, params);
    k.conv2dGradWeight(dw.ptr, x.ptr, dy.ptr, scratch(k.conv2dScratchBytes(...s)), x.shape[0], ...s, dy.strides[0]);
  },
  saves: ["x", "dy"],
  vjp: (g, { x, dy }, { params }) => ({
    x: () => gradInput(dy, g, params, x.shape),
    dy: () => apply(conv2dOp, { x, w: g }, { ...params, size: pairOf(dy.shape) }),
  }),
  samples: [gradWeightSample],
});
