// Training, as `train` of the package.
export type { CheckpointingOptions } from "./checkpointing.js";
export type { ClippingOptions } from "./clipping.js";
export { type Average, type ClassScoreOptions, ConfusionMatrix, f1, precision, recall } from "./confusion.js";
export type { EarlyStoppingOptions } from "./early-stopping.js";
export { evaluate } from "./evaluate.js";
export { fit } from "./fit.js";
export type { SpikeGuardOptions } from "./guard.js";
export type { Beginning, EpochRecord, History, Progress, SkippedStep } from "./history.js";
export { csvLog, jsonLog } from "./logs.js";
export { accuracy, type GatheredMetric, type Metric, type MetricFunction, perplexity, topKAccuracy, zeroOne } from "./metrics.js";
export { type Loss, type Objective, type SurrogateOptions, topKObjective, zeroOneObjective } from "./objective.js";
export type { Batches, Callback, EvaluateOptions, FitOptions } from "./options.js";
export type { Schedule, ScheduleOptions } from "./scheduling.js";
export type { Metrics, Scores } from "./scores.js";
