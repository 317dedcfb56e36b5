// Affine layer.

import { ConfigError } from "../../bindings/errors.js";
import { keep } from "../../bindings/lifetime.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedOptions } from "../ops/checks.js";
import type { CreateOptions } from "../ops/create.js";
import { linear } from "../ops/matmul.js";
import { uniform } from "../ops/random.js";
import { Module } from "./module.js";

export interface LinearOptions {
  /** Whether there is a bias; true by default. */
  bias?: boolean;
  dtype?: CreateOptions["dtype"];
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
    checkedOptions("Linear", options, ["bias", "dtype"]);
    const { bias = true, dtype } = options;
    if (typeof bias !== "boolean") throw new ConfigError(`Linear: expected bias: true or false; got ${showValue(bias)}`);
    for (const [name, n] of Object.entries({ inFeatures, outFeatures })) {
      if (!Number.isInteger(n) || n < 1) throw new ConfigError(`Linear: expected ${name} >= 1; got ${showValue(n)}`);
    }
    const bound = 1 / Math.sqrt(inFeatures);
    const start = { dtype, requiresGrad: true };
    this.weight = keep(uniform([outFeatures, inFeatures], -bound, bound, start));
    this.bias = bias ? keep(uniform([outFeatures], -bound, bound, start)) : null;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
