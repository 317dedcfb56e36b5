// Tensors made of tensors: joined along an axis, repeated, rolled.

import { DtypeError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, copyInto, type Op, op, type Spec } from "../../bindings/op.js";
import { checkedAxis, checkedShape, sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { alongAxis } from "./batching.js";
import { checkedOptions } from "./checks.js";
import { clone } from "./convert.js";
import { checkedTensor } from "./operands.js";
import { placeIn } from "./places.js";
import { broadcastTo, reshape, unsqueeze } from "./shape.js";
import { type AxisOptions, narrow } from "./slice.js";

function checkedList(name: string, tensors: readonly Tensor[]): void {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw new ShapeError(`${name}: expected a list of at least one tensor; got ${Array.isArray(tensors) ? "an empty list" : showValue(tensors)}`);
  }
  for (let i = 0; i < tensors.length; i++) {
    checkedTensor(name, `tensor ${i}`, tensors[i]);
    if (tensors[i].dtype !== tensors[0].dtype) {
      const expected = tensors[0].dtype;
      throw new DtypeError(`${name}: expected tensors of dtype ${expected}, as the first; got ${tensors[i].dtype}; convert it with .to("${expected}")`);
    }
  }
}

/**
 * Tensors joined along an axis that exists; the other sizes are the same in all. Copies.
 * Throws ShapeError if sizes or axis do not fit, DtypeError unless all have one dtype.
 */
export function concat(tensors: readonly Tensor[], options: AxisOptions = {}): Tensor {
  checkedList("concat", tensors);
  checkedOptions("concat", options, ["axis"]);
  const axis = checkedAxis("concat", options.axis ?? 0, tensors[0].ndim);
  return apply(concatOf(tensors.length), Object.fromEntries(tensors.map((x, i) => [`x${i}`, x])), { axis });
}

/** The declaration for a number of operands, x0, x1, ... */
function concatDeclaration(count: number): Op<string, never, { readonly axis: number }> {
  const inputs = Array.from({ length: count }, (_, i) => `x${i}`);
  return {
    name: "concat",
    inputs,
    batch: alongAxis,
    shape(x: { readonly [name: string]: Spec }, { axis }) {
      const first = x.x0.shape;
      let total = 0;
      for (const [i, name] of inputs.entries()) {
        const own = x[name].shape;
        if (!sameShape(own.toSpliced(axis, 1), first.toSpliced(axis, 1)) || own.length !== first.length) {
          throw new ShapeError(`concat: expected shapes like ${showShape(first)}, but for axis ${axis}; got ${showShape(own)} for tensor ${i}`);
        }
        total += own[axis];
      }
      return { shape: checkedShape("concat", first.toSpliced(axis, 1, total)), dtype: x.x0.dtype };
    },
    strided: true,
    kernel(_, x, y, { axis }) {
      let offset = 0;
      for (const name of inputs) {
        const part = x[name];
        copyInto(placeIn(y, { shape: part.shape, strides: y.strides, offset }), part);
        offset += part.shape[axis] * y.strides[axis];
      }
    },
    saves: [],
    vjp(dy, _, { params: { axis }, shapes }) {
      let start = 0;
      return Object.fromEntries(
        inputs.map((name) => {
          const size = shapes[name][axis];
          const from = start;
          start += size;
          return [name, () => narrow(dy, axis, from, size)];
        }),
      );
    },
    samples: [
      (draw) => {
        const shape = draw.shape(1);
        const axis = draw.integer(0, shape.length - 1);
        return { inputs: Object.fromEntries(inputs.map((name) => [name, { shape: shape.with(axis, draw.integer(0, 3)) }])), params: { axis } };
      },
    ],
  };
}

const PROVEN = 3; // operands of the declaration in `ops`, whose derivative tests prove
const concatOps = new Map([[PROVEN, op(concatDeclaration(PROVEN))]]);

function concatOf(count: number): Op<string, never, { readonly axis: number }> {
  let found = concatOps.get(count);
  if (found === undefined) {
    found = concatDeclaration(count);
    concatOps.set(count, found);
  }
  return found;
}

/** Tensors of one shape along a new axis. Copies. Throws ShapeError if shapes or axis do not fit, DtypeError unless all have one dtype. */
export function stack(tensors: readonly Tensor[], options: AxisOptions = {}): Tensor {
  checkedList("stack", tensors);
  checkedOptions("stack", options, ["axis"]);
  const axis = checkedAxis("stack", options.axis ?? 0, tensors[0].ndim + 1);
  for (const [i, x] of tensors.entries()) {
    x.alive("stack");
    if (!sameShape(x.shape, tensors[0].shape)) {
      throw new ShapeError(`stack: expected tensors of shape ${showShape(tensors[0].shape)}, as the first; got ${showShape(x.shape)} for tensor ${i}`);
    }
  }
  const whole = [...tensors[0].shape];
  whole.splice(axis, 0, tensors.length);
  checkedShape("stack", whole);
  return scope(() =>
    concat(
      tensors.map((x) => unsqueeze(x, axis)),
      { axis },
    ),
  );
}

/**
 * x repeated: reps[i] times along axis i, or all axes' last if `reps` is a number; the shorter of reps and shape gets
 * ones in front (NumPy's tile). Copies. Throws ShapeError unless the repetitions are whole numbers >= 0.
 */
export function tile(x: Tensor, reps: number | readonly number[]): Tensor {
  checkedTensor("tile", "x", x);
  const list = Array.isArray(reps) ? Array.from(reps as readonly number[]) : [reps as number];
  for (const n of list) if (!Number.isInteger(n) || n < 0) throw new ShapeError(`tile: expected repetitions >= 0; got ${showShape(list)}`);
  const ndim = Math.max(list.length, x.ndim);
  const times = [...new Array<number>(ndim - list.length).fill(1), ...list];
  const sizes = [...new Array<number>(ndim - x.ndim).fill(1), ...x.shape];
  const shape = checkedShape(
    "tile",
    sizes.map((n, i) => n * times[i]),
  );
  x.alive("tile");
  return scope(() => {
    const apart = reshape(
      x,
      sizes.flatMap((n) => [1, n]),
    );
    const wide = broadcastTo(
      apart,
      sizes.flatMap((n, i) => [times[i], n]),
    );
    return reshape(clone(wide), shape);
  });
}

/**
 * Elements moved on along axes, those beyond the end to the beginning: y[(i + shift) mod n] = x[i]. One shift an axis, or one for
 * all of them; without axes the flattened tensor is rolled. Copies. Throws ShapeError if shifts and axes do not fit.
 */
export function roll(x: Tensor, shifts: number | readonly number[], options: { axis?: number | readonly number[] } = {}): Tensor {
  checkedTensor("roll", "x", x);
  checkedOptions("roll", options, ["axis"]);
  const list = Array.isArray(shifts) ? Array.from(shifts as readonly number[]) : [shifts as number];
  if (!list.every(Number.isInteger)) throw new ShapeError(`roll: expected whole numbers as shifts; got ${showShape(list)}`);
  if (options.axis === undefined || options.axis === null) {
    if (list.length !== 1) throw new ShapeError(`roll: expected one shift, as no axis is given; got ${showShape(list)}`);
    x.alive("roll");
    return scope(() => reshape(roll(reshape(x, [x.size]), list, { axis: 0 }), x.shape));
  }
  const axes = Array.from(Array.isArray(options.axis) ? (options.axis as readonly number[]) : [options.axis as number], (axis) =>
    checkedAxis("roll", axis, x.ndim),
  );
  if (Array.isArray(shifts) && list.length !== axes.length) {
    throw new ShapeError(`roll: expected one shift an axis; got shifts ${showShape(list)} and axes ${showShape(axes)}`);
  }
  const moved = new Array<number>(x.ndim).fill(0);
  for (const [i, axis] of axes.entries()) {
    const n = Math.max(1, x.shape[axis]);
    const shift = list[list.length === 1 ? 0 : i] % n;
    moved[axis] = (moved[axis] + shift + n) % n;
  }
  return rolled(x, moved);
}

function rolled(x: Tensor, shifts: readonly number[]): Tensor {
  return apply(rollOp, { x }, { shifts });
}
const rollOp = op({
  name: "roll",
  inputs: ["x"],
  batch: ({ inputs, params, again }) => again(inputs, { shifts: [0, ...params.shifts] }),
  shape: (x: { x: Spec }, _params: { shifts: readonly number[] }) => x.x,
  strided: true,
  kernel(_, { x }, y, { shifts }) {
    // each axis with a shift has two pieces: the front, which moves to the back, and the rest
    const piece = (axis: number, shape: readonly number[], from: number, to: number): void => {
      if (axis === x.ndim) {
        copyInto(placeIn(y, { shape, strides: y.strides, offset: to }), placeIn(x, { shape, strides: x.strides, offset: from }));
        return;
      }
      const n = x.shape[axis];
      const shift = shifts[axis];
      if (shift === 0) piece(axis + 1, shape, from, to);
      else {
        piece(axis + 1, shape.with(axis, n - shift), from, to + shift * y.strides[axis]);
        piece(axis + 1, shape.with(axis, shift), from + (n - shift) * x.strides[axis], to);
      }
    };
    piece(0, x.shape, x.offset, 0);
  },
  saves: [],
  vjp: (dy, _, { params, shapes }) => ({
    x: () =>
      rolled(
        dy,
        params.shifts.map((shift, axis) => (shift === 0 ? 0 : shapes.x[axis] - shift)),
      ),
  }),
  samples: [
    (draw) => {
      const shape = draw.shape();
      return { inputs: { x: { shape } }, params: { shifts: shape.map((n) => draw.integer(0, Math.max(0, n - 1))) } };
    },
  ],
});
