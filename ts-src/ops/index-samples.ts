// Samples for ops over indices: int32 operands within the range of an axis.
import type { Draw } from "../../bindings/op.js";
import { type Shape, sizeOf } from "../../bindings/shape.js";

/** Indices of this shape from `low` to `high`. */
export function drawnIndex(draw: Draw, shape: Shape, low: number, high: number) {
  return { values: Array.from({ length: sizeOf(shape) }, () => draw.integer(low, high)), shape, dtype: "int32" } as const;
}

/** A shape with an axis (none if 0-d), and indices that fit it: any number of them along the axis, no larger beside it. */
export function drawnAlong(draw: Draw) {
  const shape = draw.shape();
  const axis = shape.length === 0 ? 0 : draw.integer(0, shape.length - 1);
  const size = shape.length === 0 ? 1 : shape[axis];
  const fitting = shape.map((n, i) => (i === axis ? (n === 0 ? 0 : draw.integer(0, 5)) : Math.max(0, n - draw.integer(0, 1))));
  return { shape, axis, size, index: drawnIndex(draw, fitting, 0, size - 1) };
}
