// Products of vectors and of batches of matrices, by the names and with the checks of PyTorch.
import { ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { mul } from "./binary.js";
import { matmul } from "./matmul.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { unsqueeze } from "./shape.js";

function checkedPair(name: string, a: Tensor, b: Tensor): void {
  checkedTensor(name, "a", a);
  checkedTensor(name, "b", b);
  a.alive(`${name}: a`);
  b.alive(`${name}: b`);
}

/** Matrix products of a batch: [B, m, k] x [B, k, n] to [B, m, n], nothing broadcast. Throws ShapeError unless sizes fit, DtypeError. */
export function bmm(a: Tensor, b: Tensor): Tensor {
  checkedPair("bmm", a, b);
  if (a.ndim !== 3 || b.ndim !== 3 || a.shape[0] !== b.shape[0] || a.shape[2] !== b.shape[1]) {
    throw new ShapeError(`bmm: expected a [B,m,k] and b [B,k,n]; got ${showShape(a.shape)} and ${showShape(b.shape)}`);
  }
  floatDtype("bmm", { a, b });
  return matmul(a, b);
}

/** Scalar product of two vectors [n]: the sum of a[i] b[i]. Throws ShapeError unless sizes fit, DtypeError. */
export function dot(a: Tensor, b: Tensor): Tensor {
  checkedPair("dot", a, b);
  if (a.ndim !== 1 || b.ndim !== 1 || a.size !== b.size) {
    throw new ShapeError(`dot: expected two vectors of one size; got ${showShape(a.shape)} and ${showShape(b.shape)}`);
  }
  floatDtype("dot", { a, b });
  return matmul(a, b);
}

/** Outer product of two vectors: y[i, j] = a[i] b[j]. Throws ShapeError unless both have one axis, DtypeError. */
export function outer(a: Tensor, b: Tensor): Tensor {
  checkedPair("outer", a, b);
  if (a.ndim !== 1 || b.ndim !== 1) throw new ShapeError(`outer: expected two vectors; got ${showShape(a.shape)} and ${showShape(b.shape)}`);
  return scope(() => mul(unsqueeze(a, 1), b));
}
