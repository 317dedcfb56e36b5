// Who gives memory back. A storage is shared by claims, one a handle, and is freed with the last. A claim is released by
// the innermost scope(), or else by the step that recorded the tensor (tape.ts), or else when the handle is garbage.
// Storages that begin with the same elements, such as the gradients of both operands of a sum, lie in one block until one
// of them is changed (copy on write).
import { copyBytes } from "./copy.js";
import { itemBytes } from "./dtype.js";
import { ConfigError, DtypeError } from "./errors.js";
import { currentHome, type Home } from "./memory.js";
import type { Epoch } from "./tape.js";
import { Tensor } from "./tensor.js";

let made = 0;

/** How many storages were made so far. */
export function storagesMade(): number {
  return made;
}

/** The address of what has no memory. */
export const SYMBOLIC = -1;

/** Hears of a storage whose address is asked for, that is about to be changed, or that another shares the block of from now on. */
export type Watcher = (storage: Storage, address: number) => void;

let watcher: Watcher | undefined;

/** What hears of storages from now on; undefined for nothing. Answers what did before. */
export function watchStorages(next: Watcher | undefined): Watcher | undefined {
  const before = watcher;
  watcher = next;
  return before;
}

/** How many storages lie in one block. */
interface Sharing {
  holders: number;
}

/** The memory of a tensor and its views; `version` counts the changes made in place. */
export class Storage {
  readonly bytes: number;
  refs = 0;
  version = 0;
  /** Counts up: tells whether it was made before or within a trace. */
  readonly serial = made++;
  private readonly home: Home;
  private address: number;
  /** With the twins that lie in the same block; undefined for the only one. */
  private sharing: Sharing | undefined = undefined;
  private fixed = false;

  private readonly lent: boolean = false;

  /**
   * `bytes` undefined: a symbol of a trace, which has no memory. `place`: a twin, in whose block it begins, or an address in a
   * block of another, which outlives it.
   */
  constructor(bytes: number | undefined, place?: Storage | number) {
    this.bytes = bytes ?? 0;
    if (place instanceof Storage) {
      place.sharing ??= { holders: 1 };
      place.sharing.holders++;
      this.sharing = place.sharing;
      this.home = place.home;
      this.address = place.address;
    } else if (place !== undefined) {
      this.home = currentHome();
      this.address = place;
      this.lent = true;
    } else {
      this.home = currentHome();
      this.address = bytes === undefined ? SYMBOLIC : this.home.allocate(bytes);
    }
  }

  /** Where it lies until it is changed: what keeps an address calls fix() first. */
  get ptr(): number {
    watcher?.(this, this.address);
    return this.address;
  }

  /** A storage of its own with the same elements, which are copied only when one of both is changed; undefined for one that is fixed. */
  twin(): Storage | undefined {
    if (this.fixed || this.address === SYMBOLIC) return undefined;
    // who has yet to write there hears of both
    watcher?.(this, this.address);
    const twin = new Storage(this.bytes, this);
    watcher?.(twin, this.address);
    return twin;
  }

  /** Call it before a change in place: moves to a block of its own if others lie in this one. Throws OutOfMemoryError. */
  own(): void {
    watcher?.(this, this.address);
    if (this.sharing === undefined) return;
    if (this.sharing.holders > 1) {
      const address = this.home.allocate(this.bytes);
      copyBytes(address, this.address, this.bytes);
      this.sharing.holders--;
      this.address = address;
    }
    this.sharing = undefined;
  }

  /** Its address stays from now on. */
  fix(): void {
    if (this.address === SYMBOLIC) return;
    this.own();
    this.fixed = true;
  }

  unref(): void {
    if (--this.refs > 0 || this.address === SYMBOLIC || this.lent) return;
    if (this.sharing === undefined || --this.sharing.holders === 0) this.home.release(this.address, this.bytes);
  }
}

/** What maps a function over a batch, see ts-src/ops/vmap.ts. */
export interface Mapper {
  /** Whether a handle stands for an example, or for what all examples share. */
  owns(t: Tensor): boolean;
  /** Whether an application of an op is one to examples. */
  maps(names: readonly string[], inputs: { readonly [name: string]: Tensor }, params: unknown): boolean;
  /** The handle itself if it is owned, else one that is and stands for the same tensor. */
  own(t: Tensor): Tensor;
  /** The same handle for another tensor of all examples. */
  standing(like: BatchedStorage, origin: string, all: Tensor): Tensor;
  /** Runs `fn` as outside of the mapped function. */
  below<T>(fn: () => T): T;
}

/** Stands for one example of a batch, or for what all examples share: it has no memory of its own, and holds that tensor. */
export class BatchedStorage extends Storage {
  readonly mapper: Mapper;
  /** Of all examples, the first axis the batch if `batched`; else what they share. */
  readonly all: Tensor;
  readonly batched: boolean;
  private readonly owned: boolean;

  /** `owned`: the tensor goes with the last handle of the example. */
  constructor(mapper: Mapper, all: Tensor, batched: boolean, owned: boolean) {
    super(undefined);
    this.mapper = mapper;
    this.all = all;
    this.batched = batched;
    this.owned = owned;
  }

  override unref(): void {
    super.unref();
    if (this.refs === 0 && this.owned) this.all.dispose();
  }
}

/** What ended a claim; an error message tells. */
export type End = "dispose" | "scope" | "step" | "reset";

/** One handle's part in a storage. */
export class Claim {
  readonly storage: Storage;
  /** Undefined while held. */
  end: End | undefined = undefined;
  /** Released together with this one: the gradient of a leaf. */
  also: Claim | undefined = undefined;

  constructor(storage: Storage) {
    this.storage = storage;
    storage.refs++;
  }

  release(end: End): void {
    if (this.end !== undefined) return;
    this.end = end;
    this.storage.unref();
    this.also?.release(end);
  }
}

const collected = new FinalizationRegistry<Claim>((claim) => claim.release("dispose"));

/** Claims of the innermost scope; undefined outside of every scope. */
let innermost: Claim[] | undefined;

/** Gives a new handle its owner; `epoch` is the step that recorded it, if one did. */
export function adopt(t: Tensor, epoch: Epoch | undefined): void {
  if (innermost !== undefined) innermost.push(t.claim);
  else if (epoch !== undefined) {
    t.epoch = epoch;
    epoch.estate.claims.push(t.claim);
  } else collected.register(t, t.claim);
}

/** Takes a handle from its owner, which later releases the old claim in vain. */
function renew(t: Tensor): void {
  const old = t.claim;
  t.claim = new Claim(t.storage);
  t.claim.also = old.also;
  old.also = undefined;
  old.release("dispose");
}

/** Hears of each storage whose address is asked for. */
export let reached: ((storage: Storage) => void) | undefined;

/** Runs `fn` while `note` hears of the storages that it reaches. */
export function withReached<T>(note: (storage: Storage) => void, fn: () => T): T {
  const outer = reached;
  reached = note;
  try {
    return fn();
  } finally {
    reached = outer;
  }
}

let holding: Tensor[] | undefined;

/** Another handle of the same elements, without history, which lives until it is disposed or garbage. */
export function held(t: Tensor): Tensor {
  const handle = new Tensor(t.storage, t.origin, t.dtype, t.shape, t.strides, t.offset);
  collected.register(handle, handle.claim);
  holding?.push(handle);
  return handle;
}

/** A tensor of the same elements, without history, whose changes are its own; undefined where that takes a copy at once. */
export function twin(t: Tensor): Tensor | undefined {
  if (!t.contiguous || t.size * itemBytes(t.dtype) !== t.storage.bytes) return undefined;
  const storage = t.storage.twin();
  if (storage === undefined) return undefined;
  const y = new Tensor(storage, t.origin, t.dtype, t.shape);
  adopt(y, t.epoch);
  return y;
}

/** Runs `fn` and answers the handles that held() made in it, for an owner that ends before they are garbage; if it throws, they are disposed. */
export function withHeld<T>(fn: () => T): { result: T; handles: readonly Tensor[] } {
  const outer = holding;
  const handles: Tensor[] = [];
  holding = handles;
  try {
    return { result: fn(), handles };
  } catch (error) {
    for (const handle of handles) handle.dispose();
    throw error;
  } finally {
    holding = outer;
  }
}

/** Keeps a tensor beyond its scope and step, until it is disposed or garbage; returns it. Throws DtypeError for what is no tensor. */
export function keep<T extends Tensor>(t: T): T {
  if (!(t instanceof Tensor)) throw new DtypeError(`keep: expected a tensor; got ${t === null ? "null" : typeof t}`);
  t.alive("keep");
  renew(t);
  t.epoch = undefined;
  collected.register(t, t.claim);
  return t;
}

/** Makes a tensor the gradient of a leaf; its memory goes when the leaf goes, or with the next gradient. */
export function anchor(gradient: Tensor, leaf: Tensor): void {
  renew(gradient);
  gradient.epoch = undefined;
  gradient.anchor = leaf;
  leaf.claim.also?.release("reset");
  leaf.claim.also = gradient.claim;
  leaf.grad = gradient;
}

/** Drops the gradient of a leaf. */
export function clearGradient(leaf: Tensor): void {
  leaf.claim.also?.release("reset");
  leaf.claim.also = undefined;
  leaf.grad = undefined;
}

/** Every tensor in a value made of arrays and plain objects. */
export function tensorsIn(value: unknown, found: Tensor[] = []): Tensor[] {
  if (value instanceof Tensor) found.push(value);
  else if (Array.isArray(value)) for (const item of value) tensorsIn(item, found);
  else if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) tensorsIn(item, found);
  }
  return found;
}

/** The claims of a scope, for code that frees part of it early. */
export interface Scope {
  /** How many claims it holds. */
  mark(): number;
  /** Frees what came after `mark`, except the handles in `results`. */
  free(mark: number, results: readonly Tensor[]): void;
}

/**
 * Runs `fn` and frees every tensor made in it, except those in what it returns and those given to keep().
 * `fn` must not be async: tensors made after an await would belong to whatever runs then.
 * Throws ConfigError for an async function.
 */
export function scope<T>(fn: (scope: Scope) => T): T {
  const outer = innermost;
  const mine: Claim[] = [];
  innermost = mine;
  let result: T;
  try {
    result = fn({
      mark: () => mine.length,
      free(mark, results) {
        let kept = mark;
        for (let i = mark; i < mine.length; i++) {
          const claim = mine[i];
          if (claim.end !== undefined) continue;
          if (results.some((t) => t.claim === claim)) mine[kept++] = claim;
          else claim.release("scope");
        }
        mine.length = kept;
      },
    });
    innermost = outer;
    for (const t of tensorsIn(result)) {
      if (!mine.includes(t.claim) || t.claim.end !== undefined) continue;
      renew(t);
      adopt(t, t.node?.epoch);
    }
  } finally {
    innermost = outer;
    for (const claim of mine) claim.release("scope");
  }
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new ConfigError("scope: expected a function that is not async; got one that returned a promise; await outside of the scope");
  }
  return result;
}
