// The base of schedules: what they change is the rate of an optimizer's groups, of which they know how many steps they are on.
// A step goes on from the rate that is there, so schedules can be chained, as in PyTorch.

import { ConfigError } from "../../../bindings/errors.js";
import { showValue } from "../../../bindings/show.js";

/** A group whose rate is changed, and its momentum by OneCycleLR. */
export interface ScheduledGroup {
  lr: number;
  momentum?: number;
  betas?: readonly [number, number];
}

/** An optimizer, or anything with groups that have a rate. */
export interface Scheduled {
  readonly paramGroups: readonly ScheduledGroup[];
}

/** Plain values, which survive JSON. */
export type ScheduleState = { readonly [name: string]: number | null | readonly number[] | readonly ScheduleState[] };

/** What a value of a state is: a count, a finite number, one or none, a number a group. */
export type ValueKind = "count" | "number" | "optional" | "rates";

/** The rate of each group when its first schedule was made: schedules that follow each other begin there. */
const initialRates = new WeakMap<ScheduledGroup, number>();

function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : showValue(value);
}

export function checkedCount(name: string, option: string, value: unknown, least: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  throw new ConfigError(`${name}: expected ${option}, a whole number >= ${least}; got ${shown(value)}`);
}

export abstract class Schedule {
  readonly optimizer: Scheduled;
  protected readonly name: string;
  /** Steps done. */
  protected lastEpoch = 0;
  /** Of each group the rate that this schedule begins with. */
  protected baseLrs: number[];
  private rates: number[] = [];

  constructor(name: string, optimizer: Scheduled) {
    this.name = name;
    const groups: unknown = optimizer?.paramGroups;
    if (!Array.isArray(groups) || groups.length === 0 || !groups.every((group) => typeof group?.lr === "number"))
      throw new ConfigError(`${name}: expected an optimizer, with paramGroups that have lr; got ${showValue(optimizer)}`);
    this.optimizer = optimizer;
    this.baseLrs = this.groups.map((group) => {
      const initial = initialRates.get(group) ?? group.lr;
      initialRates.set(group, initial);
      return initial;
    });
  }

  protected get groups(): readonly ScheduledGroup[] {
    return this.optimizer.paramGroups;
  }

  /** The rates that the last step set, one a group. */
  get lastLr(): readonly number[] {
    return this.rates;
  }

  /** Sets the rates of the next step; `metric` is what ReduceLROnPlateau watches. */
  step(metric?: number): void {
    this.checkStep(metric);
    this.advance(metric);
  }

  /** Throws ConfigError if there can be no further step. */
  checkStep(_metric?: number): void {}

  /** A step that was checked. */
  advance(_metric?: number): void {
    this.lastEpoch++;
    this.set(this.groups.map(({ lr }, i) => this.next(lr, this.baseLrs[i], i)));
  }

  /** The rate of a group at step lastEpoch >= 1, from that before. */
  protected abstract next(lr: number, base: number, group: number): number;

  /** The rate of a group at step 0. */
  protected first(lr: number, _group: number): number {
    return lr;
  }

  /** Begins with the rates that are there, which other schedules may have changed. */
  begin(): void {
    this.lastEpoch = 0;
    this.set(this.groups.map(({ lr }, i) => this.first(lr, i)));
  }

  /** Begins with the optimizer's rates from before any schedule; SequentialLR calls it for its first. */
  beginAnew(): void {
    for (const group of this.groups) group.lr = initialRates.get(group) ?? group.lr;
    this.begin();
  }

  /** Begins with its own rates; SequentialLR calls it for each that follows. */
  restart(): void {
    for (const [i, group] of this.groups.entries()) group.lr = this.baseLrs[i];
    this.begin();
  }

  protected setInitial(lrs: readonly number[]): void {
    this.baseLrs = [...lrs];
    for (const [i, group] of this.groups.entries()) initialRates.set(group, lrs[i]);
  }

  protected set(lrs: readonly number[]): void {
    this.rates = [...lrs];
    for (const [i, group] of this.groups.entries()) group.lr = lrs[i];
  }

  /** A number for each group: the same for all, or an array of them. */
  protected perGroup(option: string, value: unknown, least: number): number[] {
    const values: readonly unknown[] = Array.isArray(value) ? value : this.groups.map(() => value);
    if (values.length !== this.groups.length) throw new ConfigError(`${this.name}: expected ${option} for ${this.groups.length} groups; got ${values.length}`);
    for (const v of values) {
      if (typeof v !== "number" || !(v >= least && v < Number.POSITIVE_INFINITY))
        throw new ConfigError(`${this.name}: expected ${option} >= ${least}; got ${shown(v)}`);
    }
    return values as number[];
  }

  /** The names and kinds of what stateDict() gives. */
  protected stateKinds(): { readonly [name: string]: ValueKind } {
    return { lastEpoch: "count", baseLrs: "rates", lastLr: "rates" };
  }

  /** Where the schedule is, in plain values; settings are those of the constructor. */
  stateDict(): ScheduleState {
    return { lastEpoch: this.lastEpoch, baseLrs: [...this.baseLrs], lastLr: [...this.rates] };
  }

  /**
   * Goes on from a state that stateDict() gave, with the rates of then. Throws ConfigError if it does not fit; then nothing was
   * changed.
   */
  loadStateDict(state: ScheduleState): void {
    this.checkState(state);
    this.takeState(state);
    this.apply();
  }

  /** Throws ConfigError for a state that is none of this schedule. */
  checkState(state: unknown): void {
    if (state === null || typeof state !== "object" || Array.isArray(state))
      throw new ConfigError(`${this.name}: expected a state, as stateDict() gives; got ${showValue(state)}`);
    const kinds = this.stateKinds();
    const wrong = Object.keys(state).find((name) => !Object.hasOwn(kinds, name) && name !== "schedules");
    if (wrong !== undefined) throw new ConfigError(`${this.name}: expected a state of ${Object.keys(kinds).join(", ")}; got ${wrong}`);
    for (const [name, kind] of Object.entries(kinds)) {
      const value = (state as Record<string, unknown>)[name];
      if (kind === "count") checkedCount(this.name, name, value, 0);
      else if (kind === "rates") {
        if (!Array.isArray(value) || value.length !== this.groups.length || !value.every((rate) => Number.isFinite(rate) && rate >= 0))
          throw new ConfigError(`${this.name}: expected ${name}, ${this.groups.length} rates; got ${shown(value)}`);
      } else if (!Number.isFinite(value) && !(kind === "optional" && value === null)) {
        throw new ConfigError(`${this.name}: expected ${name}, a finite number${kind === "optional" ? " or null" : ""}; got ${shown(value)}`);
      }
    }
  }

  /** Takes a state over that was checked, and leaves the optimizer as it is. */
  takeState(state: ScheduleState): void {
    this.lastEpoch = state.lastEpoch as number;
    this.baseLrs = [...(state.baseLrs as number[])];
    this.rates = [...(state.lastLr as number[])];
  }

  /** Sets in the optimizer what the last step did. */
  apply(): void {
    this.set(this.rates);
  }
}
