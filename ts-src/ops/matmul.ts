// Matrix products over the four GEMM layouts: a transposed view costs no copy.
import { ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, type Batch, op, type Spec } from "../../bindings/op.js";
import { broadcastShapes, showShape, sizeOf } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { aligned } from "./batching.js";
import { add, mul } from "./binary.js";
import { affine, affineCut, productCut, products } from "./gemm.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { reshape, squeeze, transpose, unsqueeze } from "./shape.js";

/**
 * Matrix product of [..., m, k] and [..., k, n] to [..., m, n]; leading axes broadcast, a 1-D operand is a row (a) or a
 * column (b). Throws ShapeError if the inner sizes differ.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  checkedTensor("matmul", "a", a);
  checkedTensor("matmul", "b", b);
  if (a.ndim === 1 || b.ndim === 1) {
    return scope(() => {
      const y = matmul(a.ndim === 1 ? unsqueeze(a, 0) : a, b.ndim === 1 ? unsqueeze(b, 1) : b);
      return squeeze(y, [...(a.ndim === 1 ? [-2] : []), ...(b.ndim === 1 ? [-1] : [])]);
    });
  }
  return apply(matmulOp, { a, b });
}
const matmulOp = op({
  name: "matmul",
  inputs: ["a", "b"],
  batch: batchedProduct,
  shape(x: { a: Spec; b: Spec }) {
    const p = x.a.shape;
    const q = x.b.shape;
    if (p.length < 2 || q.length < 2) throw new ShapeError(`matmul: expected at least one axis in each; got a ${showShape(p)} x b ${showShape(q)}`);
    const k = p[p.length - 1];
    const inner = q[q.length - 2];
    if (k !== inner) throw new ShapeError(`matmul: a ${showShape(p)} x b ${showShape(q)}: inner sizes ${k} and ${inner} differ`);
    const batch = p.length === 2 && q.length === 2 ? [] : broadcastShapes("matmul", p.slice(0, -2), q.slice(0, -2));
    return { shape: [...batch, p[p.length - 2], q[q.length - 1]], dtype: floatDtype("matmul", x) };
  },
  strided: true,
  flops: ({ a }, y) => 2 * sizeOf(y.shape) * a.shape[a.shape.length - 1],
  split: (x, y, _, parts) => productCut(x, y, parts),
  kernel: (k, { a, b }, y) => products(k, a, b, y),
  saves: ["a", "b"],
  vjp: (dy, { a, b }) => ({ a: () => matmul(dy, transpose(b)), b: () => (b.ndim === 2 ? matmul(transpose(rows(a)), rows(dy)) : matmul(transpose(a), dy)) }),
  samples: [
    { inputs: { a: { shape: [3, 4] }, b: { shape: [4, 2] } } },
    { inputs: { a: { shape: [2, 1, 3, 4] }, b: { shape: [3, 4, 2] } } },
    { inputs: { a: { shape: [3, 0] }, b: { shape: [0, 2] } } },
    { inputs: { a: { shape: [0, 3] }, b: { shape: [3, 2] } } },
    (draw) => {
      const [p, q] = draw.broadcast();
      const [m, k, n] = [0, 1, 2].map(() => draw.integer(draw.integer(0, 9) === 0 ? 0 : 1, 9));
      return { inputs: { a: { shape: [...p.slice(-2), m, k] }, b: { shape: [...q.slice(-2), k, n] } } };
    },
  ],
});

/**
 * Affine map y = x w^T + b of x [..., in] with w [out, in] and b [out] or null, to [..., out].
 * Throws ShapeError if sizes do not fit.
 */
export function linear(x: Tensor, w: Tensor, b: Tensor | null = null): Tensor {
  checkedTensor("linear", "x", x);
  checkedTensor("linear", "w", w);
  if (b === null) {
    checkLinear(x, w);
    floatDtype("linear", { x, w });
    x.alive("linear: x");
    w.alive("linear: w");
    return scope(() => matmul(x, transpose(w)));
  }
  return apply(linearOp, { x, w, b });
}
const linearOp = op({
  name: "linear",
  inputs: ["x", "w", "b"],
  batch: batchedLinear,
  shape(s: { x: Spec; w: Spec; b: Spec }) {
    checkLinear(s.x, s.w);
    const out = s.w.shape[0];
    if (s.b.shape.length !== 1 || s.b.shape[0] !== out)
      throw new ShapeError(`linear: expected b of shape [${out}], as w ${showShape(s.w.shape)} has; got ${showShape(s.b.shape)}`);
    return { shape: [...s.x.shape.slice(0, -1), out], dtype: floatDtype("linear", s) };
  },
  flops: ({ w }, y) => sizeOf(y.shape) * (2 * w.shape[1] + 1),
  split: affineCut,
  kernel(k, { x, w, b }, y) {
    affine(k, x, w, b, y, "none");
  },
  saves: ["x", "w"],
  vjp: (dy, { x, w }) => ({
    x: () => matmul(dy, w),
    w: () => matmul(transpose(rows(dy)), rows(x)),
    b: () => dy,
  }),
  samples: [
    { inputs: { x: { shape: [3, 4] }, w: { shape: [2, 4] }, b: { shape: [2] } } },
    { inputs: { x: { shape: [2, 3, 4] }, w: { shape: [5, 4] }, b: { shape: [5] } } },
    { inputs: { x: { shape: [4] }, w: { shape: [2, 4] }, b: { shape: [2] } } },
    { inputs: { x: { shape: [0, 4] }, w: { shape: [2, 4] }, b: { shape: [2] } } },
    (draw) => {
      const [inner, out] = [draw.integer(0, 9), draw.integer(0, 9)];
      return { inputs: { x: { shape: [...draw.shape(0, 3), inner] }, w: { shape: [out, inner] }, b: { shape: [out] } } };
    },
  ],
});

function checkLinear(x: Spec, w: Spec): void {
  const inner = x.shape[x.shape.length - 1];
  if (w.shape.length !== 2 || x.shape.length === 0 || w.shape[1] !== inner) {
    throw new ShapeError(`linear: x ${showShape(x.shape)} and w ${showShape(w.shape)}: expected x [..., in] and w [out, in]`);
  }
}

/** All leading axes as one. */
function rows(x: Tensor): Tensor {
  return x.ndim === 2 ? x : reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape[x.ndim - 1]]);
}

/** Of matrices that broadcast: one product where all examples share b, a column an example, or inner sizes of 1. */
function batchedProduct(batch: Batch<"a" | "b", unknown>): Tensor {
  const { inputs, batched, shapes, size } = batch;
  const [p, q] = [shapes.a, shapes.b];
  if (!batched.a && p.length === 2 && q.length === 2 && q[1] === 1) {
    // the columns of all examples are the rows of one matrix
    const y = batch.again({ a: reshape(inputs.b, [size, q[0]]), b: transpose(inputs.a) });
    return reshape(y, [size, p[0], 1]);
  }
  const rank = Math.max(p.length, q.length);
  const operands = { a: aligned(batch, "a", rank), b: aligned(batch, "b", rank) };
  return p[p.length - 1] === 1 ? mul(operands.a, operands.b) : batch.again(operands);
}

function batchedLinear(batch: Batch<"x" | "w" | "b", unknown>): Tensor {
  const { inputs, batched, shapes, size, y } = batch;
  if (!batched.w && !batched.b) return batch.again(inputs);
  const [out, inner] = shapes.w;
  const m = sizeOf(shapes.x.slice(0, -1));
  const x = reshape(inputs.x, batched.x ? [size, m, inner] : [m, inner]);
  const b = batched.b ? reshape(inputs.b, [size, 1, out]) : inputs.b;
  return reshape(add(matmul(x, transpose(inputs.w)), b), [size, ...y.shape]);
}
