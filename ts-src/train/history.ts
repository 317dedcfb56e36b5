// What a training tells of itself, while it runs and afterwards.
import type { Scores } from "./scores.js";

/** What is known of a training before its first step. */
export interface Beginning {
  epochs: number;
  /** Names of what each epoch scores: "loss", then the metrics. */
  scores: readonly string[];
  /** Whether there is a validation after each epoch. */
  validated: boolean;
}

export interface Progress {
  /** Counted from 1. */
  epoch: number;
  epochs: number;
  /** Batches done in this epoch, and all of them if known. */
  step: number;
  steps: number | undefined;
  /** Means over this epoch so far. */
  training: Scores;
  /** Whether the epoch is over; validation, if any, is then done. */
  ended: boolean;
  validation: Scores | undefined;
  /** Examples a second in this epoch. */
  rate: number;
  /** Seconds since the beginning. */
  seconds: number;
  /** Seconds to the end of the last epoch, if the number of steps is known. */
  secondsLeft: number | undefined;
}

export interface EpochRecord {
  epoch: number;
  training: Scores;
  validation: Scores | undefined;
  seconds: number;
  /** Of the optimizer's first group, at the end of the epoch; undefined for an optimizer without groups. */
  learningRate: number | undefined;
}

/** A step that was left out. */
export interface SkippedStep {
  epoch: number;
  /** Of the epoch, counted from 1. */
  step: number;
  reason: string;
}

export interface History {
  epochs: EpochRecord[];
  /** The loss of each batch that was trained on. */
  losses: number[];
  /** The norm of the gradients at each step of the optimizer, where they are clipped. */
  gradientNorms: number[];
  /** Of the optimizer's first group, for each batch in `losses`. */
  learningRates: number[];
  skipped: SkippedStep[];
  /** The best epoch of early stopping, counted from 1. */
  bestEpoch: number | undefined;
  /** Why training ended before the last epoch. */
  stopped: string | undefined;
  seconds: number;
}
