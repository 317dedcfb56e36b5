// Where a training stands: what a checkpoint of it holds, and how it goes on from one.
import { keep, tensorsIn } from "../../bindings/lifetime.js";
import type { Tensor } from "../../bindings/tensor.js";
import type { CheckpointTree } from "../formats/checkpoint.js";
import type { Module } from "../layers/module.js";
import { tensor } from "../ops/create.js";
import { type RandomState, randomState, restoreRandom } from "../ops/random.js";
import type { History } from "./history.js";
import type { Batches, Settings } from "./options.js";
import { checkedTree, hasPlace, type SetUp, type TrainingTree } from "./resuming.js";
import { Scorer } from "./scores.js";
import { Snapshot, stateful } from "./snapshot.js";
import type { Step } from "./step.js";

const NAME = "fit: checkpoint";

export class TrainingState {
  /** The epoch, counted from 1, its batches so far, and what they scored. */
  epoch = 1;
  done = 0;
  scorer: Scorer;
  /** Batches of the whole training. */
  steps = 0;
  readonly history: History;
  /** Of the best epoch, and to go back to after a spike. */
  best: Snapshot | undefined;
  safe: Snapshot | undefined;
  private readonly model: Module;
  private readonly data: Batches;
  private readonly settings: Settings;
  private readonly step: Step;
  /** Where random numbers stood when the epoch began, and where they stand while batches from before are gone through. */
  private epochRandom = randomState();
  private here: RandomState | undefined;

  constructor(model: Module, data: Batches, settings: Settings, step: Step) {
    this.model = model;
    this.data = data;
    this.settings = settings;
    this.step = step;
    this.scorer = new Scorer("fit", settings.metrics);
    this.history = { epochs: [], losses: [], gradientNorms: [], learningRates: [], skipped: [], bestEpoch: undefined, stopped: undefined, seconds: 0 };
  }

  dispose(): void {
    this.best?.dispose();
    this.safe?.dispose();
  }

  /** Whether all batches of the epoch are done, as far as their number is known: only its end is left. */
  get whole(): boolean {
    return this.data.length !== undefined && this.done >= this.data.length;
  }

  /** Begins an epoch, or goes on within one; answers how many batches come again, as the data have no place of their own to go on from. */
  beginEpoch(): number {
    if (this.done === 0) this.epochRandom = randomState();
    if (hasPlace(this.data) || this.whole || this.done === 0) return 0;
    // what the data draw is the same again
    this.here = randomState();
    restoreRandom(NAME, this.epochRandom);
    return this.done;
  }

  /** They have come. */
  caughtUp(): void {
    if (this.here !== undefined) restoreRandom(NAME, this.here);
  }

  endEpoch(): void {
    this.scorer = new Scorer("fit", this.settings.metrics);
    this.done = 0;
    this.epoch++;
  }

  /** What has to be the same for a training to go on. */
  private get setUp(): SetUp {
    const { optimizer, schedule, average, metrics, accumulate, earlyStopping, spikeGuard } = this.settings;
    const classOf = (part: object | undefined): string => part?.constructor.name ?? "none";
    return {
      optimizer: classOf(optimizer),
      schedule: classOf(schedule?.schedule),
      average: classOf(average),
      metrics: Object.keys(metrics).join(", ") || "none",
      accumulate,
      earlyStopping: earlyStopping?.watch.monitor ?? "none",
      spikeGuard: spikeGuard?.action ?? "none",
    };
  }

  /** Writes a checkpoint. */
  async save(): Promise<void> {
    const { checkpoint } = this.settings;
    if (checkpoint === undefined) return;
    const { losses, gradientNorms, learningRates } = this.history;
    const series = [losses, gradientNorms, learningRates].map((numbers) => keep(tensor(numbers, { dtype: "float64" })));
    try {
      await checkpoint.save(this.epoch - 1, this.done, this.tree(series));
    } finally {
      for (const t of series) t.dispose();
    }
  }

  /** All that decides about what comes, as a checkpoint; the series of the history are tensors in it, as they are long. */
  private tree([losses, gradientNorms, learningRates]: readonly Tensor[]): CheckpointTree {
    const { optimizer, schedule, earlyStopping, spikeGuard, checkpoint, average } = this.settings;
    const { accumulation } = this.step;
    const tree: TrainingTree = {
      kind: "training",
      model: this.model.stateDict(),
      optimizer: stateful(optimizer)?.stateDict() ?? null,
      schedule: schedule?.schedule.stateDict() ?? null,
      random: randomState(),
      epochRandom: this.epochRandom,
      setUp: this.setUp,
      data: hasPlace(this.data) ? this.data.stateDict() : null,
      epoch: this.epoch,
      done: this.done,
      steps: this.steps,
      scores: this.scorer.state,
      // whether it stopped is decided anew
      history: { ...this.history, stopped: undefined, losses, gradientNorms, learningRates },
      earlyStopping: earlyStopping?.state ?? null,
      spikeGuard: spikeGuard?.state ?? null,
      average: average?.stateDict() ?? null,
      bestScore: checkpoint?.best ?? null,
      best: this.best?.tree ?? null,
      safe: this.safe?.tree ?? null,
      accumulated: accumulation === undefined ? null : { ...this.step.pending, sums: Object.fromEntries(accumulation.state) },
    };
    return tree as unknown as CheckpointTree;
  }

  /** Goes on from a checkpoint, whose tensors are taken over or disposed. Throws ConfigError for one of another training; then nothing was changed. */
  resume(checkpoint: CheckpointTree): void {
    const { optimizer, schedule, earlyStopping, spikeGuard, average } = this.settings;
    const { accumulation } = this.step;
    const own = stateful(optimizer);
    const tree = checkedTree(checkpoint, this.setUp);
    const before = Snapshot.of(this.model, optimizer, average);
    const [lastSchedule, lastData, lastRandom] = [schedule?.schedule.stateDict(), hasPlace(this.data) ? this.data.stateDict() : undefined, randomState()];
    try {
      this.model.loadStateDict(tree.model);
      if (tree.optimizer !== null) own?.loadStateDict(tree.optimizer as NonNullable<typeof tree.optimizer>);
      if (tree.average !== null) average?.loadStateDict(tree.average);
      if (tree.schedule !== null) schedule?.schedule.loadStateDict(tree.schedule as never);
      if (hasPlace(this.data) && tree.data !== null) this.data.loadStateDict(tree.data);
      restoreRandom(NAME, tree.random);
    } catch (error) {
      before.restore(this.model, { optimizer, average, settings: true });
      schedule?.schedule.loadStateDict(lastSchedule as never);
      if (hasPlace(this.data)) this.data.loadStateDict(lastData);
      restoreRandom(NAME, lastRandom);
      throw error;
    } finally {
      before.dispose();
    }
    this.epochRandom = tree.epochRandom;
    this.epoch = tree.epoch;
    this.done = tree.done;
    this.steps = tree.steps;
    this.scorer.restore(tree.scores);
    const { losses, gradientNorms, learningRates, ...rest } = tree.history;
    Object.assign(this.history, rest);
    for (const [name, numbers] of Object.entries({ losses, gradientNorms, learningRates })) {
      this.history[name as "losses"] = Array.from(numbers.data());
    }
    if (tree.earlyStopping !== null && earlyStopping !== undefined) earlyStopping.state = tree.earlyStopping;
    if (tree.spikeGuard !== null) spikeGuard?.restore(tree.spikeGuard);
    if (this.settings.checkpoint !== undefined) this.settings.checkpoint.best = tree.bestScore ?? undefined;
    this.best = tree.best === null ? undefined : new Snapshot(tree.best);
    this.safe = tree.safe === null ? undefined : new Snapshot(tree.safe);
    if (tree.accumulated !== null && accumulation !== undefined) {
      const { batches, examples, sums } = tree.accumulated;
      this.step.pending = { batches, examples };
      accumulation.restore(new Map(Object.entries(sums).map(([i, sum]) => [Number(i), sum])));
    }
    const taken = new Set(tensorsIn([tree.best, tree.safe]));
    for (const t of tensorsIn(tree)) if (!taken.has(t)) t.dispose();
  }
}
