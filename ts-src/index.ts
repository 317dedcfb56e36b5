// What users import.

export { detectAnomaly } from "../bindings/anomaly.js";
export { type Configuration, configure } from "../bindings/configure.js";
export type { DType, TypedArray } from "../bindings/dtype.js";
export * from "../bindings/errors.js";
export { keep, scope } from "../bindings/lifetime.js";
export { type MemoryStats, memoryStats as memory } from "../bindings/memory.js";
export { type AnyOp, type Batch, ops } from "../bindings/op.js";
export type { Shape } from "../bindings/shape.js";
export { type NestedArray, Tensor } from "../bindings/tensor.js";
export * as data from "./data/index.js";
export * as formats from "./formats/index.js";
export { type CheckpointOptions, checkpoint } from "./graph/checkpoint.js";
export { type Compiled, compile } from "./graph/compile.js";
export type { DrawingOptions } from "./graph/drawing.js";
export { type GradientOptions, gradient } from "./graph/gradient.js";
export { Graph } from "./graph/graph.js";
export type { Profile, ProfiledGroup, ProfiledInstruction, ProfileOptions } from "./graph/profile.js";
export type { GraphStats } from "./graph/stats.js";
export { trace } from "./graph/trace.js";
export * as layers from "./layers/index.js";
export * as nn from "./layers/index.js";
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  hingeLoss,
  type KlDivOptions,
  klDiv,
} from "./losses/classification.js";
export { type CosineSimilarityOptions, cosineSimilarity, type TripletMarginOptions, tripletMarginLoss } from "./losses/distance.js";
export * from "./ops/activations.js";
export type { ReduceOptions } from "./ops/axes.js";

import "./losses/methods.js";

export { type FocalOptions, focalLoss, type MultiMarginOptions, multiMarginLoss } from "./losses/margin.js";
export type { LossOptions } from "./losses/reduced.js";
export { huberLoss, l1Loss, mseLoss, smoothL1Loss } from "./losses/regression.js";
export { type AttentionOptions, scaledDotProductAttention } from "./ops/attention.js";
export { type BatchNormOptions, batchNorm, type InstanceNormOptions, instanceNorm } from "./ops/batchnorm.js";
export { type AlphaOptions, add, mul, sub } from "./ops/binary.js";
export type { AnyBound, Bound } from "./ops/bounds.js";
export type { Reduction } from "./ops/checks.js";
export * from "./ops/compare.js";
export { clone, detach, to } from "./ops/convert.js";
export { type ConvOptions, type ConvTransposeOptions, conv1d, conv2d, convTranspose2d } from "./ops/convolution.js";
export { arange, type CreateOptions, eye, full, linspace, ones, onesLike, tensor, zeros, zerosLike } from "./ops/create.js";
export { type CrossEntropyOptions, crossEntropy, type NllLossOptions, nllLoss } from "./ops/crossentropy.js";
export { type ComposedOp, customOp, type KernelOp, wasmMemory } from "./ops/custom.js";
export { type GradOptions, grad, noGrad, stopGradient, valueAndGrad } from "./ops/derivatives.js";
export { type DiagonalOptions, diagonal, tril, triu } from "./ops/diagonal.js";
export { type DropoutOptions, dropout } from "./ops/dropout.js";
export { einsum } from "./ops/einsum.js";
export * from "./ops/exponential.js";
export { type ArgOptions, amax, amin, argmax, argmin, max, min } from "./ops/extrema.js";
export { type EmbeddingOptions, embedding, gather, type IndexOptions, indexSelect, takeAlongAxis } from "./ops/gather.js";
export * from "./ops/gelu.js";
export { type GradcheckOptions, gradcheck } from "./ops/gradcheck.js";
export * from "./ops/hyperbolic.js";
export { type InterpolateMode, type InterpolateOptions, interpolate } from "./ops/interpolate.js";
export { concat, roll, stack, tile } from "./ops/join.js";
export * from "./ops/logic.js";
export { logSigmoid } from "./ops/logistic.js";
export * from "./ops/matmul.js";
export { type PadMode, type PadOptions, pad } from "./ops/pad.js";
export * from "./ops/power.js";
export { bmm, dot, outer } from "./ops/products.js";
export * from "./ops/quotient.js";

import "./ops/methods.js";

export { type NormOptions, norm } from "./ops/norm.js";
export * from "./ops/piecewise.js";
export {
  type AvgPool2dOptions,
  type AvgPoolOptions,
  adaptiveAvgPool2d,
  avgPool1d,
  avgPool2d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  type Picked,
} from "./ops/pooling.js";
export { bernoulli, manualSeed, permutation, rand, randint, randn } from "./ops/random.js";
export { all, any, mean, prod, sum, type TotalOptions } from "./ops/reduce.js";
export type { BackwardOptions } from "./ops/reverse.js";
export * from "./ops/rounding.js";
export { groupNorm, type LayerNormOptions, layerNorm, rmsNorm } from "./ops/rownorm.js";
export * from "./ops/scan.js";
export { type IndexAddOptions, indexAdd, maskedFill, oneHot, type ScatterOptions, type ScatterReduction, scatter, scatterAdd } from "./ops/scatter.js";
export { clamp, maximum, minimum, where } from "./ops/select.js";
export * from "./ops/shape.js";
export { type AxisOptions, chunk, flip, type SliceSpec, slice, split } from "./ops/slice.js";
export { logSoftmax, type SoftmaxOptions, softmax } from "./ops/softmax.js";
export { argsort, type Sorted, type SortOptions, sort, type TopkOptions, topk } from "./ops/sort.js";
export * from "./ops/statistics.js";
export { hessian, hvp, jacobian, jvp, vjp } from "./ops/transforms.js";
export type { Tree } from "./ops/tree.js";
export * from "./ops/trigonometry.js";
export * from "./ops/unary.js";
export { nonzero, type Unique, type UniqueOptions, unique } from "./ops/unique.js";
export { type BatchDims, type VmapOptions, vmap } from "./ops/vmap.js";
export { zeroOneLoss } from "./ops/zeroone.js";
export * as optim from "./optim/index.js";
export * as schedules from "./optim/schedules/index.js";
export * as parallel from "./parallel/index.js";
export * as train from "./train/index.js";
