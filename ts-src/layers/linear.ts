// Affine layer.
import type { Tensor } from "../../bindings/tensor.js";
import { checkedFlag, checkedOptions } from "../ops/checks.js";
import { linear } from "../ops/matmul.js";
import { Module } from "./module.js";
import { checkedSizes, type LayerDtype, uniformParameter } from "./parts.js";

export interface LinearOptions {
  /** Whether there is a bias; true by default. */
  bias?: boolean;
  dtype?: LayerDtype;
}

/**
 * y = x weight^T + bias for x [..., inFeatures], weight [outFeatures, inFeatures].
 * Both start uniform in +-1 / sqrt(inFeatures), as in PyTorch (He et al. 2015 with a = sqrt(5)).
 */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    const { bias = true, dtype } = checkedOptions("Linear", options, ["bias", "dtype"]);
    checkedFlag("Linear", "bias", bias);
    checkedSizes("Linear", { inFeatures, outFeatures });
    const bound = 1 / Math.sqrt(inFeatures);
    this.weight = uniformParameter([outFeatures, inFeatures], bound, dtype);
    this.bias = bias ? uniformParameter([outFeatures], bound, dtype) : null;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
