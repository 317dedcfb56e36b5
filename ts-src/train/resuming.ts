// What a checkpoint of a training holds, and how a training takes it over.
import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import type { RandomState } from "../ops/random.js";
import type { AverageState } from "../optim/averages.js";
import type { EarlyStoppingState } from "./early-stopping.js";
import type { History } from "./history.js";
import type { ScorerState } from "./scores.js";
import type { SnapshotTree } from "./snapshot.js";

type Series = "losses" | "gradientNorms" | "learningRates";

/** Names of classes and of metrics, and numbers. */
export type SetUp = Readonly<Record<string, string | number>>;

export interface TrainingTree {
  readonly kind: "training";
  /** Parameters and buffers under the names of PyTorch. */
  readonly model: Readonly<Record<string, Tensor>>;
  readonly optimizer: SnapshotTree["optimizer"] | null;
  readonly schedule: unknown;
  readonly random: RandomState;
  /** Where they stood when the epoch began: data without a place of their own are gone through anew from there. */
  readonly epochRandom: RandomState;
  /** What has to be the same for the training to go on. */
  readonly setUp: SetUp;
  /** Where the data stand, if they tell. */
  readonly data: unknown;
  readonly epoch: number;
  /** Batches of the epoch, and of the whole training. */
  readonly done: number;
  readonly steps: number;
  readonly scores: ScorerState;
  readonly history: Omit<History, Series> & { readonly [series in Series]: Tensor };
  readonly earlyStopping: EarlyStoppingState | null;
  readonly spikeGuard: readonly number[] | null;
  readonly average: AverageState | null;
  readonly bestScore: number | null;
  readonly best: SnapshotTree | null;
  readonly safe: SnapshotTree | null;
  readonly accumulated: { readonly batches: number; readonly examples: number; readonly sums: Readonly<Record<string, Tensor>> } | null;
}

/** Data that can go on from a place. */
export interface Placed {
  stateDict(): unknown;
  loadStateDict(state: unknown): void;
}

export function hasPlace(data: unknown): data is Placed {
  return typeof (data as Partial<Placed>).stateDict === "function" && typeof (data as Partial<Placed>).loadStateDict === "function";
}

function isTraining(given: Partial<TrainingTree> | null): boolean {
  if (given === null || typeof given !== "object" || given instanceof Tensor || given.kind !== "training") return false;
  const { model, random, epochRandom, setUp, scores, history, epoch, done, steps } = given;
  if ([model, random, epochRandom, setUp, scores, history].some((part) => part === null || typeof part !== "object")) return false;
  const { losses, gradientNorms, learningRates, epochs, skipped } = history as TrainingTree["history"];
  if (![losses, gradientNorms, learningRates].every((t) => t instanceof Tensor) || !Array.isArray(epochs) || !Array.isArray(skipped)) return false;
  return [epoch, done, steps].every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}

/** Throws ConfigError for a checkpoint of something else than a training, or of one that was set up otherwise. */
export function checkedTree(tree: unknown, setUp: SetUp): TrainingTree {
  const given = tree as Partial<TrainingTree> | null;
  if (!isTraining(given)) throw new ConfigError(`fit: checkpoint: expected the checkpoint of a training; got another, ${showValue(tree)}`);
  for (const [what, mine] of Object.entries(setUp)) {
    const theirs = (given as TrainingTree).setUp[what];
    if (theirs !== mine) throw new ConfigError(`fit: checkpoint: expected one of a training with ${what} ${mine}, as this one; got ${showValue(theirs)}`);
  }
  return given as TrainingTree;
}
