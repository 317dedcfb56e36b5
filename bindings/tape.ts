// The tape: what each op recorded, and how long that lives. Records are grouped in epochs; a new epoch begins after each
// reverse pass and after every 1,024 records. What an epoch holds is freed at the second pass after the last one that
// reached it, or, if none did, at the sixteenth after it began; an epoch that no handle reaches goes with the garbage.
import type { DType } from "./dtype.js";
import type { Claim, Storage } from "./lifetime.js";
import type { AnyOp } from "./op.js";
import type { Shape } from "./shape.js";
import type { Tensor } from "./tensor.js";
import { activeTracer } from "./trace.js";

const RECORDS_PER_EPOCH = 1024;
const PASSES_AFTER_REACHED = 2;
const PASSES_UNREACHED = 16;

/** What an epoch holds. It knows no tensor, so that handles can become garbage. */
class Estate {
  readonly claims: Claim[] = [];
  /** Per record the storages that its derivative will read. */
  readonly pins: Storage[][] = [];
  /** The last pass that reached it; 0 before, Infinity if that one retained the graph. */
  reached = 0;
  readonly born: number;
  private freed = false;

  constructor(born: number) {
    this.born = born;
  }

  /** Keeps it as long as one that no pass has reached, counted from this pass on. */
  prolong(pass: number): void {
    this.reached = pass + PASSES_UNREACHED - PASSES_AFTER_REACHED;
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    for (const claim of this.claims) claim.release("step");
    for (const pinned of this.pins) unpin(pinned);
  }
}

function unpin(pinned: Storage[]): void {
  for (const storage of pinned) storage.unref();
  pinned.length = 0;
}

/** Held by every tensor and record of its time; when it is garbage, its estate is freed. */
export class Epoch {
  readonly estate: Estate;
  constructor(estate: Estate) {
    this.estate = estate;
  }
}

/** Where a gradient goes: to the record that made an operand, or to a leaf. */
export type Edge = Node | Tensor;

/** One recorded application of an op. */
export class Node {
  readonly id: number;
  readonly op: AnyOp;
  readonly params: unknown;
  /** Per operand; undefined where no gradient is wanted. */
  readonly edges: readonly (Edge | undefined)[];
  readonly shapes: readonly Shape[];
  readonly dtype: DType;
  readonly epoch: Epoch;
  /** The vmap whose tape of examples it is on. */
  readonly mapper = activeTracer()?.mapper;
  /** In the order of op.saves; emptied by a pass that does not retain the graph. */
  saved: readonly Tensor[] = [];
  private pinned: Storage[] = [];
  versions: readonly number[] = [];
  /** The user's line that recorded it, while detectAnomaly() runs. */
  place = "";
  spent = false;

  constructor(id: number, op: AnyOp, params: unknown, edges: readonly (Edge | undefined)[], shapes: readonly Shape[], dtype: DType, epoch: Epoch) {
    this.id = id;
    this.op = op;
    this.params = params;
    this.edges = edges;
    this.shapes = shapes;
    this.dtype = dtype;
    this.epoch = epoch;
  }

  save(tensors: readonly Tensor[]): void {
    const pinned = new Array<Storage>(tensors.length);
    const versions = new Array<number>(tensors.length);
    for (let i = 0; i < tensors.length; i++) {
      const storage = tensors[i].storage;
      storage.refs++;
      pinned[i] = storage;
      versions[i] = storage.version;
    }
    this.epoch.estate.pins.push(pinned);
    this.pinned = pinned;
    this.saved = tensors;
    this.versions = versions;
  }

  /** Its derivative was taken for the last time: what only that reads is free. */
  spend(): void {
    this.spent = true;
    this.saved = [];
    unpin(this.pinned);
  }
}

let recording = true;
let passes = 0;
let records = 0;
let nextId = 1;
let current: Epoch | undefined;
let estates: Estate[] = [];
const abandoned = new FinalizationRegistry<Estate>((estate) => {
  estate.free();
  estates = estates.filter((other) => other !== estate);
});

export function isRecording(): boolean {
  return recording;
}

/** Runs `fn` with recording on or off. */
export function withRecording<T>(on: boolean, fn: () => T): T {
  const before = recording;
  recording = on;
  try {
    return fn();
  } finally {
    recording = before;
  }
}

let stopped = false;

/** Whether derivatives of what lies outside of the innermost vmap are stopped too. */
export function isStopped(): boolean {
  return stopped;
}

/** Runs `fn` with `stopped` on or off. */
export function withStopped<T>(on: boolean, fn: () => T): T {
  const before = stopped;
  stopped = on;
  try {
    return fn();
  } finally {
    stopped = before;
  }
}

let watcher: ((t: Tensor) => void) | undefined;

/** Runs `fn` and tells which tensors that want a gradient its ops read, recorded or not. */
export function watching<T>(tell: (t: Tensor) => void, fn: () => T): T {
  const outer = watcher;
  watcher = (t) => {
    tell(t);
    outer?.(t);
  };
  try {
    return fn();
  } finally {
    watcher = outer;
  }
}

/** Called for each operand that wants a gradient. */
export function noteTracked(t: Tensor): void {
  watcher?.(t);
}

/** The epoch that records now. */
export function currentEpoch(): Epoch {
  if (current === undefined || records >= RECORDS_PER_EPOCH) {
    const estate = new Estate(passes);
    current = new Epoch(estate);
    estates.push(estate);
    abandoned.register(current, estate);
    records = 0;
  }
  return current;
}

export function record(op: AnyOp, params: unknown, edges: readonly (Edge | undefined)[], shapes: readonly Shape[], dtype: DType): Node {
  const epoch = currentEpoch();
  records++;
  return new Node(nextId++, op, params, edges, shapes, dtype, epoch);
}

/** The number of the reverse pass that begins now. */
export function beginPass(): number {
  return ++passes;
}

/** Ends a pass: frees what is old enough and begins a new epoch. */
export function endPass(): void {
  current = undefined;
  const left: Estate[] = [];
  for (const estate of estates) {
    const last = estate.reached > 0 ? estate.reached + PASSES_AFTER_REACHED : estate.born + PASSES_UNREACHED;
    if (passes >= last) estate.free();
    else left.push(estate);
  }
  estates = left;
}
