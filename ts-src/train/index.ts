// Training, as `train` of the package.
export { type Batches, evaluate, type EvaluateOptions, fit, type FitOptions, type History, type Metrics, type Progress, type Scores } from "./fit.js";
export { accuracy, type Metric } from "./metrics.js";
