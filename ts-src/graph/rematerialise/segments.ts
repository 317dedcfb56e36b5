// What a chain of layers needs: the nodes before the turning point are cut into segments; at each cut the values that later
// segments read are kept, and the rest of a segment is computed again at once when the first of it is read behind the turning
// point (Chen et al. 2016, "Training deep nets with sublinear memory cost"). While a segment is held again, later ones are
// done with, so earlier ones may be larger: a budget of b values does for about b^2 / 2 layers (Griewank 1992 for one repetition).
import { largest, type Model, OUTSIDE } from "./model.js";
import { Schedule } from "./schedule.js";

/** Where the most bytes wait longest for their next reader: between forward and backward part. */
export function turningPoint(model: Model): number {
  const waiting = new Float64Array(model.size + 1);
  for (let owner = 0; owner < model.size; owner++) {
    if (model.owner[owner] !== owner) continue;
    let before = owner;
    for (const use of model.uses[owner]) {
      const end = Math.min(use, model.size - 1);
      waiting[before] += model.bytes[owner] * (end - before);
      waiting[end] -= model.bytes[owner] * (end - before);
      before = end;
    }
  }
  for (let i = 1; i < waiting.length; i++) waiting[i] += waiting[i - 1];
  return largest(waiting);
}

/** What a segmentation around one turning point needs to know, once for all of them. */
class Turn {
  readonly model: Model;
  readonly point: number;
  /** Per node its last reader up to the turning point, and its first behind it (Infinity for none). */
  readonly lastBefore: Int32Array;
  readonly firstAfter: Float64Array;
  /** Bytes held at each node of what does not wait across the turning point. */
  readonly rest: Float64Array;

  constructor(model: Model, point: number) {
    this.model = model;
    this.point = point;
    this.lastBefore = new Int32Array(model.size);
    this.firstAfter = new Float64Array(model.size).fill(Number.POSITIVE_INFINITY);
    this.rest = model.live();
    const waiting = new Float64Array(model.size + 2);
    for (let owner = 0; owner <= point; owner++) {
      if (model.owner[owner] !== owner) continue;
      this.lastBefore[owner] = owner;
      for (const use of model.uses[owner]) {
        if (use <= point) this.lastBefore[owner] = use;
        else {
          this.firstAfter[owner] = use;
          break;
        }
      }
      if (!this.waits(owner)) continue;
      waiting[owner] -= model.bytes[owner];
      waiting[model.last(owner) + 1] += model.bytes[owner];
    }
    for (let i = 1; i < waiting.length; i++) waiting[i] += waiting[i - 1];
    for (let i = 0; i < this.rest.length; i++) this.rest[i] += waiting[i];
  }

  /** Whether it is held across the turning point and can be computed again behind it. */
  waits(owner: number): boolean {
    return this.firstAfter[owner] < this.model.size && this.model.repeatable[owner] === 1;
  }
}

/**
 * The segment of each node before `end`, and which owners stay. `aim`: bytes that a segment, what is kept and what else is held
 * then may have together.
 */
function cut(turn: Turn, end: number, aim: number): { segment: Int32Array; kept: Uint8Array } {
  const { model, lastBefore, firstAfter, rest } = turn;
  const segment = new Int32Array(model.size).fill(-1);
  const kept = new Uint8Array(model.size);
  // bytes and waiting bytes that a cut behind a node adds to what is kept
  const crossing = new Float64Array(end + 1);
  const crossingWaiting = new Float64Array(end + 1);
  let keptBytes = 0;
  let start = 0;
  let count = 0;
  while (start < end) {
    let payload = 0;
    let first = Number.POSITIVE_INFINITY;
    let half = -1;
    let i = start;
    crossing.fill(0, start);
    crossingWaiting.fill(0, start);
    let open = 0;
    let openWaiting = 0;
    for (; i < end; i++) {
      if (model.owner[i] === i && kept[i] === 0) {
        const bytes = model.bytes[i];
        const waits = turn.waits(i);
        if (waits) {
          payload += bytes;
          first = Math.min(first, firstAfter[i]);
        }
        if (lastBefore[i] > i) {
          open += bytes;
          openWaiting += waits ? bytes : 0;
          if (lastBefore[i] < end) {
            crossing[lastBefore[i]] -= bytes;
            crossingWaiting[lastBefore[i]] -= waits ? bytes : 0;
          }
        }
      }
      // a value is no longer read across the cut behind its last reader
      open += crossing[i];
      openWaiting += crossingWaiting[i];
      crossing[i] = open;
      crossingWaiting[i] = openWaiting;
      const room = aim - keptBytes - (first < rest.length ? rest[first] : 0);
      if (half < 0 && payload > room / 2) half = i;
      if (payload > room && i > start) break;
    }
    let at = end;
    if (i < end) {
      // behind the node whose values are least, of these the one whose values are read behind the turning point anyway
      at = i - 1;
      for (let j = i - 2; j >= Math.max(start, half); j--) {
        const less = crossing[j] - crossing[at];
        if (less < 0 || (less === 0 && crossingWaiting[j] > crossingWaiting[at])) at = j;
      }
      at++;
    }
    for (let j = start; j < at; j++) {
      segment[j] = count;
      if (at < end && model.owner[j] === j && kept[j] === 0 && lastBefore[j] >= at) {
        kept[j] = 1;
        keptBytes += model.bytes[j];
      }
    }
    count++;
    start = at;
  }
  return { segment, kept };
}

/** Shares of the budget that a segment aims at: what runs beside it is known only when the order is made. */
const AIMS = [1, 0.96, 0.92, 0.87, 0.8, 0.7, 0.6, 0.5];

/** The cheapest order found within a budget: as few nodes as possible, counted from the first, are in segments. */
export function withSegments(model: Model, budgetBytes: number): Schedule | undefined {
  let best: Schedule | undefined;
  for (const point of new Set([turningPoint(model), Math.min(model.size - 1, largest(model.live()))])) {
    const turn = new Turn(model, point);
    const fitting = (end: number): Schedule | undefined => {
      for (const aim of AIMS) {
        const schedule = segmented(turn, end, aim * budgetBytes);
        if (schedule.peak().bytes <= budgetBytes) return schedule;
      }
      return undefined;
    };
    let [low, high] = [0, point + 1];
    let found = fitting(high);
    if (found === undefined) continue;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const schedule = fitting(middle);
      if (schedule === undefined) low = middle;
      else {
        high = middle;
        if (schedule.extraCost <= found.extraCost) found = schedule;
      }
    }
    if (best === undefined || found.extraCost < best.extraCost) best = found;
  }
  return best;
}

const LADDER = 32; // aims between the least and the whole

/** The order of the lowest peak found. */
export function lowestSegments(model: Model): Schedule {
  const live = model.live();
  const most = live[largest(live)];
  let best = segmented(new Turn(model, turningPoint(model)), 0, most);
  for (const point of new Set([turningPoint(model), Math.min(model.size - 1, largest(live))])) {
    const turn = new Turn(model, point);
    for (let i = 1; i <= LADDER; i++) {
      const schedule = segmented(turn, point + 1, most ** (i / LADDER));
      if (schedule.peak().bytes < best.peak().bytes) best = schedule;
    }
  }
  return best;
}

/** The order in which the segments before `end` are computed again and the rest is not. */
function segmented(turn: Turn, end: number, aim: number): Schedule {
  const { model, point, lastBefore } = turn;
  const { segment, kept } = cut(turn, end, aim);
  const members: number[][] = [];
  const dropped: number[][] = Array.from({ length: point + 1 }, () => []);
  for (let owner = 0; owner < end; owner++) {
    if (model.owner[owner] !== owner || kept[owner] === 1) continue;
    const waits = turn.waits(owner);
    // what is read behind the turning point and cannot be computed again stays; what is not read there is gone
    if (!waits && turn.firstAfter[owner] <= model.size) continue;
    dropped[Math.min(point, lastBefore[owner])].push(owner);
    if (!waits) continue;
    const own = members[segment[owner]];
    if (own === undefined) members[segment[owner]] = [owner];
    else own.push(owner);
  }
  const schedule = new Schedule(model);
  for (let i = 0; i < model.size; i++) {
    for (const input of model.inputs[i]) {
      if (schedule.has(input)) continue;
      const owner = model.owner[input];
      const own = owner === OUTSIDE || owner >= end ? -1 : segment[owner];
      again(schedule, [...(members[own] ?? []), input], i);
      members[own] = [];
    }
    schedule.run(i);
    if (i <= point) for (const owner of dropped[i]) schedule.held[owner] = 0;
  }
  return schedule;
}

/** Runs what is missing for these nodes again; what no later node reads of it is not held. */
function again(schedule: Schedule, nodes: readonly number[], before: number): void {
  const { model } = schedule;
  const missing = schedule.missing(nodes.filter((node) => model.owner[node] !== node || model.last(node) >= before));
  for (const node of missing) schedule.run(node);
  for (const node of missing) if (model.owner[node] === node && model.last(node) < before) schedule.held[node] = 0;
}
