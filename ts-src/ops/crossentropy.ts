// Cross-entropy, fused with the softmax for class numbers, and the negative log-likelihood.

import { type DType, isFloat, type TypedArray } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, NumericError, ShapeError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { scratch, view } from "../../bindings/memory.js";
import { type AnyOp, apply, type Draw, op, type Spec } from "../../bindings/op.js";
import { sameShape, showShape, sizeOf } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { everyOperand, merged, parted } from "./batching.js";
import { batchedLoss, batchedScale, rowGradients } from "./batching-losses.js";
import { add, div, mul } from "./binary.js";
import { checkedConstant, checkedNumber, checkedOptions, checkedPart, checkedReduction, type Reduction, reductions } from "./checks.js";
import { full } from "./create.js";
import { joined } from "./joined.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { sum } from "./reduce.js";
import { permute, reshape } from "./shape.js";
import { logSoftmax, softmax, softmaxGradRows } from "./softmax.js";
import { neg } from "./unary.js";

export interface NllLossOptions {
  /** "mean" (default) divides by the weights of the targets that are not ignored; "sum"; "none" for one loss a target. */
  reduction?: Reduction;
  /** A weight a class, [C]; there is a gradient for it with targets that are probabilities only. */
  weight?: Tensor | null;
  /** Targets of this number count nothing; -100 by default. */
  ignoreIndex?: number;
}

export interface CrossEntropyOptions extends NllLossOptions {
  /** Share of the target that is spread over all classes, from 0 (default) to 1 (Szegedy et al. 2016, section 7). */
  labelSmoothing?: number;
}

interface LossParams {
  /** A copy: numbers that no gradient flows to. */
  readonly weight?: TypedArray;
  readonly ignore: number;
  readonly smoothing: number;
  readonly reduction: Reduction;
}

/** The number of classes: axis 1, or axis 0 of [C]. */
function classesOf(name: string, x: Tensor): number {
  if (x.ndim === 0) throw new ShapeError(`${name}: expected x of shape [N, C], [C] or [N, C, d1, ...]; got a scalar`);
  return x.shape[x.ndim === 1 ? 0 : 1];
}

/** Throws unless targets are class numbers for x. */
function checkClassNumbers(name: string, x: Tensor, target: Tensor): void {
  if (target.dtype !== "int32") {
    const other = name === "crossEntropy" ? " or probabilities of the shape of the logits" : "";
    throw new DtypeError(`${name}: expected targets of dtype int32 (class numbers)${other}; got ${target.describe()}`);
  }
  const places = x.ndim === 1 ? [] : [x.shape[0], ...x.shape.slice(2)];
  if (!sameShape(places, target.shape)) {
    throw new ShapeError(`${name}: expected targets of shape ${showShape(places)}; got x and targets ${showShape(x.shape)} and ${showShape(target.shape)}`);
  }
}

function checkedIgnoreIndex(name: string, value: unknown): number {
  if (!Number.isInteger(value)) throw new ConfigError(`${name}: expected a whole number for ignoreIndex; got ${showValue(value)}`);
  return checkedNumber(name, "ignoreIndex", value, -(2 ** 31), 2 ** 31 - 1);
}

/** Where the kernels find the weights, in their scratch; 0 stands for weights of 1. */
function placed(weight: TypedArray | undefined, dtype: DType): number {
  if (weight === undefined) return 0;
  const ptr = scratch(weight.byteLength);
  view(ptr, weight.length, dtype).set(weight);
  return ptr;
}

function outside(name: string, target: Tensor, at: number, classes: number, ignore: number): NumericError {
  const got = view(target.ptr, target.size, "int32")[at];
  return new NumericError(`${name}: expected targets from 0 to ${classes - 1} or ignoreIndex ${ignore}; got ${got} at row ${at}`);
}

/**
 * Cross-entropy of logits [N, C], [C] or [N, C, d1, ...]. Targets are class numbers, int32 [N], [] or [N, d1, ...]:
 * -w[t] log softmax(x)[t], fused forward and backward; or probabilities of the shape of the logits:
 * -sum over c of w[c] t[c] log softmax(x)[c], with a gradient for t and w too, whose mean divides by the number of rows.
 * Throws ShapeError, DtypeError, NumericError for a class outside 0..C-1, ConfigError for an unknown option, GradientError
 * for a weight that requires a gradient with class numbers.
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const name = "crossEntropy";
  checkedTensor(name, "logits", logits);
  checkedTensor(name, "targets", targets);
  floatDtype(name, { logits });
  const { reduction, weight, ignoreIndex = -100, labelSmoothing = 0 } = checkedOptions(name, options, ["reduction", "weight", "ignoreIndex", "labelSmoothing"]);
  const how = checkedReduction(name, reduction ?? "mean");
  const ignore = checkedIgnoreIndex(name, ignoreIndex);
  const smoothing = checkedNumber(name, "labelSmoothing", labelSmoothing, 0, 1);
  const classes = classesOf(name, logits);
  const w = checkedPart(name, "weight", weight, logits, [classes]);
  if (isFloat(targets.dtype) && sameShape(targets.shape, logits.shape)) {
    if (ignore >= 0) throw new ConfigError(`${name}: expected no ignoreIndex with targets that are probabilities; got ${ignore}`);
    floatDtype(name, { logits, targets });
    return probabilityLoss(logits, targets, w, how, smoothing);
  }
  checkClassNumbers(name, logits, targets);
  if (w !== null) checkedConstant(name, "weight", w);
  const params = { weight: w?.data(), ignore, smoothing, reduction: how };
  if (logits.ndim === 2) return apply(crossEntropyOp, { x: logits, target: targets }, params);
  return scope(() => {
    const y = apply(crossEntropyOp, { x: classRows(logits), target: reshape(targets, [targets.size]) }, params);
    return how === "none" ? reshape(y, targets.shape) : y;
  });
}

/** The classes of each place as a row. */
export function classRows(x: Tensor): Tensor {
  if (x.ndim < 3) return x.ndim === 2 ? x : reshape(x, [1, x.size]);
  const places = x.shape.map((_, i) => i).filter((i) => i !== 1);
  return reshape(permute(x, ...places, 1), [sizeOf(places.map((i) => x.shape[i])), x.shape[1]]);
}

function probabilityLoss(logits: Tensor, targets: Tensor, weight: Tensor | null, reduction: Reduction, smoothing: number): Tensor {
  return scope(() => {
    const axis = logits.ndim === 1 ? 0 : 1;
    const classes = logits.shape[axis];
    const target = smoothing === 0 ? targets : add(mul(targets, 1 - smoothing), smoothing / classes);
    let terms = mul(logSoftmax(logits, { axis }), target);
    if (weight !== null) terms = mul(terms, reshape(weight, [classes, ...logits.shape.slice(axis + 1).map(() => 1)]));
    if (reduction === "none") return neg(sum(terms, { axis }));
    const total = neg(sum(terms));
    return reduction === "sum" ? total : div(total, logits.size / classes);
  });
}

function labels(draw: Draw, places: readonly number[], classes: number, ignore: number) {
  const values = Array.from({ length: sizeOf(places) }, (_, i) => (i > 0 && draw.integer(0, 4) === 0 ? ignore : draw.integer(0, classes - 1)));
  return { values, shape: places, dtype: "int32" } as const;
}

function anyLoss(draw: Draw, places: readonly number[], classes: number) {
  const params: LossParams = {
    weight: draw.pick([undefined, Float64Array.from({ length: classes }, () => draw.integer(1, 8) / 4)]),
    ignore: draw.pick([-100, 0]),
    smoothing: draw.pick([0, 0.1, 1]),
    reduction: draw.pick(places.includes(0) ? ["none", "sum"] : reductions),
  };
  const target = labels(draw, places, classes, params.ignore);
  // a mean over ignored targets alone would be 0 / 0
  if (target.values.every((t) => t === params.ignore)) target.values.fill((params.ignore + 101) % classes);
  const all = target.values.every((t) => t === params.ignore);
  return { target, params: all && params.reduction === "mean" ? { ...params, reduction: "sum" as const } : params };
}

const crossEntropyOp = op({
  name: "crossEntropy",
  inputs: ["x", "target"],
  batch: (batch) => batchedLoss(batch, batch.shapes.x[1], targetWeights),
  shape: (s: { x: Spec; target: Spec }, params: LossParams) => ({
    shape: params.reduction === "none" ? s.target.shape : [],
    dtype: s.x.dtype,
  }),
  kernel(k, { x, target }, y, p) {
    const cols = x.shape[1];
    const bad = k.crossEntropy(y.ptr, x.ptr, target.ptr, placed(p.weight, x.dtype), target.size, cols, p.ignore, p.smoothing, reductions.indexOf(p.reduction));
    if (bad > 0) throw outside("crossEntropy", target, bad - 1, cols, p.ignore);
  },
  saves: ["x", "target"],
  vjp: (dy, { x, target }, { params }) => ({ x: () => crossEntropyGrad(dy, x, target, params), target: "none" }),
  samples: [
    (draw) => {
      const [rows, classes] = [draw.integer(0, 4), draw.integer(1, 5)];
      const { target, params } = anyLoss(draw, [rows], classes);
      return { inputs: { x: { shape: [rows, classes] }, target }, params };
    },
  ],
});

function crossEntropyGrad(dy: Tensor, x: Tensor, target: Tensor, params: LossParams): Tensor {
  return apply(crossEntropyGradOp, { dy, x, target }, params);
}
/** dy / divisor (W softmax(x) - target distribution), W as in crossEntropyScale. */
const crossEntropyGradOp = op({
  name: "crossEntropyGrad",
  inputs: ["dy", "x", "target"],
  batch: (batch) => {
    const { dy, x, target } = everyOperand(batch);
    const rows = rowGradients(batch, dy, target, x.shape[2], targetWeights);
    return parted(batch.again({ dy: rows, x: merged(x), target: merged(target) }, { ...batch.params, reduction: "none" }), batch.size);
  },
  shape: (s: { dy: Spec; x: Spec; target: Spec }, _params: LossParams) => ({ shape: s.x.shape, dtype: s.x.dtype }),
  kernel(k, { dy, x, target }, dx, p) {
    const r = reductions.indexOf(p.reduction);
    k.crossEntropyGrad(dx.ptr, dy.ptr, x.ptr, target.ptr, placed(p.weight, x.dtype), target.size, x.shape[1], p.ignore, p.smoothing, r);
  },
  saves: ["dy", "x", "target"],
  vjp: (g, { dy, x, target }, { params }) => ({
    dy: () => {
      const ones = full(dy.shape, 1, { dtype: dy.dtype });
      const products = mul(g, crossEntropyGrad(ones, x, target, params));
      return params.reduction === "none" ? sum(products, { axis: -1 }) : sum(products);
    },
    x: () => {
      const column = [target.size, 1];
      const scale = reshape(apply(crossEntropyScaleOp, { target }, { ...params, cols: x.shape[1], dtype: x.dtype }), column);
      const factor = mul(scale, params.reduction === "none" ? reshape(dy, column) : dy);
      return mul(factor, softmaxGradRows(g, softmax(x)));
    },
    target: "none",
  }),
  samples: [
    (draw) => {
      const [rows, classes] = [draw.integer(0, 4), draw.integer(1, 5)];
      const { target, params } = anyLoss(draw, [rows], classes);
      const dy = { shape: params.reduction === "none" ? [rows] : [] };
      return { inputs: { dy, x: { shape: [rows, classes] }, target }, params };
    },
  ],
});

/**
 * The gradient of a loss that is one number, and behind it the loss, in one pass: rows * cols + 1 elements, with the bits of
 * crossEntropyGrad(dy, x, target) and crossEntropy(x, target). What a compiled graph uses where it has both.
 */
export const crossEntropyWithGrad: AnyOp = {
  name: "crossEntropyWithGrad",
  inputs: ["dy", "x", "target"],
  shape: ({ x }: Record<string, Spec>) => ({ shape: [sizeOf(x.shape) + 1], dtype: x.dtype }),
  flops: ({ x }: Record<string, Spec>) => 8 * sizeOf(x.shape),
  kernel(k, { dy, x, target }, y, p: LossParams) {
    const [cols, r] = [x.shape[1], reductions.indexOf(p.reduction)];
    const bad = k.crossEntropyWithGrad(y.ptr, dy.ptr, x.ptr, target.ptr, placed(p.weight, x.dtype), target.size, cols, p.ignore, p.smoothing, r);
    if (bad > 0) throw outside("crossEntropy", target, bad - 1, cols, p.ignore);
  },
  ...joined,
};

/** Per row what multiplies the softmax in the gradient: 0 where it is ignored. */
const crossEntropyScaleOp = op({
  name: "crossEntropyScale",
  inputs: ["target"],
  batch: (batch) => batchedScale(batch, targetWeights, batch.params.cols),
  shape: (s: { target: Spec }, params: LossParams & { readonly cols: number; readonly dtype: DType }) => ({
    shape: s.target.shape,
    dtype: params.dtype,
  }),
  kernel: (k, { target }, y, p) =>
    k.crossEntropyScale(y.ptr, target.ptr, placed(p.weight, y.dtype), target.size, p.cols, p.ignore, p.smoothing, reductions.indexOf(p.reduction)),
  saves: [],
  vjp: "none",
  samples: [],
});

/** The weight of each target, 0 where it is ignored. */
function targetWeights(target: Tensor, { weight, ignore }: NllParams, cols: number, dtype: DType): Tensor {
  return apply(crossEntropyScaleOp, { target }, { weight, ignore, smoothing: 0, reduction: "none", cols, dtype });
}

/**
 * Negative log-likelihood -w[t] logProbs[t] of log-probabilities [N, C], [C] or [N, C, d1, ...] and class numbers, int32
 * [N], [] or [N, d1, ...]. Throws ShapeError, DtypeError, NumericError for a class outside 0..C-1, ConfigError for an unknown option,
 * GradientError for a weight that requires a gradient.
 */
export function nllLoss(logProbs: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor {
  const name = "nllLoss";
  checkedTensor(name, "logProbs", logProbs);
  checkedTensor(name, "target", target);
  floatDtype(name, { logProbs });
  const { reduction, weight, ignoreIndex = -100 } = checkedOptions(name, options, ["reduction", "weight", "ignoreIndex"]);
  const ignore = checkedIgnoreIndex(name, ignoreIndex);
  const how = checkedReduction(name, reduction ?? "mean");
  const w = checkedPart(name, "weight", weight, logProbs, [classesOf(name, logProbs)]);
  if (w !== null) checkedConstant(name, "weight", w);
  checkClassNumbers(name, logProbs, target);
  return picked(logProbs, target, { weight: w?.data(), ignore, reduction: how });
}

type NllParams = Omit<LossParams, "smoothing">;

/** Sizes before, at and after the class axis. */
function classParts(shape: readonly number[]): [outer: number, n: number, inner: number] {
  return shape.length === 1 ? [1, shape[0], 1] : [shape[0], shape[1], sizeOf(shape.slice(2))];
}

function nllSample(draw: Draw) {
  const shape = draw.shape(1, 4).map((n, i) => (i < 2 ? Math.max(1, n) : n));
  const places = shape.length === 1 ? [] : [shape[0], ...shape.slice(2)];
  const { target, params } = anyLoss(draw, places, classParts(shape)[1]);
  return { shape, places, target, params: { weight: params.weight, ignore: params.ignore, reduction: params.reduction } };
}

function picked(x: Tensor, target: Tensor, params: NllParams): Tensor {
  return apply(nllLossOp, { x, target }, params);
}
const nllLossOp = op({
  name: "nllLoss",
  inputs: ["x", "target"],
  batch: (batch) => batchedLoss(batch, classParts(batch.shapes.x)[1], targetWeights),
  shape: (s: { x: Spec; target: Spec }, params: NllParams) => ({ shape: params.reduction === "none" ? s.target.shape : [], dtype: s.x.dtype }),
  kernel(k: Kernels, { x, target }, y, p) {
    const [outer, n, inner] = classParts(x.shape);
    const bad = k.nllLoss(y.ptr, x.ptr, target.ptr, placed(p.weight, x.dtype), outer, n, inner, p.ignore, reductions.indexOf(p.reduction));
    if (bad > 0) throw outside("nllLoss", target, bad - 1, n, p.ignore);
  },
  saves: ["target"],
  vjp: (dy, { target }, { params, shapes }) => ({
    x: () => nllLossGrad(dy, target, { ...params, shape: shapes.x }),
    target: "none",
  }),
  samples: [
    (draw) => {
      const { shape, target, params } = nllSample(draw);
      return { inputs: { x: { shape }, target }, params };
    },
  ],
});

type NllGradParams = NllParams & { readonly shape: readonly number[] };

function nllLossGrad(dy: Tensor, target: Tensor, params: NllGradParams): Tensor {
  return apply(nllLossGradOp, { dy, target }, params);
}
/** -w[t] dy / divisor at the targets, 0 elsewhere. */
const nllLossGradOp = op({
  name: "nllLossGrad",
  inputs: ["dy", "target"],
  batch: (batch) => {
    const { size, params } = batch;
    const { dy, target } = everyOperand(batch);
    const rows = rowGradients(batch, dy, target, classParts(params.shape)[1], targetWeights);
    const single = params.shape.length === 1;
    const shape = single ? [size, ...params.shape] : [size * params.shape[0], ...params.shape.slice(1)];
    const dx = batch.again({ dy: rows, target: single ? target : merged(target) }, { ...params, shape, reduction: "none" });
    return reshape(dx, [size, ...params.shape]);
  },
  shape: (s: { dy: Spec; target: Spec }, params: NllGradParams) => ({ shape: params.shape, dtype: s.dy.dtype }),
  kernel(k, { dy, target }, dx, p) {
    const [outer, n, inner] = classParts(p.shape);
    k.nllLossGrad(dx.ptr, dy.ptr, target.ptr, placed(p.weight, dy.dtype), outer, n, inner, p.ignore, reductions.indexOf(p.reduction));
  },
  saves: ["target"],
  // the loss is linear in x, so its derivative is linear in dy, and the transpose of that is the loss
  vjp: (g, { target }, { params }) => ({
    dy: () => picked(g, target, { weight: params.weight, ignore: params.ignore, reduction: params.reduction }),
    target: "none",
  }),
  samples: [
    (draw) => {
      const { shape, places, target, params } = nllSample(draw);
      const dy = { shape: params.reduction === "none" ? places : [] };
      return { inputs: { dy, target }, params: { ...params, shape } };
    },
  ],
});
