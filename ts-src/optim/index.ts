// The optimizers, as `optim` of the package.
export { Adadelta, type AdadeltaSettings } from "./adadelta.js";
export { Adagrad, type AdagradSettings } from "./adagrad.js";
export { Adam, type AdamSettings } from "./adam.js";
export { Adamax } from "./adamax.js";
export { AdamW } from "./adamw.js";
export { AMSGrad } from "./amsgrad.js";
export { type AverageState, ExponentialMovingAverage, StochasticWeightAverage } from "./averages.js";
export { type AdaptiveClipOptions, type ClipOptions, clipGradAdaptive, clipGradNorm, clipGradValue } from "./clip.js";
export { FullMatrixAdagrad, type FullMatrixAdagradSettings } from "./full-matrix-adagrad.js";
export { LBFGS, type LBFGSSettings } from "./lbfgs.js";
export { Lion, type LionSettings } from "./lion.js";
export type { MomentSettings } from "./moments.js";
export { Muon, type MuonSettings } from "./muon.js";
export { NAdam, type NAdamSettings } from "./nadam.js";
export { type CommonSettings, Optimizer, type OptimizerState, type ParamGroup } from "./optimizer.js";
export { RAdam } from "./radam.js";
export { RMSprop, type RMSpropSettings } from "./rmsprop.js";
export { SGD, type SGDSettings } from "./sgd.js";
