// Schedules made of schedules: one after another, or all together.

import { ConfigError } from "../../../bindings/errors.js";
import { showValue } from "../../../bindings/show.js";
import { checkedOptions } from "../../ops/checks.js";
import { checkedCount, Schedule, type Scheduled, type ScheduleState } from "./schedule.js";

abstract class Composite extends Schedule {
  protected readonly schedules: readonly Schedule[];

  constructor(name: string, optimizer: Scheduled, schedules: readonly Schedule[]) {
    super(name, optimizer);
    for (const schedule of schedules) {
      if (schedule.optimizer !== optimizer) throw new ConfigError(`${name}: expected schedules of the optimizer; got one of another`);
    }
    this.schedules = [...schedules];
  }

  protected next(lr: number): number {
    return lr;
  }

  override stateDict(): ScheduleState {
    return { ...super.stateDict(), schedules: this.schedules.map((schedule) => schedule.stateDict()) };
  }

  override checkState(state: unknown): void {
    super.checkState(state);
    const { schedules } = state as { schedules?: unknown };
    if (!Array.isArray(schedules) || schedules.length !== this.schedules.length) {
      const got = Array.isArray(schedules) ? `${schedules.length} of them` : showValue(schedules);
      throw new ConfigError(`${this.name}: expected schedules, states of ${this.schedules.length}; got ${got}`);
    }
    for (const [i, schedule] of this.schedules.entries()) schedule.checkState(schedules[i]);
  }

  override takeState(state: ScheduleState): void {
    super.takeState(state);
    for (const [i, schedule] of this.schedules.entries()) schedule.takeState((state.schedules as ScheduleState[])[i]);
  }
}

function checkedSchedules(name: string, schedules: unknown): readonly Schedule[] {
  if (Array.isArray(schedules) && schedules.length > 0 && schedules.every((schedule) => schedule instanceof Schedule)) return schedules as Schedule[];
  throw new ConfigError(`${name}: expected schedules, at least one; got ${Array.isArray(schedules) ? "an array of something else" : showValue(schedules)}`);
}

export interface SequentialLROptions {
  schedules: readonly Schedule[];
  /** The steps at which the second and each further schedule begins. */
  milestones: readonly number[];
}

/**
 * One schedule after another, each of which begins at its milestone with the optimizer's first rate, such as LinearWarmup and then
 * CosineAnnealingLR. Throws ConfigError for options that cannot be.
 */
export class SequentialLR extends Composite {
  private readonly milestones: readonly number[];

  constructor(optimizer: Scheduled, options: SequentialLROptions) {
    const { schedules, milestones } = checkedOptions("SequentialLR", options, ["schedules", "milestones"]);
    super("SequentialLR", optimizer, checkedSchedules("SequentialLR", schedules));
    if (!Array.isArray(milestones) || milestones.length !== schedules.length - 1) {
      const got = Array.isArray(milestones) ? `${milestones.length}` : showValue(milestones);
      throw new ConfigError(`${this.name}: expected ${schedules.length - 1} milestones for ${schedules.length} schedules; got ${got}`);
    }
    this.milestones = milestones.map((step, i) => checkedCount(this.name, "milestones", step, i === 0 ? 1 : milestones[i - 1] + 1));
    this.beginAnew();
  }

  /** Which schedule has step t. */
  private activeAt(t: number): number {
    return this.milestones.filter((step) => step <= t).length;
  }

  /** The schedule that takes the next step, and whether it begins with it. */
  private get following(): { schedule: Schedule; begins: boolean } {
    const t = this.lastEpoch + 1;
    return { schedule: this.schedules[this.activeAt(t)], begins: this.milestones.includes(t) };
  }

  override checkStep(metric?: number): void {
    const { schedule, begins } = this.following;
    if (!begins) schedule.checkStep(metric);
  }

  override advance(metric?: number): void {
    const { schedule, begins } = this.following;
    if (begins) schedule.restart();
    else schedule.advance(metric);
    super.advance();
  }

  override begin(): void {
    this.schedules[0].begin();
    super.begin();
  }

  override apply(): void {
    this.schedules[this.activeAt(this.lastEpoch)].apply();
    super.apply();
  }
}

export interface ChainedSchedulerOptions {
  schedules: readonly Schedule[];
}

/** All schedules together: each step changes the rate that the one before it left. Throws ConfigError for options that cannot be. */
export class ChainedScheduler extends Composite {
  constructor(optimizer: Scheduled, options: ChainedSchedulerOptions) {
    super("ChainedScheduler", optimizer, checkedSchedules("ChainedScheduler", checkedOptions("ChainedScheduler", options, ["schedules"]).schedules));
    super.begin();
  }

  override checkStep(metric?: number): void {
    for (const schedule of this.schedules) schedule.checkStep(metric);
  }

  override advance(metric?: number): void {
    for (const schedule of this.schedules) schedule.advance(metric);
    super.advance();
  }

  override begin(): void {
    for (const schedule of this.schedules) schedule.begin();
    super.begin();
  }

  override apply(): void {
    for (const schedule of this.schedules) schedule.apply();
    super.apply();
  }
}
