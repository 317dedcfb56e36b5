// Attention with several heads.

import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { attentionWeights } from "../ops/attention.js";
import { add } from "../ops/binary.js";
import { checkedFlag, checkedNumber, checkedOptions } from "../ops/checks.js";
import { zerosLike } from "../ops/create.js";
import { dropout } from "../ops/dropout.js";
import { linear, matmul } from "../ops/matmul.js";
import { checkedTensor, floatDtype } from "../ops/operands.js";
import { mean } from "../ops/reduce.js";
import { where } from "../ops/select.js";
import { permute, reshape, squeeze, unsqueeze } from "../ops/shape.js";
import { narrow } from "../ops/slice.js";
import { xavierUniform, zeros } from "./init.js";
import { Linear } from "./linear.js";
import { Module } from "./module.js";
import { checkedSizes, constantParameter, type LayerDtype } from "./parts.js";

export interface MultiheadAttentionOptions {
  /** Probability of dropping a weight in training; 0 by default. */
  dropout?: number;
  /** Whether the projections have biases; true by default. */
  bias?: boolean;
  /** Whether tensors are [B, L, E] instead of [L, B, E]; false by default. */
  batchFirst?: boolean;
  dtype?: LayerDtype;
}

/** Masks as PyTorch's: bool, where true keeps a key out, or float, added to the scaled products. */
export interface AttentionMasks {
  /** [L, S], or [B numHeads, L, S]. */
  attnMask?: Tensor | null;
  /** Of keys that are padding, [B, S]. */
  keyPaddingMask?: Tensor | null;
  /** Query i sees keys 0..i only, beside what masks allow; false by default. */
  isCausal?: boolean;
}

export interface AttentionCall extends AttentionMasks {
  /** Whether to answer the weights too; true by default. */
  needWeights?: boolean;
  /** Whether these are the means over the heads; true by default. */
  averageAttnWeights?: boolean;
}

/**
 * Attention with several heads (Vaswani et al. 2017, section 3.2.2) of queries [L, B, E], keys and values [S, B, E] ([B, L, E] ... with
 * batchFirst; [L, E] ... for one sequence): forward(q, k, v, options) gives [y, weights], weights [B, L, S] or null. in_proj_weight
 * [3 E, E] holds the projections of q, k, v and starts Xavier uniform. A query that may see no key gets 0 from the heads. As PyTorch's.
 */
export class MultiheadAttention extends Module<[q: Tensor, k: Tensor, v: Tensor, options?: AttentionCall], [y: Tensor, weights: Tensor | null]> {
  readonly in_proj_weight: Tensor;
  readonly in_proj_bias: Tensor | null;
  readonly out_proj: Linear;
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly batchFirst: boolean;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const name = "MultiheadAttention";
    const { dropout: p = 0, bias = true, batchFirst = false, dtype } = checkedOptions(name, options, ["dropout", "bias", "batchFirst", "dtype"]);
    checkedSizes(name, { embedDim, numHeads });
    if (embedDim % numHeads !== 0) throw new ConfigError(`${name}: expected an embedDim that is a multiple of numHeads; got ${embedDim} and ${numHeads}`);
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = checkedNumber(name, "dropout", p, 0, 1);
    this.batchFirst = checkedFlag(name, "batchFirst", batchFirst);
    this.in_proj_weight = xavierUniform(constantParameter([3 * embedDim, embedDim], 0, dtype));
    this.in_proj_bias = checkedFlag(name, "bias", bias) ? constantParameter([3 * embedDim], 0, dtype) : null;
    this.out_proj = new Linear(embedDim, embedDim, { bias, dtype });
    if (this.out_proj.bias !== null) zeros(this.out_proj.bias);
  }

  /** Throws ShapeError, DtypeError, ConfigError. */
  forward(q: Tensor, k: Tensor, v: Tensor, options: AttentionCall = {}): [y: Tensor, weights: Tensor | null] {
    const name = "MultiheadAttention";
    const known = ["attnMask", "keyPaddingMask", "isCausal", "needWeights", "averageAttnWeights"] as const;
    const { attnMask, keyPaddingMask, isCausal = false, needWeights = true, averageAttnWeights = true } = checkedOptions(name, options, known);
    for (const [flag, value] of Object.entries({ isCausal, needWeights, averageAttnWeights })) checkedFlag(name, flag, value);
    this.checkInputs(q, k, v);
    return scope(() => {
      const single = q.ndim === 2;
      const batch = this.batchFirst || single ? 0 : 1;
      const [queries, keys, values] = this.projected(q, k, v).map((x) => this.heads(single ? unsqueeze(x, 0) : x, batch));
      const mask = this.mask(queries, keys, attnMask ?? null, keyPaddingMask ?? null, single);
      const whole = attentionWeights(queries, keys, mask, isCausal, 1 / Math.sqrt(this.embedDim / this.numHeads));
      const weights = this.training && this.dropout > 0 ? dropout(whole, { p: this.dropout }) : whole;
      // [B, heads, L, d] to the order of q
      const merged = batch === 0 ? permute(matmul(weights, values), 0, 2, 1, 3) : permute(matmul(weights, values), 2, 0, 1, 3);
      const y = this.out_proj.forward(reshape(merged, q.shape));
      if (!needWeights) return [y, null];
      const told = averageAttnWeights ? mean(weights, { axis: 1 }) : weights;
      return [y, single ? squeeze(told, 0) : told];
    });
  }

  private checkInputs(q: Tensor, k: Tensor, v: Tensor): void {
    const name = "MultiheadAttention";
    for (const [label, t] of Object.entries({ q, k, v })) {
      checkedTensor(name, label, t);
      t.alive(`${name}: ${label}`);
    }
    floatDtype(name, { q, k, v });
    const batch = this.batchFirst ? 0 : 1;
    const fits = (t: Tensor): boolean => t.ndim === q.ndim && t.shape[t.ndim - 1] === this.embedDim && (t.ndim === 2 || t.shape[batch] === q.shape[batch]);
    if ((q.ndim !== 2 && q.ndim !== 3) || ![q, k, v].every(fits) || !sameShape(k.shape, v.shape)) {
      const axes = this.batchFirst ? ["B, L", "B, S"] : ["L, B", "S, B"];
      const got = [q, k, v].map((t) => showShape(t.shape)).join(", ");
      throw new ShapeError(`${name}: expected q [${axes[0]}, ${this.embedDim}], k and v [${axes[1]}, ${this.embedDim}]; got ${got}`);
    }
  }

  /** q, k and v times their parts of in_proj_weight: one product where all are one tensor. */
  private projected(q: Tensor, k: Tensor, v: Tensor): Tensor[] {
    const { in_proj_weight: w, in_proj_bias: b, embedDim: size } = this;
    const third = (x: Tensor, axis: number, i: number): Tensor => narrow(x, axis, i * size, size);
    if (q === k && k === v) {
      const all = linear(q, w, b);
      return [0, 1, 2].map((i) => third(all, all.ndim - 1, i));
    }
    return [q, k, v].map((x, i) => linear(x, third(w, 0, i), b === null ? null : third(b, 0, i)));
  }

  /** To [B, heads, L, d]; the batch is axis 0 or 1. */
  private heads(x: Tensor, batch: 0 | 1): Tensor {
    const split = reshape(x, [x.shape[0], x.shape[1], this.numHeads, this.embedDim / this.numHeads]);
    return batch === 0 ? permute(split, 0, 2, 1, 3) : permute(split, 1, 2, 0, 3);
  }

  /** What is added to the scaled products [B, heads, L, S], or null. */
  private mask(queries: Tensor, keys: Tensor, attnMask: Tensor | null, keyPaddingMask: Tensor | null, single: boolean): Tensor | null {
    const [batch, heads, l] = queries.shape;
    const s = keys.shape[2];
    const given = (label: string, mask: Tensor, shapes: readonly (readonly number[])[]): Tensor => {
      const name = "MultiheadAttention";
      checkedTensor(name, label, mask);
      mask.alive(`${name}: ${label}`);
      if (!shapes.some((shape) => sameShape(shape, mask.shape))) {
        throw new ShapeError(`${name}: expected ${label} ${shapes.map(showShape).join(" or ")}; got ${showShape(mask.shape)}`);
      }
      if (mask.dtype !== "bool" && mask.dtype !== queries.dtype) {
        throw new DtypeError(`${name}: expected ${label} of dtype bool or ${queries.dtype}; got ${mask.dtype}`);
      }
      return mask.dtype === "bool" ? where(mask, Number.NEGATIVE_INFINITY, zerosLike(mask, { dtype: queries.dtype as "float32" })) : mask;
    };
    let total: Tensor | null = null;
    if (attnMask !== null) {
      const own = given("attnMask", attnMask, [
        [l, s],
        [batch * heads, l, s],
      ]);
      total = own.ndim === 3 ? reshape(own, [batch, heads, l, s]) : own;
    }
    if (keyPaddingMask !== null) {
      const padding = reshape(given("keyPaddingMask", keyPaddingMask, [single ? [s] : [batch, s]]), [batch, 1, 1, s]);
      total = total === null ? padding : add(total, padding);
    }
    return total;
  }
}
