// A function of whole tensors, run piece by piece along the first axis, so that what lies between its ops stays in the cache.
import { itemBytes } from "./dtype.js";
import { Storage } from "./lifetime.js";
import { currentHome, type Moving } from "./memory.js";
import { type Shape, sizeOf } from "./shape.js";
import { Tensor } from "./tensor.js";

/** Whether an operand has the first axis of a result, and so is cut into pieces with it. */
function isCut(shape: Shape, result: Shape): boolean {
  return shape.length === result.length && shape[0] === result[0] && shape[0] !== 1;
}

/**
 * Calls `body` on pieces of `slices` slices along the first axis of y, and of each contiguous operand that has this axis; others
 * are broadcast along it and given whole. Kernels of `body` must make each element from those at its place.
 */
export function tiled(operands: readonly Tensor[], y: Tensor, slices: number, body: (operands: Tensor[], y: Tensor) => void): void {
  const all = [...operands, y];
  const cut = all.filter((t) => isCut(t.shape, y.shape));
  const slice = (t: Tensor): number => sizeOf(t.shape.slice(1));
  const rounds = (count: number, from: number, length: number): void => {
    const moving: Moving[] = cut.map((t) => {
      const bytes = slice(t) * itemBytes(t.dtype);
      return { ptr: t.ptr + from * bytes, stepBytes: length * bytes };
    });
    currentHome().loop(count, moving, (addresses) => {
      const pieces = all.map((t) => {
        const i = cut.indexOf(t);
        if (i < 0) return t;
        const shape = [length, ...t.shape.slice(1)];
        return new Tensor(new Storage(sizeOf(shape) * itemBytes(t.dtype), addresses[i]), t.origin, t.dtype, shape);
      });
      body(pieces.slice(0, -1), pieces[pieces.length - 1]);
    });
  };
  const outer = y.shape[0];
  const whole = Math.floor(outer / slices);
  if (whole > 0) rounds(whole, 0, slices);
  if (outer % slices > 0) rounds(1, whole * slices, outer % slices);
}
