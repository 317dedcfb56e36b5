// Normalisation layers: batch, instance, layer, group and root-mean-square.

import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { checkedShape, type Shape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { batchNorm, instanceNorm } from "../ops/batchnorm.js";
import { div, sub } from "../ops/binary.js";
import { checkedFlag, checkedNumber, checkedOptions } from "../ops/checks.js";
import { to } from "../ops/convert.js";
import { noGrad } from "../ops/derivatives.js";
import { add_ } from "../ops/inplace.js";
import { checkedTensor } from "../ops/operands.js";
import { mean } from "../ops/reduce.js";
import { groupNorm, layerNorm, rmsNorm } from "../ops/rownorm.js";
import { variance } from "../ops/statistics.js";
import { Module } from "./module.js";
import { buffer, checkedSizes, constantParameter, type LayerDtype } from "./parts.js";

export interface BatchNormLayerOptions {
  /** Added to the variance; 1e-5 by default. */
  eps?: number;
  /** Share of the new statistics in the running ones; null: the running ones are the mean of all so far. 0.1 by default. */
  momentum?: number | null;
  /** Whether there are a weight, starting at 1, and a bias, at 0; true by default. */
  affine?: boolean;
  /** Whether running statistics are kept and used in eval(); true by default. */
  trackRunningStats?: boolean;
  dtype?: LayerDtype;
}

export type InstanceNormLayerOptions = Omit<BatchNormLayerOptions, "momentum"> & { momentum?: number };

/** Name of a layer, and the shapes that it takes. */
interface Input {
  readonly name: string;
  readonly shapes: readonly string[];
}

/** State and options that batch and instance normalisation share; names are PyTorch's. */
abstract class ChannelNorm extends Module {
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly running_mean: Tensor | null;
  readonly running_var: Tensor | null;
  /** How many batches the running statistics have seen; int32. */
  readonly num_batches_tracked: Tensor | null;
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  private readonly input: Input;

  constructor(input: Input, numFeatures: number, options: BatchNormLayerOptions, defaults: { affine: boolean; trackRunningStats: boolean }) {
    super();
    const { name } = input;
    checkedOptions(name, options, ["eps", "momentum", "affine", "trackRunningStats", "dtype"]);
    checkedSizes(name, { numFeatures });
    const { eps = 1e-5, momentum = 0.1, affine = defaults.affine, trackRunningStats = defaults.trackRunningStats, dtype } = options;
    this.eps = checkedNumber(name, "eps", eps, 0, Number.MAX_VALUE);
    this.momentum = momentum === null ? null : checkedNumber(name, "momentum", momentum, 0, 1);
    checkedFlag(name, "affine", affine);
    const tracks = checkedFlag(name, "trackRunningStats", trackRunningStats);
    this.input = input;
    this.numFeatures = numFeatures;
    this.weight = affine ? constantParameter([numFeatures], 1, dtype) : null;
    this.bias = affine ? constantParameter([numFeatures], 0, dtype) : null;
    this.running_mean = tracks ? buffer([numFeatures], 0, dtype) : null;
    this.running_var = tracks ? buffer([numFeatures], 1, dtype) : null;
    this.num_batches_tracked = tracks ? buffer([], 0, "int32") : null;
  }

  /** Throws DtypeError, ShapeError unless x has one of the shapes, [N, C, ...] with C features. */
  protected checkInput(x: Tensor): void {
    const { name, shapes } = this.input;
    checkedTensor(name, "x", x);
    const axes = shapes.map((shape) => shape.split(", ").length);
    if (axes.includes(x.ndim) && x.shape[1] === this.numFeatures) return;
    throw new ShapeError(`${name}: expected x [${shapes.join("] or [")}] with C = ${this.numFeatures}; got ${showShape(x.shape)}`);
  }
}

/** What BatchNorm1d and BatchNorm2d share. */
abstract class BatchNorm extends ChannelNorm {
  constructor(input: Input, numFeatures: number, options: BatchNormLayerOptions) {
    super(input, numFeatures, options, { affine: true, trackRunningStats: true });
  }

  forward(x: Tensor): Tensor {
    this.checkInput(x);
    const { running_mean, running_var, num_batches_tracked: count, weight, bias, eps, momentum } = this;
    const tracks = running_mean !== null && running_var !== null && count !== null;
    if (!tracks || !this.training) return batchNorm(x, running_mean, running_var, weight, bias, { training: !tracks, eps });
    // the batch is refused, if it is, before anything was counted
    const y =
      momentum === null
        ? batchNorm(x, null, null, weight, bias, { training: true, eps })
        : batchNorm(x, running_mean, running_var, weight, bias, { training: true, eps, momentum });
    noGrad(() => {
      add_(count, 1);
      if (momentum === null) accumulate(running_mean, running_var, count, x);
    });
    return y;
  }
}

/** running += (new - running) / count. */
function accumulate(runningMean: Tensor, runningVar: Tensor, count: Tensor, x: Tensor): void {
  const axis = x.shape.map((_, i) => i).filter((i) => i !== 1);
  const total = to(count, x.dtype);
  add_(runningMean, div(sub(mean(x, { axis }), runningMean), total));
  add_(runningVar, div(sub(variance(x, { axis, correction: 1 }), runningVar), total));
}

/**
 * Batch normalisation (Ioffe and Szegedy 2015) of x [N, C] or [N, C, L]: (x - mean) / sqrt(variance + eps) weight + bias a channel.
 * In training the statistics are those of the batch, and the running ones are updated; in eval() the running ones are used.
 * Throws ShapeError for x of another shape, and in training for one value a channel.
 */
export class BatchNorm1d extends BatchNorm {
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super({ name: "BatchNorm1d", shapes: ["N, C", "N, C, L"] }, numFeatures, options);
  }
}

/** Batch normalisation of images x [N, C, H, W], as BatchNorm1d. */
export class BatchNorm2d extends BatchNorm {
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super({ name: "BatchNorm2d", shapes: ["N, C, H, W"] }, numFeatures, options);
  }
}

/** What InstanceNorm1d and InstanceNorm2d share. */
abstract class InstanceNorm extends ChannelNorm {
  constructor(input: Input, numFeatures: number, options: InstanceNormLayerOptions) {
    if (options?.momentum === null) throw new ConfigError(`${input.name}: expected a number from 0 to 1 for momentum; got null`);
    super(input, numFeatures, options, { affine: false, trackRunningStats: false });
  }

  forward(x: Tensor): Tensor {
    this.checkInput(x);
    const { running_mean: runningMean, running_var: runningVar, weight, bias, eps } = this;
    const useInputStats = this.training || runningMean === null;
    return instanceNorm(x, { runningMean, runningVar, weight, bias, useInputStats, momentum: this.momentum ?? 0, eps });
  }
}

/**
 * Instance normalisation (Ulyanov et al. 2016) of x [N, C, L]: each channel of each sample by itself. Weight and bias only with
 * `affine`, running statistics only with `trackRunningStats`; num_batches_tracked stays 0, as in PyTorch. Throws ShapeError.
 */
export class InstanceNorm1d extends InstanceNorm {
  constructor(numFeatures: number, options: InstanceNormLayerOptions = {}) {
    super({ name: "InstanceNorm1d", shapes: ["N, C, L"] }, numFeatures, options);
  }
}

/** Instance normalisation of images x [N, C, H, W], as InstanceNorm1d. */
export class InstanceNorm2d extends InstanceNorm {
  constructor(numFeatures: number, options: InstanceNormLayerOptions = {}) {
    super({ name: "InstanceNorm2d", shapes: ["N, C, H, W"] }, numFeatures, options);
  }
}

export interface LayerNormLayerOptions {
  /** Added to the variance; 1e-5 by default. */
  eps?: number;
  /** Whether there are a weight, starting at 1, and a bias, at 0; true by default. */
  elementwiseAffine?: boolean;
  dtype?: LayerDtype;
}

function checkedNormalized(name: string, normalizedShape: number | Shape): number[] {
  const shape = checkedShape(name, typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape);
  if (shape.length === 0) throw new ConfigError(`${name}: expected a normalizedShape of one axis at least; got []`);
  return shape;
}

/** Layer normalisation (Ba et al. 2016) over the last axes of x, whose sizes are normalizedShape. As layerNorm. */
export class LayerNorm extends Module {
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly normalizedShape: Shape;
  readonly eps: number;

  constructor(normalizedShape: number | Shape, options: LayerNormLayerOptions = {}) {
    super();
    const { eps = 1e-5, elementwiseAffine = true, dtype } = checkedOptions("LayerNorm", options, ["eps", "elementwiseAffine", "dtype"]);
    this.normalizedShape = checkedNormalized("LayerNorm", normalizedShape);
    this.eps = checkedNumber("LayerNorm", "eps", eps, 0, Number.MAX_VALUE);
    const affine = checkedFlag("LayerNorm", "elementwiseAffine", elementwiseAffine);
    this.weight = affine ? constantParameter(this.normalizedShape, 1, dtype) : null;
    this.bias = affine ? constantParameter(this.normalizedShape, 0, dtype) : null;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, this.weight, this.bias, { eps: this.eps });
  }
}

export interface RMSNormLayerOptions {
  /** Added to the mean of squares; null, the default: 2^-23 in float32, 2^-52 in float64. */
  eps?: number | null;
  /** Whether there is a weight, starting at 1; true by default. */
  elementwiseAffine?: boolean;
  dtype?: LayerDtype;
}

/** Normalisation by the root mean square (Zhang and Sennrich 2019) over the last axes of x. As rmsNorm. */
export class RMSNorm extends Module {
  readonly weight: Tensor | null;
  readonly normalizedShape: Shape;
  readonly eps: number | null;

  constructor(normalizedShape: number | Shape, options: RMSNormLayerOptions = {}) {
    super();
    const { eps = null, elementwiseAffine = true, dtype } = checkedOptions("RMSNorm", options, ["eps", "elementwiseAffine", "dtype"]);
    this.normalizedShape = checkedNormalized("RMSNorm", normalizedShape);
    this.eps = eps === null ? null : checkedNumber("RMSNorm", "eps", eps, 0, Number.MAX_VALUE);
    this.weight = checkedFlag("RMSNorm", "elementwiseAffine", elementwiseAffine) ? constantParameter(this.normalizedShape, 1, dtype) : null;
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.normalizedShape, this.weight, { eps: this.eps });
  }
}

export interface GroupNormLayerOptions {
  /** Added to the variance; 1e-5 by default. */
  eps?: number;
  /** Whether there are a weight, starting at 1, and a bias, at 0; true by default. */
  affine?: boolean;
  dtype?: LayerDtype;
}

/** Group normalisation (Wu and He 2018) of x [N, numChannels, ...], the channels in numGroups groups. As groupNorm. */
export class GroupNorm extends Module {
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;

  constructor(numGroups: number, numChannels: number, options: GroupNormLayerOptions = {}) {
    super();
    const { eps = 1e-5, affine = true, dtype } = checkedOptions("GroupNorm", options, ["eps", "affine", "dtype"]);
    checkedSizes("GroupNorm", { numGroups, numChannels });
    if (numChannels % numGroups !== 0) {
      throw new ConfigError(`GroupNorm: expected numChannels that are a multiple of numGroups; got ${numChannels} and ${numGroups}`);
    }
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = checkedNumber("GroupNorm", "eps", eps, 0, Number.MAX_VALUE);
    checkedFlag("GroupNorm", "affine", affine);
    this.weight = affine ? constantParameter([numChannels], 1, dtype) : null;
    this.bias = affine ? constantParameter([numChannels], 0, dtype) : null;
  }

  forward(x: Tensor): Tensor {
    if (x.ndim < 2 || x.shape[1] !== this.numChannels) {
      throw new ShapeError(`GroupNorm: expected x [N, ${this.numChannels}, ...]; got ${showShape(x.shape)}`);
    }
    return groupNorm(x, this.numGroups, this.weight, this.bias, { eps: this.eps });
  }
}
