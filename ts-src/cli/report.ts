// The report of a training run: one HTML file with its scripts, styles and images inside, which loads nothing.
// Tables, digits and the filter of the digits work without JavaScript; report-client.js adds the charts and the tabs.
import { deflateSync } from "node:zlib";
import uPlotScript from "../../node_modules/uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uPlotStyle from "../../node_modules/uplot/dist/uPlot.min.css" with { type: "text" };
import uPlotLicense from "../../node_modules/uplot/LICENSE" with { type: "text" };
import style from "./report.css" with { type: "text" };
import client from "./report-client.js" with { type: "text" };

/** Accuracies and probabilities are fractions of 1. */
export interface TrainingReport {
  title: string;
  settings: readonly (readonly [string, string])[];
  summary: { testAccuracy: number; testLoss: number; seconds: number; steps: number; parameters: number };
  /** At most about 1000 points: thin a longer run before. */
  steps: { step: readonly number[]; loss: readonly number[] };
  /** NaN where there was no validation. */
  epochs: readonly ReportEpoch[];
  /** Rows are true classes, columns predicted ones. */
  confusion: readonly (readonly number[])[];
  /** The most confident mistakes, in the order in which they are shown. */
  mistakes: readonly ReportMistake[];
  /** All mistakes, with those that are not shown. */
  mistakeCount: number;
}

export interface ReportEpoch {
  epoch: number;
  loss: number;
  accuracy: number;
  validationLoss: number;
  validationAccuracy: number;
  seconds: number;
}

export interface ReportMistake {
  index: number;
  label: number;
  predicted: number;
  probability: number;
  /** 28 rows of 28 grays, 255 is ink. */
  pixels: Uint8Array;
}

const SIDE = 28;
const SPACE = "\u202f"; // narrow, no break: between a number and its unit
const DASH = "\u2013";

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
const escapeJson = (value: unknown) => JSON.stringify(value).replaceAll("<", "\\u003c");
const escapeScript = (text: string) => text.replace(/<(?=\/script|!--)/gi, "\\x3c");
const escapeStyle = (text: string) => text.replace(/<(?=\/style)/gi, "\\3c ");

const count = (value: number) => value.toLocaleString("en-US");
const fixed = (value: number, digits: number) => (Number.isFinite(value) ? value.toFixed(digits) : DASH);
const percent = (fraction: number, digits: number) => (Number.isFinite(fraction) ? `${(fraction * 100).toFixed(digits)}${SPACE}%` : DASH);
const short = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(6)) : null);
const ratio = (part: number, whole: number) => (whole > 0 ? part / whole : Number.NaN);

/** Never says 100 %: no softmax of a mistake is sure. */
function confidence(probability: number): string {
  if (probability >= 0.9995) return `>${SPACE}99.9${SPACE}%`;
  return percent(probability, probability >= 0.995 ? 1 : 0);
}

function loss(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(2) : value.toFixed(4);
}

function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return DASH;
  if (seconds < 9.995) return `${seconds.toFixed(2)}${SPACE}s`;
  if (seconds < 99.95) return `${seconds.toFixed(1)}${SPACE}s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}${SPACE}h ${minutes}${SPACE}min` : `${minutes}${SPACE}min ${rest}${SPACE}s`;
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function pngChunk(type: string, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(data.length + 12);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, "latin1");
  chunk.set(data, 8);
  let crc = 0xffffffff;
  for (const byte of chunk.subarray(4, data.length + 8)) crc = (CRC[(crc ^ byte) & 255] as number) ^ (crc >>> 8);
  chunk.writeUInt32BE(~crc >>> 0, data.length + 8);
  return chunk;
}

/** A gray PNG of 8 bits: about a third of the base64 of its pixels. */
function pngUrl(pixels: Uint8Array): string {
  if (pixels.length !== SIDE * SIDE) throw new RangeError(`a digit has ${SIDE * SIDE} pixels, not ${pixels.length}`);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header[8] = 8; // bits; gray, deflate, no interlace are zeros
  const rows = Buffer.alloc(SIDE * (SIDE + 1)); // each row begins with its filter, 0
  for (let row = 0; row < SIDE; row++) rows.set(pixels.subarray(row * SIDE, (row + 1) * SIDE), row * (SIDE + 1) + 1);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const file = [signature, pngChunk("IHDR", header), pngChunk("IDAT", deflateSync(rows, { level: 9 })), pngChunk("IEND", new Uint8Array(0))];
  return `data:image/png;base64,${Buffer.concat(file).toString("base64")}`;
}

function figures(run: TrainingReport): string {
  const { testAccuracy, testLoss, seconds, steps, parameters } = run.summary;
  const tested = run.confusion.flat().reduce((sum, images) => sum + images, 0);
  const epochs = run.epochs.length;
  const entries = [
    ["Test accuracy", percent(testAccuracy, 2), tested > 0 ? `${count(run.mistakeCount)} of ${count(tested)} wrong` : ""],
    ["Test loss", loss(testLoss), "mean per image"],
    ["Time", duration(seconds), epochs > 0 ? `${count(epochs)} ${epochs === 1 ? "epoch" : "epochs"}` : ""],
    ["Steps", count(steps), seconds > 0 ? `${count(Math.round(steps / seconds))} per second` : ""],
    ["Parameters", count(parameters), "trained values"],
  ] as const;
  const items = entries.map(
    ([name, value, note], i) => `<div class="figure${i === 0 ? " main" : ""}"><dt>${name}</dt><dd><b>${value}</b><span>${note}</span></dd></div>`,
  );
  return `<dl class="figures">${items.join("")}</dl>`;
}

function chart(name: string, title: string, hint: string, scale: "log" | "linear" | ""): string {
  const choice = (value: string) => `<button type="button" data-scale="${value}" aria-pressed="${value === scale}">${value}</button>`;
  const choices = scale ? `<div class="choice script" role="group" aria-label="Loss axis">${choice("linear")}${choice("log")}</div>` : "";
  return `<section class="card chart-card ${name}"><header><h2>${title}</h2>${choices}</header>
<div class="chart" data-chart="${name}" role="img" aria-label="${title}"></div>${hint ? `<p class="hint script">${hint}</p>` : ""}
<noscript><p class="hint">The chart needs JavaScript; the table of epochs has the numbers.</p></noscript></section>`;
}

function confusionTable(confusion: TrainingReport["confusion"]): string {
  const columns = confusion.map((_, predicted) => confusion.reduce((sum, row) => sum + (row[predicted] ?? 0), 0));
  const worst = Math.max(1, ...confusion.flatMap((row, truth) => row.filter((_, predicted) => predicted !== truth)));
  const head = confusion.map((_, predicted) => `<th scope="col">${predicted}</th>`).join("");
  const rows = confusion.map((row, truth) => {
    const total = row.reduce((sum, images) => sum + images, 0);
    const cells = row.map((images, predicted) => {
      const right = predicted === truth;
      // the square root lifts small counts; a class that is found half the time is already pale
      const heat = right ? Math.max(0, 2 * ratio(images, total) - 1 || 0) : Math.sqrt(images / worst);
      const kind = images === 0 ? "none" : right ? "right" : "wrong";
      return `<td class="${kind}" style="--heat:${heat.toFixed(3)}" title="true ${truth}, said ${predicted}: ${count(images)}">${images}</td>`;
    });
    const recall = percent(ratio(row[truth] ?? 0, total), 1);
    const side = truth === 0 ? `<th scope="rowgroup" class="side" rowspan="${confusion.length}"><span>true</span></th>` : "";
    return `<tr>${side}<th scope="row">${truth}</th>${cells.join("")}<td class="rate">${recall}</td></tr>`;
  });
  const precision = columns.map((total, predicted) => `<td class="rate">${percent(ratio(confusion[predicted]?.[predicted] ?? 0, total), 1)}</td>`);
  return `<table class="heat"><caption class="unseen">Images by true class (rows) and predicted class (columns)</caption>
<thead><tr><td colspan="2"></td><th scope="colgroup" colspan="${confusion.length}" class="top">said</th><td></td></tr>
<tr><td colspan="2"></td>${head}<th scope="col" class="rate-head">recall</th></tr></thead>
<tbody>${rows.join("\n")}</tbody>
<tfoot><tr><td></td><th scope="row" class="rate-head">precision</th>${precision.join("")}<td></td></tr></tfoot></table>`;
}

function epochTable(epochs: TrainingReport["epochs"]): string {
  const best = Math.max(...epochs.map((epoch) => (Number.isFinite(epoch.validationAccuracy) ? epoch.validationAccuracy : -1)));
  const rows = epochs.map((e) => {
    const mark = e.validationAccuracy === best ? ' class="best"' : "";
    const cells = [loss(e.loss), percent(e.accuracy, 2), Number.isNaN(e.validationLoss) ? DASH : loss(e.validationLoss), percent(e.validationAccuracy, 2)];
    return `<tr${mark}><th scope="row">${e.epoch}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}<td>${fixed(e.seconds, 2)}</td></tr>`;
  });
  return `<table class="numbers"><thead><tr><th scope="col">epoch</th><th scope="col">loss</th><th scope="col">accuracy</th>
<th scope="col">validation loss</th><th scope="col">validation accuracy</th><th scope="col">seconds</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}

function settingsTable(settings: TrainingReport["settings"]): string {
  const rows = settings.map(([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`);
  return `<table class="settings"><tbody>${rows.join("\n")}</tbody></table>`;
}

/** Radio buttons and one style rule per class: the filter needs no script. */
function mistakeFilter(run: TrainingReport): string {
  const classes = [...new Set(run.mistakes.map((mistake) => mistake.label))].sort((a, b) => a - b);
  const choice = (id: string, text: string, images: number, checked: boolean) =>
    `<input type="radio" name="class" id="class-${id}"${checked ? " checked" : ""}><label for="class-${id}">${text}<span>${count(images)}</span></label>`;
  const choices = classes.map((label) => choice(String(label), String(label), run.mistakes.filter((mistake) => mistake.label === label).length, false));
  const rules = classes.map((label) => `#mistakes:has(#class-${label}:checked) .digits li:not([data-class="${label}"])`);
  return `<style>${rules.join(",")} { display: none }</style>
<fieldset class="filter"><legend>True class</legend>${choice("all", "all", run.mistakes.length, true)}${choices.join("")}</fieldset>`;
}

function mistakesSection(run: TrainingReport): string {
  if (run.mistakes.length === 0) return `<p class="hint">No test image was misclassified.</p>`;
  const items = run.mistakes.map(
    ({ index, label, predicted, probability, pixels }) => `<li data-class="${label}" title="test image ${index}"><figure>
<img src="${pngUrl(pixels)}" width="${SIDE}" height="${SIDE}" alt="">
<figcaption><b>true ${label}, said ${predicted}</b> <span>(${confidence(probability)})</span></figcaption></figure></li>`,
  );
  const all = run.mistakes.length >= run.mistakeCount;
  const intro = all
    ? `All ${count(run.mistakeCount)} misclassified test images, the most confident first.`
    : `The ${count(run.mistakes.length)} most confident of ${count(run.mistakeCount)} misclassified test images.`;
  return `<p class="hint">${intro} The percentage is the probability which the model gave to its answer.</p>
${mistakeFilter(run)}
<ul class="digits">
${items.join("\n")}
</ul>`;
}

export function reportHtml(run: TrainingReport): string {
  const title = escapeHtml(run.title);
  const validated = run.epochs.some((epoch) => Number.isFinite(epoch.validationLoss));
  const column = (pick: (epoch: ReportEpoch) => number) => run.epochs.map((epoch) => short(pick(epoch)));
  const data = {
    steps: { step: run.steps.step, loss: run.steps.loss.map(short) },
    epochs: {
      epoch: run.epochs.map((epoch) => epoch.epoch),
      loss: column((epoch) => epoch.loss),
      accuracy: column((epoch) => epoch.accuracy),
      validationLoss: validated ? column((epoch) => epoch.validationLoss) : null,
      validationAccuracy: validated ? column((epoch) => epoch.validationAccuracy) : null,
    },
  };
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
<nav class="tabs" aria-label="Pages"><a href="#overview">Overview</a><a href="#mistakes">Mistakes<span>${count(run.mistakeCount)}</span></a></nav>
</header>
<main>
<div class="panel overview" id="overview">
${chart("steps", "Training loss by step", "Drag across the chart to zoom in, double-click to zoom out.", "log")}
${chart("loss", "Loss by epoch", "", "linear")}
${chart("accuracy", "Accuracy by epoch", "", "")}
<section class="card confusion"><header><h2>Confusion matrix</h2></header>
<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">${confusionTable(run.confusion)}</div>
<p class="hint">Test images by true class and answer. Blue: right. Orange: mixed up, the darker the more often.</p></section>
<section class="card settings-card"><header><h2>Settings</h2></header>${settingsTable(run.settings)}</section>
<section class="card epochs"><header><h2>Epochs</h2></header>
<div class="scroll tall" tabindex="0" role="region" aria-label="Epochs">${epochTable(run.epochs)}</div></section>
</div>
<div class="panel" id="mistakes">
<section class="card"><header><h2>Misclassified digits</h2></header>
${mistakesSection(run)}</section>
</div>
</main>
<script type="application/json" id="run">${escapeJson(data)}</script>
<script>/* uPlot. ${escapeScript(uPlotLicense.trim())} */
${escapeScript(uPlotScript.replace(/^\/\*!.*?\*\/\s*/, ""))}</script>
<script>
${escapeScript(client)}</script>
</body>
</html>
`;
}
