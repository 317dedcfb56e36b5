// Layer, group, instance and root-mean-square normalisation, fused forward and backward. The kernels see x as
// [N, G, K, I]: K channels of I neighbours in each of N x G rows that are normalised; w and b are [G, K].

import { DtypeError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { scratch } from "../../bindings/memory.js";
import { apply, type Draw, op, type Spec } from "../../bindings/op.js";
import { checkedShape, type Shape, sameShape, showShape, sizeOf } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { foldingChannels } from "./batching.js";
import { add, div, mul, sub } from "./binary.js";
import { checkedNumber, checkedOptions, checkedPart } from "./checks.js";
import { full } from "./create.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { mean, sum } from "./reduce.js";
import { reshape } from "./shape.js";
import { leadingRows } from "./splits.js";
import { neg, reciprocal, sqrt, square } from "./unary.js";

export interface LayerNormOptions {
  /** Added to the variance; 1e-5 by default. */
  eps?: number;
}

interface Params {
  readonly eps: number;
}

/**
 * The derivative with respect to x of sum(g D(u)), where D(u) = r (u - mean(u) - n mean(u n)) is the derivative of
 * n = (x - mean) r, r = 1 / sqrt(variance + eps), over `axes`; without `centred` the mean counts as 0.
 */
export function secondOrder(
  g: Tensor,
  u: Tensor,
  x: Tensor,
  normal: Tensor,
  derivative: (u: Tensor) => Tensor,
  axes: readonly number[],
  eps: number,
  centred: boolean,
): Tensor {
  const over = { axis: axes, keepdims: true };
  const count = sizeOf(axes.map((axis) => x.shape[axis]));
  const centre = centred ? sub(x, mean(x, over)) : x;
  const r = reciprocal(sqrt(add(mean(square(centre), over), eps)));
  const a = sum(mul(g, normal), over);
  const c = sum(mul(u, normal), over);
  const products = sum(mul(g, u), over);
  const both = centred ? sub(products, div(mul(sum(g, over), sum(u, over)), count)) : products;
  // r (both - a c / count) is sum(g D(u)); dr = -r^2 n / count, da = D(g), dc = D(u)
  const viaScale = mul(mul(r, normal), sub(both, div(mul(a, c), count)));
  const viaSums = add(mul(c, derivative(g)), mul(a, derivative(u)));
  return neg(mul(div(r, count), add(viaScale, viaSums)));
}

/** Sums over N and I of [N, G, K, I], to [G, K]. */
function channelSums(x: Tensor): Tensor {
  const [n, groups, channels, inner] = x.shape;
  if (inner === 1) return reshape(sum(reshape(x, [n, groups * channels]), { axis: 0 }), [groups, channels]);
  return sum(sum(x, { axis: 3 }), { axis: 0 });
}

/** w [G, K] beside x [N, G, K, I]. */
function beside(w: Tensor): Tensor {
  return reshape(w, [1, ...w.shape, 1]);
}

function constantLike(x: Tensor, value: number): Tensor {
  return full([x.shape[1], x.shape[2]], value, { dtype: x.dtype as "float32" });
}

function anyRows(draw: Draw): { x: number[]; w: number[] } {
  const x = [draw.integer(0, 3), draw.integer(1, 3), draw.integer(1, 4), draw.pick([1, 1, 2, 3])];
  return { x, w: [x[1], x[2]] };
}

function declared(name: "layerNorm" | "groupNorm" | "rmsNorm", centred: boolean): (x: Tensor, w: Tensor, b: Tensor, params: Params) => Tensor {
  const rows = (x: Tensor): [rows: number, cols: number, groups: number, inner: number] => {
    const [n, groups, channels, inner] = x.shape;
    return [n * groups, channels * inner, groups, inner];
  };
  // a row of one or two elements that nearly agree has a derivative too steep for finite differences
  const eps = 0.1;

  const forward = (x: Tensor, w: Tensor, b: Tensor, params: Params): Tensor => apply(forwardOp, { x, w, b }, params);
  const forwardOp = op({
    name,
    inputs: ["x", "w", "b"],
    split: leadingRows("x"),
    batch: foldingChannels({ samples: ["x"], channels: ["w", "b"], y: "samples" }),
    shape: (s: { x: Spec; w: Spec; b: Spec }, _params: Params) => ({ shape: s.x.shape, dtype: floatDtype(name, s) }),
    kernel(k, { x, w, b }, y, p) {
      if (y.size > 0) k.layerNorm(y.ptr, x.ptr, w.ptr, b.ptr, ...rows(x), p.eps, centred ? 1 : 0);
    },
    saves: ["x", "w"],
    vjp: (dy, { x, w }, { params }) => ({
      x: () => grad(dy, x, w, params),
      w: () => weightGrad(dy, x, params),
      b: () => channelSums(dy),
    }),
    samples: [
      (draw) => {
        const { x, w } = anyRows(draw);
        return { inputs: { x: { shape: x }, w: { shape: w }, b: { shape: w } }, params: { eps } };
      },
    ],
  });

  const grad = (dy: Tensor, x: Tensor, w: Tensor, params: Params): Tensor => apply(gradOp, { dy, x, w }, params);
  /** The gradient of a norm for x [N, G, K, I]: r (u - mean(u) - n mean(u n)) with u = dy w, n the normal x and r its scale; rmsNorm without mean(u). */
  const gradOp = op({
    name: `${name}Grad`,
    inputs: ["dy", "x", "w"],
    split: leadingRows("dy", "x"),
    batch: foldingChannels({ samples: ["dy", "x"], channels: ["w"], y: "samples" }),
    shape: (s: { dy: Spec; x: Spec; w: Spec }, _params: Params) => ({ shape: s.x.shape, dtype: floatDtype(`${name}Grad`, s) }),
    kernel(k, { dy, x, w }, dx, p) {
      if (dx.size > 0) k.layerNormGrad(dx.ptr, dy.ptr, x.ptr, w.ptr, ...rows(x), p.eps, centred ? 1 : 0);
    },
    saves: ["dy", "x", "w"],
    vjp(g, { dy, x, w }, { params }) {
      const derivative = (u: Tensor): Tensor => grad(u, x, constantLike(x, 1), params);
      return {
        dy: () => mul(derivative(g), beside(w)),
        x: () => {
          const normal = forward(x, constantLike(x, 1), constantLike(x, 0), params);
          return secondOrder(g, mul(dy, beside(w)), x, normal, derivative, [2, 3], params.eps, centred);
        },
        w: () => channelSums(mul(dy, derivative(g))),
      };
    },
    samples: [
      (draw) => {
        const { x, w } = anyRows(draw);
        return { inputs: { dy: { shape: x }, x: { shape: x }, w: { shape: w } }, params: { eps } };
      },
    ],
  });

  const weightGrad = (dy: Tensor, x: Tensor, params: Params): Tensor => apply(weightGradOp, { dy, x }, params);
  /** The gradient of a norm for w [G, K]: the sums of dy n over N and I, n the normal x. */
  const weightGradOp = op({
    name: `${name}WeightGrad`,
    inputs: ["dy", "x"],
    batch: foldingChannels({ samples: ["dy", "x"], channels: [], y: "channels" }),
    shape: (s: { dy: Spec; x: Spec }, _params: Params) => ({ shape: s.x.shape.slice(1, 3), dtype: floatDtype(`${name}WeightGrad`, s) }),
    kernel(k, { dy, x }, dw, p) {
      if (dw.size > 0 && x.shape[3] > 0) k.layerNormWeightGrad(dw.ptr, dy.ptr, x.ptr, scratch(dw.size * 8), ...rows(x), p.eps, centred ? 1 : 0);
      else if (dw.size > 0) k.fill(dw.ptr, 0, dw.size);
    },
    saves: ["dy", "x"],
    vjp: (g, { dy, x }, { params }) => ({
      dy: () => mul(forward(x, constantLike(x, 1), constantLike(x, 0), params), beside(g)),
      x: () => grad(dy, x, g, params),
    }),
    samples: [
      (draw) => {
        const { x } = anyRows(draw);
        return { inputs: { dy: { shape: x }, x: { shape: x } }, params: { eps } };
      },
    ],
  });
  return forward;
}

const layer = declared("layerNorm", true);
const group = declared("groupNorm", true);
const rootMeanSquare = declared("rmsNorm", false);

/** Runs a norm over x as [N, G, K, I], with weights of 1 and offsets of 0 where none came. */
function normed(
  run: (x: Tensor, w: Tensor, b: Tensor, params: Params) => Tensor,
  x: Tensor,
  rows: readonly [number, number, number, number],
  w: Tensor | null,
  b: Tensor | null,
  eps: number,
): Tensor {
  return scope(() => {
    const rect = reshape(x, rows);
    const weight = w === null ? constantLike(rect, 1) : reshape(w, [rows[1], rows[2]]);
    const offset = b === null ? constantLike(rect, 0) : reshape(b, [rows[1], rows[2]]);
    return reshape(run(rect, weight, offset, { eps }), x.shape);
  });
}

function checkedInput(name: string, x: unknown): asserts x is Tensor {
  checkedTensor(name, "x", x);
  x.alive(name);
  floatDtype(name, { x });
}

/** The trailing axes that are normalised. */
function trailing(name: string, x: Tensor, normalizedShape: number | Shape): number[] {
  const shape = checkedShape(name, typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape);
  const first = x.ndim - shape.length;
  if (shape.length === 0 || first < 0 || !sameShape(x.shape.slice(first), shape)) {
    throw new ShapeError(`${name}: expected x whose last axes are ${showShape(shape)}, one at least; got ${showShape(x.shape)}`);
  }
  return shape;
}

/**
 * Layer normalisation (Ba et al. 2016) over the last axes, whose sizes are normalizedShape:
 * (x - mean) / sqrt(variance + eps) w + b, the variance over the number of elements; w and b have normalizedShape or are null.
 * Throws ShapeError, DtypeError, ConfigError.
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  w: Tensor | null = null,
  b: Tensor | null = null,
  options: LayerNormOptions = {},
): Tensor {
  checkedInput("layerNorm", x);
  const shape = trailing("layerNorm", x, normalizedShape);
  const { eps = 1e-5 } = checkedOptions("layerNorm", options, ["eps"]);
  const weight = checkedPart("layerNorm", "w", w, x, shape);
  const offset = checkedPart("layerNorm", "b", b, x, shape);
  const cols = sizeOf(shape);
  const rows = sizeOf(x.shape.slice(0, x.ndim - shape.length));
  return normed(layer, x, [rows, 1, cols, 1], weight, offset, checkedNumber("layerNorm", "eps", eps, 0, Number.MAX_VALUE));
}

/**
 * Normalisation by the root mean square (Zhang and Sennrich 2019) over the last axes, whose sizes are normalizedShape:
 * x / sqrt(mean(x^2) + eps) w; eps is that of the dtype by default, as in PyTorch: 2^-23 or 2^-52.
 * Throws ShapeError, DtypeError, ConfigError.
 */
export function rmsNorm(x: Tensor, normalizedShape: number | Shape, w: Tensor | null = null, options: { eps?: number | null } = {}): Tensor {
  checkedInput("rmsNorm", x);
  const shape = trailing("rmsNorm", x, normalizedShape);
  const { eps } = checkedOptions("rmsNorm", options, ["eps"]);
  const weight = checkedPart("rmsNorm", "w", w, x, shape);
  const least = checkedNumber("rmsNorm", "eps", eps ?? (x.dtype === "float32" ? 2 ** -23 : 2 ** -52), 0, Number.MAX_VALUE);
  const cols = sizeOf(shape);
  return normed(rootMeanSquare, x, [sizeOf(x.shape.slice(0, x.ndim - shape.length)), 1, cols, 1], weight, null, least);
}

/**
 * Group normalisation (Wu and He 2018) of x [N, C, ...]: the channels in `groups` of equal size, each group of each
 * sample normalised as in layerNorm; w and b are [C] or null. Throws ShapeError, DtypeError, ConfigError.
 */
export function groupNorm(x: Tensor, groups: number, w: Tensor | null = null, b: Tensor | null = null, options: LayerNormOptions = {}): Tensor {
  checkedInput("groupNorm", x);
  const { eps = 1e-5 } = checkedOptions("groupNorm", options, ["eps"]);
  const [n, channels] = checkedChannels("groupNorm", x, 2);
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    const got = typeof groups === "number" ? String(groups) : showValue(groups);
    throw new ShapeError(`groupNorm: expected a number of groups that divides the ${channels} channels of x ${showShape(x.shape)}; got ${got}`);
  }
  const weight = checkedPart("groupNorm", "w", w, x, [channels]);
  const offset = checkedPart("groupNorm", "b", b, x, [channels]);
  const rows = [n, groups, channels / groups, sizeOf(x.shape.slice(2))] as const;
  return normed(group, x, rows, weight, offset, checkedNumber("groupNorm", "eps", eps, 0, Number.MAX_VALUE));
}

/** Each channel of each sample normalised by itself, x [N, C, ...], w and b [C] or null. */
export function perSample(x: Tensor, w: Tensor | null, b: Tensor | null, eps: number): Tensor {
  return normed(group, x, [x.shape[0], x.shape[1], 1, sizeOf(x.shape.slice(2))], w, b, eps);
}

/** Samples and channels of x [N, C, ...]. */
export function checkedChannels(name: string, x: Tensor, least: number): [samples: number, channels: number] {
  if (x.ndim < least) throw new ShapeError(`${name}: expected x of shape [N, C${least > 2 ? ", ..." : ""}] or more; got ${showShape(x.shape)}`);
  if (x.dtype !== "float32" && x.dtype !== "float64") throw new DtypeError(`${name}: expected x of dtype float32 or float64; got ${x.dtype}`);
  return [x.shape[0], x.shape[1]];
}
