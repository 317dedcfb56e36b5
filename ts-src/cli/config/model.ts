// The layers of a configuration, by the names that they have in the library.
import type { Tensor } from "../../../bindings/tensor.js";
import {
  AdaptiveAvgPool2d,
  AvgPool1d,
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  Dropout,
  ELU,
  Flatten,
  GELU,
  GroupNorm,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  InstanceNorm1d,
  InstanceNorm2d,
  LayerNorm,
  LeakyReLU,
  Linear,
  LogSigmoid,
  LogSoftmax,
  MaxPool1d,
  MaxPool2d,
  Mish,
  type Module,
  ReLU,
  RMSNorm,
  SELU,
  Sequential,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
  TransformerEncoderLayer,
} from "../../layers/index.js";
import { noGrad } from "../../ops/derivatives.js";
import { atMost, type Entry } from "./entry.js";

interface Layer {
  readonly make: new (...args: never[]) => unknown;
  /** What its values are called. */
  readonly takes: readonly string[];
}

function layer(make: Layer["make"], takes = ""): Layer {
  return { make, takes: takes === "" ? [] : takes.split(", ") };
}

const convolution = "inChannels, outChannels, kernelSize, options";
const pool = "kernelSize, options";
const norm = "numFeatures, options";

/** Layers of one tensor to one. */
export const layerTable: { readonly [name: string]: Layer } = {
  Linear: layer(Linear, "inFeatures, outFeatures, options"),
  Conv1d: layer(Conv1d, convolution),
  Conv2d: layer(Conv2d, convolution),
  ConvTranspose2d: layer(ConvTranspose2d, convolution),
  MaxPool1d: layer(MaxPool1d, pool),
  MaxPool2d: layer(MaxPool2d, pool),
  AvgPool1d: layer(AvgPool1d, pool),
  AvgPool2d: layer(AvgPool2d, pool),
  AdaptiveAvgPool2d: layer(AdaptiveAvgPool2d, "outputSize"),
  Flatten: layer(Flatten, "startDim, endDim"),
  BatchNorm1d: layer(BatchNorm1d, norm),
  BatchNorm2d: layer(BatchNorm2d, norm),
  InstanceNorm1d: layer(InstanceNorm1d, norm),
  InstanceNorm2d: layer(InstanceNorm2d, norm),
  GroupNorm: layer(GroupNorm, "numGroups, numChannels, options"),
  LayerNorm: layer(LayerNorm, "normalizedShape, options"),
  RMSNorm: layer(RMSNorm, "normalizedShape, options"),
  Dropout: layer(Dropout, "p"),
  TransformerEncoderLayer: layer(TransformerEncoderLayer, "dModel, nhead, options"),
  ELU: layer(ELU, "options"),
  GELU: layer(GELU, "options"),
  Hardsigmoid: layer(Hardsigmoid),
  Hardswish: layer(Hardswish),
  Hardtanh: layer(Hardtanh, "options"),
  LeakyReLU: layer(LeakyReLU, "options"),
  LogSigmoid: layer(LogSigmoid),
  LogSoftmax: layer(LogSoftmax, "options"),
  Mish: layer(Mish),
  ReLU: layer(ReLU),
  SELU: layer(SELU),
  Sigmoid: layer(Sigmoid),
  SiLU: layer(SiLU),
  Softmax: layer(Softmax, "options"),
  Softplus: layer(Softplus, "options"),
  Softsign: layer(Softsign),
  Tanh: layer(Tanh),
};

/** The layers of a list, one after the other, and their places. Throws ConfigError. */
export function modelOf(list: Entry): { model: Sequential; layers: readonly { readonly layer: Module; readonly entry: Entry }[] } {
  const items = list.items("layers");
  if (items.length === 0) list.refuse("at least one layer", "none");
  const layers = items.map((item) => {
    const named = item.named("a layer", layerTable);
    const args = atMost(named, named.found.takes);
    const made = named.entry.within(() => new named.found.make(...(args as never[])) as Module);
    return { layer: made, entry: named.entry };
  });
  return { model: new Sequential(...layers.map((one) => one.layer)), layers };
}

/** What the layers give for a batch, in use and without a derivative; throws ConfigError with the place of a layer that it does not fit. */
export function tried(layers: ReturnType<typeof modelOf>["layers"], x: Tensor): Tensor {
  let y = x;
  for (const { layer: one, entry } of layers) {
    const input = y;
    y = entry.within(() => noGrad(() => one.eval().forward(input)));
    one.train();
  }
  return y;
}
