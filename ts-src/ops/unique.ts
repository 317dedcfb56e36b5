// Functions whose answer depends in size on the elements: the different ones, and where those that are not 0 stand.
import { ShapeError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { read, scratch, write } from "../../bindings/memory.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { type Shape, sizeOf } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedFlag, checkedOptions } from "./checks.js";
import { clone } from "./convert.js";
import { gatherAlong } from "./gather.js";
import { groupFirsts, groupNumbers, groupSizes, ofDtype, sliceNumbers, sliceOrder } from "./groups.js";
import { axisOf, checkedLive, spread } from "./indexing.js";
import { reshape, transpose } from "./shape.js";
import { ordered } from "./sort.js";

/** What unique() answers with options. */
export interface Unique {
  values: Tensor;
  /** int32 of the shape of x: the place of each element in `values`. */
  inverse?: Tensor;
  /** int32: how often each value stands in x. */
  counts?: Tensor;
}

export interface UniqueOptions {
  /** Compare the slices along this axis as wholes; the elements by default. */
  axis?: number;
  returnInverse?: boolean;
  returnCounts?: boolean;
  /** Whether the values are sorted, as they always are here. */
  sorted?: boolean;
}

/** Options with which unique() answers a tensor alone. */
export type PlainUnique = UniqueOptions & { returnInverse?: false; returnCounts?: false };

/**
 * The different elements of x, ascending, 1-D; with `axis` the different slices along it, in the order of the first element
 * in which they differ, as they lie with that axis and the first exchanged. With returnInverse or returnCounts an object { values, inverse, counts }.
 * Each NaN stands for itself. A gradient goes to the first of equal elements. All dtypes. Throws ConfigError, ShapeError for
 * a wrong axis. As torch.unique.
 */
export function unique(x: Tensor, options?: PlainUnique): Tensor;
export function unique(x: Tensor, options: UniqueOptions): Tensor | Unique;
export function unique(x: Tensor, options: UniqueOptions = {}): Tensor | Unique {
  checkedLive("unique", "x", x);
  const known = ["axis", "returnInverse", "returnCounts", "sorted"] as const;
  const { axis, returnInverse = false, returnCounts = false, sorted = true } = checkedOptions("unique", options, known);
  const inverse = checkedFlag("unique", "returnInverse", returnInverse);
  const counts = checkedFlag("unique", "returnCounts", returnCounts);
  checkedFlag("unique", "sorted", sorted);
  if (axis !== undefined && x.ndim === 0) throw new ShapeError(`unique: expected x with an axis; got a scalar and axis ${showValue(axis)}`);
  const along = axis === undefined ? undefined : axisOf("unique", axis, x.ndim);
  return scope(() => {
    const { numbers, count } = along === undefined ? elementGroups(reshape(x, [-1])) : sliceGroups(x, along);
    const firsts = groupFirsts(numbers, count);
    const values =
      along === undefined
        ? gatherAlong(reshape(x, [-1]), firsts, { fn: "unique", axis: 0 })
        : gatherAlong(x, spread(firsts, x.shape, along), { fn: "unique", axis: along, from: firsts.shape });
    if (!inverse && !counts) return values;
    const places = along === undefined ? reshape(numbers, x.shape) : numbers;
    return { values, ...(inverse ? { inverse: places } : {}), ...(counts ? { counts: groupSizes(numbers, count) } : {}) };
  });
}

interface Groups {
  /** int32: the group of each element or slice. */
  readonly numbers: Tensor;
  readonly count: number;
}

function elementGroups(flat: Tensor): Groups {
  const order = ordered(flat, { axis: 0, descending: false });
  return counted(groupNumbers(flat, order), order);
}

function sliceGroups(x: Tensor, axis: number): Groups {
  const rows = reshape(transpose(x, 0, axis), [x.shape[axis], sizeOf(x.shape.toSpliced(axis, 1))]);
  const order = sliceOrder(rows);
  return counted(sliceNumbers(rows, order), order);
}

/** How many groups there are: one more than the number of what stands last. */
function counted(numbers: Tensor, order: Tensor): Groups {
  return { numbers, count: order.size === 0 ? 0 : read(numbers.ptr + 4 * read(order.ptr + 4 * (order.size - 1), "int32"), "int32") + 1 };
}

/**
 * Positions of the elements that are not 0 (NaN is not), in row-major order: int32 [count, ndim]. All dtypes.
 * As torch.nonzero.
 */
export function nonzero(x: Tensor): Tensor {
  checkedLive("nonzero", "x", x);
  return scope(() => {
    const flat = x.contiguous ? reshape(x, [-1]) : reshape(clone(x), [-1]);
    const k = kernelsOf(x.dtype);
    const count = ofDtype(x.dtype, k.countNonzero, k.countNonzeroInt32, k.countNonzeroUint8)(flat.ptr, flat.size);
    return apply(nonzeroOp, { x: flat }, { count, shape: x.shape });
  });
}
const nonzeroOp = op({
  name: "nonzero",
  inputs: ["x"],
  shape: (_s: { x: Spec }, { count, shape }: { count: number; shape: Shape }) => ({ shape: [count, shape.length], dtype: "int32" as const }),
  kernel(k, { x }, y, { shape }) {
    if (y.size === 0) return;
    const sizes = scratch(4 * shape.length);
    for (const [axis, n] of shape.entries()) write(sizes + 4 * axis, "int32", n);
    ofDtype(x.dtype, k.nonzero, k.nonzeroInt32, k.nonzeroUint8)(y.ptr, x.ptr, sizes, x.size, shape.length);
  },
  saves: [],
  vjp: "none",
  samples: [],
});
