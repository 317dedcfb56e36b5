// Sorted order: the op gives positions (int32), the values are read by them, so their derivative is that of gather.

import { ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { scratch } from "../../bindings/memory.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { everyOperand } from "./batching.js";
import { checkedFlag, checkedOptions } from "./checks.js";
import { gatherAlong } from "./gather.js";
import { ofDtype } from "./groups.js";
import { axisOf, checkedLive } from "./indexing.js";
import { reshape, transpose } from "./shape.js";
import { rowsBefore } from "./splits.js";

const HEAP_SHARE = 8; // topk keeps a heap if it wants no more than an eighth of a row
const HEAP_MOST = 4096; // and no more than this: above it sorting is faster
const COUNTS_BYTES = 6 * 2048 * 4; // of the radix sort: 6 digits of 11 bits

export interface SortOptions {
  /** The axis that is sorted; the last, -1, by default. */
  axis?: number;
  /** From large to small; false by default. */
  descending?: boolean;
  /** Whether equal elements keep their order, as they always do here. */
  stable?: boolean;
}

/** Values in sorted order and, int32, the positions they had along the axis. */
export interface Sorted {
  values: Tensor;
  indices: Tensor;
}

/**
 * x sorted along an axis, stable. NaN counts as largest: last in ascending, first in descending order. All dtypes.
 * Throws ShapeError, ConfigError. As torch.sort.
 */
export function sort(x: Tensor, options: SortOptions = {}): Sorted {
  const order = checkedOrder("sort", x, options);
  return scope(() => picked(x, order.axis, ordered(x, order)));
}

/** Positions (int32) that sort x along an axis, as `sort` gives them. */
export function argsort(x: Tensor, options: SortOptions = {}): Tensor {
  const order = checkedOrder("argsort", x, options);
  return scope(() => ordered(x, order));
}

export interface TopkOptions {
  /** The axis that is searched; the last, -1, by default. */
  axis?: number;
  /** The largest elements (default), or the smallest. */
  largest?: boolean;
  /** Whether they come in order, as they always do here. */
  sorted?: boolean;
}

/**
 * The k largest elements along an axis, in descending order (the smallest in ascending), of equal ones the first; NaN
 * counts as largest. All dtypes. Throws ShapeError for a k that is not from 0 to the size of the axis. As torch.topk.
 */
export function topk(x: Tensor, k: number, options: TopkOptions = {}): Sorted {
  checkedLive("topk", "x", x);
  const { axis: chosen = -1, largest = true, sorted = true } = checkedOptions("topk", options, ["axis", "largest", "sorted"]);
  const axis = axisOf("topk", chosen, x.ndim);
  const descending = checkedFlag("topk", "largest", largest);
  checkedFlag("topk", "sorted", sorted);
  const size = x.ndim === 0 ? 1 : x.shape[axis];
  if (!Number.isInteger(k) || k < (x.ndim === 0 ? 1 : 0) || k > size) {
    throw new ShapeError(
      `topk: expected a whole k from ${x.ndim === 0 ? 1 : 0} to ${size}, the size of axis ${axis} of ${showShape(x.shape)}; got ${showValue(k)}`,
    );
  }
  return scope(() => picked(x, axis, ordered(x, { axis, descending, count: k })));
}

interface Order {
  readonly axis: number;
  readonly descending: boolean;
  /** How many are wanted of each row; all by default. */
  readonly count?: number;
}

function checkedOrder(name: string, x: Tensor, options: SortOptions): Order {
  checkedLive(name, "x", x);
  const { axis = -1, descending = false, stable = true } = checkedOptions(name, options, ["axis", "descending", "stable"]);
  checkedFlag(name, "stable", stable);
  return { axis: axisOf(name, axis, x.ndim), descending: checkedFlag(name, "descending", descending) };
}

function picked(x: Tensor, axis: number, indices: Tensor): Sorted {
  return { values: gatherAlong(x, indices, { fn: "sort", axis }), indices };
}

/** Positions of the elements along the axis in sorted order. */
export function ordered(x: Tensor, { axis, descending, count }: Order): Tensor {
  const params = { descending, count: count ?? (x.ndim === 0 ? 1 : x.shape[axis]) };
  if (axis === x.ndim - 1 || x.ndim === 0) return apply(argsortOp, { x }, params);
  return transpose(apply(argsortOp, { x: transpose(x, axis, -1) }, params), axis, -1);
}

/** Positions of the first `count` elements of each row in sorted order. */
const argsortOp = op({
  name: "argsort",
  inputs: ["x"],
  split: rowsBefore(1, "x"),
  batch: (batch) => {
    const { x } = everyOperand(batch);
    return x.ndim > 1 ? batch.again({ x }) : reshape(batch.again({ x: reshape(x, [batch.size, 1]) }), [batch.size]);
  },
  shape: (s: { x: Spec }, params: { descending: boolean; count: number }) => ({
    shape: s.x.shape.map((n, i) => (i === s.x.shape.length - 1 ? params.count : n)),
    dtype: "int32" as const,
  }),
  kernel(k, { x }, y, { descending, count }) {
    if (y.size === 0) return;
    const cols = x.ndim === 0 ? 1 : x.shape[x.ndim - 1];
    const keyBytes = x.dtype === "float64" ? 8 : 4;
    const heap = count * HEAP_SHARE <= cols && count <= HEAP_MOST;
    const room = scratch(heap ? count * keyBytes : cols * 2 * (keyBytes + 4) + COUNTS_BYTES);
    const kernel = heap
      ? ofDtype(x.dtype, k.topkRows, k.topkRowsInt32, k.topkRowsUint8)
      : ofDtype(x.dtype, k.argsortRows, k.argsortRowsInt32, k.argsortRowsUint8);
    kernel(y.ptr, x.ptr, room, x.size / cols, cols, count, descending ? 1 : 0);
  },
  saves: [],
  vjp: "none",
  samples: [],
});
