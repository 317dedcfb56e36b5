// A graph as a program: its ops run once on addresses that stand for memory, their kernel calls are noted, and from then on one
// call from JavaScript runs them all, over one block of memory.

import { Capture } from "../../bindings/capture.js";
import { itemBytes } from "../../bindings/dtype.js";
import { ConfigError } from "../../bindings/errors.js";
import { arithmetic } from "../../bindings/kernels.js";
import { adopt, Claim, held, Storage, scope } from "../../bindings/lifetime.js";
import { view } from "../../bindings/memory.js";
import { Program } from "../../bindings/program.js";
import { sameShape } from "../../bindings/shape.js";
import { withRecording } from "../../bindings/tape.js";
import { threadsInUse } from "../../bindings/team.js";
import { Tensor } from "../../bindings/tensor.js";
import { type Change, Journal, Untraceable } from "../../bindings/trace.js";
import { clone } from "../ops/convert.js";
import { noGrad } from "../ops/derivatives.js";
import { type Key, nextKey, nextStreams, replaying } from "../ops/random.js";
import type { Tree } from "../ops/tree.js";
import { eachKey, type Graph, GraphNode } from "./graph.js";
import { measured, type Profile } from "./profile.js";

/** How an output is made after a run. */
type Output =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "constant"; readonly value: Tensor; readonly fixed: boolean }
  | { readonly kind: "block"; readonly block: number; readonly claim: number; readonly like: Tensor };

/** Results live until the second run after their own. */
const RUNS_KEPT = 2;

/** One graph with its program. */
export class Plan {
  readonly graph: Graph;
  private readonly owned: readonly Tensor[];
  private readonly leaves: ReadonlyMap<Tensor, boolean>;
  private readonly wanted: readonly Tensor[];
  /** Of what ops read that are made of ops unseen by the graph. */
  private readonly reached: readonly Claim[];
  private readonly arithmetic = arithmetic();
  private readonly threads = threadsInUse();
  private readonly program: Program;
  private readonly inputs: readonly number[];
  private readonly outputs: readonly Output[] = [];
  /** Captured addresses and bytes of the blocks that outputs lie in. */
  private readonly blocks: { readonly captured: number; readonly bytes: number }[] = [];
  private readonly keys: readonly Key[];
  private readonly changes: readonly Change[];
  /** Those that come before the last result. */
  private readonly early: readonly Change[];
  private readonly written: readonly Storage[];
  /** Memory that the function changes or differentiates by: no argument may lie in it. */
  private readonly alone: ReadonlySet<Storage>;
  /** What JavaScript does before the changes, once each. */
  private readonly befores: readonly (() => void)[];
  private readonly storages: Storage[] = [];
  /** Claims of the results of the last runs, in turn. */
  private readonly results: readonly Claim[][] = Array.from({ length: RUNS_KEPT + 1 }, () => []);
  private turn = 0;
  private disposed = false;

  /** `owned`: constants that go with the plan; `leaves`: tensors from outside, and whether they wanted gradients. */
  constructor(graph: Graph, owned: readonly Tensor[], leaves: ReadonlyMap<Tensor, boolean> = new Map()) {
    this.graph = graph;
    this.owned = owned;
    this.leaves = leaves;
    this.wanted = [...leaves.keys()];
    const capture = new Capture();
    const last = Math.max(-1, ...graph.outputs.map((node) => (node.kind === "op" ? graph.nodes.indexOf(node) : -1)));
    this.early = graph.nodes.slice(0, last + 1).flatMap((node) => node.change ?? []);
    let cut = Number.POSITIVE_INFINITY;
    // the program keeps the addresses of weights and other constants
    for (const { value } of graph.nodes) value?.storage.fix();
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
        const changing = (change: Change): void => {
          if (!this.early.includes(change)) cut = Math.min(cut, capture.length);
        };
        return { args, results: graph.evaluate(args, keyOf, { capture, changing }) };
      }),
    );
    this.keys = keys;
    this.reached = [...capture.reached].map((storage) => {
      storage.fix();
      return new Claim(storage);
    });
    this.changes = graph.changes;
    this.befores = [...new Set(this.changes.flatMap(({ before }) => before ?? []))];
    this.written = [...graph.written];
    this.alone = new Set([...this.written, ...this.wanted.filter((t) => t.requiresGrad).map((t) => t.storage)]);
    const keyWords = this.keys.flatMap(({ seed, low, high }) => [seed, low, high]);
    this.inputs = captured.args.map((t) => t.storage.ptr);
    const found: Output[] = [];
    let claims = 0;
    for (const [i, t] of captured.results.entries()) {
      const node = graph.outputs[i];
      const index = graph.inputs.indexOf(node);
      if (index >= 0) found.push({ kind: "input", index });
      else if (node.kind === "constant") found.push({ kind: "constant", value: t, fixed: node.fixed });
      else {
        // a view of an argument or of a weight has no block of its own
        const own = captured.args.some((arg) => arg.storage === t.storage) || graph.nodes.some((other) => other.value?.storage === t.storage);
        if (own)
          throw new Untraceable(
            `compile: expected results with elements of their own; got ${t.describe()}, a view of an argument or a weight; return a clone() of it`,
          );
        let block = this.blocks.findIndex((b) => b.captured === t.storage.ptr);
        if (block < 0) block = this.blocks.push({ captured: t.storage.ptr, bytes: t.storage.bytes }) - 1;
        found.push({ kind: "block", block, claim: claims++, like: t });
      }
    }
    this.outputs = found;
    this.program = new Program(capture, [...this.inputs, ...keyWords, ...this.blocks.map((b) => b.captured)], cut);
  }

  /** Instructions, and bytes of the block in which everything between arguments and results lies. */
  stats(): { instructions: number; planBytes: number } {
    return { instructions: this.program.length, planBytes: this.program.planBytes };
  }

  /** Whether arguments are live tensors, one by one, of the shapes and dtypes of the trace. */
  fits(xs: readonly unknown[]): xs is readonly Tensor[] {
    const { argumentTree } = this.graph;
    if (this.arithmetic !== arithmetic() || this.threads !== threadsInUse() || xs.length !== argumentTree.length) return false;
    for (let i = 0; i < xs.length; i++) {
      const [x, node] = [xs[i], argumentTree[i]];
      if (!(x instanceof Tensor) || x.disposed || !(node instanceof GraphNode) || x.dtype !== node.dtype || !sameShape(x.shape, node.shape)) return false;
    }
    return true;
  }

  /** Whether every change still works on the memory that it was traced on. */
  get valid(): boolean {
    for (let i = 0; i < this.changes.length; i++) if (this.changes[i].valid?.() === false) return false;
    for (let i = 0; i < this.wanted.length; i++) if (this.wanted[i].requiresGrad !== this.leaves.get(this.wanted[i])) return false;
    return true;
  }

  /**
   * Runs the program on tensors, one for each input of the graph. `judge` sees the result before memory is changed, and if it
   * throws, none is.
   */
  run(given: readonly Tensor[], judge?: (result: Tree) => void): Tree {
    if (this.disposed) throw new ConfigError("compile: expected a plan that was not disposed; call compile() again");
    let copies: Tensor[] | undefined;
    try {
      for (let i = 0; i < given.length; i++) {
        if (this.alone.has(given[i].storage)) throw aliased(given[i]);
        let t = given[i];
        if (!t.contiguous) {
          copies ??= [];
          t = noGrad(() => clone(given[i]));
          copies.push(t);
        }
        this.program.bind(this.inputs[i], t.ptr);
      }
      return this.runBound(given, judge);
    } finally {
      if (copies !== undefined) for (const copy of copies) copy.dispose();
    }
  }

  // this is all the JavaScript of a compiled step, so it allocates what it answers and little else, no iterators for one:
  // `npm run bench -- mlp` counts bytes
  private runBound(given: readonly Tensor[], judge: ((result: Tree) => void) | undefined): Tree {
    for (let i = 0; i < this.written.length; i++) this.written[i].own();
    for (let i = 0; i < this.blocks.length; i++) {
      this.storages[i] = new Storage(this.blocks[i].bytes);
      this.program.bind(this.blocks[i].captured, this.storages[i].ptr);
    }
    this.bindKeys();
    const result = this.made(given);
    const journal = judge !== undefined && this.early.length > 0 ? new Journal() : undefined;
    try {
      for (let i = 0; i < this.early.length; i++) {
        this.early[i].before?.();
        journal?.note(this.early[i]);
      }
      this.runPart(0, given);
      judge?.(result);
    } catch (error) {
      journal?.restore();
      throw error;
    } finally {
      this.releaseOldest();
    }
    for (let i = 0; i < this.befores.length; i++) this.befores[i]();
    this.runPart(1, given);
    for (let i = 0; i < this.written.length; i++) this.written[i].version++;
    return result;
  }

  /** The next random numbers. */
  private bindKeys(): void {
    for (let i = 0; i < this.keys.length; i++) {
      const traced = this.keys[i];
      const key = nextKey();
      this.program.bind(traced.seed, key.seed);
      this.program.bind(traced.low, key.low);
      this.program.bind(traced.high, key.high);
    }
  }

  /** Ends a run: the next one's results take the place of the oldest. */
  private releaseOldest(): void {
    this.turn = (this.turn + 1) % this.results.length;
    const claims = this.results[this.turn];
    for (let i = 0; i < claims.length; i++) claims[i].release("step");
  }

  /** The result of the run that begins, over the storages that it will write to. */
  private made(given: readonly Tensor[]): Tree {
    if (this.graph.resultTree instanceof GraphNode) return this.output(0, given);
    let next = 0;
    return this.graph.result(() => this.output(next++, given));
  }

  private output(i: number, given: readonly Tensor[]): Tensor {
    const output = this.outputs[i];
    if (output.kind === "input") return given[output.index];
    if (output.kind === "constant") return output.fixed ? noGrad(() => clone(output.value)) : held(output.value);
    const { dtype, shape, strides, offset } = output.like;
    const t = new Tensor(this.storages[output.block], "compile", dtype, shape, strides, offset);
    this.results[this.turn][output.claim] = t.claim;
    return t;
  }

  private runPart(part: 0 | 1, given: readonly Tensor[]): void {
    // the first part of a step changes nothing from before, unless a change comes early
    const stopped = this.program.run(part, part === 0 && this.early.length === 0);
    if (stopped < 0) return;
    // the same arguments op by op: the op that found something wrong says what
    const journal = new Journal();
    for (const change of this.changes) journal.note(change);
    try {
      withRecording(false, () => scope(() => void this.graph.evaluate(given, eachKey(nextKey))));
    } finally {
      journal.restore(); // this run was only to say so
    }
    throw new ConfigError(`compile: instruction ${stopped} failed`);
  }

  /** Times the instructions. What they change, and the random numbers to come, are as before afterwards. */
  profile(args: readonly Tree[], runs: number | undefined): Profile {
    const given = this.graph.checked(args);
    const saved = this.written.map(({ ptr, bytes }) => ({ ptr, elements: view(ptr, bytes, "uint8").slice() }));
    return scope(() =>
      replaying(nextStreams(), () => {
        const operands = given.map((t) => (t.contiguous ? t : clone(t)));
        const results = this.blocks.map(({ bytes }) => new Tensor(new Storage(bytes), "profile", "uint8", [bytes]));
        for (const t of results) adopt(t, undefined);
        const storages = results.map(({ storage }) => storage);
        return measured(this.graph, this.program, runs, (how) => {
          const started = performance.now();
          for (const [i, t] of operands.entries()) this.program.bind(this.inputs[i], t.ptr);
          for (const [i, { captured }] of this.blocks.entries()) this.program.bind(captured, storages[i].ptr);
          this.bindKeys();
          let stopped = -1;
          let ms = 0;
          try {
            stopped = how();
            ms = performance.now() - started;
          } finally {
            for (const { ptr, elements } of saved) view(ptr, elements.length, "uint8").set(elements);
          }
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
    for (const constant of this.owned) constant.dispose();
    for (const claim of this.reached) claim.release("dispose");
    this.program.dispose();
  }
}

function aliased(t: Tensor): ConfigError {
  return new ConfigError(
    `compile: expected arguments apart from the weights and other tensors that the function changes or differentiates by; got ${t.describe()}, which is one of them; leave it out, or pass a clone()`,
  );
}

function bytesOf(node: GraphNode): number {
  return node.shape.reduce((n, size) => n * size, itemBytes(node.dtype));
}
