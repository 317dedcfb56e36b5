// What planners see of a graph: numbers for nodes, whose memory each shows, what it costs to compute again, and until when that
// gives the same elements.
import { itemBytes } from "../../../bindings/dtype.js";
import type { Storage } from "../../../bindings/lifetime.js";
import { sizeOf } from "../../../bindings/shape.js";
import type { Graph, GraphNode } from "../graph.js";
import { nodeCost } from "../stats.js";

/** Memory that is not the graph's own: of arguments and weights. */
export const OUTSIDE = -1;

export class Model {
  readonly graph: Graph;
  /** Nodes, in the graph's order; all arrays are indexed by it. */
  readonly size: number;
  /** Operands among the nodes, each once. */
  readonly inputs: readonly (readonly number[])[];
  /** The node that made the memory which a node shows: itself unless it is a view; OUTSIDE if no op did. */
  readonly owner: Int32Array;
  /** Bytes of the memory that a node makes; 0 for a view. */
  readonly bytes: Float64Array;
  /** Floating-point operations plus bytes moved: a core does about as many of either in a second (docs/decisions.md). */
  readonly cost: Float64Array;
  /** Per owner the nodes that read it or a view of it, in order; `size` stands for the result. */
  readonly uses: readonly (readonly number[])[];
  /** The nodes that are results. */
  readonly outputs: readonly number[];
  /** Whether the node may be computed again for its last use: what it is made of, back to the arguments, has not changed by then. */
  readonly repeatable: Uint8Array;

  constructor(graph: Graph) {
    const { nodes } = graph;
    const size = nodes.length;
    const index = new Map<GraphNode, number>();
    this.graph = graph;
    this.size = size;
    this.owner = new Int32Array(size).fill(OUTSIDE);
    this.bytes = new Float64Array(size);
    this.cost = new Float64Array(size);
    const inputs: number[][] = [];
    const uses: number[][] = Array.from({ length: size }, () => []);
    for (const [i, node] of nodes.entries()) {
      index.set(node, i);
      const operands = [...new Set(node.inputs.map((input) => index.get(input)))].filter((j) => j !== undefined);
      inputs.push(operands);
      for (const j of operands) this.use(uses, j, i);
      if (node.op === undefined) continue;
      if (node.op.view !== undefined) {
        this.owner[i] = operands.length === 0 ? OUTSIDE : this.owner[operands[0]];
        continue;
      }
      this.owner[i] = i;
      this.bytes[i] = sizeOf(node.shape) * itemBytes(node.dtype);
      const cost = nodeCost(node);
      this.cost[i] = cost === undefined ? 0 : cost.flops + cost.bytes;
    }
    this.outputs = graph.outputs.map((output) => index.get(output)).filter((i) => i !== undefined);
    for (const output of this.outputs) this.use(uses, output, size);
    this.inputs = inputs;
    this.uses = uses;
    this.repeatable = this.unchanged();
  }

  private use(uses: number[][], node: number, by: number): void {
    const owner = this.owner[node];
    if (owner !== OUTSIDE && uses[owner].at(-1) !== by) uses[owner].push(by);
  }

  /** The last use of an owner, or its own place. */
  last(owner: number): number {
    return this.uses[owner].at(-1) ?? owner;
  }

  private unchanged(): Uint8Array {
    const { nodes } = this.graph;
    const repeatable = new Uint8Array(this.size);
    /** Up to which node the same elements come out. */
    const until = new Float64Array(this.size).fill(Number.POSITIVE_INFINITY);
    const written = new Map<Storage, number>();
    const changed = this.graph.written;
    const readers: number[][] = Array.from({ length: this.size }, () => []);
    for (let i = this.size - 1; i >= 0; i--) {
      const { change } = nodes[i];
      if (change !== undefined) for (const name of change.writes) written.set(change.tensors[name].storage, i);
      // a constant is read where its readers stand, so the next change behind each of them counts
      for (const j of this.inputs[i]) {
        const storage = this.storageOf(j);
        if (storage !== undefined && changed.has(storage)) readers[i].push(written.get(storage) ?? Number.POSITIVE_INFINITY);
      }
    }
    for (let i = 0; i < this.size; i++) {
      if (nodes[i].op === undefined) continue;
      for (const limit of readers[i]) until[i] = Math.min(until[i], limit);
      for (const j of this.inputs[i]) until[i] = Math.min(until[i], until[j]);
      const last = this.owner[i] === i ? this.last(i) : i;
      repeatable[i] = last <= until[i] ? 1 : 0;
    }
    return repeatable;
  }

  /** The weight that a node is or shows. */
  private storageOf(i: number): Storage | undefined {
    let node = this.graph.nodes[i];
    while (node.op?.view !== undefined) node = node.inputs[0];
    return node.value?.storage;
  }

  /** Bytes held while each node runs, and at the end. */
  live(): Float64Array {
    const live = new Float64Array(this.size + 2);
    for (let i = 0; i < this.size; i++) {
      if (this.owner[i] !== i) continue;
      live[i] += this.bytes[i];
      live[this.last(i) + 1] -= this.bytes[i];
    }
    for (let i = 1; i < live.length; i++) live[i] += live[i - 1];
    return live.subarray(0, this.size + 1);
  }
}

/** The place of the largest of values. */
export function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
