// What every training of the command ends with: the model, a report, the curve of the loss, and one line.
import { join } from "node:path";
import { writeBytes } from "../formats/files.js";
import { saveSafetensors } from "../formats/safetensors.js";
import type { Module } from "../layers/index.js";
import type { History } from "../train/history.js";
import type { Scores } from "../train/scores.js";
import type { answersOf } from "./answers.js";
import { digest } from "./classifier.js";
import { curve } from "./curve.js";
import { percent, result, seconds } from "./output.js";
import type { Measured } from "./report/mistakes.js";
import { reportHtml } from "./report/report.js";
import { histograms, weightsOf } from "./report/weights.js";

/** How many of the images that were misclassified a report shows. */
const MISTAKES_SHOWN = 200;

export interface Finished {
  readonly title: string;
  /** The folder of the run. */
  readonly out: string;
  readonly settings: readonly (readonly [string, string])[];
  readonly model: Module;
  /** What summary() tells of it. */
  readonly summary: string;
  /** Weights before the training, as weightsOf() gives them. */
  readonly before: ReturnType<typeof weightsOf>;
  readonly history: History;
  /** Of the model as it is now, and what it was measured on. */
  readonly scores: Scores;
  readonly on: Measured;
  /** Of a classification. */
  readonly answers: ReturnType<typeof answersOf> | undefined;
  /** Whether its examples are images that can be shown. */
  readonly shows: boolean;
  readonly classes: readonly string[] | undefined;
  /** When the command began, by the clock of performance.now(). */
  readonly started: number;
  readonly json: boolean | undefined;
  /** Further figures for --json. */
  readonly more?: object;
}

export async function finish(run: Finished): Promise<void> {
  const { title, out, settings, model, before, history, scores, on, answers, shows, classes } = run;
  const state = model.stateDict();
  const paths = { model: join(out, "model.safetensors"), report: join(out, "report.html") };
  await saveSafetensors(paths.model, state);
  const elapsed = (performance.now() - run.started) / 1000;
  const html = reportHtml({
    ...{ title, settings, scores, on, history },
    seconds: elapsed,
    parameters: model.parameters().reduce((n, p) => n + p.size, 0),
    model: run.summary,
    weights: histograms(before, weightsOf(model.namedParameters())),
    ...(answers && { confusion: answers.confusion }),
    ...(classes && { classes }),
    ...(answers && shows && { mistakes: { mistakes: answers.mistakes.slice(0, MISTAKES_SHOWN), total: answers.mistakes.length, classes, on } }),
  });
  await writeBytes("report", paths.report, [html]);

  if (process.stdout.isTTY) {
    process.stdout.write(`\n${curve(history.losses)}\n\n`);
    if (history.stopped !== undefined) process.stdout.write(`ended early: ${history.stopped}\n`);
  }
  const figures = { testAccuracy: scores.accuracy, testLoss: scores.loss, seconds: elapsed, epochs: history.epochs.length, steps: history.losses.length };
  const figure = scores.accuracy === undefined ? `${on} loss ${scores.loss.toFixed(4)}` : `${on} accuracy ${percent(scores.accuracy)}`;
  result(
    run.json,
    { ...figures, digest: digest(state), ...paths, ...run.more },
    `${figure}   ${seconds(elapsed)}   model ${paths.model}   report ${paths.report}`,
  );
}
