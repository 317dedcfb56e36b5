// Batch and instance normalisation of x [N, C, ...] with running statistics. The kernels see x as [N, C, I].

import { itemBytes } from "../../bindings/dtype.js";
import { ConfigError, GradientError, ShapeError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { scratch } from "../../bindings/memory.js";
import { apply, type Draw, op, type Spec } from "../../bindings/op.js";
import { showShape, sizeOf } from "../../bindings/shape.js";
import { type Cut, lineStep } from "../../bindings/split.js";
import { isRecording, withRecording } from "../../bindings/tape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { activeTracer, change } from "../../bindings/trace.js";
import { foldingChannels } from "./batching.js";
import { add, mul, sub } from "./binary.js";
import { checkedFlag, checkedNumber, checkedOptions, checkedPart } from "./checks.js";
import { full } from "./create.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { sum } from "./reduce.js";
import { checkedChannels, perSample, secondOrder } from "./rownorm.js";
import { permute, reshape } from "./shape.js";
import { leadingRows } from "./splits.js";
import { neg, reciprocal, sqrt } from "./unary.js";

export interface BatchNormOptions {
  /** Normalise with the statistics of x and update the running ones; false by default. */
  training?: boolean;
  /** Share of the new statistics in the running ones; 0.1 by default. */
  momentum?: number;
  /** Added to the variance; 1e-5 by default. */
  eps?: number;
}

export interface InstanceNormOptions {
  /** Running statistics [C], updated in place. */
  runningMean?: Tensor | null;
  runningVar?: Tensor | null;
  /** [C] */
  weight?: Tensor | null;
  /** [C] */
  bias?: Tensor | null;
  /** Normalise with the statistics of x (default), or with the running ones. */
  useInputStats?: boolean;
  /** Share of the new statistics in the running ones; 0.1 by default. */
  momentum?: number;
  /** Added to the variance; 1e-5 by default. */
  eps?: number;
}

interface Params {
  readonly eps: number;
  /** Is shown where mean and variance of the channels lie during the call. */
  readonly observe?: (mean: number, variance: number) => void;
}

/** Sums over N and I of [N, C, I]. */
function channelSums(x: Tensor): Tensor {
  return x.shape[2] === 1 ? sum(reshape(x, [x.shape[0], x.shape[1]]), { axis: 0 }) : sum(sum(x, { axis: 2 }), { axis: 0 });
}

/** w [C] beside x [N, C, I]. */
function beside(w: Tensor): Tensor {
  return reshape(w, [1, w.size, 1]);
}

function constantLike(x: Tensor, value: number): Tensor {
  return full([x.shape[1]], value, { dtype: x.dtype });
}

/** Scratch of the kernels: mean, variance and three more rows of C. */
function rowsOfChannels(x: Tensor): [mean: number, variance: number, rest: number] {
  const bytes = x.shape[1] * itemBytes(x.dtype);
  const ptr = scratch(5 * bytes);
  return [ptr, ptr + bytes, ptr + 2 * bytes];
}

/** Channels beside each other: those named, [N, C, I], and `whole`, [C]. */
function channelsOf<I extends string>(y: number, samples: readonly I[], whole: readonly I[] = []) {
  return (x: { readonly [name in I]: Tensor }): Cut<I> => {
    const cut: { [name in I]?: number } = {};
    for (const name of samples) cut[name] = 1;
    for (const name of whole) cut[name] = 0;
    const { shape, dtype } = x[samples[0]];
    // where a channel is one element of a sample, parts have whole cache lines
    return { y, operands: cut, step: shape[2] > 1 ? 1 : lineStep(dtype) };
  };
}

function anyBatch(draw: Draw): { x: number[]; w: number[] } {
  const x = [draw.integer(1, 4), draw.integer(1, 4), draw.pick([1, 1, 2, 3])];
  return { x, w: [x[1]] };
}

function trained(x: Tensor, w: Tensor, b: Tensor, params: Params): Tensor {
  return apply(batchNormOp, { x, w, b }, params);
}
const foldedBatchNorm = foldingChannels<"x" | "w" | "b", Params>({ samples: ["x"], channels: ["w", "b"], y: "samples", samplesMix: true });
const batchNormOp = op({
  name: "batchNorm",
  inputs: ["x", "w", "b"],
  // who observes is shown the statistics of all channels
  split: (xs, _y, { observe }) => (observe === undefined ? channelsOf(1, ["x"], ["w", "b"])(xs) : undefined),
  batch: foldedBatchNorm,
  shape: (s: { x: Spec; w: Spec; b: Spec }, _params: Params) => ({ shape: s.x.shape, dtype: floatDtype("batchNorm", s) }),
  kernel(k, { x, w, b }, y, { eps, observe }) {
    if (y.size === 0) return;
    const [n, channels, inner] = x.shape;
    const row = x.strides[0];
    const [mean, variance, rest] = rowsOfChannels(x);
    k.batchStats(mean, variance, x.ptr, n, channels, inner, row);
    k.batchNorm(y.ptr, x.ptr, mean, variance, w.ptr, b.ptr, rest, n, channels, inner, row, eps);
    observe?.(mean, variance);
  },
  saves: ["x", "w"],
  vjp: (dy, { x, w }, { params: { eps } }) => ({
    x: () => batchNormGrad(dy, x, w, { eps }),
    w: () => batchNormWeightGrad(dy, x, { eps }),
    b: () => channelSums(dy),
  }),
  samples: [
    (draw) => {
      const { x, w } = anyBatch(draw);
      return { inputs: { x: { shape: x }, w: { shape: w }, b: { shape: w } }, params: { eps: 0.1 } };
    },
  ],
});

function batchNormGrad(dy: Tensor, x: Tensor, w: Tensor, params: Params): Tensor {
  return apply(batchNormGradOp, { dy, x, w }, params);
}
/** w r (dy - mean(dy) - n mean(dy n)), n = (x - mean) r. */
const batchNormGradOp = op({
  name: "batchNormGrad",
  inputs: ["dy", "x", "w"],
  split: channelsOf(1, ["dy", "x"], ["w"]),
  batch: foldingChannels({ samples: ["dy", "x"], channels: ["w"], y: "samples", samplesMix: true }),
  shape: (s: { dy: Spec; x: Spec; w: Spec }, _params: Params) => ({ shape: s.x.shape, dtype: floatDtype("batchNormGrad", s) }),
  kernel(k, { dy, x, w }, dx, { eps }) {
    if (dx.size === 0) return;
    const [n, channels, inner] = x.shape;
    const row = x.strides[0];
    const [mean, variance, rest] = rowsOfChannels(x);
    k.batchStats(mean, variance, x.ptr, n, channels, inner, row);
    k.batchNormGrad(dx.ptr, dy.ptr, x.ptr, mean, variance, w.ptr, rest, n, channels, inner, row, eps);
  },
  saves: ["dy", "x", "w"],
  vjp(g, { dy, x, w }, { params }) {
    const derivative = (u: Tensor): Tensor => batchNormGrad(u, x, constantLike(x, 1), params);
    return {
      dy: () => mul(derivative(g), beside(w)),
      x: () => {
        const normal = trained(x, constantLike(x, 1), constantLike(x, 0), { eps: params.eps });
        return secondOrder(g, mul(dy, beside(w)), x, normal, derivative, [0, 2], params.eps, true);
      },
      w: () => channelSums(mul(dy, derivative(g))),
    };
  },
  samples: [
    (draw) => {
      const { x, w } = anyBatch(draw);
      return { inputs: { dy: { shape: x }, x: { shape: x }, w: { shape: w } }, params: { eps: 0.1 } };
    },
  ],
});

function batchNormWeightGrad(dy: Tensor, x: Tensor, params: Params): Tensor {
  return apply(batchNormWeightGradOp, { dy, x }, params);
}
/** Sums of dy n over each channel. */
const batchNormWeightGradOp = op({
  name: "batchNormWeightGrad",
  inputs: ["dy", "x"],
  split: channelsOf(0, ["dy", "x"]),
  batch: foldingChannels({ samples: ["dy", "x"], channels: [], y: "channels" }),
  shape: (s: { dy: Spec; x: Spec }, _params: Params) => ({ shape: [s.x.shape[1]], dtype: floatDtype("batchNormWeightGrad", s) }),
  kernel(k, { dy, x }, dw, { eps }) {
    if (x.size === 0) {
      k.fill(dw.ptr, 0, dw.size);
      return;
    }
    const [n, channels, inner] = x.shape;
    const row = x.strides[0];
    const [mean, variance, rest] = rowsOfChannels(x);
    k.batchStats(mean, variance, x.ptr, n, channels, inner, row);
    k.batchNormWeightGrad(dw.ptr, dy.ptr, x.ptr, mean, variance, rest, n, channels, inner, row, eps);
  },
  saves: ["dy", "x"],
  vjp: (g, { dy, x }, { params }) => ({
    dy: () => mul(trained(x, constantLike(x, 1), constantLike(x, 0), { eps: params.eps }), beside(g)),
    x: () => batchNormGrad(dy, x, g, params),
  }),
  samples: [
    (draw) => {
      const { x } = anyBatch(draw);
      return { inputs: { dy: { shape: x }, x: { shape: x } }, params: { eps: 0.1 } };
    },
  ],
});

/** (x - mean) / sqrt(variance + eps) w + b with statistics that are given. */
const batchNormInferenceOp = op({
  name: "batchNormInference",
  inputs: ["x", "mean", "variance", "w", "b"],
  split: leadingRows("x"),
  batch: foldingChannels({ samples: ["x"], channels: ["mean", "variance", "w", "b"], y: "samples" }),
  shape: (s: { x: Spec; mean: Spec; variance: Spec; w: Spec; b: Spec }, _params: Params) => ({ shape: s.x.shape, dtype: floatDtype("batchNorm", s) }),
  kernel(k, { x, mean, variance, w, b }, y, { eps }) {
    if (y.size === 0) return;
    const [n, channels, inner] = x.shape;
    const row = x.strides[0];
    k.batchNorm(y.ptr, x.ptr, mean.ptr, variance.ptr, w.ptr, b.ptr, scratch(channels * itemBytes(x.dtype)), n, channels, inner, row, eps);
  },
  saves: ["x", "mean", "variance", "w"],
  vjp(dy, { x, mean, variance, w }, { params }) {
    const r = (): Tensor => reciprocal(sqrt(add(variance, params.eps)));
    const centred = (): Tensor => sub(x, beside(mean));
    return {
      x: () => mul(dy, beside(mul(r(), w))),
      mean: () => neg(mul(channelSums(dy), mul(r(), w))),
      variance: () => mul(channelSums(mul(dy, centred())), mul(mul(w, -0.5), mul(mul(r(), r()), r()))),
      w: () => mul(channelSums(mul(dy, centred())), r()),
      b: () => channelSums(dy),
    };
  },
  samples: [
    (draw) => {
      const { x, w } = anyBatch(draw);
      const given = { mean: { shape: w }, variance: { shape: w, low: 0.5, high: 2 }, w: { shape: w }, b: { shape: w } };
      return { inputs: { x: { shape: [draw.integer(0, 1) * x[0], x[1], x[2]] }, ...given }, params: { eps: 0.1 } };
    },
  ],
});

/** Statistics [C] that may be read, or changed in place. */
function checkedRunning(name: string, label: string, value: Tensor | null | undefined, x: Tensor, channels: number, changing: boolean): Tensor | null {
  const t = checkedPart(name, label, value, x, [channels]);
  if (t === null || !changing) return t;
  if (!t.contiguous) throw new ShapeError(`${name}: expected ${label} that is contiguous, as it is updated in place; got a view ${t.describe()}`);
  if (t.requiresGrad && isRecording())
    throw new GradientError(`${name}: expected ${label} without gradient, as it is updated in place; got one that requires one`);
  return t;
}

/** Running statistics, the new ones' share in them, and the values a channel that a sample has. */
interface Running {
  readonly mean: Tensor | null;
  readonly variance: Tensor | null;
  readonly momentum: number;
  readonly samples: number;
  readonly count: number;
}

/**
 * running = (1 - momentum) running + momentum new, new the means over the samples; the variance counts one value less.
 * The new ones lie at the addresses `at`, or are `stats`, [2, samples C], which stands for them in a trace.
 */
function update(running: Running, stats: Tensor | { readonly at: readonly [mean: number, variance: number] }): void {
  const { mean, variance, momentum, samples, count } = running;
  const parts: [Tensor | null, number, number][] = [
    [mean, 0, 1],
    [variance, 1, count / (count - 1)],
  ];
  for (const [t, row, factor] of parts) {
    if (t === null) continue;
    const { dtype, size } = t;
    const average = (to: Tensor, from: number): void => kernelsOf(dtype).movingAverage(to.ptr, from, size, samples, momentum, factor);
    const what = { name: "movingAverage", writes: ["running"] };
    if ("at" in stats) change({ ...what, tensors: { running: t }, run: (ts) => average(ts.running, stats.at[row]) });
    else {
      const from = (ts: { readonly [name: string]: Tensor }): number => ts.stats.ptr + row * samples * size * itemBytes(dtype);
      change({ ...what, tensors: { running: t, stats }, run: (ts) => average(ts.running, from(ts)) });
    }
  }
}

/** Mean and variance of each channel, [2, C]. */
const channelStatsOp = op({
  name: "channelStats",
  inputs: ["x"],
  split: channelsOf(1, ["x"]),
  batch({ inputs, size, again }) {
    const [n, channels, values] = inputs.x.shape.slice(1);
    const folded = reshape(permute(inputs.x, 1, 0, 2, 3), [n, size * channels, values]);
    return permute(reshape(again({ x: folded }), [2, size, channels]), 1, 0, 2);
  },
  shape({ x }: { x: Spec }) {
    if (x.shape.length !== 3) throw new ShapeError(`channelStats: expected x [N, C, I]; got ${showShape(x.shape)}`);
    return { shape: [2, x.shape[1]], dtype: floatDtype("channelStats", { x }) };
  },
  kernel: (k, { x }, y) => k.batchStats(y.ptr, y.ptr + y.strides[0] * itemBytes(y.dtype), x.ptr, x.shape[0], x.shape[1], x.shape[2], x.strides[0]),
  saves: [],
  vjp: "none",
  samples: [],
});

/** The statistics of x [N, C, I], apart from its history. */
function channelStats(x: Tensor): Tensor {
  return withRecording(false, () => apply(channelStatsOp, { x }));
}

/**
 * Batch normalisation (Ioffe and Szegedy 2015) of x [N, C, ...]: (x - mean) / sqrt(variance + eps) w + b a channel; w and
 * b are [C] or null. With `training` the statistics are those of x, the variance over the number of elements, and the
 * running `mean` and `variance` [C] (or null) are updated in place, the variance over one element less; else the running
 * ones are used. Throws ShapeError, DtypeError, ConfigError without running statistics where they are used.
 */
export function batchNorm(
  x: Tensor,
  mean: Tensor | null,
  variance: Tensor | null,
  w: Tensor | null = null,
  b: Tensor | null = null,
  options: BatchNormOptions = {},
): Tensor {
  const name = "batchNorm";
  checkedTensor(name, "x", x);
  x.alive(name);
  const { training = false, momentum = 0.1, eps = 1e-5 } = checkedOptions(name, options, ["training", "momentum", "eps"]);
  checkedFlag(name, "training", training);
  const share = checkedNumber(name, "momentum", momentum, 0, 1);
  const params = { eps: checkedNumber(name, "eps", eps, 0, Number.MAX_VALUE) };
  const [n, channels] = checkedChannels(name, x, 2);
  const rows = [n, channels, sizeOf(x.shape.slice(2))];
  const runningMean = checkedRunning(name, "mean", mean, x, channels, training);
  const runningVariance = checkedRunning(name, "variance", variance, x, channels, training);
  const weight = checkedPart(name, "w", w, x, [channels]);
  const offset = checkedPart(name, "b", b, x, [channels]);
  const count = rows[0] * rows[2];
  if (training && count === 1) throw new ShapeError(`${name}: expected more than one value a channel in training; got x ${showShape(x.shape)}`);
  if (!training && (runningMean === null || runningVariance === null)) {
    throw new ConfigError(`${name}: expected running mean and variance, or { training: true }; got null`);
  }
  return scope(() => {
    const rect = reshape(x, rows);
    const scale = weight ?? constantLike(rect, 1);
    const shift = offset ?? constantLike(rect, 0);
    if (!training) {
      const given = { mean: runningMean as Tensor, variance: runningVariance as Tensor };
      return reshape(apply(batchNormInferenceOp, { x: rect, ...given, w: scale, b: shift }, params), x.shape);
    }
    if (runningMean === null && runningVariance === null) return reshape(trained(rect, scale, shift, params), x.shape);
    const running = { mean: runningMean, variance: runningVariance, momentum: share, samples: 1, count };
    if (activeTracer() === undefined) return reshape(trained(rect, scale, shift, { ...params, observe: (...at) => update(running, { at }) }), x.shape);
    if (activeTracer()?.mapper !== undefined) {
      throw new ConfigError(
        "batchNorm: expected no running statistics in training within vmap, as each example would update them; pass null for both, or all examples as one batch",
      );
    }
    // a change of a graph cannot read the kernel's scratch, so statistics become a node there
    update(running, channelStats(rect));
    return reshape(trained(rect, scale, shift, params), x.shape);
  });
}

/**
 * Instance normalisation (Ulyanov et al. 2016) of x [N, C, d1, ...]: each channel of each sample by itself, w and b [C]
 * as `weight` and `bias`. Running statistics, if given, are updated in place with the means over the samples, or used
 * in place of the statistics of x where `useInputStats` is false. Throws ShapeError, DtypeError, ConfigError.
 */
export function instanceNorm(x: Tensor, options: InstanceNormOptions = {}): Tensor {
  const name = "instanceNorm";
  checkedTensor(name, "x", x);
  x.alive(name);
  const known = ["runningMean", "runningVar", "weight", "bias", "useInputStats", "momentum", "eps"] as const;
  const { runningMean, runningVar, weight, bias, useInputStats = true, momentum = 0.1, eps = 1e-5 } = checkedOptions(name, options, known);
  checkedFlag(name, "useInputStats", useInputStats);
  const share = checkedNumber(name, "momentum", momentum, 0, 1);
  checkedNumber(name, "eps", eps, 0, Number.MAX_VALUE);
  const [n, channels] = checkedChannels(name, x, 3);
  const mean = checkedRunning(name, "runningMean", runningMean, x, channels, useInputStats);
  const variance = checkedRunning(name, "runningVar", runningVar, x, channels, useInputStats);
  const w = checkedPart(name, "weight", weight, x, [channels]);
  const b = checkedPart(name, "bias", bias, x, [channels]);
  if (!useInputStats) {
    if (mean === null || variance === null) throw new ConfigError(`${name}: expected runningMean and runningVar with useInputStats: false; got null`);
    return batchNorm(x, mean, variance, w, b, { eps });
  }
  const count = sizeOf(x.shape.slice(2));
  if (count === 1) throw new ShapeError(`${name}: expected more than one value a channel of a sample; got x ${showShape(x.shape)}`);
  if ((mean !== null || variance !== null) && x.size > 0) {
    scope(() => update({ mean, variance, momentum: share, samples: n, count }, channelStats(reshape(x, [1, n * channels, count]))));
  }
  return perSample(x, w, b, eps);
}
