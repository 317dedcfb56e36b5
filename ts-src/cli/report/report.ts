// The report of a training run: one HTML file with its scripts, styles and images inside, which loads nothing.
// Tables, weights, images and their filter work without JavaScript; report-client.js adds the charts and the tabs.
import uPlotScript from "../../../node_modules/uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uPlotStyle from "../../../node_modules/uplot/dist/uPlot.min.css" with { type: "text" };
import uPlotLicense from "../../../node_modules/uplot/LICENSE" with { type: "text" };
import type { EpochRecord, History } from "../../train/history.js";
import type { Scores } from "../../train/scores.js";
import { chartCards, chartsOf } from "./charts.js";
import { confusionTable } from "./confusion.js";
import { type Measured, type Mistakes, mistakesSection } from "./mistakes.js";
import style from "./report.css" with { type: "text" };
import client from "./report-client.js" with { type: "text" };
import { capital, count, DASH, duration, escapeHtml, escapeJson, escapeScript, escapeStyle, fixed, scoreName, scoreValue } from "./text.js";
import { type WeightHistogram, weightsSection } from "./weights.js";

/** Accuracies and probabilities are fractions of 1. */
export interface TrainingReport {
  readonly title: string;
  readonly settings: readonly (readonly [string, string])[];
  /** Scores of the model as it was saved, and what they are of. */
  readonly scores: Scores;
  readonly on: Measured;
  readonly seconds: number;
  readonly parameters: number;
  readonly history: History;
  /** What summary() tells of the model. */
  readonly model: string;
  readonly weights: readonly WeightHistogram[];
  /** Of a classification: rows are true classes, columns predicted ones. */
  readonly confusion?: readonly (readonly number[])[];
  /** Names of the classes, if they have any. */
  readonly classes?: readonly string[];
  /** Of a classification of images of 28 x 28. */
  readonly mistakes?: Mistakes;
}

/** Beside the loss, in the first line. */
const MOST_METRICS = 3;

function figures({ scores, on, seconds, parameters, history, confusion }: TrainingReport): string {
  const tested = confusion?.flat().reduce((sum, examples) => sum + examples, 0) ?? 0;
  const right = confusion?.reduce((sum, row, c) => sum + row[c], 0) ?? 0;
  const { epochs, losses, skipped, stopped } = history;
  // the loss is what is trained on; what is meant stands first. The error rate is the accuracy once more
  const meant = Object.keys(scores).filter((name) => name !== "loss" && !(name === "zeroOne" && "accuracy" in scores));
  const shown = [...meant.sort((a, b) => Number(b === "accuracy") - Number(a === "accuracy")).slice(0, MOST_METRICS), "loss"];
  const note = (name: string): string =>
    name === "loss" ? "mean per example" : name === shown[0] && tested > 0 ? `${count(tested - right)} of ${count(tested)} wrong` : "";
  const score = (name: string, i: number): readonly [string, string, string] => [
    escapeHtml(capital(i === 0 ? `${on} ${scoreName(name)}` : scoreName(name))),
    scoreValue(name, scores[name]),
    note(name),
  ];
  const left = skipped.length > 0 ? `, ${count(skipped.length)} left out` : "";
  const entries = [
    ...shown.map(score),
    ["Time", duration(seconds), `${count(epochs.length)} ${epochs.length === 1 ? "epoch" : "epochs"}${stopped === undefined ? "" : ", stopped early"}`],
    ["Steps", count(losses.length), `${history.seconds > 0 ? `${count(Math.round(losses.length / history.seconds))} per second` : ""}${left}`],
    ["Parameters", count(parameters), "trained values"],
  ] as const;
  const items = entries.map(
    ([name, value, text], i) => `<div class="figure${i === 0 ? " main" : ""}"><dt>${name}</dt><dd><b>${value}</b><span>${text}</span></dd></div>`,
  );
  return `<dl class="figures">${items.join("")}</dl>`;
}

/** The epoch whose weights were kept, or that with the best first metric, or the smallest loss. */
function bestOf({ epochs, bestEpoch }: History): number | undefined {
  if (bestEpoch !== undefined) return bestEpoch;
  const watched = (e: EpochRecord): number => {
    const scores = e.validation ?? e.training;
    return scores.accuracy ?? -scores.loss;
  };
  return epochs.reduce<EpochRecord | undefined>((best, e) => (best !== undefined && !(watched(e) > watched(best)) ? best : e), undefined)?.epoch;
}

function epochTable(history: History): { columns: number; table: string } {
  const { epochs } = history;
  const scores = Object.keys(epochs[0]?.training ?? { loss: 0 });
  const parts = epochs.some((e) => e.validation !== undefined) ? (["training", "validation"] as const) : (["training"] as const);
  const rated = epochs.some((e) => e.learningRate !== undefined);
  const best = bestOf(history);
  const rows = epochs.map((e) => {
    const cells = parts.flatMap((part) => scores.map((score) => (e[part] === undefined ? DASH : scoreValue(score, e[part][score]))));
    const rate = rated ? [e.learningRate === undefined ? DASH : String(Number(e.learningRate.toPrecision(4)))] : [];
    const columns = [...cells, ...rate, fixed(e.seconds, 2)].map((cell) => `<td>${cell}</td>`).join("");
    return `<tr${e.epoch === best ? ' class="best"' : ""}><th scope="row">${e.epoch}</th>${columns}</tr>`;
  });
  const groups = parts.map((part) => `<th scope="colgroup" colspan="${scores.length}">${part}</th>`).join("");
  const names = parts.map(() => scores.map((score) => `<th scope="col">${escapeHtml(scoreName(score))}</th>`).join("")).join("");
  const table = `<table class="numbers"><thead><tr><th scope="col" rowspan="2">epoch</th>${groups}${rated ? '<th scope="col" rowspan="2">learning rate</th>' : ""}
<th scope="col" rowspan="2">seconds</th></tr><tr>${names}</tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
  return { columns: 2 + scores.length * parts.length + Number(rated), table };
}

function settingsTable(settings: TrainingReport["settings"]): string {
  const rows = settings.map(([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`);
  return `<table class="settings"><tbody>${rows.join("\n")}</tbody></table>`;
}

function skippedSection({ skipped }: History): string {
  if (skipped.length === 0) return "";
  const rows = skipped.map(({ epoch, step, reason }) => `<tr><th scope="row">${epoch}.${step}</th><td>${escapeHtml(reason)}</td></tr>`);
  return `<section class="card full"><header><h2>Steps left out</h2></header><div class="scroll tall" tabindex="0" role="region" aria-label="Steps left out">
<table class="settings skipped"><tbody>${rows.join("\n")}</tbody></table></div></section>`;
}

function confusionSection({ confusion, classes, on }: TrainingReport): string {
  if (confusion === undefined) return "";
  return `<section class="card confusion"><header><h2>Confusion matrix</h2></header>
<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">${confusionTable(confusion, classes)}</div>
<p class="hint">${capital(on)} examples by true class and answer. Blue: right. Orange: mixed up, the darker the more often.</p></section>`;
}

/** Columns of the table of epochs that leave room for another card. */
const FEW_COLUMNS = 8;

function overview(run: TrainingReport, cards: string): string {
  const { history, confusion } = run;
  const stopped = history.stopped === undefined ? "" : `<p class="hint">Training ended early: ${escapeHtml(history.stopped)}.</p>`;
  const { columns, table } = epochTable(history);
  // beside the matrix are the settings, beside a narrow table the model; without a matrix they stand beside each other
  const model = (width: string): string => `<section class="card ${width}"><header><h2>Model</h2></header>
<div class="scroll" tabindex="0" role="region" aria-label="Model"><pre>${escapeHtml(run.model)}</pre></div></section>`;
  const epochs = (width: string): string => `<section class="card ${width}"><header><h2>Epochs</h2></header>
<div class="scroll tall" tabindex="0" role="region" aria-label="Epochs">${table}</div>${stopped}</section>`;
  const settings = (width: string): string => `<section class="card ${width}"><header><h2>Settings</h2></header>${settingsTable(run.settings)}</section>`;
  const rows =
    confusion === undefined
      ? [settings("half"), model("half"), epochs("full")]
      : columns > FEW_COLUMNS
        ? [confusionSection(run), settings("beside"), epochs("full"), model("full")]
        : [confusionSection(run), settings("beside"), epochs("epochs"), model("beside")];
  return [cards, ...rows, skippedSection(history)].join("\n");
}

export function reportHtml(run: TrainingReport): string {
  const title = escapeHtml(run.title);
  const charts = chartsOf(run.history);
  const { mistakes } = run;
  const pages = [
    { id: "overview", tab: "Overview", html: overview(run, chartCards(charts)) },
    { id: "weights", tab: "Weights", html: weightsSection(run.weights) },
    ...(mistakes === undefined ? [] : [{ id: "mistakes", tab: `Mistakes<span>${count(mistakes.total)}</span>`, html: mistakesSection(mistakes) }]),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>${title}</title>
<style>${escapeStyle(uPlotStyle)}</style>
<style>${escapeStyle(style)}</style>
<script>document.documentElement.classList.add("scripted");</script>
</head>
<body>
<header class="page">
<p class="kind">Training report</p>
<h1>${title}</h1>
${figures(run)}
<nav class="tabs" aria-label="Pages">${pages.map(({ id, tab }) => `<a href="#${id}">${tab}</a>`).join("")}</nav>
</header>
<main>
${pages.map(({ id, html }) => `<div class="panel ${id}" id="${id}">\n${html}\n</div>`).join("\n")}
</main>
<script type="application/json" id="run">${escapeJson(charts)}</script>
<script>/* uPlot. ${escapeScript(uPlotLicense.trim())} */
${escapeScript(uPlotScript.replace(/^\/\*!.*?\*\/\s*/, ""))}</script>
<script>
${escapeScript(client)}</script>
</body>
</html>
`;
}
