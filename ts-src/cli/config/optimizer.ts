// The optimizer of a configuration, the schedule of its learning rate, and the average of the weights.
import type { Tensor } from "../../../bindings/tensor.js";
import * as optim from "../../optim/index.js";
import { ExponentialMovingAverage, Optimizer, StochasticWeightAverage } from "../../optim/index.js";
import * as schedules from "../../optim/schedules/index.js";
import { Schedule } from "../../optim/schedules/index.js";
import type { ScheduleOptions } from "../../train/scheduling.js";
import { type Entry, valuesOf } from "./entry.js";

type Configured = optim.Optimizer<{ lr: number }, unknown>;

type Class<T> = new (...args: never[]) => T;

/** What a module exports that is made of a base, by name. */
function classesOf<T>(module: object, base: abstract new (...args: never[]) => T): { readonly [name: string]: Class<T> } {
  return Object.fromEntries(Object.entries(module).filter(([, found]) => typeof found === "function" && found.prototype instanceof base));
}

/** L-BFGS needs a function that it calls again and again. */
export const optimizerTable = Object.fromEntries(Object.entries(classesOf(optim, Optimizer)).filter(([name]) => name !== "LBFGS"));

/** Throws ConfigError. */
export function optimizerOf(given: Entry, parameters: readonly Tensor[]): Configured {
  const named = given.named("an optimizer", optimizerTable);
  const [settings] = valuesOf(named, ["options"]);
  return named.entry.within(() => new named.found(...([parameters, settings] as never[])) as Configured);
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
  const [options] = valuesOf(named, named.found.takes);
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
  readonly make: Class<Schedule>;
  /** When it takes a step, where the file does not say. */
  readonly per: Per;
  /** The option that is how many steps there are, if the file has none of these. */
  readonly length?: readonly string[];
}

/** Of those that are not for a step an epoch, or that want to know how many there are. */
const kinds: { readonly [name: string]: Partial<ScheduleKind> } = {
  CosineAnnealingLR: { length: ["TMax"] },
  OneCycleLR: { per: "step", length: ["totalSteps", "epochs", "stepsPerEpoch"] },
};

export const scheduleTable: { readonly [name: string]: ScheduleKind } = Object.fromEntries(
  Object.entries(classesOf(schedules, Schedule)).map(([name, make]) => [name, { make, per: "epoch" as const, ...kinds[name] }]),
);

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
  const [settings] = valuesOf(named, ["options"]);
  const options: Record<string, unknown> = { ...(settings as object | undefined) };
  // schedules of schedules are made from the inside out
  const inner = named.entry.argument(0).beside("schedules");
  if (inner !== undefined) options.schedules = inner.items("schedules").map((item) => scheduled(item, optimizer, undefined));
  const { length = [], make } = named.found;
  if (steps !== undefined && length.length > 0 && !length.some((name) => name in options)) options[length[0]] = steps;
  return named.entry.within(() => new make(...([optimizer, options] as never[])));
}
