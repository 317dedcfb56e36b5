// While a function is traced or mapped over a batch, apply() asks the tracer for the result instead of running a kernel, and
// change() hands it what would change memory.

import type { Mapper } from "./lifetime.js";
import type { AnyOp, Spec } from "./op.js";
import type { Shape } from "./shape.js";
import type { Tensor } from "./tensor.js";

/** A change of memory in place: of an optimizer's parameters, of running statistics. */
export interface Change {
  /** For messages and listings. */
  readonly name: string;
  /** The tensors that it changes and reads, by name; those in `writes` are changed. */
  readonly tensors: { readonly [name: string]: Tensor };
  readonly writes: readonly string[];
  /** Calls the kernels on tensors of these names. */
  run(tensors: { readonly [name: string]: Tensor }): void;
  /** What JavaScript does before each run, such as writing the learning rate to where the kernel reads it. */
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

  constructor(again: boolean) {
    this.again = again || (region?.again ?? false);
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

/** Changes memory in place now, or notes the change for each run of the graph. */
export function change(what: Change): void {
  // running statistics were changed when the part ran first
  if (region?.again) return;
  if (active !== undefined) {
    active.change(what);
    return;
  }
  for (const name of what.writes) what.tensors[name].storage.own();
  what.before?.();
  what.run(what.tensors);
  for (const name of what.writes) what.tensors[name].storage.version++;
}
