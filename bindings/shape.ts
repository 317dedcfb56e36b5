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

/** A shape, or a list that was given for one, in a message. */
export function showShape(shape: readonly unknown[]): string {
  return `[${Array.from(shape, (n) => (typeof n === "number" ? String(n) : showOther(n))).join(",")}]`;
}

function showOther(value: unknown): string {
  return value === null || typeof value !== "object" ? String(value) : Array.isArray(value) ? "[...]" : "{...}";
}

export const MOST_ELEMENTS = 0x7fffffff; // kernels count in i32

/**
 * A shape that came from outside: whole numbers, none negative, at most 2^31 - 1 elements, not counting axes of size 0,
 * so that strides stay in that range too.
 */
export function checkedShape(op: string, shape: Shape): number[] {
  if (!Array.isArray(shape)) throw new ShapeError(`${op}: expected a shape such as [2, 3]; got ${showOther(shape)}`);
  let size = 1;
  for (const n of shape) {
    if (!Number.isInteger(n) || n < 0) throw new ShapeError(`${op}: expected sizes >= 0 in the shape; got ${showShape(shape)}`);
    size *= Math.max(n, 1);
  }
  if (size > MOST_ELEMENTS) throw new ShapeError(`${op}: expected at most ${MOST_ELEMENTS} elements; got ${showShape(shape)}`);
  return [...shape];
}

/** The strides with which the same elements, in the same order, have the shape `to`; undefined if there are none (PyTorch's rule for views). */
export function reshapedStrides(shape: Shape, strides: readonly number[], to: Shape): number[] | undefined {
  if (shape.length === 0 || shape.includes(0)) return contiguousStrides(to);
  const out = new Array<number>(to.length);
  let next = to.length - 1;
  // neighbours that lie in one row are one run of elements, which whole axes of `to` must fill
  let run = 1;
  let filled = 1;
  let step = strides[shape.length - 1];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    run *= shape[axis];
    if (axis > 0 && (shape[axis - 1] === 1 || strides[axis - 1] === run * step)) continue;
    for (; next >= 0 && (filled < run || to[next] === 1); next--) {
      out[next] = filled * step;
      filled *= to[next];
    }
    if (filled !== run) return undefined;
    run = 1;
    filled = 1;
    if (axis > 0) step = strides[axis - 1];
  }
  return next < 0 ? out : undefined;
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
    if (ndim === 0) throw new ShapeError(`${op}: expected no axis, as the tensor has none; got ${showOther(axis)}`);
    throw new ShapeError(`${op}: expected an axis from ${-ndim} to ${ndim - 1}; got ${showOther(axis)}`);
  }
  return axis < 0 ? axis + ndim : axis + 0;
}

/** Axes in 0..ndim-1 in the order given, each once; `all` of them if none are given. */
export function checkedAxes(op: string, axes: number | readonly number[] | undefined, ndim: number): number[] {
  if (axes === undefined) return Array.from({ length: ndim }, (_, i) => i);
  const list = Array.from(Array.isArray(axes) ? (axes as readonly number[]) : [axes as number], (axis) => checkedAxis(op, axis, ndim));
  if (new Set(list).size !== list.length) throw new ShapeError(`${op}: expected each axis once; got ${showShape(list)}`);
  return list;
}
