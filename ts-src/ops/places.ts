// Places in a tensor, which views and joins read and write.
import type { Elements } from "../../bindings/copy.js";
import { itemBytes } from "../../bindings/dtype.js";
import { copyInto, type Layout } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { fillAt, fillWith } from "./create.js";

/** The elements of a layout over the memory of t. */
export function placeIn(t: Tensor, place: Layout): Elements {
  return { ptr: t.ptr + (place.offset - t.offset) * itemBytes(t.dtype), dtype: t.dtype, shape: place.shape, strides: place.strides };
}

/** Sets every element of a layout over the memory of t, a strip of it: the first by itself, the others as copies of that. */
export function fillStrip(t: Tensor, place: Layout, value: number): void {
  if (place.shape.includes(0)) return;
  const strip = placeIn(t, place);
  fillAt(strip.ptr, 1, t.dtype, value);
  copyInto(strip, { ...strip, strides: place.strides.map(() => 0) });
}

/** The derivative of a view: fills the new tensor y with 0 and copies x to a place in it, whose elements lie apart. */
export function scattered(y: Tensor, place: Layout, x: Tensor): void {
  fillWith(y, 0);
  copyInto(placeIn(y, place), x);
}
