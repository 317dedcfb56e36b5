// Softmax and its logarithm over an axis, and cross-entropy fused with it.
import type { DType } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, NumericError, ShapeError } from "../../bindings/errors.js";
import { view } from "../../bindings/memory.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { checkedAxis, type Shape, sameShape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { mul, sub } from "./binary.js";
import { full } from "./create.js";
import { exp } from "./exponential.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { sum } from "./reduce.js";
import { reshape, transpose } from "./shape.js";
import { neg } from "./unary.js";

/** Applies `fn`, which works on the last axis, to another. */
function along(name: string, x: Tensor, axis: number, fn: (x: Tensor) => Tensor): Tensor {
  checkedTensor(name, "x", x);
  const at = checkedAxis(name, axis, x.ndim);
  return at === x.ndim - 1 ? fn(x) : transpose(fn(transpose(x, at, -1)), at, -1);
}

function colsOf(x: Tensor): number {
  return x.shape[x.ndim - 1];
}

function rowsOf(x: Tensor): number {
  return x.size === 0 ? 0 : x.size / colsOf(x);
}

/** Softmax over an axis (the last by default): e^x / sum(e^x). */
export function softmax(x: Tensor, options: { axis?: number } = {}): Tensor {
  return along("softmax", x, options.axis ?? -1, (rows) => apply(softmaxOp, { x: rows }));
}
const softmaxOp = op({
  name: "softmax",
  inputs: ["x"],
  shape: (x: { x: Spec }) => ({ shape: x.x.shape, dtype: floatDtype("softmax", x) }),
  kernel: (k, { x }, y) => k.softmaxRows(y.ptr, x.ptr, rowsOf(x), colsOf(x)),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => softmaxGrad(dy, y) }),
  samples: [{ inputs: { x: { shape: [3, 5] } } }, { inputs: { x: { shape: [2, 3, 1] } } }, { inputs: { x: { shape: [0, 3] } } }],
});

function softmaxGrad(dy: Tensor, y: Tensor): Tensor {
  return apply(softmaxGradOp, { dy, y });
}
/** y (dy - sum(dy y)). */
const softmaxGradOp = op({
  name: "softmaxGrad",
  inputs: ["dy", "y"],
  shape: (x: { dy: Spec; y: Spec }) => ({ shape: x.y.shape, dtype: floatDtype("softmaxGrad", x) }),
  kernel: (k, { dy, y }, dx) => k.softmaxGradRows(dx.ptr, dy.ptr, y.ptr, rowsOf(y), colsOf(y)),
  saves: ["dy", "y"],
  vjp: (g, { dy, y }) => ({
    dy: () => softmaxGrad(g, y),
    y: () => sub(mul(g, sub(dy, dot(dy, y))), mul(dot(g, y), dy)),
  }),
  samples: [{ inputs: { dy: { shape: [3, 5] }, y: { shape: [3, 5] } } }],
});

/** Row by row sum(a b), as a column. */
function dot(a: Tensor, b: Tensor): Tensor {
  return sum(mul(a, b), { axis: -1, keepdims: true });
}

/** Logarithm of softmax over an axis (the last by default): x - log(sum(e^x)). */
export function logSoftmax(x: Tensor, options: { axis?: number } = {}): Tensor {
  return along("logSoftmax", x, options.axis ?? -1, (rows) => apply(logSoftmaxOp, { x: rows }));
}
const logSoftmaxOp = op({
  name: "logSoftmax",
  inputs: ["x"],
  shape: (x: { x: Spec }) => ({ shape: x.x.shape, dtype: floatDtype("logSoftmax", x) }),
  kernel: (k, { x }, y) => k.logSoftmaxRows(y.ptr, x.ptr, rowsOf(x), colsOf(x)),
  saves: ["y"],
  vjp: (dy, { y }) => ({ x: () => logSoftmaxGrad(dy, y) }),
  samples: [{ inputs: { x: { shape: [3, 5] } } }, { inputs: { x: { shape: [4] } } }, { inputs: { x: { shape: [0, 3] } } }],
});

function logSoftmaxGrad(dy: Tensor, y: Tensor): Tensor {
  return apply(logSoftmaxGradOp, { dy, y });
}
/** dy - e^y sum(dy). */
const logSoftmaxGradOp = op({
  name: "logSoftmaxGrad",
  inputs: ["dy", "y"],
  shape: (x: { dy: Spec; y: Spec }) => ({ shape: x.y.shape, dtype: floatDtype("logSoftmaxGrad", x) }),
  kernel: (k, { dy, y }, dx) => k.logSoftmaxGradRows(dx.ptr, dy.ptr, y.ptr, rowsOf(y), colsOf(y)),
  saves: ["dy", "y"],
  vjp: (g, { dy, y }) => ({
    dy: () => sub(g, dot(g, exp(y))),
    y: () => neg(mul(mul(g, exp(y)), sum(dy, { axis: -1, keepdims: true }))),
  }),
  samples: [{ inputs: { dy: { shape: [3, 5] }, y: { shape: [3, 5] } } }],
});

export type Reduction = "none" | "sum" | "mean";

export interface CrossEntropyOptions {
  /** "mean" (default) over the rows not ignored, "sum", or "none" for one loss a row. */
  reduction?: Reduction;
  /** Rows with this target count nothing; -100 by default. */
  ignoreIndex?: number;
  /** Share of the target that is spread over all classes, from 0 (default) to 1 (Szegedy et al. 2016, section 7). */
  labelSmoothing?: number;
}

interface CrossEntropyParams {
  readonly ignore: number;
  readonly smoothing: number;
  readonly reduction: Reduction;
}

const reductions: readonly Reduction[] = ["none", "sum", "mean"];

/**
 * Cross-entropy of logits [N, C] (or [C]) against class numbers, int32 [N] (or a scalar):
 * logsumexp(x) - x[target], fused forward and backward.
 * Throws ShapeError, DtypeError, NumericError for a target outside 0..C-1, ConfigError for an unknown option.
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { reduction = "mean", ignoreIndex = -100, labelSmoothing = 0, ...unknown } = options;
  for (const name in unknown) throw new ConfigError(`crossEntropy: expected options reduction, ignoreIndex, labelSmoothing; got ${name}`);
  if (!reductions.includes(reduction)) throw new ConfigError(`crossEntropy: expected reduction none, sum or mean; got ${String(reduction)}`);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) throw new ConfigError(`crossEntropy: expected labelSmoothing from 0 to 1; got ${String(labelSmoothing)}`);
  if (!Number.isInteger(ignoreIndex)) throw new ConfigError(`crossEntropy: expected a whole number for ignoreIndex; got ${String(ignoreIndex)}`);
  return apply(crossEntropyOp, { x: logits, target: targets }, { ignore: ignoreIndex, smoothing: labelSmoothing, reduction });
}

function lossShape(x: Spec, target: Spec, reduction: Reduction): Shape {
  if (target.dtype !== "int32") throw new DtypeError(`crossEntropy: expected targets of dtype int32 (class numbers); got ${target.dtype}`);
  const rows = x.shape.slice(0, -1);
  if (x.shape.length < 1 || x.shape.length > 2 || !sameShape(rows, target.shape)) {
    throw new ShapeError(`crossEntropy: expected logits [N, C] and targets [N]; got ${showShape(x.shape)} and ${showShape(target.shape)}`);
  }
  return reduction === "none" ? rows : [];
}

const crossEntropySamples = [
  { inputs: { x: { shape: [3, 5] }, target: labels([4, 0, 2]) }, params: { ignore: -100, smoothing: 0, reduction: "mean" } },
  { inputs: { x: { shape: [4, 5] }, target: labels([4, -1, 2, 1]) }, params: { ignore: -1, smoothing: 0.1, reduction: "mean" } },
  { inputs: { x: { shape: [4, 3] }, target: labels([0, -100, 2, 1]) }, params: { ignore: -100, smoothing: 0.2, reduction: "none" } },
  { inputs: { x: { shape: [2, 3] }, target: labels([0, 1]) }, params: { ignore: -100, smoothing: 0, reduction: "sum" } },
  { inputs: { x: { shape: [0, 3] }, target: labels([]) }, params: { ignore: -100, smoothing: 0, reduction: "sum" } },
] as const;

function labels(values: readonly number[]) {
  return { values, shape: [values.length], dtype: "int32" } as const;
}

const crossEntropyOp = op({
  name: "crossEntropy",
  inputs: ["x", "target"],
  shape(s: { x: Spec; target: Spec }, params: CrossEntropyParams) {
    return { shape: lossShape(s.x, s.target, params.reduction), dtype: floatDtype("crossEntropy", { logits: s.x }) };
  },
  kernel(k, { x, target }, y, p) {
    const bad = k.crossEntropy(y.ptr, x.ptr, target.ptr, target.size, colsOf(x), p.ignore, p.smoothing, reductions.indexOf(p.reduction));
    if (bad === 0) return;
    const row = bad - 1;
    throw new NumericError(
      `crossEntropy: expected targets from 0 to ${colsOf(x) - 1} or ignoreIndex ${p.ignore}; got ${view(target.ptr, target.size, "int32")[row]} at row ${row}`,
    );
  },
  saves: ["x", "target"],
  vjp: (dy, { x, target }, { params }) => ({ x: () => crossEntropyGrad(dy, x, target, params), target: "none" }),
  samples: crossEntropySamples,
});

function crossEntropyGrad(dy: Tensor, x: Tensor, target: Tensor, params: CrossEntropyParams): Tensor {
  return apply(crossEntropyGradOp, { dy, x, target }, params);
}
/** scale dy (softmax(x) - target distribution), scale as in crossEntropyScale. */
const crossEntropyGradOp = op({
  name: "crossEntropyGrad",
  inputs: ["dy", "x", "target"],
  shape: (s: { dy: Spec; x: Spec; target: Spec }, _params: CrossEntropyParams) => ({
    shape: s.x.shape,
    dtype: floatDtype("crossEntropyGrad", { dy: s.dy, x: s.x }),
  }),
  kernel: (k, { dy, x, target }, dx, p) =>
    k.crossEntropyGrad(dx.ptr, dy.ptr, x.ptr, target.ptr, target.size, colsOf(x), p.ignore, p.smoothing, reductions.indexOf(p.reduction)),
  saves: ["dy", "x", "target"],
  vjp: (g, { dy, x, target }, { params }) => ({
    dy: () => {
      const ones = full(dy.shape, 1, { dtype: dy.dtype });
      const products = mul(g, crossEntropyGrad(ones, x, target, params));
      return params.reduction === "none" ? sum(products, { axis: -1 }) : sum(products);
    },
    x: () => {
      const column = [...target.shape, 1];
      const scale = reshape(apply(crossEntropyScaleOp, { target }, { ...params, dtype: x.dtype }), column);
      const factor = mul(scale, params.reduction === "none" ? reshape(dy, column) : dy);
      return mul(factor, softmaxGrad(g, softmax(x)));
    },
    target: "none",
  }),
  samples: crossEntropySamples.map(({ inputs, params }) => ({
    inputs: { dy: { shape: params.reduction === "none" ? inputs.target.shape : [] }, ...inputs },
    params,
  })),
});

/** Per row 0 where it is ignored, else 1, or 1 / rows not ignored for the mean. */
const crossEntropyScaleOp = op({
  name: "crossEntropyScale",
  inputs: ["target"],
  shape: (s: { target: Spec }, params: CrossEntropyParams & { readonly dtype: DType }) => ({
    shape: s.target.shape,
    dtype: params.dtype,
  }),
  kernel: (k, { target }, y, p) => k.crossEntropyScale(y.ptr, target.ptr, target.size, p.ignore, reductions.indexOf(p.reduction)),
  saves: [],
  vjp: "none",
  samples: [],
});
