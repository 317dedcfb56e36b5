// The checkpoints of fit(): written every so often into a folder, the last few and the best kept, the newest gone on from.
import { ConfigError, FormatError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { type CheckpointTree, loadCheckpoint, saveCheckpoint } from "../formats/checkpoint.js";
import { builtin, reason } from "../formats/files.js";
import { saveSafetensors } from "../formats/safetensors.js";
import type { Module } from "../layers/module.js";
import { checkedFlag, checkedOptions } from "../ops/checks.js";
import { Watch } from "./early-stopping.js";
import type { Better } from "./metrics.js";
import type { Metrics, Scores } from "./scores.js";

export interface CheckpointingOptions {
  /** Where they go; it is made if there is none. */
  folder: string;
  /** Epochs from one to the next; 1 by default. */
  every?: number;
  /** Batches from one to the next, beside those at the end of epochs; none by default. */
  everySteps?: number;
  /** How many of the newest stay; 3 by default. */
  keepLast?: number;
  /** The score by which best.safetensors, weights and statistics of the best epoch, is written; none by default. */
  keepBest?: string;
  /** Which values of that score are better; the metrics of this package say so themselves. */
  better?: Better;
  /** Whether training goes on from the newest one in the folder, if there is one; false by default. */
  resume?: boolean;
}

const NAME = /^epoch-(\d+)-step-(\d+)\.safetensors$/;
/** All that it writes: whole files, and those below. */
export const WRITTEN = /^(epoch-\d+-step-\d+|best)\.safetensors(\.\d+\.partial)?$/;
/** What a process that was killed while it wrote leaves behind. */
const PARTIAL = /^(epoch-\d+-step-\d+|best)\.safetensors\.\d+\.partial$/;
const BEST = "best.safetensors";

export class Checkpointing {
  readonly resumes: boolean;
  /** The best score so far of `keepBest`. */
  best: number | undefined;
  private readonly folder: string;
  private readonly every: number;
  private readonly everySteps: number;
  private readonly keepLast: number;
  private readonly watch: Watch | undefined;

  /** Throws ConfigError for options that cannot be. */
  constructor(given: string | CheckpointingOptions, metrics: Metrics) {
    const name = "fit: checkpoint";
    const options = typeof given === "string" ? { folder: given } : given;
    const known = ["folder", "every", "everySteps", "keepLast", "keepBest", "better", "resume"] as const;
    const { folder, every = 1, everySteps, keepLast = 3, keepBest, better, resume = false } = checkedOptions(name, options, known);
    if (typeof folder !== "string" || folder === "") throw new ConfigError(`${name}: expected a folder; got ${showValue(folder)}`);
    for (const [option, value] of Object.entries({ every, everySteps: everySteps ?? 1, keepLast })) {
      if (!Number.isInteger(value) || value < 1) throw new ConfigError(`${name}: expected ${option}, a whole number >= 1; got ${showValue(value)}`);
    }
    this.folder = folder;
    this.every = every;
    this.everySteps = everySteps ?? Number.POSITIVE_INFINITY;
    this.keepLast = keepLast;
    this.watch = keepBest === undefined ? undefined : new Watch(name, keepBest, better, metrics);
    this.resumes = checkedFlag(name, "resume", resume);
  }

  private async path(file: string): Promise<string> {
    return (await builtin("node:path")).join(this.folder, file);
  }

  /** The names of checkpoints in the folder, oldest first. */
  private async names(): Promise<string[]> {
    const { promises } = await builtin("node:fs");
    const files = await promises.readdir(this.folder);
    const order = (file: string): number[] => (NAME.exec(file) as RegExpExecArray).slice(1).map(Number);
    const found = files.filter((file) => NAME.test(file));
    return found.sort((a, b) => order(a)[0] - order(b)[0] || order(a)[1] - order(b)[1]);
  }

  /** Makes the folder, and clears what a process that was killed has left half written. Throws FormatError. */
  async begin(): Promise<void> {
    const { promises } = await builtin("node:fs");
    try {
      await promises.mkdir(this.folder, { recursive: true });
      for (const file of await promises.readdir(this.folder)) if (PARTIAL.test(file)) await promises.rm(await this.path(file), { force: true });
    } catch (error) {
      throw new FormatError(`fit: checkpoint: expected a folder to write to; ${reason(error)} at ${this.folder}`, { cause: error });
    }
    const { length } = await this.names();
    if (length > 0 && !this.resumes) {
      throw new ConfigError(
        `fit: checkpoint: expected a folder without checkpoints; got ${length} of them in ${this.folder}; resume: true goes on from the newest`,
      );
    }
  }

  /** The newest checkpoint; undefined if there is none. Throws FormatError. */
  async newest(): Promise<CheckpointTree | undefined> {
    const newest = (await this.names()).at(-1);
    return newest === undefined ? undefined : loadCheckpoint(await this.path(newest));
  }

  dueAfterStep(steps: number): boolean {
    return steps % this.everySteps === 0;
  }

  dueAfterEpoch(epoch: number): boolean {
    return epoch % this.every === 0;
  }

  /** Writes a checkpoint of so many whole epochs and batches beyond, then removes those that are too many. */
  async save(epochs: number, batches: number, tree: CheckpointTree): Promise<void> {
    const digits = (n: number, places: number): string => String(n).padStart(places, "0");
    await saveCheckpoint(await this.path(`epoch-${digits(epochs, 4)}-step-${digits(batches, 6)}.safetensors`), tree);
    const { promises } = await builtin("node:fs");
    for (const old of (await this.names()).slice(0, -this.keepLast)) await promises.rm(await this.path(old), { force: true });
  }

  /** Writes the model if the scores of an epoch are the best. */
  async saveIfBest(model: Module, scores: Scores): Promise<void> {
    if (this.watch === undefined) return;
    const score = this.watch.of(scores);
    if (!this.watch.improves(score, this.best)) return;
    await saveSafetensors(await this.path(BEST), model.stateDict());
    this.best = score;
  }
}
