// The layers, as `layers` (and `nn`) of the package.
export {
  ELU,
  GELU,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  ReLU,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
} from "./activation.js";
export { type AttentionCall, type AttentionMasks, MultiheadAttention, type MultiheadAttentionOptions } from "./attention.js";
export { Conv1d, Conv2d, type ConvLayerOptions, ConvTranspose2d, type ConvTransposeLayerOptions } from "./convolution.js";
export { Dropout } from "./dropout.js";
export { Embedding, type EmbeddingLayerOptions } from "./embedding.js";
export { foldBatchNorm } from "./fold.js";
export * as init from "./init.js";
export { Linear, type LinearOptions } from "./linear.js";
export { type AnyModule, Module, type StateDict } from "./module.js";
export {
  BatchNorm1d,
  BatchNorm2d,
  type BatchNormLayerOptions,
  GroupNorm,
  type GroupNormLayerOptions,
  InstanceNorm1d,
  InstanceNorm2d,
  type InstanceNormLayerOptions,
  LayerNorm,
  type LayerNormLayerOptions,
  RMSNorm,
  type RMSNormLayerOptions,
} from "./normalization.js";
export { type PackedSequence, packPaddedSequence, padPackedSequence } from "./packed.js";
export { AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, Flatten, MaxPool1d, MaxPool2d, type MaxPoolLayerOptions } from "./pooling.js";
export { type CellOptions, GRU, GRUCell, LSTM, LSTMCell, type Nonlinearity, type RecurrentOptions, RNN, RNNCell } from "./recurrent.js";
export { Sequential } from "./sequential.js";
export { summary } from "./summary.js";
export { type EncoderLayerMasks, type EncoderMasks, TransformerEncoder, TransformerEncoderLayer, type TransformerEncoderLayerOptions } from "./transformer.js";
export { type WeightNormOptions, weightNorm } from "./weightnorm.js";
