// Table of rows that are learnt.

import { ConfigError } from "../../bindings/errors.js";
import { keep } from "../../bindings/lifetime.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedFlag, checkedNumber, checkedOptions } from "../ops/checks.js";
import { type EmbeddingOptions, embedding } from "../ops/gather.js";
import { zero_ } from "../ops/inplace.js";
import { randn } from "../ops/random.js";
import { narrow } from "../ops/slice.js";
import { Module } from "./module.js";
import { checkedSizes, type LayerDtype } from "./parts.js";

export interface EmbeddingLayerOptions extends EmbeddingOptions {
  dtype?: LayerDtype;
}

/**
 * y[..., :] = weight[indices[...], :] for int32 indices; weight [numEmbeddings, embeddingDim] starts normal, its row `paddingIdx`
 * at 0, which gets no gradient. As embedding.
 */
export class Embedding extends Module {
  readonly weight: Tensor;
  private readonly options: EmbeddingOptions;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}) {
    super();
    const { dtype, ...rest } = checkedOptions("Embedding", options, ["paddingIdx", "maxNorm", "normType", "scaleGradByFreq", "dtype"]);
    checkedSizes("Embedding", { numEmbeddings, embeddingDim });
    const { paddingIdx = null, maxNorm = null, normType = 2, scaleGradByFreq = false } = rest;
    if (maxNorm !== null) checkedNumber("Embedding", "maxNorm", maxNorm, 0, Number.POSITIVE_INFINITY);
    checkedNumber("Embedding", "normType", normType, 0, Number.POSITIVE_INFINITY);
    checkedFlag("Embedding", "scaleGradByFreq", scaleGradByFreq);
    if (paddingIdx !== null && !(Number.isInteger(paddingIdx) && paddingIdx >= -numEmbeddings && paddingIdx < numEmbeddings)) {
      throw new ConfigError(`Embedding: expected paddingIdx from ${-numEmbeddings} to ${numEmbeddings - 1}, or null; got ${showValue(paddingIdx)}`);
    }
    this.options = rest;
    this.weight = keep(randn([numEmbeddings, embeddingDim], { dtype }));
    if (paddingIdx !== null) {
      const row = narrow(this.weight, 0, paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx, 1);
      zero_(row);
      row.dispose();
    }
    this.weight.requiresGrad = true;
  }

  forward(x: Tensor): Tensor {
    return embedding(x, this.weight, this.options);
  }
}
