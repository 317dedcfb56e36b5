// Convolutions with weights of their own.
import { ConfigError } from "../../bindings/errors.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedFlag, checkedOptions } from "../ops/checks.js";
import { type ConvOptions, type ConvTransposeOptions, conv1d, conv2d, convTranspose2d } from "../ops/convolution.js";
import { checkedPair, checkedWhole, type PerAxis, showOption } from "../ops/window.js";
import { Module } from "./module.js";
import { checkedSizes, type LayerDtype, uniformParameter } from "./parts.js";

interface Weighted {
  /** Whether there is a bias; true by default. */
  bias?: boolean;
  dtype?: LayerDtype;
}

export interface ConvLayerOptions extends ConvOptions, Weighted {}
export interface ConvTransposeLayerOptions extends ConvTransposeOptions, Weighted {}

/** Checks the options once, so that a layer that was made works on every input that is large enough. */
function checkWindows(name: string, axes: 1 | 2, options: ConvOptions | ConvTransposeOptions): void {
  const { stride = 1, padding = 0, dilation = 1 } = options;
  const steps = checkedPair(name, "stride", stride, axes, 1, 1);
  const gaps = checkedPair(name, "dilation", dilation, axes, 1, 1);
  if (typeof padding !== "string") checkedPair(name, "padding", padding, axes, 0, 0);
  else if ((padding !== "same" && padding !== "valid") || "outputPadding" in options) {
    throw new ConfigError(`${name}: expected padding of whole numbers, "same" or "valid"; got ${showOption(padding)}`);
  } else if (padding === "same" && steps.some((step) => step !== 1)) {
    throw new ConfigError(`${name}: expected a stride of 1 with padding "same"; got ${showOption(stride)}`);
  }
  if (!("outputPadding" in options)) return;
  const extra = checkedPair(name, "outputPadding", options.outputPadding, axes, 0, 0);
  if (extra.some((n, axis) => n >= steps[axis] && n >= gaps[axis])) {
    throw new ConfigError(`${name}: expected an outputPadding less than stride or dilation; got ${showOption(options.outputPadding)}`);
  }
}

/** What the convolutions have in common. Weight and bias start uniform in +-1 / sqrt(fan in), as in PyTorch. */
abstract class Convolution<O extends ConvOptions> extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  protected readonly options: O;

  constructor(name: string, axes: 1 | 2, transposed: boolean, inChannels: number, outChannels: number, kernelSize: PerAxis, options: O & Weighted) {
    super();
    const known = ["stride", "padding", "dilation", "groups", ...(transposed ? ["outputPadding"] : []), "bias", "dtype"];
    checkedOptions(name, options, known as (keyof O & string)[]);
    checkedSizes(name, { inChannels, outChannels });
    const { bias = true, dtype, ...rest } = options;
    const groups = checkedWhole(name, "groups", rest.groups ?? 1, 1);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ConfigError(`${name}: expected channels that are multiples of ${groups} groups; got inChannels ${inChannels}, outChannels ${outChannels}`);
    }
    checkedFlag(name, "bias", bias);
    checkWindows(name, axes, transposed ? { outputPadding: 0, ...(rest as ConvTransposeOptions) } : (rest as ConvOptions));
    const kernel = checkedPair(name, "kernelSize", kernelSize, axes, 1, 1).slice(2 - axes);
    const channels = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    const bound = 1 / Math.sqrt(kernel.reduce((n, size) => n * size, channels[1]));
    this.options = rest as unknown as O;
    this.weight = uniformParameter([...channels, ...kernel], bound, dtype);
    this.bias = bias ? uniformParameter([outChannels], bound, dtype) : null;
  }
}

/** Convolution over one axis of x [N, inChannels, L]; weight [outChannels, inChannels / groups, kernelSize]. As conv1d. */
export class Conv1d extends Convolution<ConvOptions> {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvLayerOptions = {}) {
    super("Conv1d", 1, false, inChannels, outChannels, kernelSize, options);
  }

  forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias, this.options);
  }
}

/** Convolution of images x [N, inChannels, H, W]; weight [outChannels, inChannels / groups, KH, KW]. As conv2d. */
export class Conv2d extends Convolution<ConvOptions> {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvLayerOptions = {}) {
    super("Conv2d", 2, false, inChannels, outChannels, kernelSize, options);
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.options);
  }
}

/** Transposed convolution of images x [N, inChannels, H, W]; weight [inChannels, outChannels / groups, KH, KW]. As convTranspose2d. */
export class ConvTranspose2d extends Convolution<ConvTransposeOptions> {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvTransposeLayerOptions = {}) {
    super("ConvTranspose2d", 2, true, inChannels, outChannels, kernelSize, options);
  }

  /** Groups of channels that do not mix. */
  get groups(): number {
    return this.options.groups ?? 1;
  }

  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.options);
  }
}
