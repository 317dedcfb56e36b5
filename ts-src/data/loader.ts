// Batches of a dataset, in order or shuffled anew each time round.

import { ConfigError } from "../../bindings/errors.js";
import { type Claim, keep } from "../../bindings/lifetime.js";
import { view } from "../../bindings/memory.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { checkedOptions } from "../ops/checks.js";
import { zeros } from "../ops/create.js";
import { batchStreams, checkedSeed, replaying, shuffledNumbers } from "../ops/random.js";
import { Ahead, type Pick } from "./ahead.js";
import type { Batch, Dataset } from "./dataset.js";

const MOST_AHEAD = 256; // batches; each is held in memory until it is asked for

export interface DataLoaderOptions {
  /** Examples a batch; 1 by default. */
  batchSize?: number;
  /** A new order each time round; false by default. */
  shuffle?: boolean;
  /** Seed of the order, and with that of manualSeed() of the random numbers that take() of the dataset draws; 0 by default. */
  seed?: number;
  /** Leave out a last batch that is smaller; false by default. */
  dropLast?: boolean;
  /**
   * Batches that a helper thread assembles while those before are in use; 0 by default, at most 256. The batches are the same; take() of
   * the dataset is called earlier, on the main thread, and only its ops run on the helper: what reads elements in JavaScript gains
   * nothing, and data that is changed in place in a round is read as it was then. With configure({ threads: 1 }) there is no helper.
   *
   * What take() draws (randn, dropout, ...) depends on the seed of manualSeed() when the round began, on the seed of the loader, on the
   * round and on the batch alone, and the program draws as if take() had drawn nothing: so neither prefetch nor the number of threads
   * changes a number. Loaders whose batches are to draw apart from each other's need seeds of their own.
   */
  prefetch?: number;
}

/**
 * Iterates over batches [x, y], with for or for await, in order or shuffled, assembled ahead by a helper thread with `prefetch`. A batch
 * lives until the second one after it, in the same round or the next: keep() holds it for longer. Throws ConfigError for an option that
 * cannot be and for an empty dataset.
 */
export class DataLoader implements Iterable<Batch>, AsyncIterable<Batch> {
  readonly dataset: Dataset;
  readonly batchSize: number;
  private readonly shuffle: boolean;
  private readonly seed: number;
  private readonly dropLast: boolean;
  private readonly prefetch: number;
  private round = 0;
  /** Batches of earlier rounds that are still held. */
  private leftover: Claim[][] = [];

  constructor(dataset: Dataset, options: DataLoaderOptions = {}) {
    checkedOptions("DataLoader", options, ["batchSize", "shuffle", "seed", "dropLast", "prefetch"]);
    const { batchSize = 1, shuffle = false, seed = 0, dropLast = false, prefetch = 0 } = options;
    for (const [name, on] of Object.entries({ shuffle, dropLast })) {
      if (typeof on !== "boolean") throw new ConfigError(`DataLoader: expected ${name}: true or false; got ${showValue(on)}`);
    }
    if (typeof dataset?.take !== "function") throw new ConfigError(`DataLoader: expected a dataset, with take() and length; got ${showValue(dataset)}`);
    if (!Number.isInteger(dataset.length) || dataset.length < 1) {
      throw new ConfigError(`DataLoader: expected a dataset with at least one example; got length ${showValue(dataset.length)}`);
    }
    if (!Number.isInteger(batchSize) || batchSize < 1) throw new ConfigError(`DataLoader: expected batchSize >= 1; got ${String(batchSize)}`);
    if (!Number.isInteger(prefetch) || prefetch < 0 || prefetch > MOST_AHEAD) {
      throw new ConfigError(`DataLoader: expected prefetch, a whole number of batches from 0 to ${MOST_AHEAD}; got ${showValue(prefetch)}`);
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.seed = checkedSeed("DataLoader", seed);
    this.dropLast = dropLast;
    this.prefetch = prefetch;
  }

  /** Number of batches. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): Generator<Batch, void, undefined> {
    const n = this.dataset.length;
    const round = this.round++;
    const order = this.shuffle ? shuffledNumbers(n, this.seed, round) : Int32Array.from({ length: n }, (_, i) => i);
    const streams = batchStreams(this.seed, round);
    const pick = (i: number): Pick => ({ index: numbers(order.subarray(i * this.batchSize, (i + 1) * this.batchSize)), streams: streams(i) });
    const take = (picked: Pick): Batch => this.take(picked);
    const ahead = this.prefetch > 0 ? new Ahead({ prefetch: this.prefetch, length: () => this.length, pick, take }) : undefined;
    const live = this.leftover;
    this.leftover = [];
    try {
      for (let i = 0; i < this.length; i++) {
        const batch = ahead?.next() ?? take(pick(i));
        // a keep() by the user takes a new claim, which is not released here
        live.push(batch.map((t) => keep(t).claim));
        while (live.length > 2) for (const claim of live.shift() as Claim[]) claim.release("step");
        yield batch;
      }
    } finally {
      ahead?.end();
      // the last two live on, also after a break, until the next round frees them
      this.leftover.push(...live);
    }
  }

  /** The examples of an index, which is disposed; what they draw is no number of the program's. */
  private take({ index, streams }: Pick): Batch {
    try {
      const batch: unknown = replaying(streams, () => this.dataset.take(index));
      if (!Array.isArray(batch) || batch.length !== 2 || !batch.every((t) => t instanceof Tensor)) {
        throw new ConfigError(`DataLoader: expected take() of the dataset to answer [inputs, targets], two tensors; got ${showValue(batch)}`);
      }
      return batch as Batch;
    } finally {
      index.dispose();
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    for (const batch of this as Iterable<Batch>) yield batch;
  }
}

/** Row numbers as a tensor, which whoever takes the rows disposes. */
function numbers(rows: Int32Array): Tensor {
  const index = keep(zeros([rows.length], { dtype: "int32" }));
  view(index.ptr, rows.length, "int32").set(rows);
  return index;
}
