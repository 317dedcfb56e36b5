// How the weights of a model are spread, before and after training: pictures that need no script.
import { showShape } from "../../../bindings/shape.js";
import type { Tensor } from "../../../bindings/tensor.js";
import { count, escapeHtml, fixed, plain } from "./text.js";

const BINS = 40;
const WIDTH = 240;
const HEIGHT = 84;

/** The elements of a parameter in equal parts of the range of both. */
export interface WeightHistogram {
  readonly name: string;
  readonly shape: readonly number[];
  readonly low: number;
  readonly high: number;
  /** Counts by part. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly mean: number;
  readonly deviation: number;
}

/** Copies of the elements of parameters, to compare with later ones. */
export type Weights = readonly { readonly name: string; readonly shape: readonly number[]; readonly values: ArrayLike<number> }[];

export function weightsOf(parameters: readonly (readonly [name: string, p: Tensor])[]): Weights {
  return parameters.map(([name, p]) => ({ name, shape: p.shape, values: p.data() }));
}

function range(values: ArrayLike<number>): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return [low, high];
}

function counts(values: ArrayLike<number>, low: number, high: number): number[] {
  const bins = new Array<number>(BINS).fill(0);
  for (let i = 0; i < values.length; i++) bins[Math.min(BINS - 1, Math.floor(((values[i] - low) / (high - low)) * BINS))]++;
  return bins;
}

/** Histograms of the same parameters before and after. */
export function histograms(before: Weights, after: Weights): WeightHistogram[] {
  return after.map(({ name, shape, values }, i) => {
    const old = before[i].values;
    const [a, b] = [range(values), range(old)];
    const margin = Math.max(a[1], b[1]) > Math.min(a[0], b[0]) ? 0 : 0.5; // all are equal
    const [low, high] = [Math.min(a[0], b[0]) - margin, Math.max(a[1], b[1]) + margin];
    let [sum, squares] = [0, 0];
    for (let j = 0; j < values.length; j++) sum += values[j];
    const mean = sum / values.length;
    for (let j = 0; j < values.length; j++) squares += (values[j] - mean) ** 2;
    return { name, shape, low, high, before: counts(old, low, high), after: counts(values, low, high), mean, deviation: Math.sqrt(squares / values.length) };
  });
}

/** The outline of a histogram, as high as the picture. */
function outline(bins: readonly number[]): string {
  const most = Math.max(1, ...bins);
  const step = WIDTH / bins.length;
  const tops = bins.map((n, i) => `V${(HEIGHT - (n / most) * (HEIGHT - 2)).toFixed(1)}H${((i + 1) * step).toFixed(1)}`);
  return `M0 ${HEIGHT}${tops.join("")}V${HEIGHT}`;
}

function picture({ name, shape, low, high, before, after, mean, deviation }: WeightHistogram): string {
  const zero = low < 0 && high > 0 ? `<path class="zero" d="M${((-low / (high - low)) * WIDTH).toFixed(1)} 0V${HEIGHT}"/>` : "";
  const label = escapeHtml(name);
  const elements = shape.reduce((n, size) => n * size, 1);
  return `<li><figure><figcaption><b>${label}</b> <span>${showShape(shape)}, ${count(elements)}</span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Histogram of ${label}">${zero}<path class="after" d="${outline(after)}Z"/><path class="before" d="${outline(before)}"/></svg>
<p class="ends"><span>${fixed(low, 3)}</span><span>${fixed(high, 3)}</span></p>
<p class="hint">mean ${plain(mean)}, deviation ${plain(deviation)}</p></figure></li>`;
}

export function weightsSection(all: readonly WeightHistogram[]): string {
  return `<section class="card"><header><h2>Weights</h2><p class="keys"><span class="after">after training</span><span class="before">before</span></p></header>
<p class="hint">Elements of each parameter by value; every curve is drawn to its own height. The thin line is 0.</p>
<ul class="histograms">
${all.map(picture).join("\n")}
</ul></section>`;
}
