// Places in a tensor, which views and joins read and write.
import type { Elements } from "../../bindings/copy.js";
import { itemBytes } from "../../bindings/dtype.js";
import { copyInto, type Layout } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { fillWith } from "./create.js";

/** The elements of a layout over the memory of t. */
export function placeIn(t: Tensor, place: Layout): Elements {
  return { ptr: t.storage.ptr + place.offset * itemBytes(t.dtype), dtype: t.dtype, shape: place.shape, strides: place.strides };
}

/** The derivative of a view: fills the new tensor y with 0 and copies x to a place in it, whose elements lie apart. */
export function scattered(y: Tensor, place: Layout, x: Tensor): void {
  fillWith(y, 0);
  copyInto(placeIn(y, place), x);
}
