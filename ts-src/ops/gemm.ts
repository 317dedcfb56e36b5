// How matrix products and affine maps call the GEMM kernels: a transposed view costs no copy.
import { itemBytes } from "../../bindings/dtype.js";
import type { Kernels } from "../../bindings/kernels.js";
import { scratch } from "../../bindings/memory.js";
import { allocated, copyInto } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { strideAt } from "./operands.js";

/** What may follow a product in the same pass, by the numbers of the kernel: activations, and derivatives of some by their outputs. */
export const epilogues = ["none", "relu", "tanh", "sigmoid", "gelu", "geluTanh", "silu", "reluGrad", "tanhGrad", "sigmoidGrad"] as const;
export type Epilogue = (typeof epilogues)[number];

/** y = f(x w^T + b) for contiguous operands. */
export function affine(k: Kernels, x: Tensor, w: Tensor, b: Tensor, y: Tensor, epilogue: Epilogue): void {
  if (y.size === 0) return;
  const [n, inner] = w.shape;
  const m = y.size / n;
  const workspace = scratch(k.gemmScratchBytes(m, n, inner));
  k.gemmEpilogue(y.ptr, x.ptr, w.ptr, b.ptr, 0, workspace, m, n, inner, inner, inner, 0, 1, epilogues.indexOf(epilogue));
}

/** y = f(a b, other) for matrices that GEMM reads as they lie, and `other` of the shape of y. */
export function product(k: Kernels, a: Tensor, b: Tensor, other: Tensor | undefined, y: Tensor, epilogue: Epilogue): void {
  if (y.size === 0) return;
  if (other?.contiguous === false) {
    readably([other], ([copy]) => product(k, a, b, copy, y, epilogue), isContiguous);
    return;
  }
  const [m, n] = y.shape;
  const inner = a.shape[1];
  readably([a, b], ([p, q]) => {
    const [left, right] = [layout(p) as Layout, layout(q) as Layout];
    const [turnedA, turnedB] = [left, right].map(({ letter }) => (letter === "T" ? 1 : 0));
    const workspace = scratch(k.gemmScratchBytes(m, n, inner));
    k.gemmEpilogue(y.ptr, p.ptr, q.ptr, 0, other?.ptr ?? 0, workspace, m, n, inner, left.ld, right.ld, turnedA, turnedB, epilogues.indexOf(epilogue));
  });
}

/** How GEMM reads a matrix: as it lies (N) or transposed (T), with the row stride `ld`. */
type Layout = { readonly letter: "N" | "T"; readonly ld: number };

/** Undefined if neither fits. */
function layout(x: Tensor): Layout | undefined {
  const [m, n] = x.shape.slice(-2);
  const [s, t] = x.strides.slice(-2);
  if ((t === 1 || n === 1) && (s >= n || m === 1)) return { letter: "N", ld: m === 1 ? n : s };
  if ((s === 1 || m === 1) && (t >= m || n === 1)) return { letter: "T", ld: n === 1 ? m : t };
  return undefined;
}

function isContiguous(x: Tensor): boolean {
  return x.contiguous;
}

/** Calls `fn` with matrices that GEMM can read: copies of those that it cannot. */
function readably(matrices: readonly Tensor[], fn: (readable: Tensor[]) => void, readable = (x: Tensor) => layout(x) !== undefined): void {
  const copies: Tensor[] = [];
  try {
    fn(
      matrices.map((x) => {
        if (readable(x)) return x;
        const copy = allocated("copy", x.dtype, x.shape);
        copies.push(copy);
        copyInto(copy, x);
        return copy;
      }),
    );
  } finally {
    for (const copy of copies) copy.dispose();
  }
}

/** y = a b for stacks of matrices that broadcast. */
export function products(k: Kernels, a: Tensor, b: Tensor, y: Tensor): void {
  if (y.size === 0) return;
  readably([a, b], ([p, q]) => {
    const [left, right] = [layout(p) as Layout, layout(q) as Layout];
    const gemm = k[`gemm${left.letter}${right.letter}`];
    const inner = a.shape[a.ndim - 1];
    const n = y.shape[y.ndim - 1];
    let m = y.shape[y.ndim - 2];
    let batches = y.size / (m * n);
    if (batches > 1 && b.ndim === 2 && p.contiguous) {
      m *= batches; // one tall product
      batches = 1;
    }
    const workspace = scratch(k.gemmScratchBytes(m, n, inner));
    const bytes = itemBytes(y.dtype);
    const index = new Array<number>(y.ndim - 2).fill(0);
    let fromA = p.ptr;
    let fromB = q.ptr;
    for (let i = 0; i < batches; i++) {
      gemm(y.ptr + i * m * n * bytes, fromA, fromB, workspace, m, n, inner, left.ld, right.ld, n);
      for (let axis = y.ndim - 3; axis >= 0; axis--) {
        const s = strideAt(p, axis - y.ndim) * bytes;
        const t = strideAt(q, axis - y.ndim) * bytes;
        fromA += s;
        fromB += t;
        if (++index[axis] < y.shape[axis]) break;
        fromA -= s * y.shape[axis];
        fromB -= t * y.shape[axis];
        index[axis] = 0;
      }
    }
  });
}
