// The HTML report: one file that loads nothing and shows text as text.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Chart } from "../../ts-src/cli/report/charts.js";
import { reportHtml, type TrainingReport } from "../../ts-src/cli/report/report.js";
import { histograms } from "../../ts-src/cli/report/weights.js";
import type { History } from "../../ts-src/train/history.js";

const history: History = {
  epochs: [
    { epoch: 1, training: { loss: 0.2, accuracy: 0.94 }, validation: { loss: 0.11, accuracy: 0.965 }, seconds: 1.3, learningRate: 0.00125 },
    { epoch: 2, training: { loss: 0.1, accuracy: 0.97 }, validation: { loss: 0.0551, accuracy: 0.9824 }, seconds: 1.2, learningRate: 0.0005 },
  ],
  losses: Array.from({ length: 7500 }, (_, i) => 2.3 / (1 + i)),
  gradientNorms: Array.from({ length: 7500 }, (_, i) => (i === 4321 ? 987.6 : 1)),
  learningRates: Array.from({ length: 7500 }, () => 0.00125),
  skipped: [{ epoch: 1, step: 9, reason: "loss 9 is above <5>" }],
  bestEpoch: 2,
  stopped: "loss was best",
  seconds: 5.5,
};
const run: TrainingReport = {
  title: "<script>alert(1)</script>",
  settings: [["out", "a&b<c"]],
  scores: { loss: 0.0551, accuracy: 0.9824 },
  on: "test",
  seconds: 5.57,
  parameters: 203530,
  history,
  model: "layer  <output>",
  weights: histograms([{ name: "0.weight", shape: [2, 3], values: [0, 1, 2, 3, 4, 5] }], [{ name: "0.weight", shape: [2, 3], values: [0, 1, 2, 3, 4, 10] }]),
  confusion: Array.from({ length: 10 }, (_, i) => Array.from({ length: 10 }, (_unused, j) => (i === j ? 900 + i : 1))),
  classes: Array.from({ length: 10 }, (_, i) => `kind ${i} <b>`),
  mistakes: {
    mistakes: [{ index: 7, label: 4, predicted: 9, probability: 0.98, pixels: new Uint8Array(784).fill(200) }],
    total: 176,
    classes: undefined,
    on: "test",
  },
};
const html = reportHtml(run);

test("the report loads nothing from elsewhere", () => {
  assert.not.match(html, /(?:src|href)\s*=\s*["']?(?:https?:)?\/\//);
  assert.not.match(html, /@import|url\(\s*["']?https?:/);
});

/** What the page's script draws. */
function charts(page: string): Map<string, Chart> {
  const found = /<script type="application\/json" id="run">(.*?)<\/script>/s.exec(page);
  return new Map((JSON.parse((found as RegExpExecArray)[1]) as Chart[]).map((chart) => [chart.title, chart]));
}

/** What is left without scripts and styles. */
const visible = (page: string): string => page.replace(/<(script|style)\b.*?<\/\1>/gs, "");

test("text from outside is shown, not run", () => {
  assert.not.match(html, /<script>alert/);
  assert.match(html, /&lt;script&gt;alert/);
  assert.match(html, /a&amp;b&lt;c/);
  assert.match(html, /kind 3 &lt;b&gt;/);
  assert.match(html, /layer {2}&lt;output&gt;/);
  assert.match(html, /above &lt;5&gt;/);
});

test("tables, weights and images need no script", () => {
  const text = visible(html);
  for (const figure of ["98.24", "0.0551", "203,530", "7,500", "176", "909", "0.00125", "0.2000", "96.50"]) assert.ok(text.includes(figure), figure);
  for (const part of ["1 left out", "stopped early", "Training ended early: loss was best", "1.9", "0.weight", "data:image/png"])
    assert.ok(text.includes(part), part);
});

test("curves are drawn of the loss and each score by epoch, of loss, gradient norm and learning rate by step", () => {
  const drawn = charts(html);
  assert.equal([...drawn.keys()], ["Training loss by step", "Loss by epoch", "Accuracy by epoch", "Gradient norm by step", "Learning rate by step"]);
  assert.equal(
    drawn.get("Accuracy by epoch")?.series.map(({ values }) => values),
    [
      [94, 97],
      [96.5, 98.24],
    ],
  );
  for (const title of ["Training loss by step", "Gradient norm by step", "Learning rate by step"]) assert.ok((drawn.get(title)?.x.length ?? 0) <= 1000, title);
  // the one peak is among them
  assert.ok(drawn.get("Gradient norm by step")?.series[0].values.includes(987.6));
});

test("a regression without validation has its curves and no matrix", () => {
  const { confusion: _confusion, mistakes: _mistakes, classes: _classes, ...rest } = run;
  const epochs = [{ epoch: 1, training: { loss: -2.5, perplexity: 9 }, validation: undefined, seconds: 1, learningRate: undefined }];
  const page = reportHtml({
    ...rest,
    scores: { loss: -2.5 },
    on: "training",
    history: { ...history, epochs, losses: [-2.5], gradientNorms: [], learningRates: [Number.NaN], skipped: [], bestEpoch: undefined, stopped: undefined },
  });
  assert.equal([...charts(page).keys()], ["Training loss by step", "Loss by epoch", "Perplexity by epoch"]);
  assert.is(charts(page).get("Training loss by step")?.scale, "linear");
  assert.not.match(visible(page), /Confusion matrix|Misclassified|NaN|undefined/);
  assert.match(visible(page), /Training loss<\/dt><dd><b>-2\.5000/);
});

test("histograms share the range of before and after, and count every element", () => {
  const [{ low, high, before, after, mean }] = run.weights;
  assert.equal([low, high], [0, 10]);
  const sum = (bins: readonly number[]): number => bins.reduce((a, b) => a + b, 0);
  assert.equal([sum(before), sum(after)], [6, 6]);
  assert.is(after[after.length - 1], 1);
  assert.is(before[before.length - 1], 0);
  assert.ok(Math.abs(mean - 20 / 6) < 1e-12);
  const [same] = histograms([{ name: "b", shape: [2], values: [1, 1] }], [{ name: "b", shape: [2], values: [1, 1] }]);
  assert.equal([sum(same.before), sum(same.after)], [2, 2]);
});

test.run();
