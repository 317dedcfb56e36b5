// One cycle: the rate rises, falls, and falls far below where it began, while momentum does the opposite.

import { ConfigError } from "../../../bindings/errors.js";
import { showValue } from "../../../bindings/show.js";
import { checkedFlag, checkedNumber, checkedOptions } from "../../ops/checks.js";
import { checkedCount, Schedule, type Scheduled } from "./schedule.js";

export interface OneCycleLROptions {
  /** The highest rate, or one for each group. */
  maxLr: number | readonly number[];
  /** Steps of the cycle; or else epochs and stepsPerEpoch, of which it is the product. */
  totalSteps?: number;
  epochs?: number;
  stepsPerEpoch?: number;
  /** The share of steps in which the rate rises; 0.3 by default. */
  pctStart?: number;
  annealStrategy?: "cos" | "linear";
  /** Whether momentum, or beta1, falls while the rate rises; true by default. */
  cycleMomentum?: boolean;
  /** The lowest and highest momentum, or one for each group; 0.85 and 0.95 by default. */
  baseMomentum?: number | readonly number[];
  maxMomentum?: number | readonly number[];
  /** The first rate is maxLr / divFactor; 25 by default. */
  divFactor?: number;
  /** The last rate is the first / finalDivFactor; 10,000 by default. */
  finalDivFactor?: number;
  /** Fall back to the first rate as slowly as it rose, then to the last; false by default. */
  threePhase?: boolean;
}

const NAMES = ["maxLr", "totalSteps", "epochs", "stepsPerEpoch", "pctStart", "annealStrategy", "cycleMomentum", "baseMomentum", "maxMomentum", "divFactor", "finalDivFactor", "threePhase"] as const; // biome-ignore format: names

/** Rate and momentum of a group. */
type Point = readonly [lr: number, momentum: number];

/**
 * From maxLr / divFactor to maxLr in pctStart of the steps, then to maxLr / divFactor / finalDivFactor, each along half a cosine or a
 * line, while momentum goes from maxMomentum to baseMomentum and back (Smith and Topin 2019, as PyTorch applies it). For a step after
 * each batch. Throws ConfigError for options that cannot be, and for a step beyond totalSteps.
 */
export class OneCycleLR extends Schedule {
  private readonly totalSteps: number;
  private readonly linear: boolean;
  private readonly cycleMomentum: boolean;
  /** The last step of each phase, and where it leads from and to: a point for each group. */
  private readonly phases: readonly { readonly end: number; readonly from: readonly Point[]; readonly to: readonly Point[] }[];

  constructor(optimizer: Scheduled, options: OneCycleLROptions) {
    super("OneCycleLR", optimizer);
    const name = this.name;
    const { maxLr, totalSteps, epochs, stepsPerEpoch, pctStart = 0.3, annealStrategy = "cos", cycleMomentum = true, ...rest } = checkedOptions(name, options, NAMES); // biome-ignore format: names
    const { baseMomentum = 0.85, maxMomentum = 0.95, divFactor = 25, finalDivFactor = 1e4, threePhase = false } = rest;
    if (totalSteps !== undefined) this.totalSteps = checkedCount(name, "totalSteps", totalSteps, 1);
    else if (epochs === undefined || stepsPerEpoch === undefined)
      throw new ConfigError(`${name}: expected totalSteps, or epochs and stepsPerEpoch; got neither`);
    else this.totalSteps = checkedCount(name, "epochs", epochs, 1) * checkedCount(name, "stepsPerEpoch", stepsPerEpoch, 1);
    checkedNumber(name, "pctStart", pctStart, 0, 1);
    if (annealStrategy !== "cos" && annealStrategy !== "linear")
      throw new ConfigError(`${name}: expected annealStrategy "cos" or "linear"; got ${showValue(annealStrategy)}`);
    this.linear = annealStrategy === "linear";
    this.cycleMomentum = checkedFlag(name, "cycleMomentum", cycleMomentum);
    checkedFlag(name, "threePhase", threePhase);
    checkedNumber(name, "divFactor", divFactor, 0, Number.POSITIVE_INFINITY, true);
    checkedNumber(name, "finalDivFactor", finalDivFactor, 0, Number.POSITIVE_INFINITY, true);
    if (this.cycleMomentum && !this.groups.every((group) => group.betas !== undefined || group.momentum !== undefined))
      throw new ConfigError(`${name}: expected an optimizer with momentum or betas; got one without; pass cycleMomentum: false`);
    const lows = this.perGroup("baseMomentum", baseMomentum, 0);
    const highs = this.perGroup("maxMomentum", maxMomentum, 0);
    const tops = this.perGroup("maxLr", maxLr, 0);
    this.setInitial(tops.map((top) => top / divFactor));
    const start = this.baseLrs.map((lr, i): Point => [lr, highs[i]]);
    const top = tops.map((lr, i): Point => [lr, lows[i]]);
    const last = this.baseLrs.map((lr, i): Point => [lr / finalDivFactor, highs[i]]);
    const rising = pctStart * this.totalSteps;
    this.phases = [
      { end: rising - 1, from: start, to: top },
      ...(threePhase ? [{ end: 2 * rising - 2, from: top, to: start }] : []),
      { end: this.totalSteps - 1, from: threePhase ? start : top, to: last },
    ];
    this.begin();
  }

  override checkStep(): void {
    if (this.lastEpoch >= this.totalSteps)
      throw new ConfigError(`${this.name}: expected at most ${this.totalSteps} steps, totalSteps; got one more; make it for all steps of the training`);
  }

  override advance(): void {
    super.advance();
    this.setMomentum();
  }

  override begin(): void {
    super.begin();
    this.setMomentum();
  }

  override apply(): void {
    super.apply();
    this.setMomentum();
  }

  protected override first(_lr: number, group: number): number {
    return this.point(group)[0];
  }

  protected next(_lr: number, _base: number, group: number): number {
    return this.point(group)[0];
  }

  private setMomentum(): void {
    if (!this.cycleMomentum) return;
    for (const [i, group] of this.groups.entries()) {
      const momentum = this.point(i)[1];
      if (group.betas !== undefined) group.betas = [momentum, group.betas[1]];
      else group.momentum = momentum;
    }
  }

  /** Where a group is at step lastEpoch. */
  private point(group: number): Point {
    const t = this.lastEpoch;
    const found = this.phases.findIndex(({ end }) => t <= end);
    const i = found < 0 ? this.phases.length - 1 : found;
    const { end, from, to } = this.phases[i];
    const start = i === 0 ? 0 : this.phases[i - 1].end;
    const share = end === start ? 1 : (t - start) / (end - start);
    const anneal = (a: number, b: number): number => (this.linear ? (b - a) * share + a : b + ((a - b) / 2) * (Math.cos(Math.PI * share) + 1));
    return [anneal(from[group][0], to[group][0]), anneal(from[group][1], to[group][1])];
  }
}
