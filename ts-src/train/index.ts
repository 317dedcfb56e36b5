// Training, as `train` of the package.
export { type Batches, type EvaluateOptions, evaluate, type FitOptions, fit, type History, type Metrics, type Progress, type Scores } from "./fit.js";
export { accuracy, type Metric } from "./metrics.js";
