// Datasets made of other datasets. Nothing is copied: each operation changes which examples are taken, or what becomes of a batch.
import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { checkedFlag, checkedOptions } from "../ops/checks.js";
import { concat as concatTensors } from "../ops/join.js";
import { checkedSeed, shuffledNumbers } from "../ops/random.js";
import { takeRows } from "../ops/rows.js";
import { checkedBatch, checkedDataset, transformed } from "./batches.js";
import type { Batch, Dataset, Place, Transform } from "./dataset.js";
import { DataLoader, type DataLoaderOptions } from "./loader.js";
import { counted, numbersOf, numberTensor } from "./numbers.js";

/** Accepts examples: bool [n], one for each example of a batch. */
export type Predicate = (batch: Batch, place: Place) => Tensor;

export interface OrderOptions {
  /** Seed of the order; 0 by default. */
  seed?: number;
}

export interface SplitOptions extends OrderOptions {
  /** Whether examples are dealt out in random order; true by default. False for what must stay in its order, such as a series in time. */
  shuffle?: boolean;
}

export interface Fold {
  readonly training: Examples;
  readonly validation: Examples;
}

const FILTER_ROWS = 1024; // examples that a predicate looks at together
const FRACTIONS_OFF = 1e-6; // by which fractions may miss 1: three thirds in decimals

/** A dataset with the operations as methods. */
export abstract class Examples implements Dataset {
  abstract readonly length: number;
  abstract take(index: Tensor, epoch?: number): Batch;

  /** See the function map(). */
  map(transform: Transform): Examples {
    return map(this, transform);
  }

  /** See the function filter(). */
  filter(accepts: Predicate): Examples {
    return filter(this, accepts);
  }

  /** See the function batch(). */
  batch(batchSize: number, options?: Omit<DataLoaderOptions, "batchSize">): DataLoader {
    return batch(this, batchSize, options);
  }

  /** See the function shuffle(). */
  shuffle(options?: OrderOptions): Examples {
    return shuffle(this, options);
  }

  /** See the function split(). */
  split(parts: readonly number[], options?: SplitOptions): Examples[] {
    return split(this, parts, options);
  }

  /** See the function kFold(). */
  kFold(k: number, options?: SplitOptions): Fold[] {
    return kFold(this, k, options);
  }

  /** See the function concat(). */
  concat(...others: Dataset[]): Examples {
    return concat(this, ...others);
  }
}

/** What came from outside is a dataset. */
function checkedFunction<F>(what: string, name: string, given: F): F {
  if (typeof given !== "function") throw new ConfigError(`${what}: expected a function ${name}; got ${showValue(given)}`);
  return given;
}

/**
 * The same examples with each batch changed: transform([x, y], { index, epoch }) answers another [x, y], with as many rows; index
 * tells their numbers in `dataset`. What it draws at random should depend on them alone, as shift(), flip() and noise() do.
 */
export function map(dataset: Dataset, transform: Transform): Examples {
  return new Mapped(checkedDataset("map", dataset), checkedFunction("map", "of a batch", transform));
}

class Mapped extends Examples {
  private readonly source: Dataset;
  private readonly transform: Transform;

  constructor(source: Dataset, transform: Transform) {
    super();
    this.source = source;
    this.transform = transform;
  }

  get length(): number {
    return this.source.length;
  }

  take(index: Tensor, epoch = 0): Batch {
    return transformed("map", this.source, index, epoch, this.transform);
  }
}

/**
 * The examples that accepts([x, y], { index, epoch }) answers true for, a bool tensor [n] for n examples, in their order. It is asked
 * once for every example, when the length or an example is first wanted. Throws ShapeError for an answer of another shape or dtype.
 */
export function filter(dataset: Dataset, accepts: Predicate): Examples {
  const source = checkedDataset("filter", dataset);
  checkedFunction("filter", "of a batch", accepts);
  return new Picked(source, () => accepted(source, accepts));
}

function accepted(source: Dataset, accepts: Predicate): Int32Array {
  const found: number[] = [];
  for (let from = 0; from < source.length; from += FILTER_ROWS) {
    const numbers = counted(Math.min(FILTER_ROWS, source.length - from)).map((i) => from + i);
    scope(() => {
      const index = numberTensor(numbers);
      try {
        const answer: unknown = accepts(checkedBatch("filter: expected take() of the dataset", source.take(index, 0)), { index: numbers, epoch: 0 });
        if (!(answer instanceof Tensor) || answer.dtype !== "bool" || answer.ndim !== 1 || answer.shape[0] !== numbers.length) {
          const got = answer instanceof Tensor ? answer.describe() : showValue(answer);
          throw new ShapeError(`filter: expected an answer bool [${numbers.length}], one for each example; got ${got}`);
        }
        for (const [i, yes] of answer.data().entries()) if (yes !== 0) found.push(numbers[i]);
      } finally {
        index.dispose();
      }
    });
  }
  return Int32Array.from(found);
}

/** Some examples of a dataset, in an order of their own, which is worked out when it is first needed. */
class Picked extends Examples {
  private readonly source: Dataset;
  private readonly pick: () => Int32Array;
  private picked: Int32Array | undefined;

  constructor(source: Dataset, pick: () => Int32Array) {
    super();
    this.source = source;
    this.pick = pick;
  }

  private get numbers(): Int32Array {
    this.picked ??= this.pick();
    return this.picked;
  }

  get length(): number {
    return this.numbers.length;
  }

  take(index: Tensor, epoch = 0): Batch {
    const numbers = numbersOf("take", index, this.length).map((i) => this.numbers[i]);
    return taken(this.source, numbers, epoch);
  }
}

function taken(source: Dataset, numbers: Int32Array, epoch: number): Batch {
  const index = numberTensor(numbers);
  try {
    return source.take(index, epoch);
  } finally {
    index.dispose();
  }
}

/** Batches of `batchSize` examples, with the options of a DataLoader. */
export function batch(dataset: Dataset, batchSize: number, options: Omit<DataLoaderOptions, "batchSize"> = {}): DataLoader {
  checkedOptions("batch", options, ["shuffle", "seed", "dropLast", "prefetch", "transform"]);
  return new DataLoader(checkedDataset("batch", dataset), { ...options, batchSize });
}

/** The same examples in an order that the seed fixes, the same in each round; `shuffle` of a DataLoader gives each round its own. */
export function shuffle(dataset: Dataset, options: OrderOptions = {}): Examples {
  const seed = checkedSeed("shuffle", checkedOptions("shuffle", options, ["seed"]).seed ?? 0);
  const source = checkedDataset("shuffle", dataset);
  return new Picked(source, () => shuffledNumbers(source.length, seed, 0));
}

/** The numbers of all examples, in the order in which they are dealt out. */
function dealt(what: string, dataset: Dataset, options: SplitOptions): Int32Array {
  const { seed = 0, shuffle: random = true } = checkedOptions(what, options, ["seed", "shuffle"]);
  checkedSeed(what, seed);
  const n = checkedDataset(what, dataset).length;
  return checkedFlag(what, "shuffle", random) ? shuffledNumbers(n, seed, 0) : counted(n);
}

/**
 * Parts of a dataset, disjoint and together all of it: fractions that sum to 1, as in [0.8, 0.2], or numbers of examples that sum to
 * the length. Throws ConfigError for others, and if a part would be empty.
 */
export function split(dataset: Dataset, parts: readonly number[], options: SplitOptions = {}): Examples[] {
  const order = dealt("split", dataset, options);
  const bounds = boundsOf(parts, order.length);
  return bounds.slice(1).map((end, i) => new Picked(dataset, () => order.subarray(bounds[i], end)));
}

/** Where each part begins, and the end. */
function boundsOf(parts: readonly number[], n: number): number[] {
  const shown = Array.isArray(parts) ? `[${parts.map(String)}]` : showValue(parts);
  const sum =
    Array.isArray(parts) && parts.length > 0 && parts.every((part) => typeof part === "number" && part > 0) ? parts.reduce((a, b) => a + b) : Number.NaN;
  const counts = sum === n && parts.every(Number.isInteger);
  if (!counts && !(Math.abs(sum - 1) <= FRACTIONS_OFF)) {
    throw new ConfigError(`split: expected fractions above 0 that sum to 1, or numbers of examples that sum to ${n}; got ${shown}`);
  }
  const bounds = [0];
  let end = 0;
  for (const part of parts) {
    end += counts ? part : part * n;
    bounds.push(Math.round(end));
  }
  bounds[parts.length] = n;
  if (bounds.some((bound, i) => i > 0 && bound <= bounds[i - 1])) {
    throw new ConfigError(`split: expected parts of at least one of ${n} examples; got ${shown}`);
  }
  return bounds;
}

/**
 * k pairs of training and validation data: each example is in the validation data of one of them, whose sizes differ by one at most.
 * Throws ConfigError unless k is a whole number from 2 to the number of examples.
 */
export function kFold(dataset: Dataset, k: number, options: SplitOptions = {}): Fold[] {
  const order = dealt("kFold", dataset, options);
  const n = order.length;
  if (!Number.isInteger(k) || k < 2 || k > n) throw new ConfigError(`kFold: expected a whole number of folds from 2 to ${n}; got ${showValue(k)}`);
  return Array.from({ length: k }, (_, i) => {
    const [begin, end] = [Math.floor((i * n) / k), Math.floor(((i + 1) * n) / k)];
    const rest = (): Int32Array => order.filter((_, at) => at < begin || at >= end);
    return { training: new Picked(dataset, rest), validation: new Picked(dataset, () => order.subarray(begin, end)) };
  });
}

/** The examples of several datasets one after another; a batch may hold some of each, of one shape and dtype. */
export function concat(...datasets: Dataset[]): Examples {
  if (datasets.length === 0) throw new ConfigError("concat: expected at least one dataset; got none");
  return new Joined(datasets.map((dataset) => checkedDataset("concat", dataset)));
}

class Joined extends Examples {
  private readonly sources: readonly Dataset[];

  constructor(sources: readonly Dataset[]) {
    super();
    this.sources = sources;
  }

  get length(): number {
    return this.sources.reduce((n, source) => n + source.length, 0);
  }

  take(index: Tensor, epoch = 0): Batch {
    const numbers = numbersOf("concat", index, this.length);
    return scope(() => {
      const batches: Batch[] = [];
      /** Where the rows of the batches go. */
      const places: number[] = [];
      let first = 0;
      for (const source of this.sources) {
        const end = first + source.length;
        const own = counted(numbers.length).filter((i) => numbers[i] >= first && numbers[i] < end);
        if (own.length > 0 || (end === this.length && batches.length === 0)) {
          const from = first;
          batches.push(
            checkedBatch(
              "concat: expected take() of the dataset",
              taken(
                source,
                own.map((i) => numbers[i] - from),
                epoch,
              ),
            ),
          );
        }
        places.push(...own);
        first = end;
      }
      if (batches.length === 1) return batches[0];
      const order = new Int32Array(places.length);
      for (const [row, place] of places.entries()) order[place] = row;
      const rows = numberTensor(order);
      try {
        const [x, y] = [0, 1].map((part) => takeRows(concatTensors(batches.map((made) => made[part])), rows));
        return [x, y];
      } finally {
        rows.dispose();
      }
    });
  }
}
