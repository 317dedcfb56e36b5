// A plan as one flat program: the blocks that its calls use are packed into one by their lifetimes, and the executor in
// WebAssembly runs all calls by one from JavaScript.
import { LOOP } from "../build/program/instructions.js";
import { abortError, isAborted } from "./abort.js";
import { type Call, type Capture, type Instruction, type Loop, REGION, type Task } from "./capture.js";
import { callBytes, encodeCall, HEAD, isFloat, SLOT } from "./encode.js";
import { TimeoutError, WorkerError } from "./errors.js";
import type { Kernels } from "./kernels.js";
import { allocate, currentHome, settle, view, write } from "./memory.js";
import { type Build, buildNumber, kernelsOfBuild } from "./noting.js";
import { places } from "./packing.js";
import { phasesOf, type Span } from "./phases.js";
import { type Loss, loseTeam, readyTeam } from "./team.js";

/** Bytes before the moves of a loop, and bytes of a move: where its word is, bytes a round, the address of the first round, 4 unused. */
const LOOP_HEAD = 16;
const MOVE = 16;

/** Instructions that one build runs by one call, and where phases are, how several threads run them. */
interface Segment {
  readonly kernels: Kernels;
  readonly build: 0 | 1;
  readonly start: number;
  end: number;
  /** Of each phase the starts of its tasks and the end of the last. */
  table: number;
  phases: number;
}

/** Where an address goes that is known only when the program runs. */
interface Patch {
  readonly ptr: number;
  readonly offset: number;
}

/** A captured function with its memory. Inputs and outputs are bound to addresses before each run. */
export class Program {
  /** Bytes of the block that holds everything in between. */
  readonly planBytes: number;
  readonly length: number;
  /** Threads that it is divided between. */
  readonly threads: number;
  /** Kernel of each instruction, or those of a loop, and the place of the node that made it. */
  readonly kernels: readonly { readonly name: string; readonly origin: number }[];
  private readonly code: number;
  private readonly codeBytes: number;
  private readonly plan: number;
  private readonly starts: number[] = [];
  /** Runs of one build's instructions, of both parts. */
  private readonly segments: [Segment[], Segment[]] = [[], []];
  private readonly patches = new Map<number, { address: number; readonly places: Patch[] }>();
  private readonly heap = currentHome();

  /** `bound`: addresses of the captured regions that are inputs and outputs; `cut`: the instruction that begins the second part. */
  constructor(capture: Capture, bound: readonly number[], cut: number) {
    const free = new Set(bound.map((address) => Math.floor(address / REGION) - 1));
    for (const address of bound) this.patches.set(address, { address: -1, places: [] });
    const offsets = packed(capture, free);
    this.planBytes = offsets.bytes;
    this.length = capture.length;
    this.plan = allocate(this.planBytes);
    const place = (span: Span): Span => {
      const region = Math.floor(span.from / REGION) - 1;
      const moved = region < 0 || free.has(region) ? 0 : this.plan + offsets.at(region) - (region + 1) * REGION;
      return { from: span.from + moved, to: span.to + moved };
    };
    const groups = groupsOf(capture, cut, place);
    this.threads = Math.max(1, ...groups.map(({ slots }) => slots));
    const ordered = groups.flatMap(({ phases }) => phases.flat(2));
    this.kernels = ordered.map((made) => ({
      name: "body" in made ? made.body.map(({ name }) => name).join(" + ") : made.name,
      origin: made.origin,
    }));
    const tables = groups.reduce((n, { slots, phases }) => n + (slots > 1 ? phases.length * (slots + 1) * 4 : 0), 0);
    this.codeBytes = ordered.reduce((n, instruction) => n + bytesOf(capture, instruction), 0) + tables;
    this.code = allocate(this.codeBytes);
    this.encode(capture, offsets.at, groups);
    for (const [region, { table }] of capture.regions.entries()) {
      if (table !== undefined) view(this.plan + offsets.at(region), table.byteLength, "uint8").set(new Uint8Array(table));
    }
  }

  private encode(capture: Capture, offsetOf: (region: number) => number, groups: readonly Group[]): void {
    const words = view(this.code, this.codeBytes / 4, "int32") as Int32Array;
    const floats = view(this.code, Math.floor(this.codeBytes / 8), "float64") as Float64Array;
    /** Writes an address, or notes where it goes once it is known. */
    const place = (word: number, address: number): void => {
      const region = Math.floor(address / REGION) - 1;
      const offset = address - (region + 1) * REGION;
      const moving = region < 0 ? undefined : capture.regions[region].moving;
      if (region < 0) words[word] = address;
      // the loop writes it before each round
      else if (moving !== undefined) words[word] = 0;
      else {
        const patch = this.patches.get((region + 1) * REGION);
        if (patch !== undefined) patch.places.push({ ptr: this.code + 4 * word, offset });
        else words[word] = this.plan + offsetOf(region) + offset;
      }
    };
    const call = ({ name, args }: Call, at: number): void => encodeCall(words, floats, at, name, args, place);
    const loop = (instruction: Loop, at: number): void => {
      const moves = movesOf(capture, instruction);
      words.set([LOOP, bytesOf(capture, instruction), instruction.count, moves.length], at / 4);
      let inner = at + LOOP_HEAD + MOVE * moves.length;
      const starts = instruction.body.map((step) => {
        const start = inner;
        call(step, start);
        inner += bytesOf(capture, step);
        return start;
      });
      // the first address stands apart from the word that moves: a thread that is lost within a loop leaves that one anywhere
      for (const [i, { step, arg, bytes, from }] of moves.entries()) {
        const word = (at + LOOP_HEAD + MOVE * i) / 4;
        words.set([starts[step] + HEAD + SLOT * arg - at, bytes], word);
        place(word + 2, from);
      }
    };
    let at = 0;
    // tables after all instructions, which are whole multiples of 8 bytes
    let table = groups.reduce((n, { phases }) => phases.flat(2).reduce((m, instruction) => m + bytesOf(capture, instruction), n), 0);
    for (const { build, part, slots, phases } of groups) {
      const segment: Segment = { kernels: kernelsOfBuild(build), build: buildNumber(build), start: this.code + at, end: 0, table: 0, phases: 0 };
      this.segments[part].push(segment);
      if (slots > 1) [segment.table, segment.phases] = [this.code + table, phases.length];
      for (const tasks of phases) {
        for (const instructions of tasks) {
          if (slots > 1) {
            words[table / 4] = this.code + at;
            table += 4;
          }
          for (const instruction of instructions) {
            this.starts.push(this.code + at);
            if ("body" in instruction) loop(instruction, at);
            else call(instruction, at);
            at += bytesOf(capture, instruction);
          }
        }
        if (slots > 1) {
          words[table / 4] = this.code + at;
          table += 4;
        }
      }
      segment.end = this.code + at;
    }
  }

  /** Gives an input or output of the capture the address that it has in the next run. */
  bind(captured: number, address: number): void {
    const patch = this.patches.get(captured);
    if (patch === undefined || patch.address === address) return;
    patch.address = address;
    for (let i = 0; i < patch.places.length; i++) write(patch.places[i].ptr, "int32", address + patch.places[i].offset);
  }

  /**
   * Runs the instructions of a part; answers -1, or the number of the one whose kernel found something wrong. `again`: nothing from
   * before is changed, so what a lost thread leaves undone is done over. Throws WorkerError, TimeoutError, AbortError.
   */
  run(part: 0 | 1, again: boolean): number {
    settle();
    const segments = this.segments[part];
    const team = this.threads > 1 ? readyTeam() : undefined;
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i];
      const { kernels, build, start, end, table, phases } = segment;
      const led = team !== undefined && phases > 0 && team.threads === this.threads;
      const stopped = led ? team.lead(kernels, build, table, phases) : kernels.run(start, end) >>> 0;
      if (stopped === 0) continue;
      if (typeof stopped === "number") return this.stoppedAt(stopped);
      this.lost(stopped, again);
      return this.run(part, again);
    }
    return -1;
  }

  private stoppedAt(pc: number): number {
    if (isAborted()) throw abortError("compile", this.nameOf(pc));
    return this.starts.indexOf(pc);
  }

  /** Ends the threads after one of them was lost. Throws WorkerError or TimeoutError unless all can be done over, which a trap would end too. */
  private lost({ pc, reason }: Loss, again: boolean): void {
    const what = `${reason === "gone" ? "a worker thread ended" : reason === "late" ? "a worker thread did not answer" : "a kernel trapped"} in ${this.nameOf(pc)}`;
    if (reason !== "trapped") loseTeam(what);
    if (again && reason !== "trapped") return;
    const advice = again ? "nothing was changed" : "what it changes may be half written; go on from a checkpoint";
    throw new (reason === "late" ? TimeoutError : WorkerError)(`compile: expected a step that runs to its end; ${what}; ${advice}`);
  }

  /** The instruction at an address. */
  private nameOf(pc: number): string {
    const at = this.starts.indexOf(pc);
    return at < 0 ? "a step" : `instruction ${at}, ${this.kernels[at].name}`;
  }

  /** Runs both parts on one thread; answers as run() does. */
  runWhole(): number {
    settle();
    for (const { kernels, start, end } of this.segments.flat()) {
      const stopped = kernels.run(start, end) >>> 0;
      if (stopped !== 0) return this.stoppedAt(stopped);
    }
    return -1;
  }

  /** Runs instruction by instruction; `times` takes the clock's ms before the first and after each. Answers as run() does. */
  runTimed(times: Float64Array): number {
    settle();
    let i = 0;
    times[0] = performance.now();
    for (const { kernels, end } of this.segments.flat()) {
      for (; i < this.length && this.starts[i] < end; i++) {
        if (kernels.run(this.starts[i], this.starts[i + 1] ?? end) !== 0) return this.stoppedAt(this.starts[i]);
        times[i + 1] = performance.now();
      }
    }
    return -1;
  }

  /** The same calls of WebAssembly and of the clock without instructions: what runTimed() adds to each. */
  runEmpty(times: Float64Array): void {
    times[0] = performance.now();
    for (const { kernels, start } of this.segments.flat()) {
      for (let i = 1; i < times.length; i++) {
        kernels.run(start, start);
        times[i] = performance.now();
      }
    }
  }

  dispose(): void {
    this.heap.release(this.code, this.codeBytes);
    this.heap.release(this.plan, this.planBytes);
  }
}

/** Steps of one build and part, in phases of tasks. */
interface Group {
  readonly build: Build;
  readonly part: 0 | 1;
  /** Tasks of a phase. */
  readonly slots: number;
  readonly phases: Instruction[][][];
}

function buildsOf(instructions: readonly Instruction[]): Build[] {
  return instructions.map((instruction) => ("body" in instruction ? instruction.body[0].build : instruction.build));
}

/**
 * Tasks that call kernels of both builds as steps of one build each: parts that are alike, such as copies and then products, stay beside
 * each other, others come one after the other. What each reads and writes is not known by itself: it counts as all that the whole does.
 */
function inRuns(tasks: readonly Task[]): (readonly Task[])[] {
  const runs = tasks.map(({ instructions }) => {
    const made: Instruction[][] = [];
    for (const [i, build] of buildsOf(instructions).entries()) {
      if (i > 0 && build === buildsOf(made[made.length - 1])[0]) made[made.length - 1].push(instructions[i]);
      else made.push([instructions[i]]);
    }
    return made;
  });
  const orders = runs.map((made) => made.map((run) => buildsOf(run)[0]).join());
  if (orders.every((order) => order === orders[0])) return runs[0].map((_, i) => tasks.map((task, slot) => ({ ...task, instructions: runs[slot][i] })));
  const whole = { reads: tasks.flatMap(({ reads }) => reads), writes: tasks.flatMap(({ writes }) => writes) };
  return runs.flat().map((instructions) => [{ ...whole, instructions }]);
}

/** The steps of a capture as groups; `place` tells where a span will lie. */
function groupsOf(capture: Capture, cut: number, place: (span: Span) => Span): Group[] {
  const groups: { build: Build; part: 0 | 1; steps: (readonly Task[])[] }[] = [];
  for (const { tasks, first } of capture.steps) {
    const part = first < cut ? 0 : 1;
    const all = tasks.flatMap(({ instructions }) => instructions);
    const builds = buildsOf(all);
    const mixed = builds.some((build) => build !== builds[0]);
    for (const step of mixed ? inRuns(tasks) : [tasks]) {
      const build = buildsOf(step.flatMap(({ instructions }) => instructions))[0] ?? "f32";
      const last = groups[groups.length - 1];
      if (last?.build === build && last.part === part) last.steps.push(step);
      else groups.push({ build, part, steps: [step] });
    }
  }
  return groups.map(({ build, part, steps }) => {
    const slots = Math.max(1, ...steps.map((tasks) => tasks.length));
    if (slots === 1) return { build, part, slots, phases: [[steps.flatMap(([{ instructions }]) => instructions)]] };
    const phases: Instruction[][][] = [];
    const placed = steps.map((tasks) => tasks.map(({ reads, writes }) => ({ reads: reads.map(place), writes: writes.map(place) })));
    for (const [i, phase] of phasesOf(placed).entries()) {
      phases[phase] ??= Array.from({ length: slots }, () => []);
      for (const [slot, { instructions }] of steps[i].entries()) phases[phase][slot].push(...instructions);
    }
    return { build, part, slots, phases };
  });
}

/** The arguments of a loop's body that move: number of the call, number of the argument, bytes a round, address in the first. */
function movesOf(capture: Capture, { body }: Loop): { step: number; arg: number; bytes: number; from: number }[] {
  return body.flatMap(({ name, args }, step) =>
    args.flatMap((address, arg) => {
      const moving = address < REGION || isFloat(name, arg) ? undefined : capture.regions[Math.floor(address / REGION) - 1].moving;
      return moving === undefined ? [] : [{ step, arg, bytes: moving.stepBytes, from: moving.ptr + (address % REGION) }];
    }),
  );
}

/** Bytes of an instruction in the program. */
function bytesOf(capture: Capture, instruction: Instruction): number {
  if (!("body" in instruction)) return callBytes(instruction.args);
  return instruction.body.reduce((n, call) => n + bytesOf(capture, call), LOOP_HEAD + MOVE * movesOf(capture, instruction).length);
}

/** Offsets in one block, so that regions overlap only where their lifetimes do not. */
function packed(capture: Capture, free: ReadonlySet<number>): { bytes: number; at: (region: number) => number } {
  const from = new Array<number>(capture.regions.length).fill(0);
  const to = new Array<number>(capture.regions.length).fill(Number.POSITIVE_INFINITY);
  for (const [time, { region, dies }] of capture.events.entries()) (dies ? to : from)[region] = time;
  const { bytes, starts } = places(
    capture.regions.map((region, i) => {
      // tables are written once, so nothing else may ever lie there
      if (region.table !== undefined) return { bytes: region.bytes, from: 0, to: Number.POSITIVE_INFINITY };
      return { bytes: free.has(i) ? 0 : region.bytes, from: from[i], to: to[i] };
    }),
  );
  return { bytes, at: (region) => starts[region] };
}
