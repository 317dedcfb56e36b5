// Elements combined by index along an axis, in the order of the positions: the ops behind scatter with `reduce`.

import type { Kernels } from "../../bindings/kernels.js";
import { apply, copyInto, type Draw, op, type Spec } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { distinct } from "./axes.js";
import { add, div, mul, sub } from "./binary.js";
import { eq } from "./compare.js";
import { to } from "./convert.js";
import { ones } from "./create.js";
import { gatherAlong, gatherGrad } from "./gather.js";
import { sameOp } from "./guarded.js";
import { drawnAlong } from "./index-samples.js";
import { type Along, alongIndex, scatterBy } from "./indexing.js";
import { numberDtype } from "./operands.js";
import { where } from "./select.js";
import { broadcastTo } from "./shape.js";

type Combination = "scatterProd" | "scatterMax" | "scatterMin";

/** The common part of y = x, then y at the place of each position p = f(itself, source[p]). */
function combination<const N extends Combination>(name: N) {
  return {
    name,
    inputs: ["x", "index", "source"],
    batch: alongIndex,
    shape: (s: { x: Spec; index: Spec; source: Spec }, { fn }: Along): Spec => ({
      shape: s.x.shape,
      dtype: numberDtype(fn, { x: s.x, source: s.source }),
    }),
    strided: true,
    kernel(k: Kernels, { x, index, source }: { x: Tensor; index: Tensor; source: Tensor }, y: Tensor, along: Along): void {
      copyInto(y, x);
      scatterBy(k[y.dtype === "int32" ? (`${name}Int32` as const) : name], y, index, source, index.shape, along);
    },
  } as const;
}

/** x times the elements of source that go to its places. */
export function scatterProd(x: Tensor, index: Tensor, source: Tensor, along: Along): Tensor {
  return apply(scatterProdOp, { x, index, source }, along);
}
const scatterProdOp = op({
  ...combination("scatterProd"),
  saves: ["x", "index", "source"],
  vjp: (dy, { x, index, source }, { params }) => ({
    x: () => mul(dy, scatterProd(ones(x.shape, { dtype: x.dtype }), index, source, params)),
    index: "none",
    source: () => mul(gatherAlong(dy, index, params), productOfOthers(x, index, broadcastTo(source, index.shape), params)),
  }),
  samples: [
    (draw) => {
      const { shape, axis, index } = drawnAlong(draw);
      return { inputs: { x: { shape, away: 0.3 }, index, source: { shape: draw.pick([index.shape, []]), away: 0.3 } }, params: { fn: "scatter", axis } };
    },
    zeros([0, 1, 1], [2, 3]),
    zeros([0, 0, 0, 1], [2, 0]),
    zeros([0, 0, 1, 1], [0, 3]),
  ],
});

/** Sources of which some are 0, so that a product has a factor 0 or two. */
function zeros(numbers: number[], x: number[]) {
  const dtype = "float64" as const;
  const source = numbers.map((place, i) => (place === 0 && i < 2 ? 0 : 1.5 + i));
  return {
    inputs: {
      x: { values: x, shape: [x.length], dtype },
      index: { values: numbers, shape: [numbers.length], dtype: "int32" as const },
      source: { values: source, shape: [source.length], dtype },
    },
    params: { fn: "scatter", axis: 0 },
  };
}

/**
 * At each position the product of what goes to its place but its own element. With P the product of what is not 0 there, u the
 * element itself, z the sum of those that are 0, which has no value but a derivative: P / u if none is 0; P z / u and, at the
 * 0 itself, P if one is; P (z - s) at each of two. So it and its derivative are right; a second derivative is where not two are 0.
 */
function productOfOthers(x: Tensor, index: Tensor, s: Tensor, along: Along): Tensor {
  const read = (t: Tensor): Tensor => gatherAlong(t, index, along);
  const placed = (t: Tensor): Tensor => gatherGrad(t, index, { ...along, shape: x.shape });
  const [none, own] = [eq(x, 0), eq(s, 0)];
  const u = where(own, 1, s);
  const product = read(scatterProd(where(none, 1, x), index, u, along));
  const count = read(add(to(none, x.dtype), placed(to(own, x.dtype))));
  const z = read(add(where(none, x, 0), placed(where(own, s, 0))));
  const rest = div(product, u);
  const atZero = where(eq(count, 1), product, where(eq(count, 2), mul(product, sub(z, s)), 0));
  return where(eq(count, 0), rest, where(own, atZero, where(eq(count, 1), mul(rest, z), 0)));
}

/** The largest of x and the elements of source that go to its places; NaN if one is. */
export function scatterMax(x: Tensor, index: Tensor, source: Tensor, along: Along): Tensor {
  return apply(scatterMaxOp, { x, index, source }, along);
}
const scatterMaxOp = op({
  ...combination("scatterMax"),
  saves: ["x", "index", "source", "y"],
  vjp: (dy, saved, { params }) => shares(dy, saved, params),
  samples: [apart],
});

/** The smallest of x and the elements of source that go to its places; NaN if one is. */
export function scatterMin(x: Tensor, index: Tensor, source: Tensor, along: Along): Tensor {
  return apply(scatterMinOp, { x, index, source }, along);
}
const scatterMinOp = op({
  ...combination("scatterMin"),
  saves: ["x", "index", "source", "y"],
  vjp: (dy, saved, { params }) => shares(dy, saved, params),
  samples: [apart],
});

/** dy in even shares for all that equal y. */
function shares(dy: Tensor, { x, index, source, y }: { x: Tensor; index: Tensor; source: Tensor; y: Tensor }, along: Along) {
  const here = (): Tensor => apply(sameOp, { a: x, b: y });
  const there = (): Tensor => apply(sameOp, { a: source, b: gatherAlong(y, index, along) });
  const share = (): Tensor => div(dy, add(here(), gatherGrad(there(), index, { ...along, shape: x.shape })));
  return {
    x: () => mul(here(), share()),
    index: "none" as const,
    source: () => mul(there(), gatherAlong(share(), index, along)),
  };
}

/** Operands no two elements of which are near each other. */
function apart(draw: Draw) {
  const { shape, axis, index } = drawnAlong(draw);
  const source = distinct(draw, index.shape, 0.2);
  const between = source.values.map((value) => value + 0.1);
  return { inputs: { x: distinct(draw, shape, 0.2), index, source: { ...source, values: between } }, params: { fn: "scatter", axis } };
}
