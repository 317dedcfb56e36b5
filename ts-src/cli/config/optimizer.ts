// The optimizer of a configuration, the schedule of its learning rate, and the average of the weights.
import type { Tensor } from "../../../bindings/tensor.js";
import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  AMSGrad,
  ExponentialMovingAverage,
  FullMatrixAdagrad,
  Lion,
  Muon,
  NAdam,
  type Optimizer,
  RAdam,
  RMSprop,
  SGD,
  StochasticWeightAverage,
} from "../../optim/index.js";
import {
  ChainedScheduler,
  CosineAnnealingLR,
  ExponentialLR,
  LinearWarmup,
  MultiStepLR,
  OneCycleLR,
  ReduceLROnPlateau,
  type Schedule,
  SequentialLR,
  StepLR,
} from "../../optim/schedules/index.js";
import type { ScheduleOptions } from "../../train/scheduling.js";
import { atMost, type Entry } from "./entry.js";

type Configured = Optimizer<{ lr: number }, unknown>;

export const optimizerTable: { readonly [name: string]: new (params: readonly Tensor[], settings?: never) => unknown } = {
  SGD,
  Adam,
  AdamW,
  AMSGrad,
  Adamax,
  NAdam,
  RAdam,
  Adagrad,
  FullMatrixAdagrad,
  RMSprop,
  Adadelta,
  Lion,
  Muon,
};

/** Throws ConfigError. */
export function optimizerOf(given: Entry, parameters: readonly Tensor[]): Configured {
  const named = given.named("an optimizer", optimizerTable);
  const [settings] = atMost(named, ["settings"]);
  if (settings !== undefined) named.entry.options();
  return named.entry.within(() => new named.found(parameters, settings as never) as Configured);
}

type Averages = ExponentialMovingAverage | StochasticWeightAverage;

interface AverageKind {
  readonly takes: readonly string[];
  readonly make: new (parameters: readonly Tensor[], options?: never) => Averages;
}

export const averageTable: { readonly [name: string]: AverageKind } = {
  ExponentialMovingAverage: { takes: ["options"], make: ExponentialMovingAverage },
  StochasticWeightAverage: { takes: [], make: StochasticWeightAverage },
};

/** Throws ConfigError. */
export function averageOf(given: Entry, parameters: readonly Tensor[]): Averages {
  const named = given.named("an average", averageTable);
  const [options] = atMost(named, named.found.takes);
  if (options !== undefined) named.entry.options();
  return named.entry.within(() => new named.found.make(parameters, options as never));
}

/** How long a training is. */
export interface Length {
  readonly epochs: number;
  /** Steps of the optimizer in an epoch. */
  readonly stepsPerEpoch: number;
}

type Per = "epoch" | "step";

interface ScheduleKind {
  readonly make: new (optimizer: Configured, options: never) => Schedule;
  /** When it takes a step, where the file does not say. */
  readonly per: Per;
  /** The option that is how many steps there are, if the file has none of these. */
  readonly length?: readonly string[];
}

export const scheduleTable: { readonly [name: string]: ScheduleKind } = {
  StepLR: { make: StepLR, per: "epoch" },
  MultiStepLR: { make: MultiStepLR, per: "epoch" },
  ExponentialLR: { make: ExponentialLR, per: "epoch" },
  CosineAnnealingLR: { make: CosineAnnealingLR, per: "epoch", length: ["TMax"] },
  OneCycleLR: { make: OneCycleLR, per: "step", length: ["totalSteps", "epochs", "stepsPerEpoch"] },
  LinearWarmup: { make: LinearWarmup, per: "epoch" },
  ReduceLROnPlateau: { make: ReduceLROnPlateau, per: "epoch" },
  SequentialLR: { make: SequentialLR, per: "epoch" },
  ChainedScheduler: { make: ChainedScheduler, per: "epoch" },
};

const BESIDE = ["per", "monitor"];

/** Throws ConfigError. `scores`: names of what may be monitored. */
export function scheduleOf(given: Entry, optimizer: Configured, length: Length, scores: readonly string[]): ScheduleOptions {
  const { found } = given.named("a schedule", scheduleTable, BESIDE);
  const per = given.beside("per");
  if (per !== undefined && per.value !== "epoch" && per.value !== "step") per.refuse('"epoch" or "step"');
  const chosen = (per?.value as Per | undefined) ?? found.per;
  const monitor = given.beside("monitor");
  if (monitor !== undefined && !scores.includes(monitor.value as string)) monitor.refuse(`a score among ${scores.join(", ")}`);
  const schedule = scheduled(given, optimizer, chosen === "step" ? length.epochs * length.stepsPerEpoch : length.epochs);
  return { schedule: schedule as ScheduleOptions["schedule"], per: chosen, ...(monitor && { monitor: monitor.value as string }) };
}

/** `steps`: how many it takes; undefined within another schedule, which knows better. */
function scheduled(given: Entry, optimizer: Configured, steps: number | undefined): Schedule {
  const named = given.named("a schedule", scheduleTable, steps === undefined ? [] : BESIDE);
  const [settings] = atMost(named, ["options"]);
  const options: Record<string, unknown> = settings === undefined ? {} : { ...named.entry.options() };
  // schedules of schedules are made from the inside out
  const inner = named.entry.beside("schedules");
  if (inner !== undefined) options.schedules = inner.items("schedules").map((item) => scheduled(item, optimizer, undefined));
  const { length = [], make } = named.found;
  if (steps !== undefined && length.length > 0 && !length.some((name) => name in options)) options[length[0]] = steps;
  return named.entry.within(() => new make(optimizer, options as never));
}
