// A plan as one flat program: what a function calls on kernels is noted instead of done, the blocks that it allocates are
// packed into one by their lifetimes, and the executor in WebAssembly runs all calls by one from JavaScript.
// An instruction: number of the kernel, bytes of the instruction (int32 each), then 8 bytes an argument, integers in the first 4.
import { signatures } from "../build/program/instructions.js";
import { Allocator } from "./allocator.js";
import { arrayOf, type DType, type TypedArray } from "./dtype.js";
import { type Kernels, kernelsThatRun, withKernels } from "./kernels.js";
import { allocate, CAPTURED, currentHome, type Home, view, withHome, write } from "./memory.js";
import { Untraceable } from "./trace.js";

type Build = "f32" | "f64";

interface Instruction {
  readonly build: Build;
  readonly name: string;
  readonly args: readonly number[];
}

/** A block of memory that the captured calls use. */
interface Region {
  readonly bytes: number;
  dead: boolean;
  /** What JavaScript wrote to it: tables that a kernel reads. They are written once, when the program is made. */
  table?: ArrayBuffer;
}

/** Captured addresses are region * REGION + offset, so each tells its block, however many there are. */
const REGION = CAPTURED;
const HEAD = 8;
const SLOT = 8;

/** Notes the kernel calls and the allocations of a function. */
export class Capture implements Home {
  readonly instructions: Instruction[] = [];
  readonly regions: Region[] = [];
  /** Births and deaths of regions, in their order. */
  readonly events: { readonly region: number; readonly dies: boolean }[] = [];
  /** The scratch of the op that is captured now. */
  private scratchPtr: number | undefined;
  private readonly recorders = { f32: this.recorder("f32"), f64: this.recorder("f64") };

  /** Runs `fn` on addresses that stand for memory. */
  run<T>(fn: () => T): T {
    return withHome(this, () => withKernels((build) => this.recorders[build], fn));
  }

  allocate(bytes: number): number {
    this.events.push({ region: this.regions.length, dies: false });
    this.regions.push({ bytes, dead: false });
    return this.regions.length * REGION;
  }

  release(ptr: number): void {
    const region = Math.floor(ptr / REGION) - 1;
    // handles that the garbage collector finds later come here too
    if (this.regions[region].dead) return;
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
    if (region === undefined || region !== this.regionOf(this.scratchPtr ?? 0)) {
      throw new Untraceable("compile: expected ops whose kernels alone touch elements; got one that reads or writes them in JavaScript");
    }
    region.table ??= new ArrayBuffer(Math.ceil(region.bytes / 8) * 8);
    return new (arrayOf(dtype))(region.table, ptr % REGION, length);
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
        this.instructions.push({ build, name, args });
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
    this.codeBytes = capture.instructions.reduce((n, { args }) => n + HEAD + SLOT * args.length, 0);
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
    let at = 0;
    let build: Build | undefined;
    let segment: Segment | undefined;
    for (const [index, { build: own, name, args }] of capture.instructions.entries()) {
      const { id, types } = signatures[name];
      const bytes = HEAD + SLOT * args.length;
      this.starts.push(this.code + at);
      words[at / 4] = id;
      words[at / 4 + 1] = bytes;
      for (const [i, arg] of args.entries()) {
        const place = at + HEAD + SLOT * i;
        if (types[i] === "f") floats[place / 8] = arg;
        else if (arg < REGION) words[place / 4] = arg;
        else {
          const region = Math.floor(arg / REGION) - 1;
          const offset = arg - (region + 1) * REGION;
          const patch = this.patches.get((region + 1) * REGION);
          if (patch !== undefined) patch.places.push({ ptr: this.code + place, offset });
          else words[place / 4] = this.plan + offsetOf(region) + offset;
        }
      }
      if (segment === undefined || own !== build || index === cut) {
        build = own;
        const kernels = kernelsThatRun(own === "f64" ? "float64" : "float32") as unknown as { run(pc: number, end: number): number };
        segment = { run: kernels.run, start: this.code + at, end: this.code + at };
        this.segments[index < cut ? 0 : 1].push(segment);
      }
      at += bytes;
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

  dispose(): void {
    this.heap.release(this.code, this.codeBytes);
    this.heap.release(this.plan, this.planBytes);
  }
}

/** Offsets in one block, so that regions overlap only where their lifetimes do not. */
function packed(capture: Capture, free: ReadonlySet<number>): { bytes: number; at: (region: number) => number } {
  const BASE = 64; // an allocator's address 0 means that there is none
  const allocator = new Allocator(BASE, () => true);
  const offsets = new Array<number>(capture.regions.length).fill(0);
  const bytesOf = (region: number): number => Math.ceil(capture.regions[region].bytes / 8) * 8;
  // tables are written once, so nothing else may ever lie there
  for (const [region, { table }] of capture.regions.entries()) if (table !== undefined) offsets[region] = allocator.allocate(bytesOf(region)) - BASE;
  let top = allocator.top;
  for (const { region, dies } of capture.events) {
    if (free.has(region) || capture.regions[region].table !== undefined) continue;
    const bytes = bytesOf(region);
    if (dies) allocator.release(offsets[region] + BASE, bytes);
    else {
      offsets[region] = allocator.allocate(bytes) - BASE;
    }
    top = Math.max(top, allocator.top);
  }
  return { bytes: top - BASE, at: (region) => offsets[region] };
}
