// How matrix products and affine maps call the GEMM kernels: a transposed view costs no copy.
import { itemBytes } from "../../bindings/dtype.js";
import type { Kernels } from "../../bindings/kernels.js";
import { scratch } from "../../bindings/memory.js";
import { allocated, copyInto } from "../../bindings/op.js";
import type { Cut } from "../../bindings/split.js";
import type { Tensor } from "../../bindings/tensor.js";
import { strideAt } from "./operands.js";

/** What may follow a product in the same pass, by the numbers of the kernel: activations, and derivatives of some by their outputs. */
export const epilogues = ["none", "relu", "tanh", "sigmoid", "gelu", "geluTanh", "silu", "reluGrad", "tanhGrad", "sigmoidGrad"] as const;
export type Epilogue = (typeof epilogues)[number];

/** Columns of a part: whole cache lines of f32, and no edge of a tile. */
const COLUMNS = 16;
/** Rows of A from which GEMM packs B, see assembly/gemm/gemm.ts. */
const PACKED_ROWS = 36;

/** Along which axis a product [m, n] is cut: where the parts have less to pack again. */
function longer(m: number, n: number, packsA: boolean, packsB: boolean, parts: number): "rows" | "columns" | undefined {
  const [rows, columns] = [m >= 8 * parts, n >= COLUMNS * parts];
  if (!rows || !columns) return rows ? "rows" : columns ? "columns" : undefined;
  return (packsA ? m : 0) <= (packsB ? n : 0) ? "columns" : "rows";
}

/** The cut of y = f(x w^T + b). */
export function affineCut({ x, w }: { readonly x: Tensor; readonly w: Tensor }, y: Tensor, _: unknown, parts: number): Cut<"x" | "w" | "b"> | undefined {
  const [n] = w.shape;
  const how = x.ndim === 2 ? longer(y.shape[0], n, false, true, parts) : "rows";
  if (how === "columns") return { y: 1, operands: { w: 0, b: 0 }, step: COLUMNS };
  return how === "rows" && x.ndim > 1 ? { y: 0, operands: { x: 0 } } : undefined;
}

/** The cut of y = f(a b, y) of matrices that broadcast; `others` lie as y does. */
export function productCut({ a, b }: { readonly a: Tensor; readonly b: Tensor }, y: Tensor, parts: number, others: readonly string[] = []): Cut | undefined {
  const along = (axis: number): { [name: string]: number } => Object.fromEntries(others.map((name) => [name, axis]));
  if (y.ndim > 2) {
    const leading = (t: Tensor): number | undefined => (t.ndim === y.ndim && t.shape[0] !== 1 ? 0 : undefined);
    const [fromA, fromB] = [leading(a), leading(b)];
    return { y: 0, operands: { ...(fromA === undefined ? {} : { a: 0 }), ...(fromB === undefined ? {} : { b: 0 }), ...along(0) } };
  }
  const [m, n] = y.shape;
  const how = longer(m, n, a.strides[1] !== 1, m > PACKED_ROWS || b.strides[1] !== 1, parts);
  if (how === "columns") return { y: 1, operands: { b: 1, ...along(1) }, step: COLUMNS };
  return how === "rows" ? { y: 0, operands: { a: 0, ...along(0) } } : undefined;
}

/** y = f(x w^T + b) for contiguous operands. */
export function affine(k: Kernels, x: Tensor, w: Tensor, b: Tensor, y: Tensor, epilogue: Epilogue): void {
  if (y.size === 0) return;
  const [n, inner] = w.shape;
  const m = y.size / n;
  const workspace = scratch(k.gemmScratchBytes(m, n, inner));
  k.gemmEpilogue(
    y.ptr,
    x.ptr,
    w.ptr,
    b.ptr,
    0,
    workspace,
    m,
    n,
    inner,
    inner,
    inner,
    y.ndim > 1 ? y.strides[y.ndim - 2] : n,
    0,
    1,
    epilogues.indexOf(epilogue),
  );
}

/** y = f(a b, other) for matrices that GEMM reads as they lie, and `other` of the shape of y. */
export function product(k: Kernels, a: Tensor, b: Tensor, other: Tensor | undefined, y: Tensor, epilogue: Epilogue): void {
  if (y.size === 0) return;
  if (other !== undefined && !liesLike(other, y)) {
    readably([other], ([copy]) => product(k, a, b, copy, y, epilogue), isContiguous);
    return;
  }
  const [m, n] = y.shape;
  const inner = a.shape[1];
  readably([a, b], ([p, q]) => {
    const [left, right] = [layout(p) as Layout, layout(q) as Layout];
    const [turnedA, turnedB] = [left, right].map(({ letter }) => (letter === "T" ? 1 : 0));
    const workspace = scratch(k.gemmScratchBytes(m, n, inner));
    k.gemmEpilogue(
      y.ptr,
      p.ptr,
      q.ptr,
      0,
      other?.ptr ?? 0,
      workspace,
      m,
      n,
      inner,
      left.ld,
      right.ld,
      y.strides[0],
      turnedA,
      turnedB,
      epilogues.indexOf(epilogue),
    );
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

/** Whether one distance between rows serves both. */
function liesLike(x: Tensor, y: Tensor): boolean {
  return x.contiguous && y.contiguous ? true : x.strides[0] === y.strides[0] && x.strides[1] === 1;
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
      gemm(y.ptr + i * m * n * bytes, fromA, fromB, workspace, m, n, inner, left.ld, right.ld, y.strides[y.ndim - 2]);
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
