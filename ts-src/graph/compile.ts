// A graph as a program: its ops run once on addresses that stand for memory, their kernel calls are noted, and from then on one
// call from JavaScript runs them all, over one block of memory.

import { itemBytes } from "../../bindings/dtype.js";
import { ConfigError } from "../../bindings/errors.js";
import { arithmetic } from "../../bindings/kernels.js";
import { adopt, type Claim, Storage, scope, tensorsIn } from "../../bindings/lifetime.js";
import { view } from "../../bindings/memory.js";
import { Capture, Program } from "../../bindings/program.js";
import { sameShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { withRecording } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { activeTracer, type Change } from "../../bindings/trace.js";
import { clone } from "../ops/convert.js";
import { type Key, nextKey, nextStream, replaying } from "../ops/random.js";
import type { Tree } from "../ops/tree.js";
import { eachKey, Graph, GraphNode } from "./graph.js";
import { optimise } from "./passes/optimise.js";
import { checkedRuns, measured, type Profile, type ProfileOptions } from "./profile.js";
import { traced } from "./trace.js";

/** How an output is made after a run. */
type Output =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "constant"; readonly value: Tensor }
  | { readonly kind: "block"; readonly block: number; readonly like: Tensor };

/** Results live until the second run after their own. */
const RUNS_KEPT = 2;

/** One graph with its program. */
export class Plan {
  readonly graph: Graph;
  private readonly arithmetic = arithmetic();
  private readonly program: Program;
  private readonly inputs: readonly number[];
  private readonly outputs: readonly Output[] = [];
  /** Captured addresses and bytes of the blocks that outputs lie in. */
  private readonly blocks: { readonly captured: number; readonly bytes: number }[] = [];
  private readonly keys: readonly Key[];
  private readonly changes: readonly Change[];
  private readonly results: Claim[][] = [];
  private disposed = false;

  constructor(graph: Graph) {
    this.graph = graph;
    // the program keeps the addresses of weights and other constants
    for (const { value } of graph.nodes) value?.storage.fix();
    const capture = new Capture();
    const keys: Key[] = [];
    const captured = capture.run(() =>
      withRecording(false, () => {
        const args = graph.inputs.map((node) => new Tensor(new Storage(bytesOf(node)), "input", node.dtype, node.shape));
        // the words of a key are bound anew before each run, as addresses are
        const keyOf = eachKey(() => {
          const words = { seed: capture.allocate(0), low: capture.allocate(0), high: capture.allocate(0) };
          keys.push(words);
          return words;
        });
        return { args, results: graph.evaluate(args, keyOf, capture) };
      }),
    );
    this.keys = keys;
    this.changes = graph.changes;
    const keyWords = this.keys.flatMap(({ seed, low, high }) => [seed, low, high]);
    this.inputs = captured.args.map((t) => t.storage.ptr);
    const found: Output[] = [];
    for (const [i, t] of captured.results.entries()) {
      const node = graph.outputs[i];
      const index = graph.inputs.indexOf(node);
      if (index >= 0) found.push({ kind: "input", index });
      else if (node.kind === "constant") found.push({ kind: "constant", value: t });
      else {
        // a view of an argument or of a weight has no block of its own
        const own = captured.args.some((arg) => arg.storage === t.storage) || graph.nodes.some((other) => other.value?.storage === t.storage);
        if (own)
          throw new ConfigError(
            `compile: expected results with elements of their own; got ${t.describe()}, a view of an argument or a weight; return a clone() of it`,
          );
        let block = this.blocks.findIndex((b) => b.captured === t.storage.ptr);
        if (block < 0) block = this.blocks.push({ captured: t.storage.ptr, bytes: t.storage.bytes }) - 1;
        found.push({ kind: "block", block, like: t });
      }
    }
    this.outputs = found;
    this.program = new Program(capture, [...this.inputs, ...keyWords, ...this.blocks.map((b) => b.captured)]);
  }

  /** Instructions, and bytes of the block in which everything between arguments and results lies. */
  stats(): { instructions: number; planBytes: number } {
    return { instructions: this.program.length, planBytes: this.program.planBytes };
  }

  /** Whether arguments, tensors one by one, have the shapes and dtypes of the trace. */
  fits(xs: readonly unknown[]): boolean {
    const { argumentTree } = this.graph;
    if (this.arithmetic !== arithmetic() || xs.length !== argumentTree.length) return false;
    for (let i = 0; i < xs.length; i++) {
      const [x, node] = [xs[i], argumentTree[i]];
      if (!(x instanceof Tensor) || !(node instanceof GraphNode) || x.dtype !== node.dtype || !sameShape(x.shape, node.shape)) return false;
    }
    return true;
  }

  /** Whether every change still works on the memory that it was traced on. */
  get valid(): boolean {
    return this.changes.every(({ valid }) => valid?.() ?? true);
  }

  run(args: readonly Tree[]): Tree {
    if (this.disposed) throw new ConfigError("compile: expected a plan that was not disposed; call compile() again");
    const given = this.graph.checked(args);
    return scope(() => {
      const storages = this.blocks.map(({ bytes }) => new Storage(bytes));
      this.bind(given, storages);
      for (const { before } of this.changes) before?.();
      const stopped = this.program.run();
      if (stopped >= 0) {
        // the same arguments op by op: the op that found something wrong says what
        withRecording(false, () => this.graph.run(...args));
        throw new ConfigError(`compile: instruction ${stopped} failed`);
      }
      for (const { tensors, writes } of this.changes) for (const name of writes) tensors[name].storage.version++;
      while (this.results.length >= RUNS_KEPT) for (const claim of this.results.shift() as Claim[]) claim.release("step");
      const claims: Claim[] = [];
      let next = 0;
      const result = this.graph.result(() => {
        const output = this.outputs[next++];
        if (output.kind === "input") return given[output.index];
        if (output.kind === "constant") return output.value;
        const { like } = output;
        const t = new Tensor(storages[output.block], "compile", like.dtype, like.shape, like.contiguous ? undefined : like.strides, like.offset);
        claims.push(t.claim);
        return t;
      });
      this.results.push(claims);
      return result;
    });
  }

  /** Arguments, places of results and the next random numbers of a run. */
  private bind(given: readonly Tensor[], storages: readonly Storage[]): void {
    for (const [i, t] of given.entries()) this.program.bind(this.inputs[i], (t.contiguous ? t : clone(t)).ptr);
    for (const [i, { captured }] of this.blocks.entries()) this.program.bind(captured, storages[i].ptr);
    for (const traced of this.keys) {
      const key = nextKey();
      this.program.bind(traced.seed, key.seed);
      this.program.bind(traced.low, key.low);
      this.program.bind(traced.high, key.high);
    }
  }

  /** Times the instructions. What they change, and the random numbers to come, are as before afterwards. */
  profile(args: readonly Tree[], runs: number | undefined): Profile {
    const given = this.graph.checked(args);
    const changed = new Set(this.changes.flatMap(({ tensors, writes }) => writes.map((name) => tensors[name].storage)));
    const saved = [...changed].map(({ ptr, bytes }) => ({ ptr, elements: view(ptr, bytes, "uint8").slice() }));
    return scope(() =>
      replaying(nextStream(), () => {
        const operands = given.map((t) => (t.contiguous ? t : clone(t)));
        const results = this.blocks.map(({ bytes }) => new Tensor(new Storage(bytes), "profile", "uint8", [bytes]));
        for (const t of results) adopt(t, undefined);
        const storages = results.map(({ storage }) => storage);
        return measured(this.graph, this.program, runs, (how) => {
          const started = performance.now();
          this.bind(operands, storages);
          const stopped = how();
          const ms = performance.now() - started;
          for (const { ptr, elements } of saved) view(ptr, elements.length, "uint8").set(elements);
          if (stopped >= 0) {
            const { name } = this.graph.nodes[this.program.kernels[stopped].origin];
            throw new ConfigError(`profile: expected arguments that the function takes; got some that stop ${name}; call the function with them to see why`);
          }
          return ms;
        });
      }),
    );
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const claims of this.results) for (const claim of claims) claim.release("step");
    this.program.dispose();
  }
}

function bytesOf(node: GraphNode): number {
  return node.shape.reduce((n, size) => n * size, itemBytes(node.dtype));
}

export interface Compiled<A extends readonly unknown[], R> {
  (...xs: A): R;
  /** Traces so far, plans in use, instructions and bytes of the latest. */
  stats(): { traces: number; instructions: number; planBytes: number };
  /**
   * Where the time of a call with these arguments goes, instruction by instruction. The plan runs many times, but nothing stays
   * changed: weights, an optimizer's state and the random numbers to come are as before. Throws ConfigError as a call does.
   */
  profile(args: A, options?: ProfileOptions): Profile;
  /** Gives the memory of all plans back. */
  dispose(): void;
}

const MANY_TRACES = 16;

/**
 * The same function, or a graph, as programs: one for each shape and dtype of its arguments, traced at the first call with them.
 * Results live until the second call after their own; use item(), data() or keep() to hold one for longer.
 */
export function compile<A extends readonly unknown[], R extends Tree>(f: ((...xs: A) => R) | Graph): Compiled<A, R> {
  if (typeof f !== "function" && !(f instanceof Graph)) throw new ConfigError(`compile: expected a function or a graph; got ${showValue(f)}`);
  const plans = new Map<string, Plan>();
  let latest: Plan | undefined;
  let traces = 0;
  const planFor = (xs: A): Plan => {
    if (latest?.fits(xs) && latest.valid) return latest;
    const key = signature(xs);
    let plan = plans.get(key);
    if (plan !== undefined && !plan.valid) {
      plan.dispose();
      plan = undefined;
    }
    if (plan === undefined) {
      for (const t of tensorsIn(xs)) t.alive("compile");
      // arguments that the graph does not take are no reason for a plan
      if (f instanceof Graph) f.checked(xs as unknown as readonly Tree[]);
      plan = new Plan(optimise(f instanceof Graph ? f : traced(f as unknown as (...args: Tree[]) => Tree, xs)));
      plans.set(key, plan);
      traces++;
      if (traces === MANY_TRACES)
        console.warn(`compile: a function was traced ${traces} times, each for other shapes or settings; pad its arguments to few shapes`);
    }
    latest = plan;
    return plan;
  };
  const run = (...xs: A): R => {
    // within a trace the function is part of the larger graph
    if (activeTracer() !== undefined) return (f instanceof Graph ? f.run(...(xs as unknown as Tree[])) : f(...xs)) as R;
    return planFor(xs).run(xs as unknown as readonly Tree[]) as R;
  };
  return Object.assign(run, {
    stats: () => ({ traces, instructions: 0, planBytes: 0, ...latest?.stats() }),
    profile(args: A, options: ProfileOptions = {}): Profile {
      const runs = checkedRuns(options);
      if (!Array.isArray(args)) throw new ConfigError(`profile: expected the arguments in an array; got ${showValue(args)}`);
      if (activeTracer() !== undefined) throw new ConfigError("profile: expected a call outside of a trace; got one within it");
      return planFor(args).profile(args as unknown as readonly Tree[], runs);
    },
    dispose(): void {
      for (const plan of plans.values()) plan.dispose();
      plans.clear();
      latest = undefined;
    },
  });
}

/** What a plan depends on: shapes and dtypes, and whatever in the arguments is no tensor. */
function signature(xs: readonly unknown[]): string {
  let key = arithmetic() as string;
  const visit = (value: unknown): void => {
    if (value instanceof Tensor) key += `;${value.dtype}[${value.shape}]`;
    else if (Array.isArray(value)) {
      key += "(";
      for (const item of value) visit(item);
      key += ")";
    } else if (value !== null && typeof value === "object") {
      key += "{";
      for (const [name, item] of Object.entries(value)) {
        key += `${name}:`;
        visit(item);
      }
      key += "}";
    } else key += `;${String(value)}`;
  };
  for (const x of xs) visit(x);
  return key;
}
