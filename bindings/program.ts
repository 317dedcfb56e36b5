// A plan as one flat program: what a function calls on kernels is noted instead of done, the blocks that it allocates are
// packed into one by their lifetimes, and the executor in WebAssembly runs all calls by one from JavaScript.
// An instruction: number of the kernel, bytes of the instruction (int32 each), then 8 bytes an argument, integers in the first 4.
import { LOOP, signatures } from "../build/program/instructions.js";
import { arrayOf, type DType, type TypedArray } from "./dtype.js";
import { type Kernels, kernelsThatRun, withKernels } from "./kernels.js";
import { type Storage, withReached } from "./lifetime.js";
import { allocate, CAPTURED, currentHome, type Home, type Moving, view, withHome, write } from "./memory.js";
import { places } from "./packing.js";
import { Untraceable } from "./trace.js";

type Build = "f32" | "f64";

interface Call {
  readonly build: Build;
  readonly name: string;
  readonly args: readonly number[];
  /** The place of the node that made it. */
  readonly origin: number;
}

/** Calls that are repeated, on addresses that move. */
interface Loop {
  readonly count: number;
  readonly body: readonly Call[];
  readonly origin: number;
}

type Instruction = Call | Loop;

/** A block of memory that the captured calls use. */
interface Region {
  readonly bytes: number;
  dead: boolean;
  /** One, or two while an op's result takes the place of an operand. */
  owners: number;
  /** What JavaScript wrote to it: tables that a kernel reads. They are written once, when the program is made. */
  table?: ArrayBuffer;
  /** Not memory of its own, but what this address is in the rounds of a loop. */
  readonly moving?: Moving;
}

/** Captured addresses are region * REGION + offset, so each tells its block, however many there are. */
const REGION = CAPTURED;
const HEAD = 8;
/** Bytes before the moves of a loop, and bytes of a move. */
const LOOP_HEAD = 16;
const MOVE = 8;
const SLOT = 8;

/** Notes the kernel calls and the allocations of a function. */
export class Capture implements Home {
  readonly instructions: Instruction[] = [];
  readonly regions: Region[] = [];
  /** Those that kernels were given. */
  private readonly seen = new Set<Region>();
  /** Storages from outside whose addresses were asked for. */
  readonly reached = new Set<Storage>();
  /** Births and deaths of regions, in their order. */
  readonly events: { readonly region: number; readonly dies: boolean }[] = [];
  /** The place of the node whose calls are noted now. */
  origin = 0;
  /** The block that the next one may be. */
  private offered: number | undefined;
  /** The scratch of the op that is captured now. */
  private scratchPtr: number | undefined;
  /** Where calls are noted: the instructions, or the body of a loop. */
  private noted: (call: Call) => void = (call) => this.instructions.push(call);
  private readonly recorders = { f32: this.recorder("f32"), f64: this.recorder("f64") };

  /** Runs `fn` on addresses that stand for memory. */
  run<T>(fn: () => T): T {
    const note = (storage: Storage): void => {
      if (storage.ptr < REGION) this.reached.add(storage);
    };
    return withReached(note, () => withHome(this, () => withKernels((build) => this.recorders[build], fn)));
  }

  /** The next block, if it has as many bytes as this one, is this one: its last reader makes each element from that at its place. */
  reuse(ptr: number): void {
    this.offered = ptr;
  }

  allocate(bytes: number): number {
    const offered = this.offered;
    this.offered = undefined;
    const place = offered === undefined ? undefined : this.regionOf(offered);
    if (offered !== undefined && place?.bytes === bytes) {
      place.owners++;
      return offered;
    }
    this.events.push({ region: this.regions.length, dies: false });
    this.regions.push({ bytes, dead: false, owners: 1 });
    return this.regions.length * REGION;
  }

  release(ptr: number): void {
    const region = Math.floor(ptr / REGION) - 1;
    // handles that the garbage collector finds later come here too
    if (this.regions[region].dead || --this.regions[region].owners > 0) return;
    this.regions[region].dead = true;
    this.events.push({ region, dies: true });
  }

  scratch(bytes: number): number {
    // the call before it is done with its own, unless that holds a table
    if (this.scratchPtr !== undefined && this.regionOf(this.scratchPtr)?.table === undefined) this.release(this.scratchPtr);
    this.scratchPtr = this.allocate(bytes);
    return this.scratchPtr;
  }

  view(ptr: number, length: number, dtype: DType): TypedArray {
    const region = this.regionOf(ptr);
    // what no kernel has seen yet holds only what JavaScript writes
    if (region === undefined || (this.seen.has(region) && region !== this.regionOf(this.scratchPtr ?? 0))) {
      throw new Untraceable("compile: expected ops whose kernels alone touch elements; got one that reads or writes them in JavaScript");
    }
    region.table ??= new ArrayBuffer(Math.ceil(region.bytes / 8) * 8);
    return new (arrayOf(dtype))(region.table, ptr % REGION, length);
  }

  loop(count: number, moving: readonly Moving[], fn: (addresses: readonly number[]) => void): void {
    const outer = this.noted;
    const body: Call[] = [];
    this.noted = (call) => body.push(call);
    try {
      fn(moving.map((from) => this.regions.push({ bytes: 0, dead: false, owners: 1, moving: from }) * REGION));
    } finally {
      this.noted = outer;
    }
    if (body.some(({ build }) => build !== body[0].build)) throw new Untraceable("compile: expected a loop over kernels of one element type");
    this.instructions.push({ count, body, origin: this.origin });
  }

  /** Undefined for an address of the memory. */
  private regionOf(ptr: number): Region | undefined {
    return this.regions[Math.floor(ptr / REGION) - 1];
  }

  private recorder(build: Build): Kernels {
    const real = kernelsThatRun(build === "f64" ? "float64" : "float32") as unknown as Record<string, (...args: number[]) => number>;
    const noted = (name: string) => {
      // what only computes a size does so now
      if (!(name in signatures)) {
        return (...args: number[]): number => {
          if (args.some((arg) => arg >= REGION)) throw new Untraceable(`compile: expected kernels that a program can call; got ${name}`);
          return real[name](...args);
        };
      }
      return (...args: number[]): number => {
        for (const arg of args) {
          const region = this.regionOf(arg);
          if (region !== undefined) this.seen.add(region);
        }
        this.noted({ build, name, args, origin: this.origin });
        return 0;
      };
    };
    return Object.fromEntries(Object.keys(real).map((name) => [name, noted(name)])) as unknown as Kernels;
  }
}

/** Instructions that one build runs by one call. */
interface Segment {
  readonly run: (pc: number, end: number) => number;
  readonly start: number;
  end: number;
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
    this.length = capture.instructions.length;
    this.kernels = capture.instructions.map((made) => ({
      name: "body" in made ? made.body.map(({ name }) => name).join(" + ") : made.name,
      origin: made.origin,
    }));
    this.codeBytes = capture.instructions.reduce((n, instruction) => n + bytesOf(capture, instruction), 0);
    this.code = allocate(this.codeBytes);
    this.plan = allocate(this.planBytes);
    this.encode(capture, offsets.at, cut);
    for (const [region, { table }] of capture.regions.entries()) {
      if (table !== undefined) view(this.plan + offsets.at(region), table.byteLength, "uint8").set(new Uint8Array(table));
    }
  }

  private encode(capture: Capture, offsetOf: (region: number) => number, cut: number): void {
    const words = view(this.code, this.codeBytes / 4, "int32");
    const floats = view(this.code, this.codeBytes / 8, "float64");
    /** Writes an address, or notes where it goes once it is known. */
    const place = (word: number, address: number): void => {
      const region = Math.floor(address / REGION) - 1;
      const offset = address - (region + 1) * REGION;
      const moving = region < 0 ? undefined : capture.regions[region].moving;
      if (region < 0) words[word] = address;
      else if (moving !== undefined) place(word, moving.ptr + offset);
      else {
        const patch = this.patches.get((region + 1) * REGION);
        if (patch !== undefined) patch.places.push({ ptr: this.code + 4 * word, offset });
        else words[word] = this.plan + offsetOf(region) + offset;
      }
    };
    const call = ({ name, args }: Call, at: number): void => {
      const { id, types } = signatures[name];
      words.set([id, HEAD + SLOT * args.length], at / 4);
      for (const [i, arg] of args.entries()) {
        const slot = at + HEAD + SLOT * i;
        if (types[i] === "f") floats[slot / 8] = arg;
        else place(slot / 4, arg);
      }
    };
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
      for (const [i, { step, arg, bytes }] of moves.entries()) words.set([starts[step] + HEAD + SLOT * arg - at, bytes], (at + LOOP_HEAD + MOVE * i) / 4);
    };
    let at = 0;
    let build: Build | undefined;
    let segment: Segment | undefined;
    for (const [index, instruction] of capture.instructions.entries()) {
      this.starts.push(this.code + at);
      if ("body" in instruction) loop(instruction, at);
      else call(instruction, at);
      const own = "body" in instruction ? instruction.body[0].build : instruction.build;
      if (segment === undefined || own !== build || index === cut) {
        build = own;
        const kernels = kernelsThatRun(own === "f64" ? "float64" : "float32") as unknown as { run(pc: number, end: number): number };
        segment = { run: kernels.run, start: this.code + at, end: this.code + at };
        this.segments[index < cut ? 0 : 1].push(segment);
      }
      at += bytesOf(capture, instruction);
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

  /** Runs the instructions of a part; answers -1, or the number of the one whose kernel found something wrong. */
  run(part: 0 | 1): number {
    const segments = this.segments[part];
    for (let i = 0; i < segments.length; i++) {
      const stopped = segments[i].run(segments[i].start, segments[i].end);
      if (stopped !== 0) return this.starts.indexOf(stopped);
    }
    return -1;
  }

  /** Runs both parts; answers as run() does. */
  runWhole(): number {
    const stopped = this.run(0);
    return stopped < 0 ? this.run(1) : stopped;
  }

  /** Runs instruction by instruction; `times` takes the clock's ms before the first and after each. Answers as run() does. */
  runTimed(times: Float64Array): number {
    let i = 0;
    times[0] = performance.now();
    for (const { run, end } of this.segments.flat()) {
      for (; i < this.length && this.starts[i] < end; i++) {
        if (run(this.starts[i], this.starts[i + 1] ?? end) !== 0) return i;
        times[i + 1] = performance.now();
      }
    }
    return -1;
  }

  /** The same calls of WebAssembly and of the clock without instructions: what runTimed() adds to each. */
  runEmpty(times: Float64Array): void {
    times[0] = performance.now();
    for (const { run, start } of this.segments.flat()) {
      for (let i = 1; i < times.length; i++) {
        run(start, start);
        times[i] = performance.now();
      }
    }
  }

  dispose(): void {
    this.heap.release(this.code, this.codeBytes);
    this.heap.release(this.plan, this.planBytes);
  }
}

/** The arguments of a loop's body that move: number of the call, number of the argument, bytes a round. */
function movesOf(capture: Capture, { body }: Loop): { step: number; arg: number; bytes: number }[] {
  return body.flatMap(({ args }, step) =>
    args.flatMap((address, arg) => {
      const moving = address < REGION ? undefined : capture.regions[Math.floor(address / REGION) - 1].moving;
      return moving === undefined ? [] : [{ step, arg, bytes: moving.stepBytes }];
    }),
  );
}

/** Bytes of an instruction in the program. */
function bytesOf(capture: Capture, instruction: Instruction): number {
  if (!("body" in instruction)) return HEAD + SLOT * instruction.args.length;
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
