// An order of nodes in which some stand more than once. Each reads what its operands' latest run made.
import { Region } from "../../../bindings/trace.js";
import { type Graph, GraphNode } from "../graph.js";
import { type Model, OUTSIDE } from "./model.js";

export class Schedule {
  readonly model: Model;
  /** Numbers of nodes in the order in which they run. */
  readonly order: number[] = [];
  /** Cost of what ran more than once. */
  extraCost = 0;
  /** Whether the memory that a node made counts as held, so that it need not run again. */
  readonly held: Uint8Array;
  /** How often a node ran. */
  private readonly runs: Int32Array;
  /** Which run of its owner a view shows. */
  private readonly shows: Int32Array;

  /** The latest search that came to a node. */
  private readonly seen: Int32Array;
  private search = 0;

  constructor(model: Model) {
    this.model = model;
    this.held = new Uint8Array(model.size);
    this.runs = new Int32Array(model.size);
    this.seen = new Int32Array(model.size);
    this.shows = new Int32Array(model.size);
  }

  /** Whether a node's value can be read as things stand. */
  has(node: number): boolean {
    const owner = this.model.owner[node];
    if (owner === OUTSIDE) return this.runs[node] > 0;
    return this.held[owner] === 1 && (owner === node || this.shows[node] === this.runs[owner]);
  }

  run(node: number): void {
    const { owner, cost } = this.model;
    if (this.runs[node]++ > 0) this.extraCost += cost[node];
    if (owner[node] === node) this.held[node] = 1;
    else if (owner[node] !== OUTSIDE) this.shows[node] = this.runs[owner[node]];
    this.order.push(node);
  }

  /** What has to run again so that these nodes' values can be read, themselves included, in order. */
  missing(nodes: readonly number[]): number[] {
    const found: number[] = [];
    const stack = [...nodes];
    this.search++;
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (this.seen[next] === this.search || this.has(next)) continue;
      this.seen[next] = this.search;
      found.push(next);
      for (const input of this.model.inputs[next]) stack.push(input);
    }
    return found.sort((a, b) => a - b);
  }

  /** Most bytes held at one time, each run's memory until its last reader: what stats() says of the graph(). */
  peak(): { bytes: number; at: number } {
    const { model, order } = this;
    const last = new Int32Array(order.length);
    // the run that made the memory which a node's latest run shows
    const made = new Int32Array(model.size).fill(OUTSIDE);
    for (const [i, node] of order.entries()) {
      for (const input of model.inputs[node]) if (made[input] !== OUTSIDE) last[made[input]] = i;
      if (model.owner[node] === node) made[node] = i;
      else if (model.owner[node] !== OUTSIDE) made[node] = made[model.inputs[node][0]];
      if (made[node] !== OUTSIDE) last[made[node]] = i;
    }
    for (const output of model.outputs) if (made[output] !== OUTSIDE) last[made[output]] = order.length;
    const ends = new Float64Array(order.length + 1);
    let live = 0;
    let bytes = 0;
    let at = 0;
    for (const [i, node] of order.entries()) {
      live += model.bytes[node];
      ends[last[i]] += model.bytes[node];
      if (live > bytes) [bytes, at] = [live, node];
      live -= ends[i];
    }
    return { bytes, at };
  }

  /** The graph in this order; nodes that run again are marked, so that no pass makes them one with the first. */
  graph(): Graph {
    const { graph } = this.model;
    const latest = new Map<GraphNode, GraphNode>();
    const made: GraphNode[] = [];
    let batch: Region | undefined;
    const ran = new Uint8Array(this.model.size);
    for (const number of this.order) {
      const node = graph.nodes[number];
      const inputs = node.inputs.map((input) => latest.get(input) ?? input);
      let next: GraphNode;
      if (ran[number] === 0) {
        next = node.on(inputs);
        batch = undefined;
      } else {
        batch ??= new Region(true);
        next = new GraphNode({ ...node, inputs, region: batch });
      }
      ran[number] = 1;
      latest.set(node, next);
      made.push(next);
    }
    return graph.with(
      made,
      graph.outputs.map((output) => latest.get(output) ?? output),
      true,
    );
  }
}
