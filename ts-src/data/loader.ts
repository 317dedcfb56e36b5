// Batches of a dataset, in order or shuffled anew each time round.

import { ConfigError } from "../../bindings/errors.js";
import { type Claim, keep } from "../../bindings/lifetime.js";
import { showValue } from "../../bindings/show.js";
import { checkedOptions } from "../ops/checks.js";
import { batchStreams, checkedSeed, replaying, shuffledNumbers } from "../ops/random.js";
import { Ahead, type Pick } from "./ahead.js";
import { checkedBatch, checkedDataset, transformed } from "./batches.js";
import type { Batch, Dataset, Transform } from "./dataset.js";
import { counted, numberTensor } from "./numbers.js";

const MOST_AHEAD = 256; // batches; each is held in memory until it is asked for
const MOST_EPOCHS = 2 ** 30 - 2; // what a key of random numbers holds

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
  /** Makes of each batch another, as map() of a dataset does: shift(), flip(), noise(), or a function of one's own. */
  transform?: Transform;
}

/** Where a loader stands, as JSON: `batch` batches of the round `epoch` were handed out. */
export interface LoaderState {
  seed: number;
  epoch: number;
  batch: number;
  /** What the position is one of. */
  examples: number;
  batchSize: number;
  shuffle: boolean;
}

interface Position {
  epoch: number;
  batch: number;
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
  private seed: number;
  private readonly dropLast: boolean;
  private readonly prefetch: number;
  private readonly transform: Transform | undefined;
  /** The round that begins next, unless loadStateDict() told another place. */
  private round = 0;
  private resumed: Position | undefined;
  /** Of the round that began last. */
  private position: Position = { epoch: 0, batch: 0 };
  /** Batches of earlier rounds that are still held. */
  private leftover: Claim[][] = [];

  constructor(dataset: Dataset, options: DataLoaderOptions = {}) {
    checkedOptions("DataLoader", options, ["batchSize", "shuffle", "seed", "dropLast", "prefetch", "transform"]);
    const { batchSize = 1, shuffle = false, seed = 0, dropLast = false, prefetch = 0, transform } = options;
    for (const [name, on] of Object.entries({ shuffle, dropLast })) {
      if (typeof on !== "boolean") throw new ConfigError(`DataLoader: expected ${name}: true or false; got ${showValue(on)}`);
    }
    checkedDataset("DataLoader", dataset, 1);
    if (!Number.isInteger(batchSize) || batchSize < 1) throw new ConfigError(`DataLoader: expected batchSize >= 1; got ${String(batchSize)}`);
    if (!Number.isInteger(prefetch) || prefetch < 0 || prefetch > MOST_AHEAD) {
      throw new ConfigError(`DataLoader: expected prefetch, a whole number of batches from 0 to ${MOST_AHEAD}; got ${showValue(prefetch)}`);
    }
    if (transform !== undefined && typeof transform !== "function") {
      throw new ConfigError(`DataLoader: expected transform, a function of a batch; got ${showValue(transform)}`);
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.seed = checkedSeed("DataLoader", seed);
    this.dropLast = dropLast;
    this.prefetch = prefetch;
    this.transform = transform;
  }

  /** Number of batches. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** Where the round that began last stands; after its last batch, the begin of the next. Batches made ahead do not count. */
  stateDict(): LoaderState {
    const { seed, dataset, batchSize, shuffle } = this;
    return { seed, ...this.position, examples: dataset.length, batchSize, shuffle };
  }

  /**
   * The next round goes on at this place with the batches that were to come; those after it are whole. The seed becomes that of the
   * state. Throws ConfigError, and stays where it was, for what is no state or one of another number of examples, size of batches or order.
   */
  loadStateDict(state: LoaderState): void {
    const name = "loadStateDict of a DataLoader";
    if (state === undefined) throw new ConfigError(`${name}: expected what stateDict() answers; got undefined`);
    const { seed, epoch, batch } = checkedOptions(name, state, ["seed", "epoch", "batch", "examples", "batchSize", "shuffle"]);
    const own = this.stateDict();
    for (const key of ["examples", "batchSize", "shuffle"] as const) {
      if (state[key] !== own[key]) throw new ConfigError(`${name}: expected the state of a loader with ${key} ${own[key]}; got ${showValue(state[key])}`);
    }
    checkedSeed(name, seed);
    const most = Math.max(0, this.length - 1);
    if (!Number.isInteger(epoch) || epoch < 0 || epoch > MOST_EPOCHS) {
      throw new ConfigError(`${name}: expected epoch, a whole number from 0 to ${MOST_EPOCHS}; got ${showValue(epoch)}`);
    }
    if (!Number.isInteger(batch) || batch < 0 || batch > most) {
      throw new ConfigError(`${name}: expected batch, a whole number from 0 to ${most}; got ${showValue(batch)}`);
    }
    this.seed = seed;
    this.resumed = { epoch, batch };
    this.position = { epoch, batch };
  }

  /** Where a round begins; the object counts its batches. */
  private begin(): Position {
    this.position = this.resumed ?? { epoch: this.round, batch: 0 };
    this.resumed = undefined;
    this.round = this.position.epoch + 1;
    return this.position;
  }

  *[Symbol.iterator](): Generator<Batch, void, undefined> {
    const position = this.begin();
    const { epoch, batch: first } = position;
    const n = this.dataset.length;
    const order = this.shuffle ? shuffledNumbers(n, this.seed, epoch) : counted(n);
    const streams = batchStreams(this.seed, epoch);
    const pick = (i: number): Pick => ({ index: numberTensor(order.subarray(i * this.batchSize, (i + 1) * this.batchSize)), streams: streams(i) });
    const take = (picked: Pick): Batch => this.take(picked, epoch);
    const ahead = this.prefetch > 0 ? new Ahead({ prefetch: this.prefetch, first, end: () => this.length, pick, take }) : undefined;
    const live = this.leftover;
    this.leftover = [];
    try {
      for (let i = first; i < this.length; i++) {
        const batch = ahead?.next() ?? take(pick(i));
        // a keep() by the user takes a new claim, which is not released here
        live.push(batch.map((t) => keep(t).claim));
        while (live.length > 2) for (const claim of live.shift() as Claim[]) claim.release("step");
        const last = i + 1 === this.length;
        position.epoch = last ? epoch + 1 : epoch;
        position.batch = last ? 0 : i + 1;
        yield batch;
      }
    } finally {
      ahead?.end();
      // the last two live on, also after a break, until the next round frees them
      this.leftover.push(...live);
    }
  }

  /** The examples of an index, which is disposed; what they draw is no number of the program's. */
  private take({ index, streams }: Pick, epoch: number): Batch {
    try {
      return replaying(streams, () => {
        if (this.transform !== undefined) return transformed("DataLoader", this.dataset, index, epoch, this.transform);
        return checkedBatch("DataLoader: expected take() of the dataset", this.dataset.take(index, epoch));
      });
    } finally {
      index.dispose();
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    for (const batch of this as Iterable<Batch>) yield batch;
  }
}
