// Batch normalisation folded into the layer before it.

import { ConfigError } from "../../bindings/errors.js";
import { keep } from "../../bindings/lifetime.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add, mul, sub } from "../ops/binary.js";
import { noGrad } from "../ops/derivatives.js";
import { reshape } from "../ops/shape.js";
import { rsqrt } from "../ops/unary.js";
import { Conv1d, Conv2d, ConvTranspose2d } from "./convolution.js";
import { Linear } from "./linear.js";
import type { Module } from "./module.js";
import { BatchNorm1d, BatchNorm2d } from "./normalization.js";
import { Sequential } from "./sequential.js";

type Affine = Linear | Conv1d | Conv2d | ConvTranspose2d;

/** A batch norm that uses running statistics in eval(). */
type Tracked = (BatchNorm1d | BatchNorm2d) & { readonly running_mean: Tensor; readonly running_var: Tensor };

/** Whether the layer's outputs are the channels that the norm normalises. */
function foldable(layer: Module, next: Module | undefined): layer is Affine {
  const flat = layer instanceof Linear || layer instanceof Conv1d;
  const image = layer instanceof Conv2d || layer instanceof ConvTranspose2d;
  return ((flat && next instanceof BatchNorm1d) || (image && next instanceof BatchNorm2d)) && next.running_mean !== null && next.running_var !== null;
}

/** A copy of the layer whose outputs are those of the norm behind it: w s and (b - mean) s + shift, s = scale / sqrt(variance + eps). */
function folded(layer: Affine, norm: Tracked): Affine {
  const [weight, bias] = noGrad(() => {
    const r = rsqrt(add(norm.running_var, norm.eps));
    const scale = norm.weight === null ? r : mul(norm.weight, r);
    const shift = mul(sub(layer.bias ?? 0, norm.running_mean), scale);
    return [scaled(layer, scale), norm.bias === null ? shift : add(shift, norm.bias)];
  });
  const copy = layer.clone();
  const state = copy as unknown as Record<string, unknown>;
  // of a weight that was normalised
  delete state.weight_g;
  delete state.weight_v;
  for (const [name, value] of Object.entries({ weight, bias })) {
    keep(value).requiresGrad = true;
    Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

/** The weight times a factor for each output. */
function scaled(layer: Affine, scale: Tensor): Tensor {
  const w = layer.weight;
  if (!(layer instanceof ConvTranspose2d)) return mul(w, reshape(scale, [scale.size, ...w.shape.slice(1).map(() => 1)]));
  // [in, out / groups, ...]: the outputs of a group are those of its inputs
  const { groups } = layer;
  const grouped = reshape(w, [groups, w.shape[0] / groups, ...w.shape.slice(1)]);
  return reshape(mul(grouped, reshape(scale, [groups, 1, w.shape[1], 1, 1])), w.shape);
}

/**
 * A copy of a model for inference, in eval(), in which each Linear or convolution that a batch norm follows is one layer with it; outputs are
 * equal but for rounding. A Sequential within is folded too. A Linear is taken for one on rows [N, in]; a norm without running
 * statistics stays. Throws ConfigError for what is no Sequential. As PyTorch's fuse_conv_bn_eval.
 */
export function foldBatchNorm(model: Sequential): Sequential {
  if (!(model instanceof Sequential)) throw new ConfigError(`foldBatchNorm: expected a Sequential; got ${showValue(model)}`);
  const layers = model.children().map(([, layer]) => layer as Module);
  const result: Module[] = [];
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i];
    if (layer instanceof Sequential) result.push(foldBatchNorm(layer));
    else if (foldable(layer, layers[i + 1])) result.push(folded(layer, layers[++i] as Tracked));
    else result.push(layer.clone());
  }
  return new Sequential(...result).eval();
}
