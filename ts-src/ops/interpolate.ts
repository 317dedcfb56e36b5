// Images in another size. Every mode mixes, along each axis, a few neighbours with given weights; the kernels read both from tables.
import { ConfigError, ShapeError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { scratch, view } from "../../bindings/memory.js";
import { apply, type Draw, op, type Spec } from "../../bindings/op.js";
import { showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { leading } from "./batching.js";
import { checkedFlag, checkedOptions } from "./checks.js";
import { windowMean } from "./mean-windows.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { mixing, type Resampling, tapsOf } from "./resampling.js";
import { squeeze, unsqueeze } from "./shape.js";
import { checkedImage, checkedPair, type Pair, type PerAxis, pairOf, planesOf, showOption } from "./window.js";

export type InterpolateMode = Resampling | "area";

export interface InterpolateOptions {
  /** Output size, one number or one for each axis; this or `scaleFactor`. */
  size?: PerAxis | null;
  /** Output size / input size, rounded down. */
  scaleFactor?: PerAxis | null;
  /** "nearest" (default), "nearest-exact", "area"; "linear" for [N, C, L]; "bilinear", "bicubic" for [N, C, H, W]. */
  mode?: InterpolateMode;
  /** For the linear and cubic modes: corners lie on corners instead of edges on edges; false by default. */
  alignCorners?: boolean | null;
  /** Positions follow from the rounded sizes instead of from `scaleFactor`; false by default. */
  recomputeScaleFactor?: boolean | null;
}

interface Params {
  readonly mode: Resampling;
  readonly image: Pair;
  readonly out: Pair;
  /** Input pixels an output pixel as given; null where the sizes say. */
  readonly steps: Pair | null;
  readonly alignCorners: boolean;
}

const names = ["size", "scaleFactor", "mode", "alignCorners", "recomputeScaleFactor"] as const;
const modes = [
  ["nearest", "nearest-exact", "linear", "area"],
  ["nearest", "nearest-exact", "bilinear", "bicubic", "area"],
];

/**
 * x [N, C, L] or [N, C, H, W] resampled to another size (PyTorch's interpolate; antialias false).
 * Throws ShapeError, DtypeError, ConfigError for an option that cannot be.
 */
export function interpolate(x: Tensor, options: InterpolateOptions = {}): Tensor {
  const name = "interpolate";
  checkedTensor(name, "x", x);
  const axes = x.ndim === 3 ? 1 : 2;
  checkedImage(name, x, axes, false);
  floatDtype(name, { x });
  checkedOptions(name, options, names);
  const { mode = "nearest" } = options;
  if (!modes[axes - 1].includes(mode)) {
    throw new ConfigError(`${name}: expected mode ${modes[axes - 1].join(", ")} for shape ${showShape(x.shape)}; got ${showOption(mode)}`);
  }
  const corners = options.alignCorners ?? null;
  if (corners !== null) checkedFlag(name, "alignCorners", corners);
  if (corners !== null && (mode === "nearest" || mode === "nearest-exact" || mode === "area")) {
    throw new ConfigError(`${name}: expected no alignCorners with mode ${mode}; got ${corners}`);
  }
  const image: Pair = axes === 1 ? [1, x.shape[2]] : pairOf(x.shape);
  if (image[0] === 0 || image[1] === 0) throw new ShapeError(`${name}: expected an image of at least one pixel; got shape ${showShape(x.shape)}`);
  const { out, steps } = wanted(name, axes, image, options);
  return scope(() => {
    const planes = axes === 1 ? unsqueeze(x, 2) : x;
    const y = mode === "area" ? windowMean(planes, { rule: null, image, out }) : resampled(planes, { mode, image, out, steps, alignCorners: corners ?? false });
    return axes === 1 ? squeeze(y, 2) : y;
  });
}

/** Output size, and the steps if a scale gives them. */
function wanted(name: string, axes: 1 | 2, image: Pair, options: InterpolateOptions): { out: Pair; steps: Pair | null } {
  const { size, scaleFactor } = options;
  const recompute = options.recomputeScaleFactor ?? false;
  checkedFlag(name, "recomputeScaleFactor", recompute);
  const sized = size !== undefined && size !== null;
  const scaled = scaleFactor !== undefined && scaleFactor !== null;
  if (sized === scaled) throw new ConfigError(`${name}: expected either size or scaleFactor; got ${sized ? "both" : "neither"}`);
  if (sized) {
    if (recompute) throw new ConfigError(`${name}: expected recomputeScaleFactor with scaleFactor only; got it with size`);
    return { out: checkedPair(name, "size", size, axes, 1, 1), steps: null };
  }
  const list: unknown[] = Array.isArray(scaleFactor) ? scaleFactor : [scaleFactor];
  const valid = list.every((item) => typeof item === "number" && item > 0 && item < Number.POSITIVE_INFINITY);
  if (!valid || (list.length !== 1 && list.length !== axes)) {
    throw new ConfigError(`${name}: expected numbers > 0 for scaleFactor, one or one for each of ${axes} axes; got ${showOption(scaleFactor)}`);
  }
  const factors = list as number[];
  const factor: Pair = [axes === 1 ? 1 : factors[0], factors[factors.length - 1]];
  const out: Pair = [Math.floor(image[0] * factor[0]), Math.floor(image[1] * factor[1])];
  if (!(Math.min(...out) >= 1 && Math.max(...out) <= 2 ** 30)) throw new ShapeError(`${name}: expected an output size from 1 to 2^30; got ${showShape(out)}`);
  return { out, steps: recompute ? null : [1 / factor[0], 1 / factor[1]] };
}

type Tables = [rowIndex: number, rowWeight: number, colIndex: number, colWeight: number, room: number, rowTaps: number, colTaps: number];

/** Neighbours and weights of both axes and room, in the kernel's scratch. */
function tables(p: Params, dtype: "float32" | "float64", roomBytes: number): Tables {
  const bytes = dtype === "float64" ? 8 : 4;
  const taps = tapsOf(p.mode);
  const counts = [p.out[0] * taps, p.out[1] * taps];
  const regions = [counts[0] * bytes, counts[0] * 4, counts[1] * bytes, counts[1] * 4].map((n) => Math.ceil(n / 64) * 64);
  let at = scratch(regions.reduce((a, b) => a + b, roomBytes));
  const pointers: number[] = [];
  for (const axis of [0, 1] as const) {
    pointers.push(at + regions[2 * axis], at);
    const weights = view(at, counts[axis], dtype);
    const indices = view(at + regions[2 * axis], counts[axis], "int32");
    const { mode, image, out, steps, alignCorners } = p;
    mixing(indices, weights, mode, image[axis], out[axis], steps === null ? null : steps[axis], alignCorners, bytes === 4);
    at += regions[2 * axis] + regions[2 * axis + 1];
  }
  return [pointers[0], pointers[1], pointers[2], pointers[3], at, taps, taps];
}

function run(kernel: Kernels["interpolate"], to: Tensor, from: Tensor, p: Params, roomBytes: number): void {
  if (to.size > 0) kernel(to.ptr, from.ptr, ...tables(p, to.dtype as "float32" | "float64", roomBytes), planesOf(to.shape), ...p.image, ...p.out);
}

function resampled(x: Tensor, params: Params): Tensor {
  return apply(interpolateOp, { x }, params);
}
/** y[plane, i, j] = sum of the neighbours of (i, j), weighted. */
const interpolateOp = op({
  name: "interpolate",
  inputs: ["x"],
  batch: leading,
  shape: (s: { x: Spec }, p: Params) => ({ shape: [...s.x.shape.slice(0, -2), ...p.out], dtype: floatDtype("interpolate", s) }),
  kernel: (k, { x }, y, p) => run(k.interpolate, y, x, p, k.interpolateScratchBytes(p.image[1], p.out[1], tapsOf(p.mode))),
  saves: [],
  vjp: (dy, _, { params }) => ({ x: () => interpolateGrad(dy, params) }),
  samples: [(draw) => sample("x", "image", draw)],
});

function interpolateGrad(dy: Tensor, params: Params): Tensor {
  return apply(interpolateGradOp, { dy }, params);
}
/** Its transpose: each dy to its neighbours, weighted. */
const interpolateGradOp = op({
  name: "interpolateGrad",
  inputs: ["dy"],
  batch: leading,
  shape: (s: { dy: Spec }, p: Params) => ({ shape: [...s.dy.shape.slice(0, -2), ...p.image], dtype: floatDtype("interpolateGrad", s) }),
  kernel: (k, { dy }, dx, p) => run(k.interpolateGrad, dx, dy, p, k.interpolateGradScratchBytes(...p.image, ...p.out, tapsOf(p.mode), tapsOf(p.mode))),
  saves: [],
  vjp: (g, _, { params }) => ({ dy: () => resampled(g, params) }),
  samples: [(draw) => sample("dy", "out", draw)],
});

function sample<const N extends "x" | "dy">(name: N, size: "image" | "out", draw: Draw) {
  const image: Pair = [draw.integer(1, 5), draw.integer(1, 5)];
  const out: Pair = [draw.integer(1, 7), draw.integer(1, 7)];
  const steps: Pair = [image[0] / (out[0] + 0.5), image[1] / (out[1] + 0.25)];
  const mode = draw.pick(["nearest", "nearest-exact", "bilinear", "bicubic"] as const);
  const params: Params = { mode, image, out, steps: draw.pick([null, steps]), alignCorners: draw.pick([true, false]) };
  const inputs = { [name]: { shape: [...draw.shape(0, 2), ...params[size]] } } as { [name in N]: { shape: number[] } };
  return { inputs, params };
}
