// What lies around the elements of a padded tensor.
import { itemBytes } from "../../bindings/dtype.js";
import type { Kernels } from "../../bindings/kernels.js";
import type { Shape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { fillAt } from "./create.js";
import { fillStrip } from "./places.js";

/** Elements before and after, of an axis. */
export type Width = readonly [before: number, after: number];

/** Sets what lies before and after x in y, axis by axis; the strips of an axis leave out those of the axes before it. */
export function border(y: Tensor, widths: readonly Width[], value: number): void {
  const shape = [...y.shape];
  let offset = 0;
  for (const [axis, [before, after]] of widths.entries()) {
    const n = shape[axis];
    for (const [start, size] of [
      [0, before],
      [n - after, after],
    ]) {
      if (size > 0) fillStrip(y, { shape: shape.with(axis, size), strides: y.strides, offset: offset + start * y.strides[axis] }, value);
    }
    offset += Math.max(0, before) * y.strides[axis];
    shape[axis] = n - Math.max(0, before) - Math.max(0, after);
  }
}

interface Inside {
  /** What is copied, from where in x to where in y. */
  readonly shape: Shape;
  readonly from: number;
  readonly to: number;
  readonly widths: readonly Width[];
  readonly value: number;
}

/** Pads rows that lie in one piece while they are copied, each line of memory once; false if they do not, or need more than two axes around them. */
export function paddedRows(k: Kernels, x: Tensor, y: Tensor, { shape, from, to, widths, value }: Inside): boolean {
  const last = shape.length - 1;
  if (last < 0 || shape.includes(0) || x.strides[last] !== 1) return false;
  const [before, after] = widths[last].map((width) => Math.max(0, width));
  if (before + after === 0) return false;
  const axes: { size: number; t: number; s: number }[] = [];
  for (let axis = 0; axis < last; axis++) {
    const [size, t, s] = [shape[axis], y.strides[axis], x.strides[axis]];
    const outer = axes.at(-1);
    if (outer?.t === t * size && outer.s === s * size) axes[axes.length - 1] = { size: outer.size * size, t, s };
    else if (size > 1) axes.push({ size, t, s });
  }
  if (axes.length > 2) return false;
  while (axes.length < 2) axes.unshift({ size: 1, t: 0, s: 0 });
  border(y, widths.with(last, [0, 0]), value);
  const bytes = itemBytes(y.dtype);
  const element = y.ptr + bytes * (before > 0 ? to - before : to + shape[last]);
  fillAt(element, 1, y.dtype, value);
  const [source, target] = [x.ptr + bytes * (from - x.offset), y.ptr + bytes * (to - before)];
  const steps = [axes[0].t, axes[1].t, axes[0].s, axes[1].s, before, after].map((n) => n * bytes) as [number, number, number, number, number, number];
  k.padRows(target, source, element, axes[0].size, axes[1].size, shape[last] * bytes, ...steps, bytes);
  return true;
}
