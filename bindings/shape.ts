// Shapes and strides, both in elements.
import { ShapeError } from "./errors.js";

export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i];
  return size;
}

/** Row-major strides. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== step) return shape.includes(0);
    step *= shape[i];
  }
  return true;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function showShape(shape: Shape): string {
  return `[${shape.join(",")}]`;
}

/** A shape that came from outside: whole numbers, none negative, at most 2^31 - 1 elements (kernels count in i32). */
export function checkedShape(op: string, shape: Shape): number[] {
  if (!Array.isArray(shape)) throw new ShapeError(`${op}: expected a shape such as [2, 3]; got ${String(shape)}`);
  for (const n of shape) {
    if (!Number.isInteger(n) || n < 0) throw new ShapeError(`${op}: expected sizes >= 0 in the shape; got [${shape.join(",")}]`);
  }
  if (sizeOf(shape) > 0x7fffffff) throw new ShapeError(`${op}: expected at most 2147483647 elements; got ${showShape(shape)}`);
  return [...shape];
}

/** NumPy's broadcasting of two shapes. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const ndim = Math.max(a.length, b.length);
  const out = new Array<number>(ndim);
  for (let i = 1; i <= ndim; i++) {
    const p = i <= a.length ? a[a.length - i] : 1;
    const q = i <= b.length ? b[b.length - i] : 1;
    if (p !== q && p !== 1 && q !== 1) {
      throw new ShapeError(`${op}: a ${showShape(a)} and b ${showShape(b)} do not broadcast: sizes ${p} and ${q} at axis -${i}`);
    }
    out[ndim - i] = p === 1 ? q : p;
  }
  return out;
}

/** An axis in 0..ndim-1; negatives count from the end. */
export function checkedAxis(op: string, axis: number, ndim: number): number {
  if (!Number.isInteger(axis) || axis < -ndim || axis >= ndim) {
    throw new ShapeError(`${op}: expected an axis from ${-ndim} to ${ndim - 1}; got ${String(axis)}`);
  }
  return axis < 0 ? axis + ndim : axis;
}
