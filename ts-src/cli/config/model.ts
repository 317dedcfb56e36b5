// The layers of a configuration, by the names that they have in the library.
import type { Tensor } from "../../../bindings/tensor.js";
import type { Module } from "../../layers/index.js";
import * as layers from "../../layers/index.js";
import { noGrad } from "../../ops/derivatives.js";
import { type Entry, valuesOf } from "./entry.js";

const convolution = "inChannels, outChannels, kernelSize, options";
const pool = "kernelSize, options";
const norm = "numFeatures, options";

/** Layers of one tensor to one, and what their values are called. */
const takes = {
  Linear: "inFeatures, outFeatures, options",
  Conv1d: convolution,
  Conv2d: convolution,
  ConvTranspose2d: convolution,
  MaxPool1d: pool,
  MaxPool2d: pool,
  AvgPool1d: pool,
  AvgPool2d: pool,
  AdaptiveAvgPool2d: "outputSize",
  Flatten: "startDim, endDim",
  BatchNorm1d: norm,
  BatchNorm2d: norm,
  InstanceNorm1d: norm,
  InstanceNorm2d: norm,
  GroupNorm: "numGroups, numChannels, options",
  LayerNorm: "normalizedShape, options",
  RMSNorm: "normalizedShape, options",
  Dropout: "p",
  TransformerEncoderLayer: "dModel, nhead, options",
  ELU: "options",
  GELU: "options",
  Hardsigmoid: "",
  Hardswish: "",
  Hardtanh: "options",
  LeakyReLU: "options",
  LogSigmoid: "",
  LogSoftmax: "options",
  Mish: "",
  ReLU: "",
  SELU: "",
  Sigmoid: "",
  SiLU: "",
  Softmax: "options",
  Softplus: "options",
  Softsign: "",
  Tanh: "",
} satisfies { readonly [name in keyof typeof layers]?: string };

interface Layer {
  readonly make: new (...args: never[]) => unknown;
  readonly takes: readonly string[];
}

const classes: { readonly [name: string]: Layer["make"] } = { ...layers } as never;

export const layerTable: { readonly [name: string]: Layer } = Object.fromEntries(
  Object.entries(takes).map(([name, names]) => [name, { make: classes[name], takes: names === "" ? [] : names.split(", ") }]),
);

/** The layers of a list, one after the other, and their places. Throws ConfigError. */
export function modelOf(list: Entry): { model: layers.Sequential; layers: readonly { readonly layer: Module; readonly entry: Entry }[] } {
  const items = list.items("layers");
  if (items.length === 0) list.refuse("at least one layer", "none");
  const made = items.map((item) => {
    const named = item.named("a layer", layerTable);
    const args = valuesOf(named, named.found.takes);
    const layer = named.entry.within(() => new named.found.make(...(args as never[])) as Module);
    return { layer, entry: named.entry };
  });
  return { model: new layers.Sequential(...made.map(({ layer }) => layer)), layers: made };
}

/** What the layers give for a batch, in use and without a derivative; throws ConfigError with the place of a layer that it does not fit. */
export function tried(made: ReturnType<typeof modelOf>["layers"], x: Tensor): Tensor {
  let y = x;
  for (const { layer: one, entry } of made) {
    const input = y;
    y = entry.within(() => noGrad(() => one.eval().forward(input)));
    one.train();
  }
  return y;
}
