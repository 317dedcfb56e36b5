// Where the time of a plan goes: each instruction is timed by itself in whole runs, so one that changes its operands is timed right.

import { ConfigError } from "../../bindings/errors.js";
import type { Program } from "../../bindings/program.js";
import { type Shape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { checkedOptions } from "../ops/checks.js";
import type { Graph, GraphNode } from "./graph.js";
import { names } from "./listing.js";
import { nodeCost } from "./stats.js";

export interface ProfileOptions {
  /** How often the plan runs; else as often as fits in a second, from 3 to 100 times. */
  runs?: number;
}

/** What a node is for: the function itself, its derivative, or a change of memory. */
export type Phase = "forward" | "derivative" | "update";

/** Times are microseconds, of all runs the median. */
export interface ProfiledInstruction {
  /** Its place in the plan. */
  readonly index: number;
  readonly kernel: string;
  readonly op: string;
  /** The graph's node that made it, as graph.toString() calls it. */
  readonly node: string;
  readonly phase: Phase;
  readonly shapes: { readonly inputs: readonly Shape[]; readonly output: Shape };
  readonly us: number;
  readonly bestUs: number;
  /** Of the time of all instructions, from 0 to 1. */
  readonly share: number;
  /** Floating-point operations and bytes read and written, of the node if this is its longest instruction. */
  readonly flops?: number;
  readonly bytes?: number;
}

/** Instructions of one kernel, or of one op. */
export interface ProfiledGroup {
  readonly name: string;
  readonly calls: number;
  readonly us: number;
  readonly share: number;
  readonly flops: number;
  readonly bytes: number;
}

const BUDGET_MS = 1000;
const FEWEST = 3;
const MOST = 100;
/** Above this a clock is too coarse for single instructions, as in a browser: then the mean counts, whose error shrinks with the runs. */
const COARSE_US = 1;
const ROWS = 25; // of the table

export function phaseOf(node: GraphNode): Phase {
  return node.kind === "change" ? "update" : node.derivative ? "derivative" : "forward";
}

export function checkedRuns(options: ProfileOptions): number | undefined {
  const { runs } = checkedOptions("profile", options, ["runs"]);
  if (runs !== undefined && !(Number.isInteger(runs) && runs >= 1))
    throw new ConfigError(`profile: expected runs, a whole number >= 1; got ${typeof runs === "number" ? runs : showValue(runs)}`);
  return runs;
}

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function mean(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** The smallest step of the clock, us. */
function resolution(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const from = performance.now();
    let to = from;
    while (to === from) to = performance.now();
    least = Math.min(least, 1000 * (to - from));
  }
  return least;
}

/** Runs a plan, by `run`, which binds its arguments, times one execution in ms and undoes what it changed. */
export function measured(graph: Graph, program: Program, runs: number | undefined, run: (how: () => number) => number): Profile {
  const coarse = resolution() > COARSE_US;
  const middle = coarse ? mean : median;
  const count = program.length;
  const rounds: Float64Array[] = [];
  const whole: number[] = [];
  const started = performance.now();
  // one round apart: pages are touched and code is compiled in it
  for (let round = -1; runs === undefined ? round < FEWEST || (round < MOST && performance.now() - started < BUDGET_MS) : round < runs; round++) {
    const times = new Float64Array(count + 1);
    const ms = run(() => program.runWhole());
    run(() => program.runTimed(times));
    if (round < 0) continue;
    whole.push(1000 * ms);
    rounds.push(times);
  }
  const empty = new Float64Array(1001);
  program.runEmpty(empty);
  const clockUs = middle(empty.subarray(1).map((time, i) => 1000 * (time - empty[i])));
  const samples = Array.from({ length: count }, (_, i) => Float64Array.from(rounds, (times) => 1000 * (times[i + 1] - times[i])));
  const us = samples.map((values) => Math.max(0, middle(values) - clockUs));
  const best = samples.map((values) => Math.max(0, values.reduce((a, b) => Math.min(a, b)) - clockUs));
  const totalUs = middle(Float64Array.from(whole));
  // the run whose length is in the middle tells the order in time
  const lengths = rounds.map((times) => times[count] - times[0]);
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[a] - lengths[b]);
  return new Profile({ graph, kernels: program.kernels, us, best, totalUs, timeline: rounds[order[order.length >> 1]], runs: rounds.length });
}

function shared(cost: { flops: number; bytes: number } | undefined, calls: number): { flops: number; bytes: number } | undefined {
  return cost && { flops: cost.flops / calls, bytes: cost.bytes / calls };
}

export class Profile {
  /** In the order of the plan. */
  readonly instructions: readonly ProfiledInstruction[];
  /** Sums by kernel and by op, slowest first. */
  readonly kernels: readonly ProfiledGroup[];
  readonly ops: readonly ProfiledGroup[];
  /** One run of the plan: binding its arguments, and all instructions by one call. */
  readonly totalUs: number;
  /** What `totalUs` has beyond the sum of the instructions; 0 where that is within the noise. */
  readonly overheadUs: number;
  readonly runs: number;
  private readonly timeline: Float64Array;

  constructor(parts: {
    graph: Graph;
    kernels: readonly { readonly name: string; readonly origin: number }[];
    us: readonly number[];
    best: readonly number[];
    totalUs: number;
    timeline: Float64Array;
    runs: number;
  }) {
    const { graph, kernels, us, best } = parts;
    const sum = us.reduce((a, b) => a + b, 0);
    const called = names(graph);
    // the cost of a node stands at the kernel that takes longest for it, in equal parts at its calls
    const times = new Map<number, Map<string, { us: number; calls: number }>>();
    for (const [i, { origin, name }] of kernels.entries()) {
      const own = times.get(origin) ?? new Map<string, { us: number; calls: number }>();
      times.set(origin, own);
      const { us: before, calls } = own.get(name) ?? { us: 0, calls: 0 };
      own.set(name, { us: before + us[i], calls: calls + 1 });
    }
    const main = new Map<number, { name: string; calls: number }>();
    for (const [origin, own] of times) {
      const [[name, { calls }]] = [...own].sort(([, p], [, q]) => q.us - p.us);
      main.set(origin, { name, calls });
    }
    this.instructions = kernels.map(({ name, origin }, index) => {
      const node = graph.nodes[origin];
      return {
        index,
        kernel: name,
        op: node.name,
        node: called.get(node) as string,
        phase: phaseOf(node),
        shapes: { inputs: node.inputs.map(({ shape }) => shape), output: node.shape },
        us: us[index],
        bestUs: best[index],
        share: sum === 0 ? 0 : us[index] / sum,
        ...(main.get(origin)?.name === name && shared(nodeCost(node), main.get(origin)?.calls ?? 1)),
      };
    });
    this.kernels = grouped(this.instructions, ({ kernel }) => kernel);
    this.ops = grouped(this.instructions, ({ op }) => op);
    this.totalUs = parts.totalUs;
    this.overheadUs = Math.max(0, parts.totalUs - sum);
    this.runs = parts.runs;
    this.timeline = parts.timeline;
  }

  /** Tables: the instructions, slowest first, and the sums by kernel. */
  toString(): string {
    const rows = [...this.instructions].sort((a, b) => b.us - a.us);
    const shown = rows.slice(0, ROWS);
    const left = rows.slice(ROWS);
    const instructions = table(
      ["us", "share", "GFLOP/s", "GB/s", "kernel", "op", "node", "shapes"],
      [
        ...shown.map((row) => [...figures(row), row.kernel, row.op, row.node, shapesOf(row)]),
        ...(left.length > 0 ? [[...figures({ us: total(left, "us"), share: total(left, "share") }), `${left.length} more`, "", "", ""]] : []),
      ],
      4,
    );
    const kernels = table(
      ["us", "share", "GFLOP/s", "GB/s", "calls", "kernel"],
      this.kernels.map((row) => [...figures(row), String(row.calls), row.name]),
      5,
    );
    const head = `plan of ${this.instructions.length} instructions, ${this.totalUs.toFixed(1)} us a run, of which ${this.overheadUs.toFixed(1)} us lie outside of kernels; ${this.runs} runs, one instruction after another on one thread`;
    return [head, "", ...instructions, "", ...kernels].join("\n");
  }

  /** One run in Chrome's Trace Event Format, a JSON text: saved as a file it opens in Perfetto and chrome://tracing. */
  toChromeTrace(): string {
    const from = this.timeline[0];
    // us, to the nanosecond
    const at = (i: number): number => Math.round(1e6 * (this.timeline[i] - from)) / 1000;
    const slice = (name: string, category: string, first: number, behind: number, args: object): object => ({
      name,
      cat: category,
      ph: "X",
      ts: at(first),
      dur: Math.round(1000 * (at(behind) - at(first))) / 1000,
      pid: 1,
      tid: 1,
      args,
    });
    const events: object[] = [
      { name: "process_name", ph: "M", pid: 1, tid: 1, args: { name: "tapir" } },
      { name: "thread_name", ph: "M", pid: 1, tid: 1, args: { name: "plan" } },
    ];
    const list = this.instructions;
    for (let first = 0; first < list.length; ) {
      let behind = first + 1;
      while (behind < list.length && list[behind].node === list[first].node) behind++;
      const { op, phase, node, shapes } = list[first];
      events.push(slice(op, phase, first, behind, { node, phase, shapes: shapesOf(list[first]), output: shapes.output }));
      for (; first < behind; first++) {
        const { kernel, us, flops, bytes } = list[first];
        events.push(slice(kernel, "kernel", first, first + 1, { instruction: first, medianUs: us, flops, bytes }));
      }
    }
    return JSON.stringify({ traceEvents: events, displayTimeUnit: "ns" });
  }
}

function total<K extends "us" | "share">(rows: readonly { readonly [key in K]: number }[], key: K): number {
  return rows.reduce((n, row) => n + row[key], 0);
}

function grouped(rows: readonly ProfiledInstruction[], key: (row: ProfiledInstruction) => string): ProfiledGroup[] {
  const found = new Map<string, { name: string; calls: number; us: number; share: number; flops: number; bytes: number }>();
  for (const row of rows) {
    const name = key(row);
    const group = found.get(name) ?? { name, calls: 0, us: 0, share: 0, flops: 0, bytes: 0 };
    group.calls++;
    group.us += row.us;
    group.share += row.share;
    group.flops += row.flops ?? 0;
    group.bytes += row.bytes ?? 0;
    found.set(name, group);
  }
  return [...found.values()].sort((a, b) => b.us - a.us);
}

function shapesOf({ shapes, phase }: ProfiledInstruction): string {
  // an optimizer's state has the shape of what it changes
  if (phase === "update") return showShape(shapes.output);
  return `${shapes.inputs.map(showShape).join(" ")} -> ${showShape(shapes.output)}`;
}

/** Time, share and rates; a rate is left out where it says nothing. */
function figures(row: { us: number; share: number; flops?: number; bytes?: number }): string[] {
  const rate = (amount: number | undefined): string => (amount === undefined || amount === 0 || row.us === 0 ? "" : (amount / row.us / 1000).toFixed(1));
  return [row.us.toFixed(2), `${(100 * row.share).toFixed(1)} %`, rate(row.flops), rate(row.bytes)];
}

/** Aligned columns: the first `numbers` to the right, the others to the left. */
function table(head: readonly string[], rows: readonly (readonly string[])[], numbers: number): string[] {
  const lines = [head, ...rows];
  const widths = head.map((_, j) => Math.max(...lines.map((line) => line[j].length)));
  return lines.map((line) =>
    line
      .map((cell, j) => (j < numbers ? cell.padStart(widths[j]) : cell.padEnd(widths[j])))
      .join("  ")
      .trimEnd(),
  );
}
