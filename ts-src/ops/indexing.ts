// What the functions that take indices share: checks, kernel calls, and the message for an index out of range.

import { itemBytes } from "../../bindings/dtype.js";
import { DtypeError, NumericError, ShapeError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { read } from "../../bindings/memory.js";
import type { Batch, Spec } from "../../bindings/op.js";
import { type Shape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { everyOperand } from "./batching.js";
import { checkedTensor } from "./operands.js";
import { broadcastTo, reshape } from "./shape.js";
import { broadcastStrides, eachBlock } from "./walk.js";

/** How an op finds elements by index along an axis. */
export interface Along {
  /** The public function, for messages. */
  readonly fn: string;
  readonly axis: number;
  /** Whether negative indices count from the end. */
  readonly wrap?: boolean;
  /** Shape of the user's index, if the op has it flat or spread. */
  readonly from?: Shape;
}

/** Throws DtypeError unless it is a tensor, DisposedError unless it has its memory. */
export function checkedLive(fn: string, name: string, value: unknown): asserts value is Tensor {
  checkedTensor(fn, name, value);
  value.alive(`${fn}: ${name}`);
}

/** Throws DtypeError unless it is a tensor of dtype int32. */
export function checkedIndex(fn: string, index: unknown, name = "index"): asserts index is Tensor {
  checkedLive(fn, name, index);
  if (index.dtype !== "int32") throw new DtypeError(`${fn}: expected ${name} of dtype int32; got ${index.dtype}; convert it with .to("int32")`);
}

/** An axis in 0..ndim-1, negatives counted from the end; a 0-d tensor counts as having one axis. Throws ShapeError. */
export function axisOf(fn: string, axis: unknown, ndim: number): number {
  const count = Math.max(1, ndim);
  if (typeof axis !== "number" || !Number.isInteger(axis) || axis < -count || axis >= count) {
    throw new ShapeError(`${fn}: expected an axis from ${-count} to ${count - 1}; got ${showValue(axis)}`);
  }
  return axis < 0 ? axis + count : axis;
}

/** Throws ShapeError unless x and index have the same axes and no size of index exceeds that of x beside `axis`. */
export function fitsWithin(fn: string, x: Spec, index: Spec, axis: number): void {
  const fits = x.shape.length === index.shape.length && index.shape.every((n, i) => i === axis || n <= x.shape[i]);
  if (!fits) {
    throw new ShapeError(`${fn}: expected index with the axes of x ${showShape(x.shape)}, no larger beside axis ${axis}; got ${showShape(index.shape)}`);
  }
}

/** index [n] as a view of the shape in which its numbers name slices of `shape` along the axis. */
export function spread(index: Tensor, shape: Shape, axis: number): Tensor {
  const column = shape.map((_, i) => (i === axis ? index.size : 1));
  return broadcastTo(
    reshape(index, column),
    shape.map((n, i) => (i === axis ? index.size : n)),
  );
}

/**
 * The batching rule of ops along the axis of an index: the axis moves behind the batch. An example without axes gets one. A source of
 * one number broadcasts.
 */
export function alongIndex<I extends string, P extends Along & { readonly shape?: Shape }>(batch: Batch<I | "index", P>): Tensor {
  const { size, params, batched, y } = batch;
  const shapes: { readonly [name in I | "index"]: Shape } = batch.shapes;
  const operands = everyOperand(batch);
  const rank = Math.max(1, shapes.index.length);
  for (const name of Object.keys(operands) as (I | "index")[]) {
    const missing = rank - shapes[name].length;
    if (missing > 0) operands[name] = reshape(operands[name], [size, ...new Array<number>(missing).fill(1), ...shapes[name]]);
  }
  const from = params.from && batched.index ? [size, ...params.from] : params.from;
  const shape = params.shape && [size, ...(params.shape.length === 0 ? [1] : params.shape)];
  const result = batch.again(operands, { ...params, axis: params.axis + 1, ...(from && { from }), ...(shape && { shape }) });
  return y.shape.length === 0 ? reshape(result, [size]) : result;
}

type Gather = Kernels["gather32"];
type Scatter = Kernels["scatter32"];

function bySize<F>(bytes: number, k8: F, k32: F, k64: F): F {
  return bytes === 8 ? k64 : bytes === 4 ? k32 : k8;
}

/** Strides of the tensor that has the axis, over the positions of index: none along the axis, which the indices step. */
function tableStrides(table: Tensor, along: Along, ndim: number): number[] {
  const strides = broadcastStrides(table, ndim);
  if (ndim > 0) strides[along.axis] = 0;
  return strides;
}

/** [step, size, wrap] of the kernels. */
function axisArguments(table: Tensor, along: Along): [number, number, number] {
  const size = table.ndim === 0 ? 1 : table.shape[along.axis];
  return [table.ndim === 0 ? 1 : table.strides[along.axis], size, along.wrap ? size : 0];
}

/** y[p] = x[p with index[p] on the axis] for every position p of index; y is contiguous. */
export function gatherInto(k: Kernels, y: Tensor, x: Tensor, index: Tensor, along: Along): void {
  const bytes = itemBytes(x.dtype);
  const gather: Gather = bySize(bytes, k.gather8, k.gather32, k.gather64);
  const how = axisArguments(x, along);
  const strides = [tableStrides(x, along, index.ndim), broadcastStrides(index, y.ndim)];
  const bad = eachBlock(y.shape, strides, ({ first, sizes, offsets, strides: [a, b] }) =>
    gather(y.ptr + first * bytes, x.ptr + offsets[0] * bytes, index.ptr + offsets[1] * 4, ...sizes, ...a, ...b, ...how),
  );
  if (bad !== 0) outOfRange(y.shape, index, x, along, bad - 1);
}

/**
 * y[p with index[p] on the axis] = source[p], or with `alpha` y there + alpha source[p], for every position p of `shape`,
 * in their order; y is contiguous, index and source broadcast.
 */
export function scatterInto(k: Kernels, y: Tensor, index: Tensor, source: Tensor, shape: Shape, along: Along, alpha?: number): void {
  const bytes = itemBytes(y.dtype);
  const scatter: Scatter = bySize(bytes, k.scatter8, k.scatter32, k.scatter64);
  const how = axisArguments(y, along);
  const strides = [tableStrides(y, along, shape.length), broadcastStrides(index, shape.length), broadcastStrides(source, shape.length)];
  const bad = eachBlock(shape, strides, ({ sizes, offsets, strides: [a, b, c] }) => {
    const to = y.ptr + offsets[0] * bytes;
    const from = source.ptr + offsets[2] * bytes;
    const numbers = index.ptr + offsets[1] * 4;
    return alpha === undefined
      ? scatter(to, from, numbers, ...sizes, ...a, ...b, ...c, ...how)
      : k.scatterAdd(to, from, numbers, ...sizes, ...a, ...b, ...c, ...how, alpha);
  });
  if (bad !== 0) outOfRange(shape, index, y, along, bad - 1);
}

function coordinates(position: number, shape: Shape): number[] {
  const out = new Array<number>(shape.length);
  let rest = position;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    out[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return out;
}

function outOfRange(shape: Shape, index: Tensor, table: Tensor, along: Along, position: number): never {
  const at = coordinates(position, shape);
  const strides = broadcastStrides(index, shape.length);
  const offset = at.reduce((sum, i, axis) => sum + i * strides[axis], 0);
  const value = read(index.ptr + offset * 4, "int32");
  const size = table.ndim === 0 ? 1 : table.shape[along.axis];
  // the user's position: that in the index before it was spread, along axes of stride 0, or broadcast
  const flat = at.reduce((sum, i, axis) => (strides[axis] === 0 ? sum : sum * shape[axis] + i), 0);
  const own = along.from ? coordinates(flat, along.from) : at.map((i, axis) => (index.shape[axis] === 1 ? 0 : i));
  const range = size === 0 ? `no indices, as axis ${along.axis} has no elements` : `indices from ${along.wrap ? -size : 0} to ${size - 1}`;
  throw new NumericError(`${along.fn}: expected ${range}; got ${value} at position ${showShape(own)}`);
}
