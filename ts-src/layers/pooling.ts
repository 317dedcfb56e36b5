// Pools and flattening: layers without parameters that change shapes.
import type { Tensor } from "../../bindings/tensor.js";
import { checkedFlag, checkedOptions } from "../ops/checks.js";
import {
  type AvgPool2dOptions,
  type AvgPoolOptions,
  adaptiveAvgPool2d,
  avgPool1d,
  avgPool2d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
} from "../ops/pooling.js";
import { flatten } from "../ops/shape.js";
import { checkedPair, checkedWhole, type PerAxis } from "../ops/window.js";
import { Module } from "./module.js";
import { MOST_AXES } from "./parts.js";

/** Options of the max pools; indices are for the functions maxPool1d and maxPool2d to give. */
export type MaxPoolLayerOptions = Omit<MaxPoolOptions, "returnIndices">;

/** A pool's window and options, checked once. */
abstract class Pool<O extends MaxPoolLayerOptions & AvgPool2dOptions> extends Module {
  protected readonly kernelSize: PerAxis;
  protected readonly options: O;

  constructor(name: string, axes: 1 | 2, kernelSize: PerAxis, options: O, known: readonly (keyof O & string)[]) {
    super();
    checkedOptions(name, options, known);
    checkedPair(name, "kernelSize", kernelSize, axes, 1, 1);
    checkedPair(name, "stride", options.stride ?? 1, axes, 1, 1);
    checkedPair(name, "padding", options.padding ?? 0, axes, 0, 0);
    checkedPair(name, "dilation", options.dilation ?? 1, axes, 1, 1);
    checkedFlag(name, "ceilMode", options.ceilMode ?? false);
    checkedFlag(name, "countIncludePad", options.countIncludePad ?? true);
    this.kernelSize = kernelSize;
    this.options = { ...options };
  }
}

const maxOptions = ["stride", "padding", "dilation", "ceilMode"] as const;
const meanOptions = ["stride", "padding", "ceilMode", "countIncludePad"] as const;

/** Largest element of each window of x [N, C, L]. As maxPool1d. */
export class MaxPool1d extends Pool<MaxPoolLayerOptions> {
  constructor(kernelSize: PerAxis, options: MaxPoolLayerOptions = {}) {
    super("MaxPool1d", 1, kernelSize, options, maxOptions);
  }

  forward(x: Tensor): Tensor {
    return maxPool1d(x, this.kernelSize, this.options);
  }
}

/** Largest element of each window of x [N, C, H, W]. As maxPool2d. */
export class MaxPool2d extends Pool<MaxPoolLayerOptions> {
  constructor(kernelSize: PerAxis, options: MaxPoolLayerOptions = {}) {
    super("MaxPool2d", 2, kernelSize, options, maxOptions);
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }
}

/** Mean of each window of x [N, C, L]. As avgPool1d. */
export class AvgPool1d extends Pool<AvgPoolOptions> {
  constructor(kernelSize: PerAxis, options: AvgPoolOptions = {}) {
    super("AvgPool1d", 1, kernelSize, options, meanOptions);
  }

  forward(x: Tensor): Tensor {
    return avgPool1d(x, this.kernelSize, this.options);
  }
}

/** Mean of each window of x [N, C, H, W]. As avgPool2d. */
export class AvgPool2d extends Pool<AvgPool2dOptions> {
  constructor(kernelSize: PerAxis, options: AvgPool2dOptions = {}) {
    super("AvgPool2d", 2, kernelSize, options, [...meanOptions, "divisorOverride"]);
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }
}

/** Means over h x w windows that cover x [N, C, H, W] evenly; null keeps a size. As adaptiveAvgPool2d. */
export class AdaptiveAvgPool2d extends Module {
  readonly outputSize: number | readonly [number | null, number | null];

  constructor(outputSize: number | readonly [number | null, number | null]) {
    super();
    const sizes = Array.isArray(outputSize) ? outputSize.map((n: number | null) => n ?? 0) : outputSize;
    checkedPair("AdaptiveAvgPool2d", "outputSize", sizes, 2, 0, 1);
    this.outputSize = outputSize;
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}

/** The axes from startDim to endDim as one; all but the first by default. */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim = 1, endDim = -1) {
    super();
    this.startDim = checkedWhole("Flatten", "startDim", startDim, -MOST_AXES);
    this.endDim = checkedWhole("Flatten", "endDim", endDim, -MOST_AXES);
  }

  forward(x: Tensor): Tensor {
    return flatten(x, this.startDim, this.endDim);
  }
}
