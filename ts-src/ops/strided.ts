// Kernels over three operands that broadcast.
import { itemBytes } from "../../bindings/dtype.js";
import type { Kernels } from "../../bindings/kernels.js";
import type { Tensor } from "../../bindings/tensor.js";
import { strideAt } from "./operands.js";

/** Calls a kernel y = c ? a : b: axes that lie in one row in every operand are merged, three go to a call. */
export function zipWhere(kernel: Kernels["where32"], c: Tensor, a: Tensor, b: Tensor, y: Tensor): void {
  const n = y.size;
  if (n === 0) return;
  const operands = [c, a, b];
  const sizes: number[] = [];
  const strides: number[][] = [[], [], []];
  for (let axis = 0; axis < y.ndim; axis++) {
    const size = y.shape[axis];
    if (size === 1) continue;
    const own = operands.map((t) => strideAt(t, axis - y.ndim));
    const last = sizes.length - 1;
    if (last >= 0 && strides.every((list, i) => list[last] === own[i] * size)) {
      sizes[last] *= size;
      for (let i = 0; i < 3; i++) strides[i][last] = own[i];
    } else {
      sizes.push(size);
      for (let i = 0; i < 3; i++) strides[i].push(own[i]);
    }
  }
  while (sizes.length < 3) {
    sizes.unshift(1);
    for (const list of strides) list.unshift(0);
  }
  const inner = sizes.length - 3;
  const [n0, n1, n2] = sizes.slice(inner);
  const [[c0, c1, c2], [a0, a1, a2], [b0, b1, b2]] = strides.map((list) => list.slice(inner));
  const block = n0 * n1 * n2;
  const index = new Array<number>(inner).fill(0);
  const from = operands.map((t) => t.ptr);
  const bytes = operands.map((t) => itemBytes(t.dtype));
  for (let done = 0; done < n; done += block) {
    kernel(y.ptr + done * bytes[1], from[0], from[1], from[2], n0, n1, n2, c0, c1, c2, a0, a1, a2, b0, b1, b2);
    for (let axis = inner - 1; axis >= 0; axis--) {
      const carry = ++index[axis] === sizes[axis];
      for (let i = 0; i < 3; i++) from[i] += strides[i][axis] * bytes[i] * (carry ? 1 - sizes[axis] : 1);
      if (!carry) break;
      index[axis] = 0;
    }
  }
}
