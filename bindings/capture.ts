// What a function does to kernels and memory, noted instead of done: the calls, the blocks with their lifetimes, and which tasks of
// a call may run beside each other.

import { signatures } from "../build/program/instructions.js";
import { arrayOf, type DType, type TypedArray } from "./dtype.js";
import { addressesIn } from "./encode.js";
import { type Kernels, withKernels } from "./kernels.js";
import { type Storage, withReached } from "./lifetime.js";
import { CAPTURED, type Home, type HomeTask, type Located, type Moving, withHome } from "./memory.js";
import { type Build, kernelsOfBuild } from "./noting.js";
import type { Span, Touched } from "./phases.js";
import { spanOf } from "./spans.js";
import { Untraceable } from "./trace.js";

export interface Call {
  readonly build: Build;
  readonly name: string;
  readonly args: readonly number[];
  /** The place of the node that made it. */
  readonly origin: number;
}

/** Calls that are repeated, on addresses that move. */
export interface Loop {
  readonly count: number;
  readonly body: readonly Call[];
  readonly origin: number;
}

export type Instruction = Call | Loop;

/** Instructions one after another. Spans are of captured addresses. */
export interface Task extends Touched {
  readonly instructions: readonly Instruction[];
}

/** One task, or one for each thread, which may run beside each other. */
export interface Step {
  readonly tasks: readonly Task[];
  /** Instructions of steps before it. */
  readonly first: number;
}

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
export const REGION = CAPTURED;

/** Notes the kernel calls and the allocations of a function. */
export class Capture implements Home {
  readonly steps: Step[] = [];
  /** Instructions so far. */
  length = 0;
  readonly regions: Region[] = [];
  /** Those that kernels were given. */
  private readonly seen = new Set<Region>();
  /** Storages from outside whose addresses were asked for. */
  readonly reached = new Set<Storage>();
  /** Births and deaths of regions, in their order. */
  readonly events: { readonly region: number; readonly dies: boolean }[] = [];
  /** The place of the node whose calls are noted now. */
  private origin = 0;
  /** The block that the next one may be. */
  private offered: number | undefined;
  /** The scratch of the op that is captured now. */
  private scratchPtr: number | undefined;
  /** Instructions of the step that has begun, and memory from outside that they were given. */
  private open: Instruction[] = [];
  private outside: Span[] = [];
  /** Where calls are noted: a task, or the body of a loop. */
  private noted: (instruction: Instruction) => void = this.opened();
  /** Blocks that die with the step, as its tasks run beside each other; undefined outside of divide(). */
  private held: number[] | undefined;
  private readonly recorders = { f32: this.recorder("f32"), f64: this.recorder("f64") };

  private opened(): (instruction: Instruction) => void {
    return (instruction) => this.open.push(instruction);
  }

  /** Runs `fn` on addresses that stand for memory. */
  run<T>(fn: () => T): T {
    const note = (storage: Storage): void => {
      if (storage.ptr >= REGION) return;
      this.reached.add(storage);
      this.outside.push({ from: storage.ptr, to: storage.ptr + storage.bytes });
    };
    return withReached(note, () => withHome(this, () => withKernels((build) => this.recorders[build], fn)));
  }

  /** Notes what `fn` does for a node. `touched` tells afterwards what it read and wrote, apart from memory of its own. */
  node<T>(origin: number, fn: () => T, touched: (result: T) => { readonly reads: readonly Located[]; readonly writes: readonly Located[] }): T {
    this.origin = origin;
    this.outside = [];
    const from = this.steps.length;
    const result = fn();
    this.close();
    const whole = this.steps.slice(from).filter(({ tasks }) => tasks.length === 1);
    if (whole.length > 0) {
      const { reads, writes } = touched(result);
      const spans = { reads: [...reads.map(spanOf), ...this.outside], writes: writes.map(spanOf) };
      for (const step of whole) this.steps[this.steps.indexOf(step)] = { ...step, tasks: [this.task(step.tasks[0].instructions, spans)] };
    }
    return result;
  }

  /** Ends the step that has begun. */
  private close(): void {
    if (this.open.length === 0) return;
    this.add([{ instructions: this.open, reads: [], writes: [] }]);
    this.open = [];
    this.noted = this.opened();
  }

  private add(tasks: readonly Task[]): void {
    this.steps.push({ tasks, first: this.length });
    for (const { instructions } of tasks) this.length += instructions.length;
  }

  /** A task that also writes to all blocks which it was given beside those it names. */
  private task(instructions: readonly Instruction[], { reads, writes }: Touched): Task {
    const named = new Set([...reads, ...writes].map(({ from }) => Math.floor(from / REGION)));
    const own = new Set<number>();
    for (const instruction of instructions) {
      for (const { name, args } of "body" in instruction ? instruction.body : [instruction]) {
        for (const address of addressesIn(name, args)) {
          const region = this.placeOf(address);
          if (region !== undefined && !named.has(region + 1)) own.add(region);
        }
      }
    }
    const blocks = [...own].map((region) => ({ from: (region + 1) * REGION, to: (region + 1) * REGION + this.regions[region].bytes }));
    return { instructions, reads, writes: [...writes, ...blocks] };
  }

  /** The region of an address, or of the address that it moves from; undefined for one of the memory, and for numbers that are none. */
  private placeOf(address: number): number | undefined {
    const region = Math.floor(address / REGION) - 1;
    const found = this.regions[region];
    if (found === undefined) return undefined;
    return found.moving === undefined ? region : this.placeOf(found.moving.ptr);
  }

  divide(tasks: readonly HomeTask[]): void {
    this.close();
    const [outer, scratchPtr, outside] = [this.noted, this.scratchPtr, this.outside];
    const held: number[] = [];
    this.held = held;
    try {
      const made = tasks.map(({ reads, writes, run }) => {
        const instructions: Instruction[] = [];
        this.noted = (instruction) => instructions.push(instruction);
        run();
        return this.task(instructions, { reads: reads.map(spanOf), writes: writes.map(spanOf) });
      });
      this.add(made);
    } finally {
      this.held = undefined;
      for (const ptr of held) this.release(ptr);
      [this.noted, this.scratchPtr, this.outside] = [outer, scratchPtr, outside];
    }
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
    if (this.held !== undefined) {
      this.held.push(ptr);
      return;
    }
    const region = Math.floor(ptr / REGION) - 1;
    // handles that the garbage collector finds later come here too
    if (this.regions[region].dead || --this.regions[region].owners > 0) return;
    this.regions[region].dead = true;
    this.events.push({ region, dies: true });
  }

  scratch(bytes: number): number {
    if (this.held !== undefined) {
      const ptr = this.allocate(bytes);
      this.held.push(ptr);
      return ptr;
    }
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
    this.noted = (instruction) => {
      if ("body" in instruction) throw new Untraceable("compile: expected no loop within a loop");
      body.push(instruction);
    };
    try {
      fn(moving.map((from) => this.regions.push({ bytes: 0, dead: false, owners: 1, moving: from }) * REGION));
    } finally {
      this.noted = outer;
    }
    if (body.some(({ build }) => build !== body[0].build)) throw new Untraceable("compile: expected a loop over kernels of one element type");
    this.noted({ count, body, origin: this.origin });
  }

  /** Undefined for an address of the memory. */
  private regionOf(ptr: number): Region | undefined {
    return this.regions[Math.floor(ptr / REGION) - 1];
  }

  private recorder(build: Build): Kernels {
    const real = kernelsOfBuild(build) as unknown as Record<string, (...args: number[]) => number>;
    const noted = (name: string) => {
      // what only computes a size does so now
      if (!(name in signatures)) {
        return (...args: number[]): number => {
          if (args.some((arg) => arg >= REGION)) throw new Untraceable(`compile: expected kernels that a program can call; got ${name}`);
          return real[name](...args);
        };
      }
      return (...args: number[]): number => {
        for (const address of addressesIn(name, args)) {
          const region = this.regionOf(address);
          if (region !== undefined) this.seen.add(region);
        }
        this.noted({ build, name, args, origin: this.origin });
        return 0;
      };
    };
    return Object.fromEntries(Object.keys(real).map((name) => [name, noted(name)])) as unknown as Kernels;
  }
}
