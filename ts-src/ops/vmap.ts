// A function of one example as a function of a batch. It runs once, on handles that have an example's shape and stand for all
// examples; each op is applied to whole batches by the rule of its declaration (after JAX's vmap and torch.func).

import { ConfigError, GradientError, ShapeError } from "../../bindings/errors.js";
import { adopt, BatchedStorage, clearGradient, type Mapper, scope, tensorsIn } from "../../bindings/lifetime.js";
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
  readonly outer = activeTracer();
  /** Leaves whose gradient differs from example to example. */
  readonly leaves = new Set<Tensor>();
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
    return new Tensor(new BatchedStorage(this, all, false), all.origin, all.dtype, all.shape.slice(1));
  }

  example(origin: string, all: Tensor): Tensor {
    const t = this.handle(origin, all);
    adopt(t, undefined);
    return t;
  }

  /** The tensor of all examples; undefined if t is not of this batch. */
  all(t: Tensor): Tensor | undefined {
    return t.storage instanceof BatchedStorage && t.storage.mapper === this ? t.storage.all : undefined;
  }

  private handle(origin: string, all: Tensor): Tensor {
    // a handle of its own, so that it outlives the scope in which `all` was made
    const held = new Tensor(all.storage, all.origin, all.dtype, all.shape, all.strides, all.offset);
    held.node = all.node;
    return new Tensor(new BatchedStorage(this, held, true), origin, all.dtype, all.shape.slice(1));
  }

  record(op: AnyOp, given: { readonly [name: string]: Tensor }, params: unknown, y: Spec): Tensor | undefined {
    const inputs: Record<string, Tensor> = {};
    const batched: Record<string, boolean> = {};
    const shapes: Record<string, Shape> = {};
    const different = params !== null && typeof params === "object" && "key" in params && this.keys.has(params.key as object);
    let any = different;
    for (const name of op.inputs) {
      const all = this.all(given[name]);
      inputs[name] = all ?? given[name];
      batched[name] = all !== undefined;
      shapes[name] = given[name].shape;
      if (all !== undefined) any = true;
    }
    if (!any) return undefined;
    const again = (operands: Record<string, Tensor>, others: unknown = params): Tensor => run(op, operands, others);
    const batch = { size: this.size, inputs, batched, shapes, y, params, different, again };
    return this.handle(
      op.name,
      this.below(() => (op.batch ?? oneByOne)(batch)),
    );
  }

  change(what: Change): void {
    const own = Object.keys(what.tensors).find((name) => this.all(what.tensors[name]) !== undefined);
    if (own !== undefined) {
      throw new ConfigError(
        `vmap: expected a function that changes nothing by its examples; got ${what.name} with ${own} ${what.tensors[own].describe()} of each example; return the results and change the tensor with those of all examples`,
      );
    }
    this.below(() => change(what));
  }

  anchored(leaf: Tensor): void {
    if (this.all(leaf) === undefined) this.leaves.add(leaf);
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
    return this.randomness === "same" ? drawn(shape) : this.example("random", drawn([this.size, ...shape]));
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
 * Throws ConfigError, ShapeError unless all arguments have the same number of examples, one or more; GradientError for backward()
 * to a leaf that examples share.
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
      refuseShared(batcher.leaves);
      const results = dimsOf("outDims", made, outDims);
      if (results.length === 0) throw new ConfigError(`vmap: expected a function that returns tensors; got ${showValue(made)}`);
      const given = new Set(dims.map(([t]) => t.storage));
      next = 0;
      return mapTree(made, (t) => answer(batcher, t, results[next++][1], batchSize(dims), given));
    });
  };
}

function answer(batcher: Batcher, t: Tensor, dim: number | null, size: number, given: ReadonlySet<unknown>): Tensor {
  const all = batcher.all(t);
  if (dim === null) {
    if (all !== undefined) throw new ConfigError(`vmap: expected a result that all examples share, as outDims null says; got ${t.describe()} of each example`);
    return t;
  }
  const whole = moved(all ?? broadcastTo(t, [size, ...t.shape]), 0, checkedAxis("vmap", dim, t.ndim + 1));
  return whole.contiguous && all !== undefined && !given.has(whole.storage) ? share(whole) : clone(whole);
}

/** Throws for gradients of leaves that were made outside, after taking them back. */
function refuseShared(leaves: ReadonlySet<Tensor>): void {
  const shared = [...leaves].filter((leaf) => !leaf.disposed);
  for (const leaf of shared) clearGradient(leaf);
  if (shared.length > 0) {
    throw new GradientError(
      `vmap: expected derivatives by grad() of a function; got backward() to ${shared[0].describe()}, whose gradient each example has for itself`,
    );
  }
}
