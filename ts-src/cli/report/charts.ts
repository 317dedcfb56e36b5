// The charts of a report: what is drawn, as plain values that the page's script reads.
import type { History } from "../../train/history.js";
import { capital, count, escapeHtml, isShare, scoreName, short } from "./text.js";

const MOST_POINTS = 1000; // more than a screen has columns for

interface Series {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** A colour of the style sheet. */
  readonly color: "--train" | "--validation" | "--raw";
  /** Of the line, in pixels. */
  readonly width: number;
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  readonly unit: "step" | "epoch";
  readonly unitLabel: string;
  readonly yLabel: string;
  readonly format: "plain" | "percent" | "short";
  /** With "log" and "linear" the reader may change to the other. */
  readonly scale: "log" | "linear" | "percent" | "free";
  readonly switches: boolean;
  readonly height: number;
  readonly x: readonly number[];
  readonly series: readonly Series[];
  /** Whether the mean of the last points is drawn over the first series. */
  readonly smooth: boolean;
}

/** Numbers of the points that are drawn of so many. */
function picked(points: number): number[] {
  const stride = Math.ceil(points / MOST_POINTS);
  return Array.from({ length: Math.ceil(points / Math.max(1, stride)) }, (_, i) => i * stride);
}

const byStep = { unit: "step", hint: "", smooth: false, switches: false, height: 270 } as const;

function lossChart(losses: readonly number[]): Chart {
  const points = picked(losses.length);
  return {
    ...byStep,
    ...{ id: "steps", title: "Training loss by step", hint: "Drag across the chart to zoom in, double-click to zoom out." },
    ...{ unitLabel: "step (mini-batch)", yLabel: "loss (mean per example)", format: "plain", switches: true, height: 320, smooth: true },
    scale: losses.every((loss) => loss > 0) ? "log" : "linear",
    x: points.map((i) => i + 1),
    series: [{ label: "loss", values: points.map((i) => short(losses[i])), color: "--raw", width: 1 }],
  };
}

/** Of each group of steps the largest norm, so that no peak is left out. */
function normChart(norms: readonly number[]): Chart {
  const points = picked(norms.length);
  const stride = points.length > 1 ? points[1] : 1;
  return {
    ...byStep,
    ...{ id: "norms", title: "Gradient norm by step", unitLabel: "step of the optimizer", yLabel: "norm before clipping", format: "plain", scale: "log" },
    switches: true,
    x: points.map((i) => i + 1),
    series: [
      {
        label: stride > 1 ? `largest of ${count(stride)} steps` : "norm",
        values: points.map((i) => short(Math.max(...norms.slice(i, i + stride)))),
        color: "--train",
        width: stride > 1 ? 1.5 : 1,
      },
    ],
  };
}

function rateChart(rates: readonly number[]): Chart {
  const points = picked(rates.length);
  return {
    ...byStep,
    ...{ id: "rates", title: "Learning rate by step", unitLabel: "step (mini-batch)", yLabel: "learning rate", format: "short", scale: "linear" },
    x: points.map((i) => i + 1),
    series: [{ label: "learning rate", values: points.map((i) => short(rates[i])), color: "--train", width: 2 }],
  };
}

function scoreChart(score: string, i: number, { epochs }: History): Chart {
  const share = isShare(score);
  const scaled = (value: number | undefined): number | null => short(value === undefined ? undefined : share ? value * 100 : value);
  const series: Series[] = [{ label: "training", values: epochs.map((e) => scaled(e.training[score])), color: "--train", width: 2 }];
  if (epochs.some((e) => e.validation !== undefined)) {
    series.push({ label: "validation", values: epochs.map((e) => scaled(e.validation?.[score])), color: "--validation", width: 2 });
  }
  const name = scoreName(score);
  return {
    ...{ id: `score-${i}`, title: `${capital(name)} by epoch`, hint: "", unit: "epoch", unitLabel: "epoch", height: 270, smooth: false, switches: false },
    yLabel: score === "loss" ? "loss (mean per example)" : share ? `${name} (%)` : name,
    format: share ? "percent" : "plain",
    scale: share ? "percent" : score === "loss" ? "linear" : "free",
    x: epochs.map((e) => e.epoch),
    series,
  };
}

/** What there is to draw of a training; the first chart is that of the loss by step. */
export function chartsOf(history: History): Chart[] {
  const { epochs, losses, gradientNorms, learningRates } = history;
  const scores = Object.keys(epochs[0]?.training ?? { loss: 0 });
  return [
    lossChart(losses),
    ...scores.map((score, i) => scoreChart(score, i, history)),
    ...(gradientNorms.length > 0 ? [normChart(gradientNorms)] : []),
    ...(learningRates.some(Number.isFinite) ? [rateChart(learningRates)] : []),
  ];
}

/** The cards of charts, two in a row after the first; one that is left alone has the row. */
export function chartCards(charts: readonly Chart[]): string {
  return charts.map((chart, i) => card(chart, i > 0 && !(i === charts.length - 1 && i % 2 === 1))).join("\n");
}

function card({ id, title, hint, scale, switches }: Chart, half: boolean): string {
  const choice = (value: string): string => `<button type="button" data-scale="${value}" aria-pressed="${value === scale}">${value}</button>`;
  const choices = switches ? `<div class="choice script" role="group" aria-label="Axis">${choice("linear")}${choice("log")}</div>` : "";
  const name = escapeHtml(title);
  return `<section class="card ${half ? "half" : "full"}"><header><h2>${name}</h2>${choices}</header>
<div class="chart" data-chart="${id}" role="img" aria-label="${name}"></div>${hint ? `<p class="hint script">${hint}</p>` : ""}
<noscript><p class="hint">The chart needs JavaScript; the table of epochs has the numbers.</p></noscript></section>`;
}
