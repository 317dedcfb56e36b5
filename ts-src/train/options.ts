// What fit() and evaluate() are given, and whether it can be.
import { checkSignal } from "../../bindings/abort.js";
import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import type { Batch } from "../data/dataset.js";
import type { Module } from "../layers/module.js";
import { checkedOptions } from "../ops/checks.js";
import type { ExponentialMovingAverage, StochasticWeightAverage } from "../optim/averages.js";
import { Checkpointing, type CheckpointingOptions } from "./checkpointing.js";
import { type Clipping, type ClippingOptions, checkedClipping } from "./clipping.js";
import { EarlyStopping, type EarlyStoppingOptions } from "./early-stopping.js";
import { SpikeGuard, type SpikeGuardOptions } from "./guard.js";
import type { Beginning, History, Progress } from "./history.js";
import type { Loss, Objective } from "./objective.js";
import { checkedSchedule, type Schedule, type ScheduleOptions, type Scheduling } from "./scheduling.js";
import { checkMetrics, type Metrics } from "./scores.js";

/** Batches, once or many times; `length`, their number, is what the time left is worked out from. */
export type Batches = (Iterable<Batch> | AsyncIterable<Batch>) & { readonly length?: number };

export interface EvaluateOptions {
  /** The loss, or a true loss with the surrogate that training uses in its place. */
  loss: Loss | Objective;
  metrics?: Metrics;
  signal?: AbortSignal;
  /** Whether a bar is shown where stderr is a terminal; false by default. */
  progress?: boolean;
}

/** Called in a training; `"stop"`, or a promise of it, ends training after the epoch or step. */
export interface Callback {
  /** Before the first step; the history holds what was done before where training goes on from a checkpoint. */
  onBegin?(beginning: Beginning, history: History): unknown;
  onStepEnd?(progress: Progress): unknown;
  onEpochEnd?(progress: Progress, history: History): unknown;
}

export interface FitOptions extends EvaluateOptions {
  /** Anything with step() and zeroGrad(). */
  optimizer: { step(): void; zeroGrad(): void };
  /** Times round the data; 1 by default. */
  epochs?: number;
  /** Batches to measure on after each epoch. */
  validation?: Batches;
  /** Clips the gradients: their largest norm, or how. */
  clip?: number | ClippingOptions;
  /** Batches whose gradients make one step of the optimizer; 1 by default. */
  accumulate?: number;
  /** Changes the learning rate, after each epoch by default. */
  schedule?: Schedule | ScheduleOptions;
  /** Ends training when a score gets no better. */
  earlyStopping?: EarlyStoppingOptions;
  /** An average of the weights: it is updated at each step, and what is measured, kept as best or restored is the average. The training goes on with its own weights. */
  average?: ExponentialMovingAverage | StochasticWeightAverage;
  /** Leaves steps out whose loss is far above the usual. */
  spikeGuard?: SpikeGuardOptions;
  /** Writes checkpoints into a folder, from which a training goes on with the bits of one that was never stopped. */
  checkpoint?: string | CheckpointingOptions;
  callbacks?: readonly Callback[];
  /** Called after each step and each epoch. */
  onProgress?: (progress: Progress) => void;
  /** Whether a bar is shown where stderr is a terminal; true by default. */
  progress?: boolean;
  /** Starts the random numbers anew before the first step. */
  seed?: number;
  /**
   * Whether a step is one program, with the bits of the step op by op (false). Then forward and loss run once for each shape of
   * a batch: what JavaScript decides in them is decided then. By default a step that cannot be a program, as it reads
   * elements, runs op by op, and a line on stderr says why; true makes that a ConfigError. A program leaves no `grad` behind, and
   * an optimizer of one's own runs op by op unless true.
   */
  compile?: boolean;
}

/** Options of fit() that were checked. */
export interface Settings {
  readonly loss: Loss;
  readonly metrics: Metrics;
  readonly optimizer: { step(): void; zeroGrad(): void };
  readonly epochs: number;
  readonly validation: Batches | undefined;
  readonly clip: Clipping | undefined;
  readonly accumulate: number;
  readonly schedule: Scheduling | undefined;
  readonly earlyStopping: EarlyStopping | undefined;
  readonly average: ExponentialMovingAverage | StochasticWeightAverage | undefined;
  readonly spikeGuard: SpikeGuard | undefined;
  readonly checkpoint: Checkpointing | undefined;
  readonly callbacks: readonly Callback[];
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly progress: boolean;
  readonly seed: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly compile: boolean | undefined;
}

function has(value: unknown, ...methods: string[]): boolean {
  return value !== null && typeof value === "object" && methods.every((method) => typeof (value as Record<string, unknown>)[method] === "function");
}

export function isBatches(data: unknown): boolean {
  return data !== null && typeof data === "object" && (Symbol.iterator in data || Symbol.asyncIterator in data);
}

/** The loss that is computed, and the metrics with the true loss among them. Throws ConfigError for what is neither a loss nor an objective. */
function lossAndMetrics(name: string, loss: unknown, metrics: unknown): { loss: Loss; metrics: Metrics } {
  checkMetrics(name, metrics);
  if (typeof loss === "function") return { loss: loss as Loss, metrics };
  const { surrogate, trueLoss } = (loss ?? {}) as Partial<Objective>;
  if (typeof surrogate !== "function")
    throw new ConfigError(`${name}: expected a loss function (output, target), or an objective such as zeroOneObjective(); got ${showValue(loss)}`);
  checkMetrics(name, trueLoss ?? {});
  return { loss: surrogate, metrics: { ...trueLoss, ...metrics } };
}

/** Throws ConfigError unless model, data and the options that evaluate() and fit() share are what they must be. */
export function checkCall(name: string, model: Module, data: Batches, options: EvaluateOptions | undefined): { loss: Loss; metrics: Metrics } {
  const { loss, metrics = {}, signal }: Partial<EvaluateOptions> = options ?? {};
  if (!has(model, "forward", "train", "eval", "namedModules")) throw new ConfigError(`${name}: expected a model, a Module; got ${showValue(model)}`);
  if (!isBatches(data)) throw new ConfigError(`${name}: expected data, an iterable of batches such as a DataLoader; got ${showValue(data)}`);
  const measured = lossAndMetrics(name, loss, metrics);
  if (signal !== undefined) checkSignal(name, signal);
  return measured;
}

const KNOWN: readonly (keyof FitOptions)[] = [
  ...([
    "loss",
    "optimizer",
    "epochs",
    "metrics",
    "validation",
    "clip",
    "accumulate",
    "schedule",
    "earlyStopping",
    "spikeGuard",
    "checkpoint",
    "average",
  ] as const),
  ...(["callbacks", "onProgress", "progress", "seed", "signal", "compile"] as const),
];

function checkedCount(name: string, value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 1)
    throw new ConfigError(`fit: expected ${name} >= 1; got ${typeof value === "number" ? value : showValue(value)}`);
  return value as number;
}

/** The options of fit(); throws ConfigError for what cannot be. */
export function checkedSettings(model: Module, data: Batches, options: FitOptions): Settings {
  checkedOptions("fit", options, KNOWN);
  const { loss, metrics } = checkCall("fit", model, data, options);
  const { optimizer, epochs = 1, validation, callbacks = [], onProgress, progress = true, signal, compile, seed } = options;
  const { clip, accumulate = 1, schedule, earlyStopping, spikeGuard, checkpoint, average } = options;
  checkedCount("epochs", epochs);
  checkedCount("accumulate", accumulate);
  if (!has(optimizer, "step", "zeroGrad")) throw new ConfigError(`fit: expected an optimizer, with step() and zeroGrad(); got ${showValue(optimizer)}`);
  if (validation !== undefined && !isBatches(validation)) {
    throw new ConfigError(`fit: expected validation, an iterable of batches such as a DataLoader; got ${showValue(validation)}`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") throw new ConfigError(`fit: expected onProgress, a function; got ${showValue(onProgress)}`);
  const events = ["onBegin", "onStepEnd", "onEpochEnd"];
  const hears = (callback: unknown): boolean =>
    callback !== null &&
    typeof callback === "object" &&
    events.every((event) => ["undefined", "function"].includes(typeof (callback as Record<string, unknown>)[event]));
  if (!Array.isArray(callbacks) || !callbacks.every((callback) => hears(callback) && events.some((event) => event in callback))) {
    throw new ConfigError(`fit: expected callbacks, a list of { onBegin, onStepEnd, onEpochEnd }; got ${showValue(callbacks)}`);
  }
  if (average !== undefined && !has(average, "update", "swap", "restore", "stateDict", "loadStateDict")) {
    throw new ConfigError(`fit: expected average, an ExponentialMovingAverage or a StochasticWeightAverage of optim; got ${showValue(average)}`);
  }
  if (typeof progress !== "boolean") throw new ConfigError(`fit: expected progress: true or false; got ${showValue(progress)}`);
  if (compile !== undefined && typeof compile !== "boolean") throw new ConfigError(`fit: expected compile: true or false; got ${showValue(compile)}`);
  return {
    ...{ loss, metrics, optimizer, epochs, validation, accumulate, callbacks, onProgress, progress, seed, signal, compile, average },
    clip: clip === undefined ? undefined : checkedClipping(clip),
    schedule: schedule === undefined ? undefined : checkedSchedule(schedule, metrics),
    earlyStopping: earlyStopping === undefined ? undefined : new EarlyStopping(earlyStopping, metrics),
    spikeGuard: spikeGuard === undefined ? undefined : new SpikeGuard(spikeGuard),
    checkpoint: checkpoint === undefined ? undefined : new Checkpointing(checkpoint, metrics),
  };
}

/** Throws ConfigError for what is no batch. */
export function checkBatch(name: string, batch: unknown): asserts batch is Batch {
  if (Array.isArray(batch) && batch.length === 2 && batch[0] instanceof Tensor && batch[1] instanceof Tensor && batch[0].ndim > 0) return;
  const got = Array.isArray(batch) ? `[${batch.map((part) => (part instanceof Tensor ? part.describe() : showValue(part))).join(", ")}]` : showValue(batch);
  throw new ConfigError(`${name}: expected batches [x, y], two tensors with examples along the first axis; got ${got}`);
}
