// What costs about a copy is made a second time beside its later readers instead of being held between, where that lowers the
// peak and what it is made of is held there anyway. Not among the passes of optimise(): it pays time for memory.
import type { Graph } from "../graph.js";
import { largest, Model, OUTSIDE } from "../rematerialise/model.js";
import { Schedule } from "../rematerialise/schedule.js";

/** Elementwise ops at the rate of a copy, or a few times that (npm run bench -- ops). */
const CHEAP = new Set(
  "abs add addAdd addMul addRelu alias broadcastTo clamp eq ge gt isfinite isinf isnan le leakyRelu logicalAnd logicalNot logicalOr lt maskedFill maximum minimum mul mulAdd mulMul mulSub ne neg relu relu6 sign square sub subMul subSquare to where".split(
    " ",
  ),
);

/** Makes cheap nodes again where that lowers the peak. */
export function recompute(graph: Graph): Graph {
  const model = new Model(graph);
  const schedule = withCheapNodes(model, 0);
  const live = model.live();
  return schedule.peak().bytes < live[largest(live)] ? schedule.graph() : graph;
}

const DEPTH = 3; // cheap nodes on cheap nodes that are made again together

/** A time in which an owner need not be held. */
interface Gap {
  readonly owner: number;
  readonly from: number;
  readonly to: number;
  readonly made: Made;
}

/** What making an owner again takes: cost, bytes of what is made on the way, and the owners that are read. */
interface Made {
  readonly cost: number;
  readonly bytes: number;
  readonly sources: readonly number[];
}

/** An order in which cheap nodes run again, as few as it takes to come within the budget, or to the lowest peak. */
export function withCheapNodes(model: Model, budgetBytes: number): Schedule {
  const live = model.live();
  const cheap: number[] = [];
  for (let i = 0; i < model.size; i++) if (model.owner[i] === i && model.repeatable[i] === 1 && CHEAP.has(model.graph.nodes[i].name)) cheap.push(i);
  const held = new Held(model, cheap);
  const gaps: Gap[] = [];
  for (let at = largest(live); live[at] > budgetBytes; at = largest(live)) {
    let best: Gap | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const owner of cheap) {
      const gap = held.gap(owner, at);
      if (gap === undefined || live[gap.to] + gap.made.bytes > live[at]) continue;
      const rank = gap.made.cost / model.bytes[owner];
      if (rank < least) [least, best] = [rank, gap];
    }
    if (best === undefined) break;
    held.open(best);
    gaps.push(best);
    for (let i = best.from + 1; i < best.to; i++) live[i] -= model.bytes[best.owner];
  }
  // what was opened for a peak that another one hides
  const peak = Math.max(budgetBytes, live[largest(live)]);
  const useful = gaps.filter(({ owner, from, to }) => {
    for (let i = from + 1; i < to; i++) if (live[i] + model.bytes[owner] > peak) return true;
    for (let i = from + 1; i < to; i++) live[i] += model.bytes[owner];
    return false;
  });
  return ordered(model, useful);
}

/** From where to where owners are held. */
class Held {
  private readonly model: Model;
  private readonly cheap: ReadonlySet<number>;
  private readonly uses: number[][];
  /** Per owner the uses before which it is not held. */
  private readonly opened = new Map<number, Set<number>>();

  constructor(model: Model, cheap: readonly number[]) {
    this.model = model;
    this.cheap = new Set(cheap);
    this.uses = model.uses.map((uses) => [...uses]);
  }

  /** The time around a node in which nobody reads an owner, if it can be made again at its end. */
  gap(owner: number, at: number): Gap | undefined {
    if (owner >= at || this.model.last(owner) <= at) return undefined;
    let from = owner;
    for (const to of this.uses[owner]) {
      if (to === at) return undefined;
      if (to > at) {
        if (to >= this.model.size || this.opened.get(owner)?.has(to)) return undefined;
        const made = this.made(owner, to, DEPTH);
        return made && { owner, from, to, made };
      }
      from = to;
    }
    return undefined;
  }

  open({ owner, to, made }: Gap): void {
    const opened = this.opened.get(owner);
    if (opened === undefined) this.opened.set(owner, new Set([to]));
    else opened.add(to);
    for (const source of made.sources) {
      const uses = this.uses[source];
      const place = uses.findIndex((use) => use >= to);
      if (uses[place] !== to) uses.splice(place, 0, to);
    }
  }

  /** What it takes to make an owner again before a node; undefined if that is not cheap. */
  private made(owner: number, before: number, depth: number): Made | undefined {
    const { model } = this;
    let [cost, bytes] = [model.cost[owner], 0];
    const sources: number[] = [];
    for (const input of model.inputs[owner]) {
      const source = model.owner[input];
      if (source === OUTSIDE) continue;
      if (this.holds(source, before)) {
        sources.push(source);
        continue;
      }
      const inner = depth > 1 && this.cheap.has(source) ? this.made(source, before, depth - 1) : undefined;
      if (inner === undefined) return undefined;
      cost += inner.cost;
      bytes += inner.bytes + model.bytes[source];
      sources.push(...inner.sources);
    }
    return { cost, bytes, sources };
  }

  /** Whether an owner is held when a node runs. */
  private holds(owner: number, at: number): boolean {
    const next = this.uses[owner].find((use) => use >= at);
    return next !== undefined && (next === at || this.opened.get(owner)?.has(next) !== true);
  }
}

function ordered(model: Model, gaps: readonly Gap[]): Schedule {
  const ends: number[][] = Array.from({ length: model.size }, () => []);
  const starts: number[][] = Array.from({ length: model.size }, () => []);
  for (const { owner, from, to } of gaps) {
    starts[from].push(owner);
    ends[to].push(owner);
  }
  const schedule = new Schedule(model);
  // what nobody reads any more is made anew rather than held for longer
  for (let i = 0; i < model.size; i++) if (model.owner[i] === i) starts[Math.min(model.size - 1, model.last(i))].push(i);
  for (let i = 0; i < model.size; i++) {
    for (const node of schedule.missing([...ends[i], ...model.inputs[i]])) {
      schedule.run(node);
      if (model.last(node) < i) starts[i].push(node);
    }
    schedule.run(i);
    for (const owner of starts[i]) schedule.held[owner] = 0;
  }
  return schedule;
}
