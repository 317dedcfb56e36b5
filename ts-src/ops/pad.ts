// Padding and cropping of any axes.

import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, copyInto, type Layout, op, type Spec } from "../../bindings/op.js";
import { checkedShape, type Shape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add } from "./binary.js";
import { border, paddedRows, type Width } from "./border.js";
import { checkedOptions } from "./checks.js";
import { checkedTensor } from "./operands.js";
import { placeIn } from "./places.js";
import { sum } from "./reduce.js";
import { flip, narrow } from "./slice.js";

const modes = ["constant", "reflect", "replicate", "circular"] as const;
export type PadMode = (typeof modes)[number];

export interface PadOptions {
  /** What is added: "constant" (default) `value`, "reflect" the mirror image without the edge, "replicate" the edge, "circular" the other end. */
  mode?: PadMode;
  /** The constant; 0 by default. */
  value?: number;
}

/**
 * x with elements added before and after each axis: [[before, after], ...], or one pair or number for all axes; negative
 * numbers crop first. Copies. Throws ShapeError for widths that do not fit (reflect: less than the size; circular: at most
 * the size), ConfigError for an unknown mode or a value with another mode than constant.
 */
export function pad(x: Tensor, widths: number | readonly number[] | readonly (readonly number[])[], options: PadOptions = {}): Tensor {
  checkedTensor("pad", "x", x);
  checkedOptions("pad", options, ["mode", "value"]);
  const { mode = "constant", value = 0 } = options;
  if (!modes.includes(mode)) throw new ConfigError(`pad: expected mode ${modes.join(", ")}; got ${showValue(mode)}`);
  if (typeof value !== "number") throw new DtypeError(`pad: expected a number as value; got ${showValue(value)}`);
  if (mode !== "constant" && options.value !== undefined) throw new ConfigError(`pad: expected no value in mode ${mode}; got ${value}`);
  const all = checkedWidths(widths, x.ndim);
  const shape = x.shape.map((n, axis) => n + all[axis][0] + all[axis][1]);
  if (shape.some((n) => n < 0) || x.shape.some((n, axis) => all[axis].some((width) => -width > n))) {
    throw new ShapeError(`pad: expected negative widths that leave sizes >= 0; got ${showWidths(all)} for shape ${showShape(x.shape)}`);
  }
  checkedShape("pad", shape);
  if (mode === "constant") return padded(x, all, value);
  const positive = all.map(([before, after]): Width => [Math.max(0, before), Math.max(0, after)]);
  const cropped = x.shape.map((n, axis) => n + Math.min(0, all[axis][0]) + Math.min(0, all[axis][1]));
  for (const [axis, n] of cropped.entries()) {
    const width = Math.max(...positive[axis]);
    const most = mode === "reflect" ? n - 1 : mode === "circular" ? n : n > 0 ? width : 0;
    if (width > Math.max(0, most)) {
      throw new ShapeError(
        `pad: expected widths of at most ${Math.max(0, most)} at axis ${axis}, of size ${n}, in mode ${mode}; got ${showWidths([all[axis]])}`,
      );
    }
  }
  x.alive("pad");
  return scope(() => {
    let middle = x;
    for (const [axis, n] of cropped.entries()) if (n !== x.shape[axis]) middle = narrow(middle, axis, Math.max(0, -all[axis][0]), n);
    return apply(extendOp, { x: middle }, { widths: positive, mode });
  });
}

function checkedWidths(widths: unknown, ndim: number): Width[] {
  const pair = (value: unknown): Width | undefined =>
    Array.isArray(value) && value.length === 2 && value.every((width) => Number.isInteger(width)) ? [value[0] + 0, value[1] + 0] : undefined;
  const same = Number.isInteger(widths) ? pair([widths, widths]) : pair(widths);
  if (same !== undefined) return Array.from({ length: ndim }, () => same);
  const list = Array.isArray(widths) && widths.length === ndim ? Array.from(widths, pair) : [undefined];
  const known = list.filter((width) => width !== undefined);
  if (known.length === list.length) return known;
  const got = Array.isArray(widths) ? showWidths(widths) : showValue(widths);
  throw new ShapeError(`pad: expected [before, after] in whole numbers for each of ${ndim} axes, or one pair or number for all; got ${got}`);
}

function showWidths(widths: readonly unknown[]): string {
  return `[${Array.from(widths, (width) => (Array.isArray(width) ? showShape(width) : showShape([width]).slice(1, -1))).join(",")}]`;
}

function paddedShape(shape: Shape, widths: readonly Width[]): number[] {
  return shape.map((n, axis) => n + widths[axis][0] + widths[axis][1]);
}

function padded(x: Tensor, widths: readonly Width[], value: number): Tensor {
  return apply(padOp, { x }, { widths, value });
}
const padOp = op({
  name: "pad",
  inputs: ["x"],
  batch: ({ inputs, params, again }) => again(inputs, { ...params, widths: [[0, 0], ...params.widths] }),
  shape: (x: { x: Spec }, params: { widths: readonly Width[]; value: number }) => ({ shape: paddedShape(x.x.shape, params.widths), dtype: x.x.dtype }),
  strided: true,
  kernel(k, { x }, y, { widths, value }) {
    const shape: number[] = [];
    let from = x.offset;
    let to = 0;
    for (const [axis, [before, after]] of widths.entries()) {
      shape.push(x.shape[axis] + Math.min(0, before) + Math.min(0, after));
      from += Math.max(0, -before) * x.strides[axis];
      to += Math.max(0, before) * y.strides[axis];
    }
    if (paddedRows(k, x, y, { shape, from, to, widths, value })) return;
    border(y, widths, value);
    copyInto(placeIn(y, { shape, strides: y.strides, offset: to }), placeIn(x, { shape, strides: x.strides, offset: from }));
  },
  saves: [],
  vjp: (dy, _, { params }) => ({
    x: () =>
      padded(
        dy,
        params.widths.map(([before, after]): Width => [0 - before, 0 - after]),
        0,
      ),
  }),
  samples: [
    { inputs: { x: { shape: [] } }, params: { widths: [], value: 2 } },
    (draw) => {
      const shape = draw.shape();
      const widths = shape.map((n): Width => {
        const before = draw.integer(-Math.min(n, 2), 3);
        return [before, draw.integer(Math.max(-2, -n - Math.min(before, 0)), 3)];
      });
      return { inputs: { x: { shape } }, params: { widths, value: draw.pick([0, 1.5]) } };
    },
  ],
});

/** One side of one axis of an extended tensor: which places, and the places of the tensor itself that they repeat. */
interface Strip {
  readonly size: number;
  readonly at: number;
  readonly from: number;
  readonly step: number;
}

function strips(mode: PadMode, [before, after]: Width, n: number): Strip[] {
  const end = before + n;
  const sides: Strip[] =
    mode === "reflect"
      ? [
          { size: before, at: 0, from: 2 * before, step: -1 },
          { size: after, at: end, from: end - 2, step: -1 },
        ]
      : mode === "replicate"
        ? [
            { size: before, at: 0, from: before, step: 0 },
            { size: after, at: end, from: end - 1, step: 0 },
          ]
        : [
            { size: before, at: 0, from: n, step: 1 },
            { size: after, at: end, from: before, step: 1 },
          ];
  return sides.filter((strip) => strip.size > 0);
}

/** x with elements of its own before and after each axis, as pad in the modes reflect, replicate and circular. */
const extendOp = op({
  name: "extend",
  inputs: ["x"],
  batch: ({ inputs, params, again }) => again(inputs, { ...params, widths: [[0, 0], ...params.widths] }),
  shape: (x: { x: Spec }, params: { widths: readonly Width[]; mode: PadMode }) => ({ shape: paddedShape(x.x.shape, params.widths), dtype: x.x.dtype }),
  strided: true,
  kernel(_, { x }, y, { widths, mode }) {
    // the middle first; then axis by axis the strips, as long as the axes before have become
    const shape = [...x.shape];
    let corner = widths.reduce((offset, [before], axis) => offset + before * y.strides[axis], 0);
    copyInto(placeIn(y, { shape, strides: y.strides, offset: corner }), x);
    for (const [axis, width] of widths.entries()) {
      const stride = y.strides[axis];
      corner -= width[0] * stride;
      for (const strip of strips(mode, width, x.shape[axis])) {
        const sizes = shape.with(axis, strip.size);
        const to: Layout = { shape: sizes, strides: y.strides, offset: corner + strip.at * stride };
        const from: Layout = { shape: sizes, strides: y.strides.with(axis, strip.step * stride), offset: corner + strip.from * stride };
        copyInto(placeIn(y, to), placeIn(y, from));
      }
      shape[axis] = y.shape[axis];
    }
  },
  saves: [],
  vjp: (dy, _, { params, shapes }) => ({ x: () => folded(dy, params.widths, params.mode, shapes.x) }),
  samples: [
    (draw) => {
      const shape = draw.shape(0, 3).map((n) => Math.max(1, n));
      const mode = draw.pick(["reflect", "replicate", "circular"] as const);
      const width = (n: number): number => draw.integer(0, mode === "reflect" ? n - 1 : mode === "circular" ? n : 2);
      return { inputs: { x: { shape } }, params: { widths: shape.map((n): Width => [width(n), width(n)]), mode } };
    },
  ],
});

/** The strips added to the places that they repeat, the last axis first. */
function folded(dy: Tensor, widths: readonly Width[], mode: PadMode, shape: Shape): Tensor {
  let dx = dy;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const n = shape[axis];
    const before = widths[axis][0];
    const whole = dx;
    dx = narrow(whole, axis, before, n);
    for (const { size, at, from, step } of strips(mode, widths[axis], n)) {
      const strip = narrow(whole, axis, at, size);
      const part = step === 0 ? sum(strip, { axis, keepdims: true }) : step < 0 ? flip(strip, { axis }) : strip;
      const start = (step < 0 ? from - size + 1 : from) - before;
      const room = shape.map((_, i): Width => (i === axis ? [start, n - start - part.shape[axis]] : [0, 0]));
      dx = add(dx, padded(part, room, 0));
    }
  }
  return dx;
}
