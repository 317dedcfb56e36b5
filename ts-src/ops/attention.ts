// Scaled dot-product attention, composed of matrix products and a softmax.
import { DtypeError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { view } from "../../bindings/memory.js";
import { broadcastShapes, sameShape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add, mul } from "./binary.js";
import { checkedFlag, checkedNumber, checkedOptions } from "./checks.js";
import { to } from "./convert.js";
import { full } from "./create.js";
import { dropout } from "./dropout.js";
import { log } from "./exponential.js";
import { matmul } from "./matmul.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { transpose } from "./shape.js";
import { maskedSoftmax } from "./softmax.js";

export interface AttentionOptions {
  /** Broadcasts to [..., L, S]. bool: true takes part. float: added to the scaled products. */
  mask?: Tensor | null;
  /** Query i sees keys 0..i only; together with a mask, both must allow. */
  isCausal?: boolean;
  /** Probability of dropping a weight; 0 by default. */
  dropoutP?: number;
  /** Factor of the products q k^T; 1 / sqrt(E) by default. */
  scale?: number | null;
}

/**
 * Attention (Vaswani et al. 2017) of queries q [..., L, E], keys k [..., S, E] and values v [..., S, Ev] to [..., L, Ev]:
 * softmax(q k^T scale + mask) v; leading axes broadcast. A query that may see no key gives 0, as in PyTorch 2.5 and later.
 * Throws ShapeError, DtypeError, ConfigError.
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const name = "scaledDotProductAttention";
  checkedTensor(name, "q", q);
  checkedTensor(name, "k", k);
  checkedTensor(name, "v", v);
  floatDtype(name, { q, k, v });
  const { mask, isCausal = false, dropoutP = 0, scale } = checkedOptions(name, options, ["mask", "isCausal", "dropoutP", "scale"]);
  checkedFlag(name, "isCausal", isCausal);
  checkedNumber(name, "dropoutP", dropoutP, 0, 1);
  if (q.ndim < 2 || k.ndim < 2 || v.ndim < 2 || q.shape[q.ndim - 1] !== k.shape[k.ndim - 1] || k.shape[k.ndim - 2] !== v.shape[v.ndim - 2]) {
    const got = [q, k, v].map((t) => showShape(t.shape)).join(", ");
    throw new ShapeError(`${name}: expected q [..., L, E], k [..., S, E] and v [..., S, Ev]; got ${got}`);
  }
  const size = q.shape[q.ndim - 1];
  const factor = scale === undefined || scale === null ? 1 / Math.sqrt(size) : checkedNumber(name, "scale", scale, -Number.MAX_VALUE, Number.MAX_VALUE);
  const lead = broadcastShapes(name, broadcastShapes(name, q.shape.slice(0, -2), k.shape.slice(0, -2)), v.shape.slice(0, -2));
  if (mask !== undefined && mask !== null) {
    checkedTensor(name, "mask", mask);
    mask.alive(`${name}: mask`);
    if (mask.dtype !== "bool" && mask.dtype !== q.dtype) throw new DtypeError(`${name}: expected a mask of dtype bool or ${q.dtype}; got ${mask.dtype}`);
    const all = [...lead, q.shape[q.ndim - 2], k.shape[k.ndim - 2]];
    if (!sameShape(broadcastShapes(name, mask.shape, all), all)) {
      throw new ShapeError(`${name}: expected a mask that broadcasts to ${showShape(all)}; got ${showShape(mask.shape)}`);
    }
  }
  return scope(() => {
    // log turns true into 0 and false into -Infinity
    const added = mask?.dtype === "bool" ? log(to(mask, q.dtype)) : (mask ?? null);
    const weights = attentionWeights(q, k, added, isCausal, size === 0 ? 1 : factor);
    return matmul(dropoutP > 0 ? dropout(weights, { p: dropoutP }) : weights, v);
  });
}

/** softmax(q k^T factor + mask) of operands that fit, with 0 in rows where all is masked; `isCausal`: query i sees keys 0..i only. */
export function attentionWeights(q: Tensor, k: Tensor, mask: Tensor | null, isCausal: boolean, factor: number): Tensor {
  let scores = matmul(mul(q, factor), transpose(k));
  if (mask !== null) scores = add(scores, mask);
  if (isCausal) scores = add(scores, causal(q.shape[q.ndim - 2], k.shape[k.ndim - 2], q.dtype as "float32"));
  return maskedSoftmax(scores);
}

/** 0 up to the diagonal, -Infinity above. */
function causal(l: number, s: number, dtype: "float32" | "float64"): Tensor {
  const y = full([l, s], 0, { dtype });
  const data = view(y.ptr, y.size, dtype);
  for (let i = 0; i < l; i++) if (i + 1 < s) data.fill(Number.NEGATIVE_INFINITY, i * s + i + 1, (i + 1) * s);
  return y;
}
