// Rows picked by number: what a data loader reads from a dataset.
import { itemBytes } from "../../bindings/dtype.js";
import { DtypeError, GradientError, ShapeError } from "../../bindings/errors.js";
import { view } from "../../bindings/memory.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { everyOperand, merged, parted } from "./batching.js";
import { arange } from "./create.js";
import { gatherAlong } from "./gather.js";
import { broadcastTo, reshape } from "./shape.js";

function rowSize(x: Tensor): number {
  return x.shape.slice(1).reduce((n, size) => n * size, 1);
}

function pickedShape(name: string, x: Spec, index: Spec): number[] {
  if (x.shape.length === 0 || index.shape.length !== 1 || index.dtype !== "int32") {
    throw new ShapeError(`${name}: expected x with a first axis and int32 numbers [n]; got ${showShape(x.shape)} and ${index.dtype} ${showShape(index.shape)}`);
  }
  return [index.shape[0], ...x.shape.slice(1)];
}

function inRange(name: string, x: Tensor, index: Tensor): void {
  for (const i of view(index.ptr, index.size, "int32")) {
    if (i < 0 || i >= x.shape[0]) throw new ShapeError(`${name}: expected row numbers from 0 to ${x.shape[0] - 1}; got ${i}`);
  }
}

/** Rows of each example by its own numbers, for x [B, n, ...] and index [B, m]. */
function eachPicked(name: string, x: Tensor, index: Tensor): Tensor {
  const wide = reshape(index, [...index.shape, ...x.shape.slice(2).map(() => 1)]);
  return gatherAlong(x, broadcastTo(wide, [...index.shape, ...x.shape.slice(2)]), { fn: name, axis: 1 });
}

/** y[i] = x[index[i]] along the first axis; throws ShapeError for a number out of range, GradientError if x requires one. */
export function takeRows(x: Tensor, index: Tensor): Tensor {
  if (x.requiresGrad) throw new GradientError("takeRows: expected data without gradient; got a tensor that requires one; detach() it");
  return apply(takeRowsOp, { x, index });
}
const takeRowsOp = op({
  name: "takeRows",
  inputs: ["x", "index"],
  batch: (batch) => {
    const { x, index } = everyOperand(batch);
    if (!batch.batched.x) return parted(batch.again({ x: batch.inputs.x, index: merged(index) }), batch.size);
    return eachPicked("takeRows", x, index);
  },
  shape: (s: { x: Spec; index: Spec }) => ({ shape: pickedShape("takeRows", s.x, s.index), dtype: s.x.dtype }),
  kernel(k, { x, index }, y) {
    inRange("takeRows", x, index);
    k.takeRows(y.ptr, x.ptr, index.ptr, index.size, rowSize(x) * itemBytes(x.dtype));
  },
  saves: [],
  vjp: "none",
  samples: [],
});

/** y[i] = scale x[index[i]] + shift in float32, for rows of bytes such as images. */
export function takeRowsScaled(x: Tensor, index: Tensor, scale: number, shift: number): Tensor {
  return apply(takeRowsScaledOp, { x, index }, { scale, shift });
}
const takeRowsScaledOp = op({
  name: "takeRowsScaled",
  inputs: ["x", "index"],
  batch: (batch) => {
    const { x, index } = everyOperand(batch);
    if (!batch.batched.x) return parted(batch.again({ x: batch.inputs.x, index: merged(index) }), batch.size);
    const rows = merged(eachPicked("takeRowsScaled", x, index));
    return parted(batch.again({ x: rows, index: arange(0, rows.shape[0], 1, { dtype: "int32" }) }), batch.size);
  },
  shape(s: { x: Spec; index: Spec }, _params: { scale: number; shift: number }) {
    if (s.x.dtype !== "uint8") throw new DtypeError(`takeRowsScaled: expected x of dtype uint8; got ${s.x.dtype}`);
    return { shape: pickedShape("takeRowsScaled", s.x, s.index), dtype: "float32" as const };
  },
  kernel(k, { x, index }, y, { scale, shift }) {
    inRange("takeRowsScaled", x, index);
    k.takeRowsUint8(y.ptr, x.ptr, index.ptr, index.size, rowSize(x), scale, shift);
  },
  saves: [],
  vjp: "none",
  samples: [],
});
