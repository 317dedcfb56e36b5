// The training loop: epochs over batches, with validation, progress and ways to stop.
import { ConfigError, NumericError } from "../../bindings/errors.js";
import type { Tensor } from "../../bindings/tensor.js";
import type { Batch } from "../data/dataset.js";
import type { Module } from "../layers/module.js";
import { manualSeed } from "../ops/random.js";
import { Optimizer } from "../optim/optimizer.js";
import { Breath, batches, evaluate, finiteLoss, stopIfAborted } from "./evaluate.js";
import type { History, Progress } from "./history.js";
import { type Batches, checkBatch, checkedSettings, type FitOptions, type Settings } from "./options.js";
import { type Bar, createBar, terminal } from "./progress.js";
import { Scorer, type Scores } from "./scores.js";
import { Snapshot } from "./snapshot.js";
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
    const { epochs, earlyStopping } = this.settings;
    this.model.train();
    for (; this.epoch <= epochs && this.history.stopped === undefined; this.epoch++) await this.runEpoch();
    if (earlyStopping?.restoreBest && this.best !== undefined) this.best.restore();
    this.history.seconds = (performance.now() - this.started) / 1000;
    return this.history;
  }

  private async runEpoch(): Promise<void> {
    const { signal, callbacks, onProgress } = this.settings;
    this.epochStarted = performance.now();
    this.scorer = new Scorer("fit", this.settings.metrics);
    this.done = 0;
    for await (const batch of batches(this.data)) {
      stopIfAborted(signal);
      checkBatch("fit", batch);
      this.runBatch(batch);
      this.done++;
      if (onProgress !== undefined || this.bar !== undefined) this.report(this.progress(false));
      for (const callback of callbacks) this.mayStop((await callback.onStepEnd?.(this.progress(false))) === "stop");
      await this.breath.take(signal);
      if (this.history.stopped !== undefined) break;
    }
    if (this.done === 0) throw new ConfigError("fit: expected at least one batch an epoch; got none; an iterator that was used up begins no second epoch");
    this.attempt(() => this.step.finish(this.judge(undefined)) && this.settings.schedule?.stepEnded());
    await this.endEpoch();
  }

  /** One batch, and the optimizer's step if it is due. */
  private runBatch([x, y]: Batch): void {
    const { spikeGuard, schedule } = this.settings;
    if (spikeGuard?.action === "rollback" && this.steps % spikeGuard.snapshotEvery === 0) {
      this.safe?.dispose();
      this.safe = new Snapshot(this.model, this.settings.optimizer);
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
      this.step.drop();
      let { message } = error;
      if (error instanceof Spike && this.safe !== undefined) {
        this.safe.restore();
        message += "; went back to the last snapshot";
      }
      this.history.skipped.push({ epoch: this.epoch, step: this.done + 1, reason: message });
    }
  }

  private async endEpoch(): Promise<void> {
    const { validation, metrics, loss, signal, schedule, earlyStopping, callbacks } = this.settings;
    if (this.scorer.examples === 0) {
      throw new NumericError(`fit: expected a step in epoch ${this.epoch} that was not left out; got none: ${this.history.skipped.at(-1)?.reason}`);
    }
    const measured = validation ? await evaluate(this.model, validation, { loss, metrics, signal, progress: this.settings.progress }) : undefined;
    const training = this.scorer.scores;
    const watched = measured ?? training;
    const seconds = (performance.now() - this.epochStarted) / 1000;
    this.history.epochs.push({ epoch: this.epoch, training, validation: measured, seconds, learningRate: this.learningRate() });
    if (earlyStopping?.ended(this.epoch, watched)) {
      this.history.bestEpoch = this.epoch;
      if (earlyStopping.restoreBest) {
        this.best?.dispose();
        this.best = new Snapshot(this.model, undefined);
      }
    }
    schedule?.epochEnded(watched);
    const progress = this.progress(true, measured);
    this.report(progress);
    for (const callback of callbacks) this.mayStop((await callback.onEpochEnd?.(progress, this.history)) === "stop");
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
