// What any graph can do: the nodes run in their order within the budget; where memory is short, what is cheapest to compute
// again for its bytes and the time until it is read next goes, and comes back when it is read (Kirisame et al. 2021, "Dynamic
// tensor rematerialization": cost of the part that is gone / (bytes x staleness); here the next reader is known, so the time
// until then takes the place of the time since the last one).
import { type Model, OUTSIDE } from "./model.js";
import { Schedule } from "./schedule.js";

const MOST_RUNS = 8; // a plan that runs nodes more often than this on average is given up
const MOST_LOOKS = 1e8; // at candidates, for graphs in which everything goes and comes back

export function withEviction(model: Model, budgetBytes: number): Schedule | undefined {
  return new Eviction(model, budgetBytes).plan();
}

class Eviction {
  private readonly model: Model;
  private readonly budget: number;
  private readonly schedule: Schedule;
  /** Owners that read an owner, views seen through. */
  private readonly readers: readonly (readonly number[])[];
  private readonly sources: readonly (readonly number[])[];
  /** Owners that are held and may go. */
  private readonly candidates: number[] = [];
  private readonly place: Int32Array;
  private readonly locked: Uint8Array;
  /** Which of an owner's uses is the next. */
  private readonly next: Int32Array;
  /** The part that is gone to which an owner belongs, or -1; parts that touch are one (union-find over `parent`). */
  private readonly part: Int32Array;
  private readonly parent: number[] = [];
  private readonly partCost: number[] = [];
  private used = 0;
  private looks = 0;
  /** The node of the graph's own order that runs now. */
  private now = 0;

  constructor(model: Model, budget: number) {
    this.model = model;
    this.budget = budget;
    this.schedule = new Schedule(model);
    const readers: number[][] = Array.from({ length: model.size }, () => []);
    const sources: number[][] = Array.from({ length: model.size }, () => []);
    for (let i = 0; i < model.size; i++) {
      if (model.owner[i] !== i) continue;
      for (const input of model.inputs[i]) {
        const owner = model.owner[input];
        if (owner === OUTSIDE) continue;
        readers[owner].push(i);
        sources[i].push(owner);
      }
    }
    this.readers = readers;
    this.sources = sources;
    this.place = new Int32Array(model.size).fill(-1);
    this.locked = new Uint8Array(model.size);
    this.next = new Int32Array(model.size);
    this.part = new Int32Array(model.size).fill(-1);
  }

  plan(): Schedule | undefined {
    const { model, schedule } = this;
    for (let i = 0; i < model.size; i++) {
      this.now = i;
      for (const input of model.inputs[i]) this.lock(input, 1);
      for (const input of model.inputs[i]) if (!this.bring(input)) return undefined;
      if (!this.run(i)) return undefined;
      for (const input of model.inputs[i]) this.lock(input, -1);
      for (const input of model.inputs[i]) this.release(model.owner[input]);
      this.release(model.owner[i]);
      if (schedule.order.length > MOST_RUNS * model.size || this.looks > MOST_LOOKS) return undefined;
    }
    return schedule;
  }

  private lock(node: number, by: number): void {
    const owner = this.model.owner[node];
    if (owner !== OUTSIDE) this.locked[owner] += by;
  }

  /** Makes a node's value readable: runs what is missing, its operands locked meanwhile. */
  private bring(node: number): boolean {
    const { model, schedule } = this;
    if (schedule.has(node)) return true;
    const missing = schedule.missing([node]);
    const waits = new Map<number, number>();
    for (const m of missing) for (const input of model.inputs[m]) waits.set(input, (waits.get(input) ?? 0) + 1);
    for (const input of waits.keys()) this.lock(input, 1);
    let fits = true;
    for (const m of missing) {
      fits &&= this.run(m);
      for (const input of model.inputs[m]) {
        const left = (waits.get(input) as number) - 1;
        waits.set(input, left);
        if (left === 0) {
          this.lock(input, -1);
          this.release(model.owner[input]);
        }
      }
    }
    return fits;
  }

  private run(node: number): boolean {
    const { model, schedule } = this;
    if (model.owner[node] === node && schedule.held[node] === 0) {
      if (!this.room(model.bytes[node])) return false;
      this.used += model.bytes[node];
      if (this.part[node] >= 0) this.partCost[this.find(this.part[node])] -= model.cost[node];
      this.part[node] = -1;
      if (model.repeatable[node] === 1 && model.last(node) < model.size) this.place[node] = this.candidates.push(node) - 1;
    }
    schedule.run(node);
    return true;
  }

  /** The node of the graph's own order that reads an owner next. */
  private nextUse(owner: number): number {
    const uses = this.model.uses[owner];
    while (this.next[owner] < uses.length && uses[this.next[owner]] < this.now) this.next[owner]++;
    return uses[this.next[owner]] ?? Number.POSITIVE_INFINITY;
  }

  /** Lets go of what nobody will read or need to compute again. */
  private release(owner: number): void {
    if (owner === OUTSIDE || this.locked[owner] > 0 || this.schedule.held[owner] === 0) return;
    const uses = this.model.uses[owner];
    if ((uses.at(-1) ?? -1) > this.now) return;
    if (this.readers[owner].some((reader) => this.nextUse(reader) > this.now && this.nextUse(reader) !== Number.POSITIVE_INFINITY)) return;
    this.drop(owner);
  }

  private drop(owner: number): void {
    this.schedule.held[owner] = 0;
    this.used -= this.model.bytes[owner];
    const at = this.place[owner];
    if (at < 0) return;
    const last = this.candidates.pop() as number;
    if (last !== owner) {
      this.candidates[at] = last;
      this.place[last] = at;
    }
    this.place[owner] = -1;
  }

  private room(bytes: number): boolean {
    while (this.used + bytes > this.budget) {
      let best = -1;
      let least = Number.POSITIVE_INFINITY;
      this.looks += this.candidates.length;
      for (const owner of this.candidates) {
        if (this.locked[owner] > 0) continue;
        const rank = this.rank(owner);
        if (rank < least) [least, best] = [rank, owner];
      }
      if (best < 0) return false;
      this.evict(best);
    }
    return true;
  }

  /** Cost of computing it again, with the part that is gone around it, a byte and a node until it is read. */
  private rank(owner: number): number {
    const { model } = this;
    const uses = model.uses[owner];
    const use = this.nextUse(owner);
    let until = use;
    let needed = use !== Number.POSITIVE_INFINITY && uses.length > 0;
    if (!needed) {
      // it serves only to compute its readers again
      for (const reader of this.readers[owner]) {
        const own = this.nextUse(reader);
        if (own === Number.POSITIVE_INFINITY) continue;
        if (this.schedule.held[reader] === 0) needed = true;
        until = Math.min(until, own);
      }
      if (!needed) return 0;
    }
    let cost = model.cost[owner];
    let seen = -1;
    for (const list of [this.sources[owner], this.readers[owner]]) {
      for (const other of list) {
        if (this.part[other] < 0) continue;
        const part = this.find(this.part[other]);
        if (part !== seen) cost += this.partCost[part];
        seen = part;
      }
    }
    return cost / (model.bytes[owner] * (1 + until - this.now));
  }

  private evict(owner: number): void {
    this.drop(owner);
    const own = this.parent.push(this.parent.length) - 1;
    this.part[owner] = own;
    this.partCost.push(this.model.cost[owner]);
    for (const list of [this.sources[owner], this.readers[owner]]) {
      for (const other of list) {
        if (this.part[other] < 0) continue;
        const part = this.find(this.part[other]);
        if (part === own) continue;
        this.parent[part] = own;
        this.partCost[own] += this.partCost[part];
      }
    }
  }

  private find(part: number): number {
    let at = part;
    while (this.parent[at] !== at) {
      this.parent[at] = this.parent[this.parent[at]];
      at = this.parent[at];
    }
    return at;
  }
}
