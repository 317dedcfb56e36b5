// Who gives memory back. A block of memory is shared by claims, one a handle, and is freed with the last. A claim is
// released by the innermost scope(), or else by the step that recorded the tensor (tape.ts), or else when the handle
// is garbage.
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

/** A block of memory; `version` counts the changes made in place. */
export class Storage {
  readonly ptr: number;
  readonly bytes: number;
  private readonly home: Home;
  refs = 0;
  version = 0;
  /** Counts up: tells whether it was made before or within a trace. */
  readonly serial = made++;

  private readonly borrowed: boolean;

  /** `bytes` undefined: a symbol of a trace, which has no memory. `lent`: part of another block, which outlives it. */
  constructor(bytes: number | undefined, lent?: number) {
    this.home = currentHome();
    this.borrowed = bytes === undefined || lent !== undefined;
    this.ptr = lent ?? (bytes === undefined ? SYMBOLIC : this.home.allocate(bytes));
    this.bytes = bytes ?? 0;
  }

  unref(): void {
    if (--this.refs === 0 && !this.borrowed) this.home.release(this.ptr, this.bytes);
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

let holding: Tensor[] | undefined;

/** Another handle of the same elements, without history, which lives until it is disposed or garbage. */
export function held(t: Tensor): Tensor {
  const handle = new Tensor(t.storage, t.origin, t.dtype, t.shape, t.strides, t.offset);
  collected.register(handle, handle.claim);
  holding?.push(handle);
  return handle;
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
