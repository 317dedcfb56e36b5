// While a function is traced or mapped over a batch, apply() asks the tracer for the result instead of running a kernel, and
// change() hands it what would change memory.

import type { TypedArray } from "./dtype.js";
import { ConfigError } from "./errors.js";
import { type Mapper, storagesMade } from "./lifetime.js";
import { settle, view } from "./memory.js";
import type { AnyOp, Spec } from "./op.js";
import type { Shape } from "./shape.js";
import type { Tensor } from "./tensor.js";

/** A function that can run op by op, but not as a graph or a program. */
export class Untraceable extends ConfigError {}

/** A change of memory in place: of an optimizer's parameters, of running statistics. */
export interface Change {
  /** For messages and listings. */
  readonly name: string;
  /** The tensors that it changes and reads, by name; those in `writes` are changed. */
  readonly tensors: { readonly [name: string]: Tensor };
  readonly writes: readonly string[];
  /** Calls the kernels on tensors of these names. */
  run(tensors: { readonly [name: string]: Tensor }): void;
  /** What JavaScript does before each run, such as writing the learning rate to where the kernel reads it; twice does no harm. */
  before?(): void;
  /** Whether a plan that holds the change still works on the right memory; else the function is traced anew. */
  valid?(): boolean;
}

export interface Tracer {
  /** Of a function that is mapped over a batch: what is not of the batch is applied outside. */
  readonly mapper?: Mapper;
  /** The symbol of op(inputs, params), whose shape and dtype were worked out. */
  record(op: AnyOp, inputs: { readonly [name: string]: Tensor }, params: unknown, spec: Spec): Tensor;
  /** Notes a change. */
  change(change: Change): void;
  /** Notes a leaf whose gradient is a symbol. */
  anchored?(leaf: Tensor): void;
  /** Notes the key of an op that draws random numbers. */
  drew(key: object): void;
  /** A random tensor of a shape, which `make` draws now. */
  draw(shape: Shape, make: (shape: Shape) => Tensor): Tensor;
  /** Whether the tensor has memory from before the trace, whose elements may be others at each run. */
  older?(t: Tensor): boolean;
  /** Whether a node has read memory that was made within the trace. */
  hasRead?(t: Tensor): boolean;
}

/** Of a leaf whose gradient from before a trace is used in it. */
export function oldGradient(leaf: Tensor): Untraceable {
  return new Untraceable(
    `trace: expected leaves without a gradient from before; got one of ${leaf.describe()}, which each run would use again; call zeroGrad() in the function first`,
  );
}

let active: Tracer | undefined;

/** The tracer that records now. */
export function activeTracer(): Tracer | undefined {
  return active;
}

/** Runs `fn` under a tracer, or under none. */
export function withTracer<T>(tracer: Tracer | undefined, fn: () => T): T {
  const outer = active;
  active = tracer;
  try {
    return fn();
  } finally {
    active = outer;
  }
}

/**
 * A part of a function of which no intermediate result is kept, or that runs `again` for a derivative. No pass makes one node of
 * two nodes of different regions: what is computed again would be kept instead.
 */
export class Region {
  /** Whether it ran before, or is part of what runs again. */
  readonly again: boolean;
  /** Storages from here on are made in what runs again. */
  readonly first: number;

  constructor(again: boolean) {
    const outer = region?.again ? region : undefined;
    this.again = again || outer !== undefined;
    this.first = outer?.first ?? storagesMade();
  }
}

let region: Region | undefined;

/** The innermost region that runs now. */
export function currentRegion(): Region | undefined {
  return region;
}

/** Runs `fn` as a part of a region. */
export function withRegion<T>(inner: Region | undefined, fn: () => T): T {
  const outer = region;
  region = inner;
  try {
    return fn();
  } finally {
    region = outer;
  }
}

let deriving = false;

/** Whether what is recorded now belongs to a derivative: a reverse walk makes it. */
export function isDeriving(): boolean {
  return deriving;
}

/** Runs `fn` as a part of a derivative. */
export function withDeriving<T>(fn: () => T): T {
  const outer = deriving;
  deriving = true;
  try {
    return fn();
  } finally {
    deriving = outer;
  }
}

/** What tensors that are older than it held before the changes that were noted. */
export class Journal {
  private readonly kept = new Map<Tensor, TypedArray>();
  private readonly first = storagesMade();

  /** Called when JavaScript has done its part of the change. */
  note({ tensors, writes }: Change): void {
    for (const name of writes) {
      const t = tensors[name];
      if (t.storage.serial < this.first && !this.kept.has(t)) this.kept.set(t, t.data());
    }
  }

  restore(): void {
    for (const [t, elements] of this.kept) {
      view(t.ptr, t.size, t.dtype).set(elements);
      t.storage.version++;
    }
  }
}

let journal: Journal | undefined;

/** Runs `fn`; if it throws, what its changes of memory have overwritten is put back. */
export function allOrNothing<T>(fn: () => T): T {
  const outer = journal;
  const mine = new Journal();
  journal = mine;
  try {
    return fn();
  } catch (error) {
    mine.restore();
    throw error;
  } finally {
    journal = outer;
  }
}

/** Changes memory in place now, or notes the change for each run of the graph. */
export function change(what: Change): void {
  // running statistics were changed when the part ran first, what it made itself is made again
  if (region?.again && what.writes.every((name) => what.tensors[name].storage.serial < (region as Region).first)) return;
  if (active !== undefined) {
    active.change(what);
    return;
  }
  settle();
  for (const name of what.writes) what.tensors[name].storage.own();
  what.before?.();
  journal?.note(what);
  try {
    what.run(what.tensors);
  } finally {
    settle();
  }
  for (const name of what.writes) what.tensors[name].storage.version++;
}
