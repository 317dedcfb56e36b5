// Encoders of transformers.

import { ConfigError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add } from "../ops/binary.js";
import { checkedFlag, checkedNumber, checkedOptions } from "../ops/checks.js";
import { gelu } from "../ops/gelu.js";
import { relu } from "../ops/piecewise.js";
import { MultiheadAttention } from "./attention.js";
import { Dropout } from "./dropout.js";
import { Linear } from "./linear.js";
import { Module } from "./module.js";
import { LayerNorm } from "./normalization.js";
import { checkedSizes, type LayerDtype } from "./parts.js";

export interface TransformerEncoderLayerOptions {
  /** Size of the hidden layer of the feed-forward part; 2048 by default. */
  dimFeedforward?: number;
  /** Probability of dropping, in attention, hidden layer and both branches; 0.1 by default. */
  dropout?: number;
  /** Function of the hidden layer; "relu" by default. */
  activation?: "relu" | "gelu";
  /** Added to the variance by the layer norms; 1e-5 by default. */
  layerNormEps?: number;
  /** Whether tensors are [B, T, E] instead of [T, B, E]; false by default. */
  batchFirst?: boolean;
  /** Whether each branch is normalised before it begins instead of after the sum (Xiong et al. 2020); false by default. */
  normFirst?: boolean;
  dtype?: LayerDtype;
}

/** Masks of MultiheadAttention under the names of the encoder. */
export interface EncoderLayerMasks {
  /** [T, T] or [B nhead, T, T]: bool, true keeps out, or float, added. */
  srcMask?: Tensor | null;
  /** [B, T], of what is padding. */
  srcKeyPaddingMask?: Tensor | null;
  /** Each place sees itself and what is before it only; false by default. */
  isCausal?: boolean;
}

/**
 * Self-attention and a feed-forward part, each with a sum past it and a layer norm (Vaswani et al. 2017, section 3.1): x [T, B, dModel],
 * or [B, T, dModel] with batchFirst, to the same shape. Names and start are those of PyTorch's layer.
 */
export class TransformerEncoderLayer extends Module<[x: Tensor, masks?: EncoderLayerMasks], Tensor> {
  readonly self_attn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly activation: "relu" | "gelu";
  readonly normFirst: boolean;

  constructor(dModel: number, nhead: number, options: TransformerEncoderLayerOptions = {}) {
    super();
    const name = "TransformerEncoderLayer";
    const known = ["dimFeedforward", "dropout", "activation", "layerNormEps", "batchFirst", "normFirst", "dtype"] as const;
    const { dimFeedforward = 2048, dropout = 0.1, activation = "relu", layerNormEps: eps = 1e-5, ...rest } = checkedOptions(name, options, known);
    const { batchFirst = false, normFirst = false, dtype } = rest;
    checkedSizes(name, { dModel, nhead, dimFeedforward });
    if (activation !== "relu" && activation !== "gelu") throw new ConfigError(`${name}: expected activation "relu" or "gelu"; got ${showValue(activation)}`);
    checkedNumber(name, "dropout", dropout, 0, 1);
    this.activation = activation;
    this.normFirst = checkedFlag(name, "normFirst", normFirst);
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, dtype });
    this.linear1 = new Linear(dModel, dimFeedforward, { dtype });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { dtype });
    this.norm1 = new LayerNorm(dModel, { eps, dtype });
    this.norm2 = new LayerNorm(dModel, { eps, dtype });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
  }

  forward(x: Tensor, masks: EncoderLayerMasks = {}): Tensor {
    const { srcMask, srcKeyPaddingMask, isCausal } = checkedOptions("TransformerEncoderLayer", masks, ["srcMask", "srcKeyPaddingMask", "isCausal"]);
    const call = { attnMask: srcMask, keyPaddingMask: srcKeyPaddingMask, isCausal, needWeights: false };
    const attention = (h: Tensor): Tensor => this.dropout1.forward(this.self_attn.forward(h, h, h, call)[0]);
    return scope(() => {
      if (this.normFirst) {
        const h = add(x, attention(this.norm1.forward(x)));
        return add(h, this.feedForward(this.norm2.forward(h)));
      }
      const h = this.norm1.forward(add(x, attention(x)));
      return this.norm2.forward(add(h, this.feedForward(h)));
    });
  }

  private feedForward(x: Tensor): Tensor {
    const hidden = this.linear1.forward(x);
    return this.dropout2.forward(this.linear2.forward(this.dropout.forward(this.activation === "relu" ? relu(hidden) : gelu(hidden))));
  }
}

/** Masks of an encoder, for each of its layers. */
export interface EncoderMasks {
  /** As `srcMask` of a layer. */
  mask?: Tensor | null;
  srcKeyPaddingMask?: Tensor | null;
  isCausal?: boolean;
}

/** `numLayers` copies of a layer on top of each other, and `norm` behind them if there is one. As PyTorch's TransformerEncoder. */
export class TransformerEncoder extends Module<[x: Tensor, masks?: EncoderMasks], Tensor> {
  readonly layers: readonly TransformerEncoderLayer[];
  readonly norm: LayerNorm | null;

  constructor(encoderLayer: TransformerEncoderLayer, numLayers: number, options: { norm?: LayerNorm | null } = {}) {
    super();
    const { norm = null } = checkedOptions("TransformerEncoder", options, ["norm"]);
    if (!(encoderLayer instanceof TransformerEncoderLayer)) {
      throw new ConfigError(`TransformerEncoder: expected a TransformerEncoderLayer; got ${showValue(encoderLayer)}`);
    }
    if (norm !== null && !(norm instanceof Module)) throw new ConfigError(`TransformerEncoder: expected a module or null for norm; got ${showValue(norm)}`);
    checkedSizes("TransformerEncoder", { numLayers });
    this.layers = Array.from({ length: numLayers }, () => encoderLayer.clone());
    this.norm = norm;
  }

  forward(x: Tensor, masks: EncoderMasks = {}): Tensor {
    const { mask, ...rest } = checkedOptions("TransformerEncoder", masks, ["mask", "srcKeyPaddingMask", "isCausal"]);
    return scope(() => {
      let y = x;
      for (const layer of this.layers) y = layer.forward(y, { srcMask: mask, ...rest });
      return this.norm === null ? y : this.norm.forward(y);
    });
  }
}
