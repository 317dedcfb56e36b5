// Tracing: the function runs once on symbols, and every op that it applies becomes a node. The tape works on symbols too, so
// a function that takes derivatives, by grad() or backward(), is traced with them.

import { ConfigError } from "../../bindings/errors.js";
import { clearGradient, held, Storage, scope, storagesMade, tensorsIn } from "../../bindings/lifetime.js";
import type { AnyOp, Spec } from "../../bindings/op.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { type Change, currentRegion, isDeriving, oldGradient, type Tracer, Untraceable, withTracer } from "../../bindings/trace.js";
import { type DiagonalOptions, trace as matrixTrace } from "../ops/diagonal.js";
import { nextStreams, replaying } from "../ops/random.js";
import type { Tree } from "../ops/tree.js";
import { Graph, GraphNode, mapLeaves } from "./graph.js";

class Recorder implements Tracer {
  readonly nodes: GraphNode[] = [];
  /** Tensors from outside, and whether they want gradients. */
  readonly reached = new Map<Tensor, boolean>();
  /** Leaves whose gradient is a symbol of this trace. */
  readonly leaves = new Set<Tensor>();
  private readonly ofStorage = new Map<Storage, GraphNode>();
  /** Nodes of tensors with memory, by what decides their elements. */
  private readonly constants = new Map<string, GraphNode>();
  private readonly ids = new Map<Storage, number>();
  /** Storages from here on are made within the traced function. */
  private readonly first = storagesMade();

  /** The symbol of an argument. */
  input(like: Spec): Tensor {
    const node = new GraphNode({ kind: "input", shape: like.shape, dtype: like.dtype, inputs: [] });
    return this.symbol("input", node);
  }

  record(op: AnyOp, inputs: { readonly [name: string]: Tensor }, params: unknown, spec: Spec): Tensor {
    const operands = op.inputs.map((name) => this.nodeOf(inputs[name]));
    const node = new GraphNode({
      kind: "op",
      shape: spec.shape,
      dtype: spec.dtype,
      op,
      params,
      inputs: operands,
      region: currentRegion(),
      derivative: isDeriving(),
    });
    const layout = op.view?.(inputs[op.inputs[0]], spec, params);
    return this.symbol(op.name, node, layout?.strides, layout?.offset);
  }

  change(change: Change): void {
    for (const name of change.writes) {
      const t = change.tensors[name];
      // the tensor's own error: it says where
      if (t.symbolic) void t.ptr;
    }
    for (const t of Object.values(change.tensors)) if (t.anchor !== undefined && this.older(t)) throw oldGradient(t.anchor);
    for (const name of change.writes) change.tensors[name].storage.version++; // derivatives that were recorded in the trace need the elements before
    const inputs = Object.values(change.tensors).map((t) => this.nodeOf(t));
    const [first] = inputs;
    this.nodes.push(new GraphNode({ kind: "change", shape: first.shape, dtype: first.dtype, inputs, change }));
  }

  anchored(leaf: Tensor): void {
    this.leaves.add(leaf);
  }

  /** Keys are parameters of nodes: each run has its own. */
  drew(): void {}

  draw(): never {
    throw new Untraceable(
      "trace: expected a function that draws no random tensors, as they would be the same at each run; draw them outside and pass them in (dropout draws anew)",
    );
  }

  older(t: Tensor): boolean {
    return t.storage.serial < this.first;
  }

  hasRead(t: Tensor): boolean {
    return this.ids.has(t.storage);
  }

  private symbol(origin: string, node: GraphNode, strides?: readonly number[], offset?: number): Tensor {
    const t = new Tensor(new Storage(undefined), origin, node.dtype, node.shape, strides, offset);
    this.nodes.push(node);
    this.ofStorage.set(t.storage, node);
    return t;
  }

  /** The node of a tensor; one with memory becomes a constant. */
  nodeOf(t: Tensor): GraphNode {
    const known = this.ofStorage.get(t.storage);
    if (known !== undefined) return known;
    if (t.symbolic)
      throw new Untraceable(`trace: expected tensors of this trace; got ${t.describe()} made by ${t.origin} in another one; return it from there`);
    let id = this.ids.get(t.storage);
    if (id === undefined) {
      id = this.ids.size;
      this.ids.set(t.storage, id);
    }
    if (t.node === undefined && this.older(t)) this.reached.set(t, t.requiresGrad);
    const key = `${id}:${t.dtype}:${t.shape}:${t.strides}:${t.offset}`;
    let node = this.constants.get(key);
    if (node === undefined) {
      node = new GraphNode({ kind: "constant", shape: t.shape, dtype: t.dtype, inputs: [], value: held(t), fixed: t.storage.serial >= this.first });
      this.constants.set(key, node);
      this.nodes.push(node);
    }
    return node;
  }
}

/** Runs f on symbols of arguments that look like `examples`, trees of tensors or of nodes. */
export function traced(f: (...xs: Tree[]) => Tree, examples: readonly unknown[]): Graph {
  const recorder = new Recorder();
  try {
    // a trace takes no random numbers from the runs
    return replaying(nextStreams(), () => symbolically(recorder, f, examples));
  } finally {
    // gradients that are symbols mean nothing outside
    for (const leaf of recorder.leaves) clearGradient(leaf);
  }
}

function symbolically(recorder: Recorder, f: (...xs: Tree[]) => Tree, examples: readonly unknown[]): Graph {
  return withTracer(recorder, () =>
    scope(() => {
      const inputs: GraphNode[] = [];
      const symbols: Tree[] = [];
      const argumentTree = examples.map((example) => {
        const nodes = mapLeaves(example, (leaf) => {
          const symbol = recorder.input(leaf);
          inputs.push(recorder.nodeOf(symbol));
          return symbol;
        });
        symbols.push(nodes as Tree);
        return mapLeaves(nodes, (symbol) => recorder.nodeOf(symbol as Tensor));
      });
      const made = f(...symbols);
      if (made instanceof Promise) throw new ConfigError("trace: expected a function that is not async; got one that returned a promise");
      const found = tensorsIn(made);
      if (found.length === 0)
        throw new ConfigError(`trace: expected a function that returns a tensor, or a tree of tensors; got ${showValue(made)}; return what its ops made`);
      const outputs = found.map((t) => recorder.nodeOf(t));
      let next = 0;
      const resultTree = mapLeaves(made, () => outputs[next++]);
      return new Graph({ nodes: recorder.nodes, leaves: recorder.reached, inputs, outputs, argumentTree, resultTree });
    }),
  );
}

/**
 * The graph of f on arguments of these shapes and dtypes: f runs once, on symbols. Arguments and result may be trees of
 * tensors; tensors that f reaches otherwise, such as weights, are read anew at each run. Throws ConfigError if f reads or
 * changes elements (item(), data(), in place), with the user's line. trace(x) of a matrix is the sum of its diagonal.
 */
export function trace(f: (...xs: never[]) => Tree, ...examples: Tree[]): Graph;
export function trace(x: Tensor, options?: DiagonalOptions): Tensor;
export function trace(f: ((...xs: never[]) => Tree) | Tensor, ...examples: unknown[]): Graph | Tensor {
  if (typeof f !== "function") return matrixTrace(f, ...(examples as [DiagonalOptions?]));
  for (const t of tensorsIn(examples)) t.alive("trace");
  return traced(f as unknown as (...xs: Tree[]) => Tree, examples);
}
