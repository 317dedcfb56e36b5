// Batches that are assembled before they are asked for, several by one job of the helper thread.
import { type Background, hasBackground, inBackground } from "../../bindings/background.js";
import { type Claim, keep, storagesMade } from "../../bindings/lifetime.js";
import type { Tensor } from "../../bindings/tensor.js";
import type { Streams } from "../ops/random.js";
import type { Batch } from "./dataset.js";

/** A batch, or why there is none. */
type Assembled = Made | { readonly error: unknown };

interface Made {
  readonly batch: Batch;
  /** What goes if nobody asks for the batch. */
  readonly claims: readonly Claim[];
}

/** What a batch is made of: the numbers of its examples, and the random numbers that it may draw. */
export interface Pick {
  readonly index: Tensor;
  readonly streams: Streams;
}

/** How batches are made. */
interface Source {
  /** Batches of a job. */
  readonly prefetch: number;
  /** The first batch, and the end of the last. */
  readonly first: number;
  end(): number;
  /** What a batch is made of. */
  pick(batch: number): Pick;
  /** The batch; disposes the index. */
  take(pick: Pick): Batch;
}

/** The batches of one round in their order, `prefetch` of them assembled while those before are in use. */
export class Ahead {
  private readonly source: Source;
  /** The batch that is begun next. */
  private begun: number;
  private ready: Assembled[] = [];
  private job: Background<Assembled[]> | undefined;
  /** Whether the dataset leaves anything to a helper. */
  private useful = true;

  constructor(source: Source) {
    this.source = source;
    this.begun = source.first;
  }

  /** The next batch; throws what its assembly threw. */
  next(): Batch {
    if (this.ready.length === 0) {
      if (this.job === undefined && !this.possible) return this.source.take(this.source.pick(this.begun++));
      this.ready = (this.job ?? this.start()).wait();
      this.job = this.possible && this.begun < this.source.end() ? this.start() : undefined;
    }
    const first = this.ready.shift() as Assembled;
    if ("error" in first) throw first.error;
    return first.batch;
  }

  private get possible(): boolean {
    return this.useful && hasBackground();
  }

  private start(): Background<Assembled[]> {
    const end = Math.min(this.source.end(), this.begun + this.source.prefetch);
    // before the job: what JavaScript writes within it is no work for a helper
    const picks: Pick[] = [];
    while (this.begun < end) picks.push(this.source.pick(this.begun++));
    const job = inBackground(() => {
      const made: Assembled[] = [];
      while (picks.length > 0) {
        const first = storagesMade();
        try {
          const batch = this.source.take(picks.shift() as Pick);
          // a scope that ends before the batch is asked for must not free it; what the dataset had before stays its own
          made.push({ batch, claims: batch.map((t) => keep(t).claim).filter(({ storage }) => storage.serial >= first) });
        } catch (error) {
          made.push({ error });
          for (const { index } of picks.splice(0)) index.dispose();
          this.begun = this.source.end();
        }
      }
      return made;
    });
    this.useful = job.posted;
    return job;
  }

  /** Frees what nobody has asked for. */
  end(): void {
    if (this.job !== undefined) this.ready.push(...this.job.wait());
    for (const made of this.ready) if ("claims" in made) for (const claim of made.claims) claim.release("step");
    this.ready = [];
    this.job = undefined;
  }
}
