// The training loop: epochs over batches, with validation, progress and ways to stop.
import { ConfigError, NumericError } from "../../bindings/errors.js";
import { keep, tensorsIn } from "../../bindings/lifetime.js";
import type { Tensor } from "../../bindings/tensor.js";
import type { Batch } from "../data/dataset.js";
import type { CheckpointTree } from "../formats/checkpoint.js";
import type { Module } from "../layers/module.js";
import { tensor } from "../ops/create.js";
import { manualSeed, type RandomState, randomState, restoreRandom } from "../ops/random.js";
import { Optimizer } from "../optim/optimizer.js";
import { Breath, batches, evaluate, finiteLoss, stopIfAborted } from "./evaluate.js";
import type { Beginning, History, Progress } from "./history.js";
import { type Batches, checkBatch, checkedSettings, type FitOptions, type Settings } from "./options.js";
import { type Bar, createBar, terminal } from "./progress.js";
import { checkedTree, hasPlace, type SetUp, type TrainingTree } from "./resuming.js";
import { Scorer, type Scores } from "./scores.js";
import { Snapshot, stateful } from "./snapshot.js";
import { type Judge, Step } from "./step.js";

/** Thrown by whoever judges a step, to leave it out. */
class LeftOut extends Error {}

/** A loss above the limit of the guard. */
class Spike extends LeftOut {}

/**
 * Trains: for each batch [x, y] loss(model.forward(x), y).backward() and optimizer.step(), as one program unless `compile` is false.
 * Throws NumericError, with the weights of the step before, when a loss is not finite; AbortError when `signal` stops it.
 */
export async function fit(model: Module, data: Batches, options: FitOptions): Promise<History> {
  const settings = checkedSettings(model, data, options);
  stopIfAborted(settings.signal);
  if (settings.seed !== undefined) manualSeed(settings.seed);
  const training = new Training(model, data, settings);
  try {
    return await training.run();
  } finally {
    training.dispose();
  }
}

class Training {
  private readonly model: Module;
  private readonly data: Batches;
  private readonly settings: Settings;
  private readonly step: Step;
  private readonly bar: Bar | undefined;
  private readonly breath = new Breath();
  private readonly started = performance.now();
  private readonly history: History;
  /** The epoch, counted from 1, its batches so far, and what they scored. */
  private epoch = 1;
  private done = 0;
  private scorer: Scorer;
  private epochStarted = performance.now();
  /** Batches of the whole training that were trained on. */
  private steps = 0;
  private epochRandom = randomState();
  /** Of a training that goes on within an epoch: where random numbers stand once the batches before are gone through. */
  private again: RandomState | undefined;
  /** Whether it ended within an epoch. */
  private midway = false;
  private best: Snapshot | undefined;
  private safe: Snapshot | undefined;

  constructor(model: Module, data: Batches, settings: Settings) {
    this.model = model;
    this.data = data;
    this.settings = settings;
    this.step = new Step({ model, ...settings });
    const screen = settings.progress ? terminal() : undefined;
    this.bar = screen && createBar(screen);
    this.scorer = new Scorer("fit", settings.metrics);
    this.history = { epochs: [], losses: [], gradientNorms: [], learningRates: [], skipped: [], bestEpoch: undefined, stopped: undefined, seconds: 0 };
  }

  dispose(): void {
    this.step.dispose();
    this.best?.dispose();
    this.safe?.dispose();
    this.bar?.stop();
  }

  async run(): Promise<History> {
    const { epochs, earlyStopping, checkpoint } = this.settings;
    await checkpoint?.begin();
    if (checkpoint?.resumes) {
      const tree = await checkpoint.newest();
      if (tree !== undefined) this.resume(tree);
    }
    const { metrics, validation, callbacks } = this.settings;
    const beginning: Beginning = { epochs, scores: ["loss", ...Object.keys(metrics)], validated: validation !== undefined };
    for (const callback of callbacks) this.mayStop((await callback.onBegin?.(beginning, this.history)) === "stop");
    this.model.train();
    this.stopIfOver();
    while (this.epoch <= epochs && this.history.stopped === undefined) await this.runEpoch();
    if (earlyStopping?.restoreBest && this.best !== undefined) this.best.restore(this.model);
    this.history.seconds = (performance.now() - this.started) / 1000;
    return this.history;
  }

  private get setUp(): SetUp {
    const { optimizer, schedule, average, metrics, accumulate } = this.settings;
    const classOf = (part: object | undefined): string => part?.constructor.name ?? "none";
    return {
      optimizer: classOf(optimizer),
      schedule: classOf(schedule?.schedule),
      average: classOf(average),
      metrics: Object.keys(metrics).join(", ") || "none",
      accumulate,
    };
  }

  private async save(): Promise<void> {
    const { losses, gradientNorms, learningRates } = this.history;
    const series = [losses, gradientNorms, learningRates].map((numbers) => keep(tensor(numbers, { dtype: "float64" })));
    try {
      await this.settings.checkpoint?.save(this.epoch - 1, this.done, this.tree(series));
    } finally {
      for (const t of series) t.dispose();
    }
  }

  /** All that decides about what comes, as a checkpoint; the series of the history are tensors in it, as they are long. */
  private tree([losses, gradientNorms, learningRates]: readonly Tensor[]): CheckpointTree {
    const { optimizer, schedule, earlyStopping, spikeGuard, checkpoint, average } = this.settings;
    const { step } = this;
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
      accumulated: step.accumulation === undefined ? null : { ...step.pending, sums: Object.fromEntries(step.accumulation.state) },
    };
    return tree as unknown as CheckpointTree;
  }

  /** Goes on from a checkpoint, whose tensors are taken over or disposed. Throws ConfigError for one of another training; then nothing was changed. */
  private resume(checkpoint: CheckpointTree): void {
    const { optimizer, schedule, earlyStopping, spikeGuard, average } = this.settings;
    const { accumulation } = this.step;
    const own = stateful(optimizer);
    const tree = checkedTree(checkpoint, this.setUp, {
      schedule: schedule !== undefined,
      earlyStopping: earlyStopping !== undefined,
      spikeGuard: spikeGuard !== undefined,
      average: average !== undefined,
      accumulated: accumulation !== undefined,
      optimizer: own !== undefined,
    });
    const before = Snapshot.of(this.model, optimizer, average);
    const [lastSchedule, lastData, lastRandom] = [schedule?.schedule.stateDict(), hasPlace(this.data) ? this.data.stateDict() : undefined, randomState()];
    try {
      this.model.loadStateDict(tree.model);
      if (tree.optimizer !== null) own?.loadStateDict(tree.optimizer as NonNullable<typeof tree.optimizer>);
      if (tree.average !== null) average?.loadStateDict(tree.average);
      if (tree.schedule !== null) schedule?.schedule.loadStateDict(tree.schedule as never);
      if (hasPlace(this.data) && tree.data !== null) this.data.loadStateDict(tree.data);
      restoreRandom("fit: checkpoint", tree.random);
    } catch (error) {
      before.restore(this.model, { optimizer, average, settings: true });
      schedule?.schedule.loadStateDict(lastSchedule as never);
      if (hasPlace(this.data)) this.data.loadStateDict(lastData);
      restoreRandom("fit: checkpoint", lastRandom);
      throw error;
    } finally {
      before.dispose();
    }
    this.epochRandom = tree.epochRandom;
    if (tree.done > 0 && !hasPlace(this.data)) this.again = tree.random;
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

  private async runEpoch(): Promise<void> {
    const { signal, callbacks, onProgress, checkpoint } = this.settings;
    this.epochStarted = performance.now();
    let passed = 0;
    // a checkpoint after the last batch of an epoch: only its end is left
    const over = this.data.length !== undefined && this.done >= this.data.length;
    if (this.done === 0) this.epochRandom = randomState();
    else if (this.again !== undefined && !over) restoreRandom("fit: checkpoint", this.epochRandom);
    for await (const batch of over ? [] : batches(this.data)) {
      stopIfAborted(signal);
      // what has no place of its own to go on from is gone through
      if (passed++ < this.done && !hasPlace(this.data)) {
        if (passed === this.done && this.again !== undefined) restoreRandom("fit: checkpoint", this.again);
        continue;
      }
      this.again = undefined;
      checkBatch("fit", batch);
      this.runBatch(batch);
      this.done++;
      if (onProgress !== undefined || this.bar !== undefined) this.report(this.progress(false));
      for (const callback of callbacks) this.mayStop((await callback.onStepEnd?.(this.progress(false))) === "stop");
      if (checkpoint?.dueAfterStep(this.steps)) await this.save();
      await this.breath.take(signal);
      if (this.history.stopped !== undefined) break;
    }
    if (this.done === 0) throw new ConfigError("fit: expected at least one batch an epoch; got none; an iterator that was used up begins no second epoch");
    // stopped in its midst: the training may go on from here
    if (this.history.stopped !== undefined && this.data.length !== undefined && this.done < this.data.length) {
      await this.save();
      this.midway = true;
    }
    this.attempt(() => this.step.finish(this.judge(undefined)) && this.settings.schedule?.stepEnded());
    await this.endEpoch();
    this.scorer = new Scorer("fit", this.settings.metrics);
    this.done = 0;
    this.epoch++;
    if (checkpoint?.dueAfterEpoch(this.epoch - 1) && !this.midway) await this.save();
  }

  /** One batch, and the optimizer's step if it is due. */
  private runBatch([x, y]: Batch): void {
    const { spikeGuard, schedule } = this.settings;
    if (spikeGuard?.action === "rollback" && this.steps % spikeGuard.snapshotEvery === 0) {
      this.safe?.dispose();
      this.safe = Snapshot.of(this.model, this.settings.optimizer, this.settings.average);
    }
    this.attempt(() => {
      if (this.step.run(x, y, this.judge({ x, y }))) schedule?.stepEnded();
    });
    this.steps++;
  }

  /** What is looked at before a step changes weights. */
  private judge(batch: { readonly x: Tensor; readonly y: Tensor } | undefined): Judge {
    const { spikeGuard, clip } = this.settings;
    return {
      batch: (loss, output) => {
        const { x, y } = batch as { x: Tensor; y: Tensor };
        if (spikeGuard !== undefined) {
          const [value, limit] = [loss.item(), spikeGuard.limit];
          if (spikeGuard.isSpike(value)) throw new Spike(`loss ${value} is ${Number.isFinite(value) ? `above ${limit}` : "not finite"}`);
        }
        const value = finiteLoss("fit", loss, x, output, y);
        this.scorer.add(value, x.shape[0], output, y);
        this.history.losses.push(value);
        this.history.learningRates.push(this.learningRate() ?? Number.NaN);
      },
      gradients: (norm) => {
        const value = norm.item();
        if (!Number.isFinite(value)) {
          if (clip?.skips) throw new LeftOut(`gradients have the norm ${value}`);
          throw new NumericError(`fit: expected gradients with a finite norm; got ${value}; lower the learning rate, or clip with nonFinite: "skip"`);
        }
        this.history.gradientNorms.push(value);
      },
    };
  }

  /** Runs a step that may be left out. */
  private attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof LeftOut)) throw error;
      let { message } = error;
      const { batches } = this.step.pending;
      // a spike that is left out takes no other batch with it
      if (!(error instanceof Spike) || this.safe !== undefined) {
        if (batches > 0) message += `; ${batches} batches that waited for the step went with it`;
        this.step.drop();
      }
      if (error instanceof Spike && this.safe !== undefined) {
        this.safe.restore(this.model, this.settings);
        message += "; went back to the last snapshot";
      }
      this.history.skipped.push({ epoch: this.epoch, step: this.done + 1, reason: message });
    }
  }

  private async endEpoch(): Promise<void> {
    const { schedule, callbacks } = this.settings;
    if (this.scorer.examples === 0 && this.history.losses.length === 0) {
      throw new NumericError(`fit: expected a step in epoch ${this.epoch} that was not left out; got none: ${this.history.skipped.at(-1)?.reason}`);
    }
    const training = this.scorer.scores;
    const measured = await this.measured(training);
    const watched = measured ?? training;
    const seconds = (performance.now() - this.epochStarted) / 1000;
    this.history.epochs.push({ epoch: this.epoch, training, validation: measured, seconds, learningRate: this.learningRate() });
    schedule?.epochEnded(watched);
    const progress = this.progress(true, measured);
    this.report(progress);
    for (const callback of callbacks) this.mayStop((await callback.onEpochEnd?.(progress, this.history)) === "stop");
    this.stopIfOver();
  }

  /** The scores of the validation, if there is one; keeps the weights, or their average, if they are the best. */
  private async measured(training: Scores): Promise<Scores | undefined> {
    const { validation, metrics, loss, signal, earlyStopping, checkpoint, average, progress } = this.settings;
    // nothing was averaged where every step was left out
    const averaged = average !== undefined && average.stateDict().n_averaged > 0;
    if (averaged) average.swap();
    try {
      const measured = validation ? await evaluate(this.model, validation, { loss, metrics, signal, progress }) : undefined;
      const watched = measured ?? training;
      if (earlyStopping?.ended(this.epoch, watched)) {
        this.history.bestEpoch = this.epoch;
        if (earlyStopping.restoreBest) {
          this.best?.dispose();
          this.best = Snapshot.of(this.model);
        }
      }
      await checkpoint?.saveIfBest(this.model, watched);
      return measured;
    } finally {
      if (averaged) average.restore();
    }
  }

  private stopIfOver(): void {
    const { earlyStopping } = this.settings;
    if (earlyStopping?.over) {
      const { monitor } = earlyStopping.watch;
      this.history.stopped ??= `${monitor} was best, ${earlyStopping.state.best}, in epoch ${earlyStopping.state.bestEpoch}`;
    }
  }

  private mayStop(asked: boolean): void {
    if (asked) this.history.stopped ??= "a callback asked for it";
  }

  private learningRate(): number | undefined {
    const { optimizer } = this.settings;
    return optimizer instanceof Optimizer ? optimizer.paramGroups[0].lr : undefined;
  }

  private progress(ended: boolean, validation?: Scores): Progress {
    const { epochs } = this.settings;
    const now = performance.now();
    const steps = this.data.length;
    const done = steps ? (this.epoch - 1 + this.done / steps) / epochs : undefined;
    const { scorer } = this;
    return {
      epoch: this.epoch,
      epochs,
      step: this.done,
      steps,
      // worked out when asked for: a bar asks ten times a second
      get training() {
        return scorer.scores;
      },
      ended,
      validation,
      rate: scorer.examples / ((now - this.epochStarted) / 1000),
      seconds: (now - this.started) / 1000,
      secondsLeft: done ? (((now - this.started) / 1000) * (1 - done)) / done : undefined,
    };
  }

  private report(progress: Progress): void {
    this.settings.onProgress?.(progress);
    this.bar?.update(progress);
  }
}
