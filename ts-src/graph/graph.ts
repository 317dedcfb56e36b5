// A traced function: nodes in the order of their making, each one op applied to earlier ones. Every op has one output, so a
// node is also the value that it makes.

import type { Capture } from "../../bindings/capture.js";
import { type DType, itemBytes } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { type Storage, scope, tensorsIn } from "../../bindings/lifetime.js";
import { type AnyOp, apply } from "../../bindings/op.js";
import { type Shape, sameShape, showShape } from "../../bindings/shape.js";
import { isRecording } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { type Change, currentRegion, type Region, withDeriving, withRegion } from "../../bindings/trace.js";
import { type Key, NO_KEY, nextKey } from "../ops/random.js";
import { mapLeaves as mapTreeLeaves, type Tree } from "../ops/tree.js";
import { checkpointed } from "./checkpointed.js";
import { type DrawingOptions, drawing } from "./drawing.js";
import { dot, listing } from "./listing.js";
import { type GraphStats, stats } from "./stats.js";

/** What a node is, besides its place in the order. */
export interface NodeParts {
  readonly kind: "input" | "constant" | "op" | "change";
  readonly shape: Shape;
  readonly dtype: DType;
  /** What the op is applied to, in the order of its inputs. */
  readonly inputs: readonly GraphNode[];
  readonly op?: AnyOp;
  readonly params?: unknown;
  /** A constant's elements: read anew at each run, so a weight that was changed counts. */
  readonly value?: Tensor;
  /** Made within the traced function, so it never changes. */
  readonly fixed?: boolean;
  /** A change of memory, on `inputs` in the order of its tensors. */
  readonly change?: Change;
  /** The part of a checkpointed function that it belongs to. */
  readonly region?: Region;
  /** What a fused op consists of. */
  readonly body?: Graph;
  /** Made by a reverse walk. */
  readonly derivative?: boolean;
}

export class GraphNode {
  readonly kind: NodeParts["kind"];
  readonly shape: Shape;
  readonly dtype: DType;
  readonly inputs: readonly GraphNode[];
  readonly op: AnyOp | undefined;
  readonly params: unknown;
  readonly value: Tensor | undefined;
  readonly fixed: boolean;
  readonly change: Change | undefined;
  readonly region: Region | undefined;
  readonly body: Graph | undefined;
  readonly derivative: boolean;

  constructor(parts: NodeParts) {
    this.kind = parts.kind;
    this.shape = parts.shape;
    this.dtype = parts.dtype;
    this.inputs = parts.inputs;
    this.op = parts.op;
    this.params = parts.params;
    this.value = parts.value;
    this.fixed = parts.fixed ?? false;
    this.change = parts.change;
    this.region = parts.region;
    this.body = parts.body;
    this.derivative = parts.derivative ?? false;
  }

  /** Name of the op, or what else the node is. */
  get name(): string {
    return this.op?.name ?? this.change?.name ?? this.kind;
  }

  /** The same op on other operands. */
  on(inputs: readonly GraphNode[]): GraphNode {
    return inputs.every((input, i) => input === this.inputs[i]) ? this : new GraphNode({ ...this, inputs });
  }
}

const run = apply as unknown as (op: AnyOp, inputs: Record<string, Tensor>, params: unknown) => Tensor;

/** The operands of a node by name. */
export function operands<T>(op: AnyOp, values: readonly T[]): Record<string, T> {
  return Object.fromEntries(op.inputs.map((name, i) => [name, values[i]]));
}

/** One op applied to values. */
export function applyNode(node: GraphNode, values: readonly Tensor[], keyOf: (traced: Key) => Key): Tensor {
  const key = keyIn(node.params);
  const params = key === undefined ? node.params : { ...(node.params as object), key: keyOf(key) };
  const apply = (): Tensor => run(node.op as AnyOp, operands(node.op as AnyOp, values), params);
  return node.derivative ? withDeriving(apply) : apply();
}

/** The key of an op that draws random numbers; undefined for one that does not. */
export function keyIn(params: unknown): Key | undefined {
  if (params === null || typeof params !== "object" || !("key" in params) || params.key === NO_KEY) return undefined;
  return params.key as Key;
}

/** One of what `make` makes for each key of the trace: a derivative, and what is computed again, has the key of its op. */
export function eachKey<T>(make: () => T): (traced: Key) => T {
  const made = new Map<string, T>();
  return ({ seed, low, high }) => {
    const name = `${seed}:${low}:${high}`;
    let own = made.get(name);
    if (own === undefined) {
      own = make();
      made.set(name, own);
    }
    return own;
  };
}

export class Graph {
  /** One a tensor of the arguments, in order. */
  readonly inputs: readonly GraphNode[];
  readonly outputs: readonly GraphNode[];
  /** Every node, each behind those it reads. */
  readonly nodes: readonly GraphNode[];
  /** The arguments, and the result, with nodes in the places of tensors. */
  readonly argumentTree: readonly unknown[];
  readonly resultTree: unknown;
  /** Whether its order is that of a plan for its memory, which passes leave as it is. */
  readonly settled: boolean;
  /** Tensors from outside of the function, and whether they wanted gradients when it was traced. */
  readonly leaves: ReadonlyMap<Tensor, boolean>;

  constructor(parts: {
    nodes: readonly GraphNode[];
    inputs: readonly GraphNode[];
    outputs: readonly GraphNode[];
    argumentTree: readonly unknown[];
    resultTree: unknown;
    settled?: boolean;
    leaves?: ReadonlyMap<Tensor, boolean>;
  }) {
    this.nodes = parts.nodes;
    this.inputs = parts.inputs;
    this.outputs = parts.outputs;
    this.argumentTree = parts.argumentTree;
    this.resultTree = parts.resultTree;
    this.settled = parts.settled ?? false;
    this.leaves = parts.leaves ?? new Map();
  }

  /** The same function over other nodes, as a pass answers it. */
  with(nodes: readonly GraphNode[], outputs: readonly GraphNode[], settled = false): Graph {
    const { inputs, argumentTree, resultTree, leaves } = this;
    return new Graph({ nodes, inputs, outputs, argumentTree, resultTree, settled, leaves });
  }

  /**
   * Applies the graph to arguments of the traced shapes and dtypes. Under the tape the result can be differentiated, under a
   * trace the nodes become part of the other graph. Throws ConfigError, ShapeError, DtypeError for other arguments.
   */
  run(...args: readonly Tree[]): Tree {
    const given = this.checked(args);
    return scope(() => {
      const values = this.evaluate(given, eachKey(nextKey));
      let next = 0;
      return this.result(() => values[next++]);
    });
  }

  /** One line a node: what it is made of, shape and dtype. */
  toString(): string {
    return listing(this);
  }

  /** The graph in Graphviz's language. */
  toDot(): string {
    return dot(this);
  }

  /** The graph as a picture, a self-contained SVG document; throws ConfigError for options that it does not have. */
  toSVG(options: DrawingOptions = {}): string {
    return drawing(this, options);
  }

  /** Counts of nodes, edges, floating-point operations, bytes moved, and the most bytes that intermediate results hold. */
  stats(): GraphStats {
    return stats(this);
  }

  /** The changes of memory that each run makes, in order. */
  get changes(): Change[] {
    return this.nodes.flatMap((node) => node.change ?? []);
  }

  /** The memory that these changes write to. */
  get written(): Set<Storage> {
    return new Set(this.changes.flatMap(({ tensors, writes }) => writes.map((name) => tensors[name].storage)));
  }

  /**
   * The outputs' values for the inputs' values; all else is disposed after its last use. `keyOf` gives the keys of random
   * numbers for this run. While a program is captured, what changes do in JavaScript is left to its runs, `changing` hears of each
   * before its kernels are noted, and an elementwise op takes the memory of an operand that it reads last.
   */
  evaluate(given: readonly Tensor[], keyOf: (traced: Key) => Key, captured?: { capture: Capture; changing: (change: Change) => void }): Tensor[] {
    const values = new Map<GraphNode, Tensor>();
    for (const [i, node] of this.inputs.entries()) values.set(node, given[i]);
    const last = this.lastUses();
    const parts = isRecording() ? checkpointed(this) : undefined;
    for (const [i, node] of this.nodes.entries()) {
      const part = parts?.get(node);
      if (part !== undefined) {
        if (part.nodes[0] === node) values.set(part.output, part.run(values, keyOf));
      } else if (node.kind === "op") {
        const inputs = node.inputs.map((input) => values.get(input) as Tensor);
        if (captured !== undefined && node.op?.split === "elements") {
          const done = inputs.find((t, j) => last[i].includes(node.inputs[j]) && node.inputs[j].kind === "op" && replaceable(t, node));
          if (done !== undefined) captured.capture.reuse(done.ptr);
        }
        const region = currentRegion() ?? node.region;
        const applied = (): Tensor => withRegion(region, () => applyNode(node, inputs, keyOf));
        values.set(node, captured === undefined ? applied() : captured.capture.node(i, applied, (y) => ({ reads: inputs, writes: [y] })));
      } else if (node.change !== undefined) {
        const { before, run, tensors, writes } = node.change;
        const operands = Object.fromEntries(Object.keys(tensors).map((name, j) => [name, values.get(node.inputs[j]) as Tensor]));
        if (captured !== undefined) {
          captured.changing(node.change);
          captured.capture.node(i, () => run(operands), () => ({ reads: Object.values(operands), writes: writes.map((name) => operands[name]) })); // biome-ignore format: short
        } else {
          for (const name of writes) operands[name].storage.own();
          before?.();
          run(operands);
          for (const name of writes) operands[name].storage.version++;
        }
      } else if (node.kind === "constant") values.set(node, node.value as Tensor);
      for (const done of last[i]) {
        // what a derivative saved of it stays pinned
        if (done.kind === "op") values.get(done)?.dispose();
        values.delete(done);
      }
    }
    return this.outputs.map((output) => values.get(output) as Tensor);
  }

  /** The result as the traced function answers it, made of the outputs' values. */
  result(value: (output: GraphNode) => Tensor): Tree {
    let next = 0;
    return mapLeaves(this.resultTree, () => value(this.outputs[next++])) as Tree;
  }

  /** Per node those that no later node and no output reads. */
  private lastUses(): GraphNode[][] {
    const place = new Map<GraphNode, number>();
    for (const [i, node] of this.nodes.entries()) {
      place.set(node, i);
      for (const input of node.inputs) place.set(input, i);
    }
    for (const output of this.outputs) place.delete(output);
    const last: GraphNode[][] = this.nodes.map(() => []);
    for (const [node, i] of place) last[i].push(node);
    return last;
  }

  /** The tensors of arguments that fit the trace. */
  checked(args: readonly Tree[]): Tensor[] {
    if (args.length !== this.argumentTree.length) throw new ConfigError(`graph: expected ${this.argumentTree.length} arguments; got ${args.length}`);
    const given = tensorsIn(args as unknown[]);
    if (given.length !== this.inputs.length) throw new ConfigError(`graph: expected ${this.inputs.length} tensors in the arguments; got ${given.length}`);
    for (const [i, t] of given.entries()) {
      t.alive("graph");
      const { shape, dtype } = this.inputs[i];
      if (t.dtype !== dtype) throw new DtypeError(`graph: expected input ${i} of dtype ${dtype}; got ${t.dtype}; trace it anew for another`);
      if (!sameShape(t.shape, shape))
        throw new ShapeError(`graph: expected input ${i} of shape ${showShape(shape)}; got ${showShape(t.shape)}; trace it anew for another`);
    }
    return given;
  }
}

/** Whether a result may lie where this operand lies. */
function replaceable(t: Tensor, node: GraphNode): boolean {
  return t.storage.refs === 1 && t.contiguous && t.dtype === node.dtype && sameShape(t.shape, node.shape) && t.size * itemBytes(t.dtype) === t.storage.bytes;
}

/** The same tree with each tensor or node replaced. */
export function mapLeaves(tree: unknown, fn: (leaf: Tensor | GraphNode) => unknown): unknown {
  return mapTreeLeaves(tree, (leaf): leaf is Tensor | GraphNode => leaf instanceof GraphNode || leaf instanceof Tensor, fn);
}
