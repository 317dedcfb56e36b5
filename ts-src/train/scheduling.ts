// When fit() lets a schedule change the learning rate.
import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { checkedOptions } from "../ops/checks.js";
import type { Better } from "./metrics.js";
import { betterOf, type Metrics, type Scores } from "./scores.js";

/** What changes the learning rate of an optimizer at each step(), such as those in `schedules`. */
export interface Schedule {
  /** `score` is what a schedule watches that waits for a plateau. */
  step(score?: number): void;
  stateDict(): unknown;
  loadStateDict(state: never): void;
  /** Which scores it takes for better ones, if it watches any. */
  readonly better?: Better;
}

export interface ScheduleOptions {
  schedule: Schedule;
  /** Whether it takes a step after each "epoch" (default) or after each "step" of the optimizer. */
  per?: "epoch" | "step";
  /** With "epoch": the score that its step() is given, of the validation if there is one; "loss" by default. */
  monitor?: string;
}

export interface Scheduling {
  readonly schedule: Schedule;
  stepEnded(): void;
  epochEnded(scores: Scores): void;
}

function isSchedule(value: unknown): value is Schedule {
  return value !== null && typeof value === "object" && typeof (value as Partial<Schedule>).step === "function";
}

/** Throws ConfigError for what is no schedule. */
export function checkedSchedule(given: Schedule | ScheduleOptions, metrics: Metrics): Scheduling {
  const name = "fit: schedule";
  const options = isSchedule(given) ? { schedule: given } : given;
  const { schedule, per = "epoch", monitor = "loss" } = checkedOptions<ScheduleOptions>(name, options, ["schedule", "per", "monitor"]);
  if (!isSchedule(schedule)) throw new ConfigError(`${name}: expected a schedule with step(), such as one of schedules; got ${showValue(schedule)}`);
  if (per !== "epoch" && per !== "step") throw new ConfigError(`${name}: expected per "epoch" or "step"; got ${showValue(per)}`);
  const known = ["loss", ...Object.keys(metrics)];
  if (!known.includes(monitor)) throw new ConfigError(`${name}: expected monitor ${known.join(" or ")}; got ${showValue(monitor)}`);
  const better = betterOf(metrics, monitor);
  if (schedule.better !== undefined && better !== undefined && schedule.better !== better) {
    const mode = better === "higher" ? "max" : "min";
    throw new ConfigError(
      `${name}: expected a schedule that takes a ${better} ${monitor} for better; got one that takes a ${schedule.better} one: give it mode "${mode}"`,
    );
  }
  return {
    schedule,
    stepEnded: () => {
      if (per === "step") schedule.step();
    },
    epochEnded: (scores) => {
      if (per === "epoch") schedule.step(scores[monitor]);
    },
  };
}
