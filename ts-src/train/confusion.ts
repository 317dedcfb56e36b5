// Counts of (true, predicted) class, and what is worked out from them.
import { ConfigError, NumericError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedOptions } from "../ops/checks.js";
import { noGrad } from "../ops/derivatives.js";
import { argmax } from "../ops/extrema.js";
import { checkClassified, type GatheredMetric } from "./metrics.js";

/** How scores of classes become one: their mean ("macro"), that of all decisions ("micro"), the mean by number of examples ("weighted"), or that of class 1 of two ("binary"). */
export type Average = "macro" | "micro" | "weighted" | "binary";

function checkedClasses(name: string, classes: unknown): number {
  if (typeof classes !== "number" || !Number.isInteger(classes) || classes < 2)
    throw new ConfigError(`${name}: expected classes, a whole number >= 2; got ${showValue(classes)}`);
  return classes;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

export class ConfusionMatrix {
  readonly classes: number;
  /** counts[t * classes + p]: examples of class t that were taken for p. */
  readonly counts: number[];

  /** Throws ConfigError for fewer than two classes. */
  constructor(classes: number, counts?: readonly number[]) {
    this.classes = checkedClasses("ConfusionMatrix", classes);
    this.counts = counts === undefined ? new Array<number>(classes * classes).fill(0) : [...counts];
    if (this.counts.length !== classes * classes) throw new ConfigError(`ConfusionMatrix: expected ${classes * classes} counts; got ${this.counts.length}`);
  }

  /** Counts a batch of outputs [N, C] and targets [N]. Throws ShapeError, NumericError for a target outside 0..classes-1; then nothing was counted. */
  add(output: Tensor, target: Tensor): this {
    count(this.counts, this.classes, output, target);
    return this;
  }

  at(truth: number, predicted: number): number {
    return this.counts[truth * this.classes + predicted];
  }

  get rows(): number[][] {
    return Array.from({ length: this.classes }, (_, t) => this.counts.slice(t * this.classes, (t + 1) * this.classes));
  }

  get examples(): number {
    return this.counts.reduce((sum, n) => sum + n, 0);
  }

  get accuracy(): number {
    return ratio(this.diagonal(), this.examples);
  }

  private diagonal(): number {
    let sum = 0;
    for (let c = 0; c < this.classes; c++) sum += this.at(c, c);
    return sum;
  }

  private truths(c: number): number {
    let sum = 0;
    for (let p = 0; p < this.classes; p++) sum += this.at(c, p);
    return sum;
  }

  private predictions(c: number): number {
    let sum = 0;
    for (let t = 0; t < this.classes; t++) sum += this.at(t, c);
    return sum;
  }

  /** Share of what was taken for the class that is of it; 0 if nothing was. */
  precision(average: Average = "macro"): number {
    return this.averaged(average, (c) => ratio(this.at(c, c), this.predictions(c)));
  }

  /** Share of the class that was found; 0 if there is none. */
  recall(average: Average = "macro"): number {
    return this.averaged(average, (c) => ratio(this.at(c, c), this.truths(c)));
  }

  /** 2 precision recall / (precision + recall), a class; as scikit-learn's f1_score. */
  f1(average: Average = "macro"): number {
    return this.averaged(average, (c) => ratio(2 * this.at(c, c), this.truths(c) + this.predictions(c)));
  }

  private averaged(average: Average, score: (c: number) => number): number {
    // with one label an example, every wrong decision is one too many and one too few: all three are the accuracy
    if (average === "micro") return this.accuracy;
    if (average === "binary") {
      if (this.classes !== 2) throw new ConfigError(`ConfusionMatrix: expected two classes for the average "binary"; got ${this.classes}`);
      return score(1);
    }
    if (average !== "macro" && average !== "weighted")
      throw new ConfigError(`ConfusionMatrix: expected the average macro, micro, weighted or binary; got ${showValue(average)}`);
    let sum = 0;
    for (let c = 0; c < this.classes; c++) sum += score(c) * (average === "macro" ? 1 / this.classes : ratio(this.truths(c), this.examples));
    return sum;
  }

  /** A table with a row for each true class. */
  toString(): string {
    const cells = this.rows.map((row, t) => [String(t), ...row.map(String)]);
    const head = ["true", ...Array.from({ length: this.classes }, (_, p) => String(p))];
    const widths = head.map((text, i) => Math.max(text.length, ...cells.map((row) => row[i].length)));
    return [head, ...cells].map((row) => row.map((text, i) => text.padStart(widths[i])).join("  ")).join("\n");
  }
}

function count(counts: number[], classes: number, output: Tensor, target: Tensor): void {
  checkClassified("ConfusionMatrix", output, target);
  const predicted = noGrad(() => argmax(output, { axis: 1 }).data());
  const truths = target.data();
  for (const c of [truths, predicted]) {
    const outside = c.findIndex((value) => value < 0 || value >= classes);
    if (outside >= 0) throw new NumericError(`ConfusionMatrix: expected classes from 0 to ${classes - 1}; got ${c[outside]} at row ${outside}`);
  }
  for (let i = 0; i < truths.length; i++) counts[truths[i] * classes + predicted[i]]++;
}

function gathered(name: string, options: ClassScoreOptions, score: (matrix: ConfusionMatrix, average: Average) => number): GatheredMetric {
  const { classes, average = "macro" } = checkedOptions(name, options, ["classes", "average"]);
  checkedClasses(name, classes);
  // an average that cannot be is an error now, not after the first epoch
  new ConfusionMatrix(classes).f1(average);
  return {
    better: "higher",
    begin: () => new Array<number>(classes * classes).fill(0),
    add: (counts, output, target) => count(counts, classes, output, target),
    value: (counts) => score(new ConfusionMatrix(classes, counts), average),
  };
}

export interface ClassScoreOptions {
  classes: number;
  /** "macro" by default. */
  average?: Average;
}

/** F1 over all examples as a metric of fit(); throws ConfigError. */
export function f1(options: ClassScoreOptions): GatheredMetric {
  return gathered("f1", options, (matrix, average) => matrix.f1(average));
}

/** Precision over all examples as a metric of fit(); throws ConfigError. */
export function precision(options: ClassScoreOptions): GatheredMetric {
  return gathered("precision", options, (matrix, average) => matrix.precision(average));
}

/** Recall over all examples as a metric of fit(); throws ConfigError. */
export function recall(options: ClassScoreOptions): GatheredMetric {
  return gathered("recall", options, (matrix, average) => matrix.recall(average));
}
