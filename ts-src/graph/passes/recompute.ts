// What costs about a copy is made a second time beside its later readers instead of being held between, where that lowers the
// peak and what it is made of is held there anyway. Not among the passes of optimise(): it pays time for memory.
import type { Graph } from "../graph.js";
import { largest, Model, OUTSIDE } from "../rematerialise/model.js";
import { Schedule } from "../rematerialise/schedule.js";

/** Elementwise ops at the rate of a copy, or a few times that (npm run bench -- ops). */
const CHEAP = new Set(
  "abs add alias broadcastTo clamp eq ge gt isfinite isinf isnan le leakyRelu logicalAnd logicalNot logicalOr lt maskedFill maximum minimum mul ne neg relu relu6 sign square sub to where".split(
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

interface Gap {
  readonly owner: number;
  readonly from: number;
  readonly to: number;
}

/** An order in which cheap nodes run again, as few as it takes to come within the budget, or to the lowest peak. */
export function withCheapNodes(model: Model, budgetBytes: number): Schedule {
  const live = model.live();
  const held = new Held(model);
  const cheap: number[] = [];
  for (let i = 0; i < model.size; i++) {
    if (model.owner[i] === i && model.repeatable[i] === 1 && CHEAP.has(model.graph.nodes[i].name)) cheap.push(i);
  }
  const gaps: Gap[] = [];
  for (let at = largest(live); live[at] > budgetBytes; at = largest(live)) {
    let best: Gap | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const owner of cheap) {
      const gap = held.gap(owner, at);
      const rank = model.cost[owner] / model.bytes[owner];
      if (gap !== undefined && rank < least) [least, best] = [rank, gap];
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
  private readonly uses: number[][];
  /** Per owner the uses before which it is not held. */
  private readonly opened = new Map<number, Set<number>>();

  constructor(model: Model) {
    this.model = model;
    this.uses = model.uses.map((uses) => [...uses]);
  }

  /** The time around a node in which nobody reads an owner, if it can be made again at its end. */
  gap(owner: number, at: number): Gap | undefined {
    const { model } = this;
    if (owner >= at || model.last(owner) <= at) return undefined;
    let from = owner;
    for (const to of this.uses[owner]) {
      if (to === at) return undefined;
      if (to > at) {
        const possible =
          to < model.size && this.opened.get(owner)?.has(to) !== true && model.inputs[owner].every((input) => this.holds(model.owner[input], to));
        return possible ? { owner, from, to } : undefined;
      }
      from = to;
    }
    return undefined;
  }

  open({ owner, to }: Gap): void {
    const opened = this.opened.get(owner);
    if (opened === undefined) this.opened.set(owner, new Set([to]));
    else opened.add(to);
    for (const input of this.model.inputs[owner]) {
      const source = this.model.owner[input];
      if (source === OUTSIDE) continue;
      const uses = this.uses[source];
      const place = uses.findIndex((use) => use >= to);
      if (uses[place] !== to) uses.splice(place, 0, to);
    }
  }

  /** Whether an owner is held when a node runs. */
  private holds(owner: number, at: number): boolean {
    if (owner === OUTSIDE) return true;
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
  for (let i = 0; i < model.size; i++) {
    for (const node of schedule.missing([...ends[i], ...model.inputs[i]])) schedule.run(node);
    schedule.run(i);
    for (const owner of starts[i]) schedule.held[owner] = 0;
  }
  return schedule;
}
