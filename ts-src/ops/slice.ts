// Parts of a tensor as views: slices, single positions, pieces along an axis, reversed axes.

import { ShapeError } from "../../bindings/errors.js";
import { apply, type Draw, type Layout, op, type Spec } from "../../bindings/op.js";
import { checkedAxes, checkedAxis, contiguousStrides, type Shape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { overAxes } from "./batching.js";
import { checkedOptions } from "./checks.js";
import { checkedTensor } from "./operands.js";
import { scattered } from "./places.js";

/** What is taken of an axis: [start, stop, step] as NumPy's start:stop:step, null where open; a position, which drops the axis; null for all. */
export type SliceSpec = readonly (number | null | undefined)[] | number | null | undefined;

/** Elements start, start + step, ... of an axis, `size` of them; the axis stays if `kept`. */
interface Cut {
  readonly start: number;
  readonly step: number;
  readonly size: number;
  readonly kept: boolean;
}

/**
 * Part of x, a specification an axis: [start, stop, step] as NumPy's start:stop:step (null for an open end, negatives
 * count from the end, beyond the range is clipped), or a position, which drops the axis. Axes without one stay whole.
 * A view. Throws ShapeError for more specifications than axes, a position out of range, a step of 0 or what is no whole number.
 */
export function slice(x: Tensor, ...specs: SliceSpec[]): Tensor {
  checkedTensor("slice", "x", x);
  if (specs.length > x.ndim)
    throw new ShapeError(`slice: expected at most ${x.ndim} specifications, one an axis of ${showShape(x.shape)}; got ${specs.length}`);
  return cutFrom(
    x,
    x.shape.map((n, axis) => cutOf(specs[axis], n, axis)),
  );
}

function whole(n: number): Cut {
  return { start: 0, step: 1, size: n, kept: true };
}

function cutOf(spec: SliceSpec, n: number, axis: number): Cut {
  if (spec === undefined || spec === null) return whole(n);
  if (!Array.isArray(spec)) {
    const at = spec as number;
    if (!Number.isInteger(at) || at < -n || at >= n) {
      throw new ShapeError(`slice: expected [start, stop, step], null or a position from ${-n} to ${n - 1} for axis ${axis}; got ${showValue(at)}`);
    }
    return { start: at < 0 ? at + n : at, step: 1, size: 1, kept: false };
  }
  if (spec.length > 3 || Array.from(spec).some((value) => value !== null && value !== undefined && !Number.isInteger(value)) || spec[2] === 0) {
    throw new ShapeError(`slice: expected whole numbers or null in [start, stop, step] for axis ${axis}, the step not 0; got ${showShape(spec)}`);
  }
  const [start, stop, step] = spec as readonly (number | null | undefined)[];
  return clipped(start ?? undefined, stop ?? undefined, step ?? 1, n);
}

/** NumPy's rule: an open or distant end is the last position in the direction of the step. */
function clipped(start: number | undefined, stop: number | undefined, step: number, n: number): Cut {
  const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
  const position = (value: number): number => Math.min(Math.max(value < 0 ? value + n : value, low), high);
  const first = start === undefined ? (step > 0 ? low : high) : position(start);
  const end = stop === undefined ? (step > 0 ? high : low) : position(stop);
  const size = Math.max(0, Math.ceil((end - first) / step));
  // what a single element steps over is never used and may be huge
  return { start: size === 0 ? 0 : first, step: size < 2 ? 1 : step, size, kept: true };
}

interface CutParams {
  readonly cuts: readonly Cut[];
}

function cutShape(cuts: readonly Cut[]): number[] {
  return cuts.filter((cut) => cut.kept).map((cut) => cut.size);
}

/** Where a part lies in a whole of this layout. */
function cutLayout(whole: Layout, cuts: readonly Cut[]): Layout {
  let offset = whole.offset;
  const strides: number[] = [];
  const empty = cuts.some((cut) => cut.size === 0);
  for (const [axis, cut] of cuts.entries()) {
    if (!empty) offset += cut.start * whole.strides[axis];
    if (cut.kept) strides.push(cut.step * whole.strides[axis]);
  }
  return { shape: cutShape(cuts), strides, offset };
}

function drawnCuts(draw: Draw, shape: Shape): Cut[] {
  return shape.map((n, axis) => {
    const end = (): number | null => draw.pick([null, draw.integer(-n - 1, n + 1)]);
    return n > 0 && draw.integer(0, 4) === 0 ? cutOf(draw.integer(-n, n - 1), n, axis) : cutOf([end(), end(), draw.pick([null, 1, 2, 3, -1, -2])], n, axis);
  });
}

function cutFrom(x: Tensor, cuts: readonly Cut[]): Tensor {
  return apply(sliceOp, { x }, { cuts });
}
const sliceOp = op({
  name: "slice",
  inputs: ["x"],
  batch: ({ inputs, params, size, again }) => again(inputs, { cuts: [whole(size), ...params.cuts] }),
  shape: (x: { x: Spec }, params: CutParams) => ({ shape: cutShape(params.cuts), dtype: x.x.dtype }),
  view: (x, _y, { cuts }) => cutLayout(x, cuts),
  saves: [],
  vjp: (dy, _, { params, shapes }) => ({ x: () => sliceGrad(dy, params.cuts, shapes.x) }),
  samples: [
    { inputs: { x: { shape: [4, 5] } }, params: { cuts: [cutOf([3, null, -2], 4, 0), cutOf(2, 5, 1)] } },
    (draw) => {
      const shape = draw.shape();
      return { inputs: { x: { shape } }, params: { cuts: drawnCuts(draw, shape) } };
    },
  ],
});

function sliceGrad(dy: Tensor, cuts: readonly Cut[], shape: Shape): Tensor {
  return apply(sliceGradOp, { dy }, { cuts, shape });
}
/** dy at the places of the slice, 0 elsewhere. */
const sliceGradOp = op({
  name: "sliceGrad",
  inputs: ["dy"],
  batch: ({ inputs, params, size, again }) => again(inputs, { cuts: [whole(size), ...params.cuts], shape: [size, ...params.shape] }),
  shape: (x: { dy: Spec }, params: CutParams & { readonly shape: Shape }) => ({ shape: params.shape, dtype: x.dy.dtype }),
  strided: true,
  kernel: (_, { dy }, dx, { cuts, shape }) => scattered(dx, cutLayout({ shape, strides: contiguousStrides(shape), offset: 0 }, cuts), dy),
  saves: [],
  vjp: (g, _, { params }) => ({ dy: () => cutFrom(g, params.cuts) }),
  samples: [
    (draw) => {
      const shape = draw.shape();
      const cuts = drawnCuts(draw, shape);
      return { inputs: { dy: { shape: cutShape(cuts) } }, params: { cuts, shape } };
    },
  ],
});

/** Positions start..start + size - 1 of one axis; a view. */
export function narrow(x: Tensor, axis: number, start: number, size: number): Tensor {
  return cutFrom(
    x,
    x.shape.map((n, i) => (i === axis ? { start, step: 1, size, kept: true } : whole(n))),
  );
}

export interface AxisOptions {
  /** The axis; negatives count from the end; 0 by default. */
  axis?: number;
}

/**
 * x in pieces along an axis: of the sizes in a list, which sum to that of the axis, or all of one size, the last smaller
 * if need be. Views. Throws ShapeError if the sizes do not fit.
 */
export function split(x: Tensor, sizes: number | readonly number[], options: AxisOptions = {}): Tensor[] {
  checkedTensor("split", "x", x);
  checkedOptions("split", options, ["axis"]);
  const axis = checkedAxis("split", options.axis ?? 0, x.ndim);
  const n = x.shape[axis];
  if (!Array.isArray(sizes)) {
    const size = sizes as number;
    if (!Number.isInteger(size) || size < 0 || (size === 0 && n > 0)) {
      throw new ShapeError(`split: expected a size >= 1 or a list of sizes; got ${showValue(size)}`);
    }
    return pieces("split", x, axis, evenSizes(n, size));
  }
  const list = Array.from(sizes as readonly number[]);
  if (!list.every((size) => Number.isInteger(size) && size >= 0) || list.reduce((a, b) => a + b, 0) !== n) {
    throw new ShapeError(`split: expected sizes that sum to ${n}, the size of axis ${axis}; got ${showShape(list)}`);
  }
  return pieces("split", x, axis, list);
}

const MOST_EMPTY = 65536;

/**
 * x in `count` pieces along an axis, of ceil(n / count) each but the last; fewer if they are used up before, as in PyTorch.
 * Views. Throws ShapeError unless count is a whole number >= 1.
 */
export function chunk(x: Tensor, count: number, options: AxisOptions = {}): Tensor[] {
  checkedTensor("chunk", "x", x);
  checkedOptions("chunk", options, ["axis"]);
  const axis = checkedAxis("chunk", options.axis ?? 0, x.ndim);
  const n = x.shape[axis];
  if (!Number.isInteger(count) || count < 1) throw new ShapeError(`chunk: expected a number of pieces >= 1; got ${showValue(count)}`);
  if (n > 0) return pieces("chunk", x, axis, evenSizes(n, Math.ceil(n / count)));
  if (count > MOST_EMPTY) throw new ShapeError(`chunk: expected at most ${MOST_EMPTY} pieces of an axis of size 0; got ${count}`);
  return pieces("chunk", x, axis, new Array<number>(count).fill(0));
}

function evenSizes(n: number, size: number): number[] {
  if (n === 0) return [0];
  return Array.from({ length: Math.ceil(n / size) }, (_, i) => Math.min(size, n - i * size));
}

function pieces(name: string, x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  x.alive(name);
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return narrow(x, axis, start - size, size);
  });
}

/** Axes in reverse order, all by default: y[i] = x[n - 1 - i]. A view with negative strides. Throws ShapeError for an axis that is not there. */
export function flip(x: Tensor, options: { axis?: number | readonly number[] } = {}): Tensor {
  checkedTensor("flip", "x", x);
  checkedOptions("flip", options, ["axis"]);
  return apply(flipOp, { x }, { axes: checkedAxes("flip", options.axis, x.ndim) });
}
const flipOp = op({
  name: "flip",
  inputs: ["x"],
  batch: overAxes,
  shape: (x: { x: Spec }, _params: { axes: readonly number[] }) => x.x,
  view(x, y, { axes }) {
    const strides = [...x.strides];
    let offset = x.offset;
    if (y.shape.includes(0)) return { shape: y.shape, strides, offset };
    for (const axis of axes) {
      offset += (x.shape[axis] - 1) * strides[axis];
      strides[axis] = -strides[axis];
    }
    return { shape: y.shape, strides, offset };
  },
  saves: [],
  vjp: (dy, _, { params }) => ({ x: () => flip(dy, { axis: params.axes }) }),
  samples: [
    (draw) => {
      const shape = draw.shape();
      return { inputs: { x: { shape } }, params: { axes: shape.map((_, i) => i).filter(() => draw.integer(0, 1) === 1) } };
    },
  ],
});
