// What a classifier answers to all examples of a dataset: counts of true and predicted classes, and what it takes for another class.
import type { Tensor } from "../../bindings/tensor.js";
import type { DataLoader } from "../data/loader.js";
import type { Module } from "../layers/index.js";
import { noGrad } from "../ops/derivatives.js";
import { softmax } from "../ops/softmax.js";
import type { ReportMistake } from "./report/mistakes.js";

/** Of an image that a report shows. */
export const PIXELS = 28 * 28;

interface Answers {
  /** counts[true][predicted]. */
  readonly confusion: number[][];
  /** Surest first; empty unless examples have 28 x 28 elements. */
  readonly mistakes: ReportMistake[];
}

/** `loader` gives the examples in their order; the smallest and largest of their elements are shown as black and white. */
export function answersOf(model: Module, loader: DataLoader, classes: number): Answers {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const found: (Omit<ReportMistake, "pixels"> & { readonly elements: ArrayLike<number> })[] = [];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let first = 0;
  model.eval();
  for (const [x, y] of loader) {
    const probabilities = noGrad((): Tensor => softmax(model.forward(x)));
    const rows = probabilities.data();
    probabilities.dispose();
    const size = x.size / x.shape[0];
    const elements = size === PIXELS ? (x.data() as Float32Array) : new Float32Array(0);
    for (const value of elements) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    for (const [i, label] of (y.data() as Int32Array).entries()) {
      // a label that the loss ignores is no class
      if (label < 0 || label >= classes) continue;
      const row = rows.subarray(i * classes, (i + 1) * classes);
      const predicted = row.indexOf(Math.max(...row));
      confusion[label][predicted]++;
      const probability = row[predicted];
      if (predicted !== label && elements.length > 0) {
        found.push({ index: first + i, label, predicted, probability, elements: elements.slice(i * size, (i + 1) * size) });
      }
    }
    first += y.shape[0];
  }
  model.train();
  const gray = (value: number): number => Math.round((255 * (value - low)) / Math.max(high - low, Number.MIN_VALUE));
  const mistakes = found.map(({ elements, ...mistake }) => ({ ...mistake, pixels: Uint8Array.from(elements, gray) }));
  return { confusion, mistakes: mistakes.sort((a, b) => b.probability - a.probability) };
}
