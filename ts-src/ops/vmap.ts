// A function of one example as a function of a batch. It runs once, on handles that have an example's shape and stand for all
// examples; each op is applied to whole batches by the rule of its declaration (after JAX's vmap and torch.func).

import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { adopt, BatchedStorage, type Mapper, scope, tensorsIn } from "../../bindings/lifetime.js";
import { type AnyOp, apply, type Batch, type Spec, share } from "../../bindings/op.js";
import { checkedAxis, type Shape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { isRecording, isStopped, withRecording, withStopped } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { activeTracer, type Change, change, type Tracer, withTracer } from "../../bindings/trace.js";
import { checkedOptions } from "./checks.js";
import { clone } from "./convert.js";
import { stack } from "./join.js";
import { broadcastTo, permute } from "./shape.js";
import { slice } from "./slice.js";
import { mapTree, type Tree } from "./tree.js";

/** The axis of the examples in a tensor, null for none; or a tree of them, for a tree of tensors. */
export type BatchDims = number | null | readonly BatchDims[] | { readonly [name: string]: BatchDims };

const kinds = ["error", "different", "same"] as const;

export interface VmapOptions {
  /** The axis of the examples in each argument: one for all (0 by default) or a list, one an argument; null where all examples share it. */
  inDims?: BatchDims;
  /** The axis of the examples in the results, 0 by default; null for a result that is the same for all examples. */
  outDims?: BatchDims;
  /** Random numbers within the function: an "error" (default), "different" ones an example, or the "same" for all. */
  randomness?: (typeof kinds)[number];
}

const run = apply as unknown as (op: AnyOp, inputs: Record<string, Tensor>, params: unknown) => Tensor;

class Batcher implements Tracer, Mapper {
  readonly mapper = this;
  private readonly outer = activeTracer();
  private readonly size: number;
  private readonly randomness: (typeof kinds)[number];
  private readonly recording = isRecording();
  private readonly stopped = isStopped();
  /** Of random numbers that differ from example to example. */
  private readonly keys = new WeakSet<object>();

  constructor(size: number, randomness: (typeof kinds)[number]) {
    this.size = size;
    this.randomness = randomness;
  }

  below<T>(fn: () => T): T {
    const stopped = isStopped();
    return withTracer(this.outer, () => withStopped(this.stopped || stopped, () => withRecording(this.recording && !stopped, fn)));
  }

  /** Within the function, derivatives of its own: a tape of examples over that of batches. */
  within<T>(fn: () => T): T {
    return withTracer(this, () => withStopped(false, fn));
  }

  argument(all: Tensor): Tensor {
    return this.over(all.origin, all, true, false);
  }

  owns(t: Tensor): boolean {
    return t.storage instanceof BatchedStorage && t.storage.mapper === this;
  }

  maps(names: readonly string[], inputs: { readonly [name: string]: Tensor }, params: unknown): boolean {
    for (let i = 0; i < names.length; i++) if (this.owns(inputs[names[i]])) return true;
    return this.differs(params);
  }

  own(t: Tensor): Tensor {
    if (this.owns(t)) return t;
    const shared = this.over(t.origin, t, false, false);
    adopt(shared, undefined);
    return shared;
  }

  standing(like: BatchedStorage, origin: string, all: Tensor): Tensor {
    const t = this.held(origin, all, like.batched);
    adopt(t, undefined);
    return t;
  }

  /** The tensor that a handle of this batch stands for; undefined for another. */
  storageOf(t: Tensor): BatchedStorage | undefined {
    return t.storage instanceof BatchedStorage && t.storage.mapper === this ? t.storage : undefined;
  }

  /** Whether an op draws random numbers of its own for each example. */
  private differs(params: unknown): boolean {
    return params !== null && typeof params === "object" && "key" in params && this.keys.has(params.key as object);
  }

  private over(origin: string, all: Tensor, batched: boolean, owned: boolean): Tensor {
    return new Tensor(new BatchedStorage(this, all, batched, owned), origin, all.dtype, batched ? all.shape.slice(1) : all.shape);
  }

  private held(origin: string, all: Tensor, batched: boolean): Tensor {
    // a handle of its own, so that it outlives the scope in which `all` was made
    const handle = new Tensor(all.storage, all.origin, all.dtype, all.shape, all.strides, all.offset);
    handle.node = all.node;
    return this.over(origin, handle, batched, true);
  }

  record(op: AnyOp, given: { readonly [name: string]: Tensor }, params: unknown, y: Spec): Tensor {
    const inputs: Record<string, Tensor> = {};
    const batched: Record<string, boolean> = {};
    const shapes: Record<string, Shape> = {};
    const different = this.differs(params);
    let any = different;
    for (const name of op.inputs) {
      const own = this.storageOf(given[name]);
      inputs[name] = own?.all ?? given[name];
      batched[name] = own?.batched ?? false;
      shapes[name] = given[name].shape;
      if (batched[name]) any = true;
    }
    const again = (operands: Record<string, Tensor>, others: unknown = params): Tensor => run(op, operands, others);
    const batch = { size: this.size, inputs, batched, shapes, y, params, different, again };
    const all = this.below(() => (any ? (op.batch ?? oneByOne)(batch) : again(inputs)));
    return this.held(op.name, all, any);
  }

  change(what: Change): void {
    const own = Object.keys(what.tensors).find((name) => this.owns(what.tensors[name]));
    if (own !== undefined) {
      throw new ConfigError(
        `vmap: expected a function that changes nothing by its examples; got ${what.name} with ${own} ${what.tensors[own].describe()} of each example; return the results and change the tensor with those of all examples`,
      );
    }
    this.below(() => change(what));
  }

  drew(key: object): void {
    if (this.randomness === "error") throw noRandomness();
    if (this.randomness === "different") this.keys.add(key);
    this.outer?.drew(key);
  }

  draw(shape: Shape, make: (shape: Shape) => Tensor): Tensor {
    if (this.randomness === "error") throw noRandomness();
    const { outer } = this;
    const drawn = (whole: Shape): Tensor => this.below(() => (outer === undefined ? make(whole) : outer.draw(whole, make)));
    if (this.randomness === "same") return drawn(shape);
    const t = this.held("random", drawn([this.size, ...shape]), true);
    adopt(t, undefined);
    return t;
  }
}

function noRandomness(): ConfigError {
  return new ConfigError(
    'vmap: expected a function that draws no random numbers, or randomness "different" or "same"; got one that draws; say whether examples share them',
  );
}

/** The rule of an op that has none. */
function oneByOne({ size, inputs, batched, again }: Batch<string, unknown>): Tensor {
  const results = Array.from({ length: size }, (_, i) =>
    again(Object.fromEntries(Object.entries(inputs).map(([name, t]) => [name, batched[name] ? slice(t, i) : t]))),
  );
  return stack(results);
}

/** The axis of each tensor in a tree, in the order of the tensors. */
function dimsOf(name: string, tree: unknown, dims: unknown, found: [t: Tensor, dim: number | null][] = []): [Tensor, number | null][] {
  if (tree instanceof Tensor) {
    if (dims === null) found.push([tree, null]);
    else if (typeof dims === "number") found.push([tree, dims]);
    else throw new ConfigError(`vmap: expected ${name} a number or null for each tensor; got ${showValue(dims)} for ${tree.describe()}`);
  } else if (tensorsIn(tree).length > 0) {
    const all = dims === null || typeof dims === "number";
    for (const [key, part] of Object.entries(tree as object)) {
      if (!all && tensorsIn(part).length > 0 && (typeof dims !== "object" || !Object.hasOwn(dims as object, key)))
        throw new ConfigError(`vmap: expected ${name} like the tensors that it is for; got none for ${key}`);
      dimsOf(name, part, all ? dims : (dims as Record<string, unknown>)[key], found);
    }
  }
  return found;
}

/** x with an axis moved to another place. */
function moved(x: Tensor, from: number, to: number): Tensor {
  if (from === to) return x;
  const order = x.shape.map((_, i) => i).filter((i) => i !== from);
  order.splice(to, 0, from);
  return permute(x, order);
}

function batchSize(found: readonly [Tensor, number | null][]): number {
  let size: number | undefined;
  let fit = true;
  for (const [t, dim] of found) {
    t.alive("vmap");
    if (dim === null) continue;
    const n = t.ndim === 0 ? 0 : t.shape[checkedAxis("vmap", dim, t.ndim)];
    size ??= n;
    if (n !== size || n === 0) fit = false;
  }
  if (size === undefined) throw new ConfigError("vmap: expected a tensor with examples among the arguments; got none");
  if (fit) return size;
  const shown = found.filter(([, dim]) => dim !== null).map(([t, dim]) => showShape(t.shape) + (dim === 0 ? "" : ` at axis ${dim}`));
  throw new ShapeError(`vmap: expected the same number of examples, one or more, in every tensor; got ${shown.join(", ")}`);
}

/**
 * f over an axis of the tensors in its arguments, the first unless `inDims` says otherwise; results along a new first axis, or that of
 * `outDims`: vmap(f)(xs)[i] = f(xs[i]). f runs once, and each op of it is applied to all examples at once. Tensors that f reaches
 * by itself are the same for all examples. As jax.vmap and torch.func.vmap: item(), data() and branches on values are errors.
 * Throws ConfigError, ShapeError unless all arguments have the same number of examples, one or more.
 */
export function vmap<A extends readonly unknown[], R extends Tree>(f: (...xs: A) => R, options: VmapOptions = {}): (...xs: A) => R {
  if (typeof f !== "function") throw new ConfigError(`vmap: expected a function; got ${showValue(f)}`);
  const { inDims = 0, outDims = 0, randomness = "error" } = checkedOptions("vmap", options, ["inDims", "outDims", "randomness"]);
  if (!kinds.includes(randomness)) throw new ConfigError(`vmap: expected randomness ${kinds.join(", ")}; got ${showValue(randomness)}`);
  return (...xs) => {
    const dims = dimsOf("inDims", xs, inDims);
    if (dims.length === 0) throw new ConfigError("vmap: expected a tensor, or an array or object of tensors, among the arguments; got none");
    const batcher = new Batcher(batchSize(dims), randomness);
    return scope(() => {
      let next = 0;
      const examples = mapTree(xs, (t) => {
        const dim = dims[next++][1];
        return dim === null ? t : batcher.argument(moved(t, checkedAxis("vmap", dim, t.ndim), 0));
      });
      const made = batcher.within(() => scope(() => f(...examples)));
      const results = dimsOf("outDims", made, outDims);
      if (results.length === 0) throw new ConfigError(`vmap: expected a function that returns tensors; got ${showValue(made)}`);
      const given = new Set(dims.map(([t]) => t.storage));
      next = 0;
      return mapTree(made, (t) => answer(batcher, t, results[next++][1], batchSize(dims), given));
    });
  };
}

function answer(batcher: Batcher, t: Tensor, dim: number | null, size: number, given: ReadonlySet<unknown>): Tensor {
  const own = batcher.storageOf(t);
  const batched = own?.batched ?? false;
  if (dim === null) {
    if (batched) throw new ConfigError(`vmap: expected a result that all examples share, as outDims null says; got ${t.describe()} of each example`);
    return own === undefined ? t : share(own.all);
  }
  const all = own?.all ?? t;
  const whole = moved(batched ? all : broadcastTo(all, [size, ...t.shape]), 0, checkedAxis("vmap", dim, t.ndim + 1));
  return whole.contiguous && batched && !given.has(whole.storage) ? share(whole) : clone(whole);
}
