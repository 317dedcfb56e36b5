// Functions whose answer depends in size on the elements: the different ones, and where those that are not 0 stand.
import { kernelsOf } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { read, scratch, write } from "../../bindings/memory.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import type { Shape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedFlag, checkedOptions } from "./checks.js";
import { clone } from "./convert.js";
import { gatherAlong } from "./gather.js";
import { groupFirsts, groupNumbers, groupSizes, ofDtype } from "./groups.js";
import { checkedLive } from "./indexing.js";
import { reshape } from "./shape.js";
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
  returnInverse?: boolean;
  returnCounts?: boolean;
  /** Whether the values are sorted, as they always are here. */
  sorted?: boolean;
}

/** Options with which unique() answers a tensor alone. */
export type PlainUnique = UniqueOptions & { returnInverse?: false; returnCounts?: false };

/**
 * The different elements of x, ascending, 1-D; with returnInverse or returnCounts an object { values, inverse, counts }.
 * Each NaN stands for itself. A gradient goes to the first of equal elements. All dtypes. Throws ConfigError. As torch.unique.
 */
export function unique(x: Tensor, options?: PlainUnique): Tensor;
export function unique(x: Tensor, options: UniqueOptions): Tensor | Unique;
export function unique(x: Tensor, options: UniqueOptions = {}): Tensor | Unique {
  checkedLive("unique", "x", x);
  const { returnInverse = false, returnCounts = false, sorted = true } = checkedOptions("unique", options, ["returnInverse", "returnCounts", "sorted"]);
  const inverse = checkedFlag("unique", "returnInverse", returnInverse);
  const counts = checkedFlag("unique", "returnCounts", returnCounts);
  checkedFlag("unique", "sorted", sorted);
  return scope(() => {
    const flat = reshape(x, [-1]);
    const order = ordered(flat, { axis: 0, descending: false });
    const numbers = groupNumbers(flat, order);
    const count = x.size === 0 ? 0 : read(numbers.ptr + 4 * read(order.ptr + 4 * (x.size - 1), "int32"), "int32") + 1;
    const values = gatherAlong(flat, groupFirsts(numbers, count), { fn: "unique", axis: 0 });
    if (!inverse && !counts) return values;
    return { values, ...(inverse ? { inverse: reshape(numbers, x.shape) } : {}), ...(counts ? { counts: groupSizes(numbers, count) } : {}) };
  });
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
