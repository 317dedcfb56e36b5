// The HTML report: one file that loads nothing and shows text as text.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { reportHtml, type TrainingReport } from "../../ts-src/cli/report.js";

const run: TrainingReport = {
  title: "<script>alert(1)</script>",
  settings: [["out", "a&b<c"]],
  summary: { testAccuracy: 0.9824, testLoss: 0.0551, seconds: 5.57, steps: 7500, parameters: 203530 },
  steps: { step: [1, 2, 3], loss: [2.3, 1.2, 0.7] },
  epochs: [{ epoch: 1, loss: 0.2, accuracy: 0.94, validationLoss: 0.11, validationAccuracy: 0.965, seconds: 1.3 }],
  confusion: Array.from({ length: 10 }, (_, i) => Array.from({ length: 10 }, (_unused, j) => (i === j ? 900 + i : 1))),
  mistakes: [{ index: 7, label: 4, predicted: 9, probability: 0.98, pixels: new Uint8Array(784).fill(200) }],
  mistakeCount: 176,
};
const html = reportHtml(run);

test("the report loads nothing from elsewhere", () => {
  assert.not.match(html, /(?:src|href)\s*=\s*["']?(?:https?:)?\/\//);
  assert.not.match(html, /@import|url\(\s*["']?https?:/);
});

test("text from outside is shown, not run", () => {
  assert.not.match(html, /<script>alert/);
  assert.match(html, /&lt;script&gt;alert/);
  assert.match(html, /a&amp;b&lt;c/);
});

test("the figures of the run are in it", () => {
  for (const figure of ["98.24", "0.0551", "203,530", "7,500", "176", "909"]) assert.ok(html.includes(figure), figure);
});

test.run();
