// The optimizers, as `optim` of the package.
export { Adam, type AdamSettings } from "./adam.js";
export { type ClipOptions, clipGradNorm, clipGradValue } from "./clip.js";
export { Optimizer, type OptimizerState, type ParamGroup } from "./optimizer.js";
export { SGD, type SGDSettings } from "./sgd.js";
