// Schedules of learning rates, as `schedules` of the package.
export { ChainedScheduler, type ChainedSchedulerOptions, SequentialLR, type SequentialLROptions } from "./composite.js";
export { CosineAnnealingLR, type CosineAnnealingLROptions } from "./cosine.js";
export { ExponentialLR, type ExponentialLROptions, MultiStepLR, type MultiStepLROptions, StepLR, type StepLROptions } from "./decay.js";
export { OneCycleLR, type OneCycleLROptions } from "./one-cycle.js";
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from "./plateau.js";
export { Schedule, type Scheduled, type ScheduleState } from "./schedule.js";
export { LinearWarmup, type LinearWarmupOptions } from "./warmup.js";
