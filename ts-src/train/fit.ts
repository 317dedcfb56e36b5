// The training loop: epochs over batches, with validation, progress and ways to stop.
import { ConfigError, NumericError } from "../../bindings/errors.js";
import type { Tensor } from "../../bindings/tensor.js";
import type { Batch } from "../data/dataset.js";
import type { Module } from "../layers/module.js";
import { manualSeed } from "../ops/random.js";
import { Optimizer } from "../optim/optimizer.js";
import { Breath, batches, evaluate, finiteLoss, stopIfAborted } from "./evaluate.js";
import type { Beginning, History, Progress } from "./history.js";
import { type Batches, checkBatch, checkedSettings, type FitOptions, type Settings } from "./options.js";
import { type Bar, createBar, terminal } from "./progress.js";
import type { Scores } from "./scores.js";
import { Snapshot } from "./snapshot.js";
import { TrainingState } from "./state.js";
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
  private readonly at: TrainingState;
  private epochStarted = performance.now();

  constructor(model: Module, data: Batches, settings: Settings) {
    this.model = model;
    this.data = data;
    this.settings = settings;
    this.step = new Step({ model, ...settings });
    const screen = settings.progress ? terminal() : undefined;
    this.bar = screen && createBar(screen);
    this.at = new TrainingState(model, data, settings, this.step);
  }

  dispose(): void {
    this.step.dispose();
    this.at.dispose();
    this.bar?.stop();
  }

  async run(): Promise<History> {
    const { epochs, earlyStopping, checkpoint } = this.settings;
    await checkpoint?.begin();
    if (checkpoint?.resumes) {
      const tree = await checkpoint.newest();
      if (tree !== undefined) this.at.resume(tree);
    }
    const { metrics, validation, callbacks } = this.settings;
    const beginning: Beginning = { epochs, scores: ["loss", ...Object.keys(metrics)], validated: validation !== undefined };
    for (const callback of callbacks) this.mayStop((await callback.onBegin?.(beginning, this.at.history)) === "stop");
    this.model.train();
    this.stopIfOver();
    while (this.at.epoch <= epochs && this.at.history.stopped === undefined) await this.runEpoch();
    if (earlyStopping?.restoreBest && this.at.best !== undefined) this.at.best.restore(this.model);
    this.at.history.seconds = (performance.now() - this.started) / 1000;
    return this.at.history;
  }

  private async runEpoch(): Promise<void> {
    const { signal, callbacks, onProgress, checkpoint } = this.settings;
    this.epochStarted = performance.now();
    const again = this.at.beginEpoch();
    let passed = 0;
    for await (const batch of this.at.whole ? [] : batches(this.data)) {
      stopIfAborted(signal);
      if (passed < again) {
        if (++passed === again) this.at.caughtUp();
        continue;
      }
      checkBatch("fit", batch);
      this.runBatch(batch);
      this.at.done++;
      if (onProgress !== undefined || this.bar !== undefined) this.report(this.progress(false));
      for (const callback of callbacks) this.mayStop((await callback.onStepEnd?.(this.progress(false))) === "stop");
      if (checkpoint?.dueAfterStep(this.at.steps)) await this.at.save();
      await this.breath.take(signal);
      if (this.at.history.stopped !== undefined) break;
    }
    if (this.at.done === 0) throw new ConfigError("fit: expected at least one batch an epoch; got none; an iterator that was used up begins no second epoch");
    // stopped in its midst: the training may go on from here
    const midway = this.at.history.stopped !== undefined && this.data.length !== undefined && !this.at.whole;
    if (midway) await this.at.save();
    this.attempt(() => this.step.finish(this.judge(undefined)) && this.settings.schedule?.stepEnded());
    await this.endEpoch();
    this.at.endEpoch();
    if (checkpoint?.dueAfterEpoch(this.at.epoch - 1) && !midway) await this.at.save();
  }

  /** One batch, and the optimizer's step if it is due. */
  private runBatch([x, y]: Batch): void {
    const { spikeGuard, schedule } = this.settings;
    if (spikeGuard?.action === "rollback" && this.at.steps % spikeGuard.snapshotEvery === 0) {
      this.at.safe?.dispose();
      this.at.safe = Snapshot.of(this.model, this.settings.optimizer, this.settings.average);
    }
    this.attempt(() => {
      if (this.step.run(x, y, this.judge({ x, y }))) schedule?.stepEnded();
    });
    this.at.steps++;
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
        this.at.scorer.add(value, x.shape[0], output, y);
        this.at.history.losses.push(value);
        this.at.history.learningRates.push(this.learningRate() ?? Number.NaN);
      },
      gradients: (norm) => {
        const value = norm.item();
        if (!Number.isFinite(value)) {
          if (clip?.skips) throw new LeftOut(`gradients have the norm ${value}`);
          throw new NumericError(`fit: expected gradients with a finite norm; got ${value}; lower the learning rate, or clip with nonFinite: "skip"`);
        }
        this.at.history.gradientNorms.push(value);
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
      if (!(error instanceof Spike) || this.at.safe !== undefined) {
        if (batches > 0) message += `; ${batches} batches that waited for the step went with it`;
        this.step.drop();
      }
      if (error instanceof Spike && this.at.safe !== undefined) {
        this.at.safe.restore(this.model, this.settings);
        message += "; went back to the last snapshot";
      }
      this.at.history.skipped.push({ epoch: this.at.epoch, step: this.at.done + 1, reason: message });
    }
  }

  private async endEpoch(): Promise<void> {
    const { schedule, callbacks } = this.settings;
    if (this.at.scorer.examples === 0 && this.at.history.losses.length === 0) {
      throw new NumericError(`fit: expected a step in epoch ${this.at.epoch} that was not left out; got none: ${this.at.history.skipped.at(-1)?.reason}`);
    }
    const training = this.at.scorer.scores;
    const measured = await this.measured(training);
    const watched = measured ?? training;
    const seconds = (performance.now() - this.epochStarted) / 1000;
    this.at.history.epochs.push({ epoch: this.at.epoch, training, validation: measured, seconds, learningRate: this.learningRate() });
    schedule?.epochEnded(watched);
    const progress = this.progress(true, measured);
    this.report(progress);
    for (const callback of callbacks) this.mayStop((await callback.onEpochEnd?.(progress, this.at.history)) === "stop");
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
      if (earlyStopping?.ended(this.at.epoch, watched)) {
        this.at.history.bestEpoch = this.at.epoch;
        if (earlyStopping.restoreBest) {
          this.at.best?.dispose();
          this.at.best = Snapshot.of(this.model);
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
      this.at.history.stopped ??= `${monitor} was best, ${earlyStopping.state.best}, in epoch ${earlyStopping.state.bestEpoch}`;
    }
  }

  private mayStop(asked: boolean): void {
    if (asked) this.at.history.stopped ??= "a callback asked for it";
  }

  private learningRate(): number | undefined {
    const { optimizer } = this.settings;
    return optimizer instanceof Optimizer ? optimizer.paramGroups[0].lr : undefined;
  }

  private progress(ended: boolean, validation?: Scores): Progress {
    const { epochs } = this.settings;
    const now = performance.now();
    const steps = this.data.length;
    const done = steps ? (this.at.epoch - 1 + this.at.done / steps) / epochs : undefined;
    const { scorer } = this.at;
    return {
      epoch: this.at.epoch,
      epochs,
      step: this.at.done,
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
