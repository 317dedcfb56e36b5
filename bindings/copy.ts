// Elements moved from one memory layout to another, whatever their dtype.
import { type DType, itemBytes } from "./dtype.js";
import { kernelsOf, kernelsThatRun } from "./kernels.js";
import { settle } from "./memory.js";
import { type Shape, sizeOf } from "./shape.js";

/** Elements in memory; a tensor is one. Strides are in elements and may be 0 or negative. */
export interface Elements {
  /** Address of the first element. */
  readonly ptr: number;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** Copies a block; blocks are whole multiples of 8 bytes. */
export function copyBytes(to: number, from: number, bytes: number): void {
  settle();
  kernelsThatRun("float32").place64(to, from, 1, 1, Math.ceil(bytes / 8), 0, 0, 1, 0, 0, 1);
}

/** y = x, element by element; both have one shape and one dtype, and no memory in common unless it is read only. */
export function copyInto(y: Elements, x: Elements): void {
  if (sizeOf(x.shape) === 0) return;
  // axes of size 1 dropped, neighbours that lie in one row in both merged
  const sizes: number[] = [];
  const to: number[] = [];
  const from: number[] = [];
  for (let i = 0; i < x.shape.length; i++) {
    const n = x.shape[i];
    if (n === 1) continue;
    const last = sizes.length - 1;
    if (last >= 0 && from[last] === x.strides[i] * n && to[last] === y.strides[i] * n) {
      sizes[last] *= n;
      to[last] = y.strides[i];
      from[last] = x.strides[i];
    } else {
      sizes.push(n);
      to.push(y.strides[i]);
      from.push(x.strides[i]);
    }
  }
  // a transposed copy goes by tiles where the axis that is dense in x is the last but one
  const last = sizes.length - 1;
  if (last > 0 && to[last] === 1 && from[last] !== 1) {
    const dense = from.indexOf(1);
    if (dense >= 0 && dense < last - 1) for (const list of [sizes, to, from]) list.splice(last - 1, 0, list.splice(dense, 1)[0]);
  }
  while (sizes.length < 3) {
    sizes.unshift(1);
    to.unshift(0);
    from.unshift(0);
  }
  const bytes = itemBytes(x.dtype);
  const k = kernelsOf("float32");
  const place = bytes === 8 ? k.place64 : bytes === 4 ? k.place32 : k.place8;
  // the three innermost axes a call
  const inner = sizes.length - 3;
  const [n0, n1, n2] = sizes.slice(inner);
  const [t0, t1, t2] = to.slice(inner);
  const [s0, s1, s2] = from.slice(inner);
  const index = new Array<number>(inner).fill(0);
  let p = y.ptr;
  let q = x.ptr;
  for (let axis = 0; axis >= 0; ) {
    place(p, q, n0, n1, n2, t0, t1, t2, s0, s1, s2);
    for (axis = inner - 1; axis >= 0; axis--) {
      p += to[axis] * bytes;
      q += from[axis] * bytes;
      if (++index[axis] < sizes[axis]) break;
      p -= to[axis] * sizes[axis] * bytes;
      q -= from[axis] * sizes[axis] * bytes;
      index[axis] = 0;
    }
  }
}
