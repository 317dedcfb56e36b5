// Work for a thread of its own beside the program: what kernels a function calls is noted, and a helper does it while the main
// thread goes on. Who needs a result does with the helper what is left of it, so a helper that starts, sleeps or is gone holds
// nothing up.
//
// What is noted reads memory from before and writes blocks that nothing but noted kernels has touched. So it can be done over from
// its beginning, when the helper was lost in it. All else is done at once, after what it depends on: kernels that answer something,
// elements that JavaScript reads or writes, changes in place.
import { signatures } from "../build/program/instructions.js";
import { OutOfMemoryError } from "./errors.js";
import { type Kernels, withKernels } from "./kernels.js";
import { type Storage, watchStorages } from "./lifetime.js";
import { CAPTURED, currentHome, type Home, type HomeTask, heapHome, releaseBlock, reserveBlock, withHome } from "./memory.js";
import { type Build, buildNumber, callKernel, kernelsOfBuild, type NotedCall, phaseBytes, recorder, writePhase } from "./noting.js";
import { MOST_TEAMS, startTeam, type Team, threadsInUse } from "./team.js";
import { activeTracer } from "./trace.js";

/** Slot 0 of a job, the main thread's own, is empty. */
const SLOTS = 2;
const HELPER = 1;

let helper: Team | undefined;
let lost = 0;
/** Tasks run by helpers that have ended. */
let earlierTasks = 0;
/** The job that the helper has. */
let pending: Job | undefined;
/** The job whose calls are noted now. */
let noting: Job | undefined;

/** Whether a helper may work now: more than one thread is to be used and can be, and ops are neither traced nor noted. */
export function hasBackground(): boolean {
  return threadsInUse() > 1 && lost < MOST_TEAMS && activeTracer() === undefined && currentHome() === heapHome;
}

function theHelper(): Team | undefined {
  if (helper !== undefined && !helper.whole) loseHelper();
  helper ??= startTeam(SLOTS, false);
  return helper;
}

function dropHelper(now: boolean): void {
  if (helper === undefined) return;
  earlierTasks += helper.tasksOf(HELPER);
  helper.end(now);
  helper = undefined;
}

function loseHelper(): void {
  dropHelper(true);
  lost++;
}

/** Ends the helper, once its job is done; the next job starts another. */
export function endHelper(): void {
  pending?.complete();
  dropHelper(false);
}

/** Tasks that helpers have run so far. */
export function helperTasks(): number {
  return earlierTasks + (helper?.tasksOf(HELPER) ?? 0);
}

const recording = recorder((kernels, build, name, args) => (noting as Job).note(kernels, build, name, args));

/** Kernel calls of one function, and the memory that they need until they are done. */
class Job {
  private calls: NotedCall[] = [];
  /** Of the calls. */
  private kernels: Kernels | undefined;
  private build: Build = "f32";
  /** Blocks that were made while calls were noted, by address, and of those the ones that the main thread has touched. */
  private readonly blocks = new Map<number, number>();
  private readonly touched = new Set<number>();
  /** Storages that were reached; they are held. */
  private readonly reached = new Set<Storage>();
  private readonly scratches: { readonly ptr: number; readonly bytes: number }[] = [];
  private code: { readonly ptr: number; readonly bytes: number } | undefined;
  private readonly home: Home = {
    allocate: (bytes) => this.allocate(bytes),
    release: (ptr, bytes) => heapHome.release(ptr, bytes),
    scratch: (bytes) => {
      const ptr = this.allocate(bytes);
      this.scratches.push({ ptr, bytes });
      return ptr;
    },
    view: (ptr, length, dtype) => {
      if (noting === this) this.touch([ptr]);
      return heapHome.view(ptr, length, dtype);
    },
    settle: () => {
      if (noting === this) this.play();
    },
    divide(tasks: readonly HomeTask[]): void {
      for (const { run } of tasks) run();
    },
    loop: heapHome.loop,
  };

  /** Runs `fn` and notes its calls. */
  run<T>(fn: () => T): T {
    noting = this;
    const watching = watchStorages((storage, address) => {
      // not symbols, and no addresses of a program that is captured
      if (address >= 0 && address < CAPTURED) this.hold(storage);
    });
    try {
      return withHome(this.home, () => withKernels(recording, fn));
    } finally {
      watchStorages(watching);
      noting = undefined;
    }
  }

  private allocate(bytes: number): number {
    const ptr = heapHome.allocate(bytes);
    this.blocks.set(ptr, bytes);
    return ptr;
  }

  private hold(storage: Storage): void {
    if (this.reached.has(storage)) return;
    this.reached.add(storage);
    storage.refs++;
  }

  /** The block of the job that an address lies in. */
  private blockOf(address: number): number | undefined {
    for (const [ptr, bytes] of this.blocks) if (address >= ptr && address < ptr + bytes) return ptr;
    return undefined;
  }

  note(kernels: Kernels, build: Build, name: string, args: readonly number[]): number {
    const later = signatures[name]?.answers === false && (this.calls.length === 0 || this.kernels === kernels);
    if (later && (this.touched.size === 0 || !args.some((arg) => this.touched.has(this.blockOf(arg) ?? 0)))) {
      this.kernels = kernels;
      this.build = build;
      this.calls.push({ name, args });
      return 0;
    }
    this.touch(args);
    return callKernel(kernels, name, args);
  }

  /** The main thread touches what lies at addresses: what was noted for it is done first. */
  private touch(addresses: readonly number[]): void {
    const blocks = new Set(addresses.flatMap((address) => this.blockOf(address) ?? []));
    if (blocks.size === 0) return;
    if (this.calls.some(({ args }) => args.some((arg) => blocks.has(this.blockOf(arg) ?? 0)))) this.play();
    for (const ptr of blocks) this.touched.add(ptr);
  }

  /** Does all that was noted, here and now. */
  private play(): void {
    const { calls, kernels } = this;
    this.calls = [];
    for (const { name, args } of calls) {
      callKernel(kernels as Kernels, name, args);
      for (const arg of args) {
        const block = this.blockOf(arg);
        if (block !== undefined) this.touched.add(block);
      }
    }
  }

  /** Gives what was noted to the helper; answers whether there was anything to give. */
  post(): boolean {
    if (this.calls.length === 0) {
      this.release();
      return false;
    }
    // kernels may have been loaded anew by the function
    if (this.kernels !== kernelsOfBuild(this.build) || !this.encode()) {
      this.play();
      this.release();
      return false;
    }
    pending = this;
    // what it makes is there for whoever asks, and what it reads stays until it has been read
    watchStorages((storage) => {
      if (this.reached.has(storage)) this.complete();
    });
    return true;
  }

  private encode(): boolean {
    const tasks = [[], this.calls];
    const bytes = phaseBytes(tasks);
    try {
      this.code = { ptr: reserveBlock(bytes), bytes };
      const team = theHelper();
      team?.post(this.kernels as Kernels, buildNumber(this.build), writePhase(this.code.ptr, tasks), 1);
      return team !== undefined;
    } catch (error) {
      if (error instanceof OutOfMemoryError) return false;
      throw error;
    }
  }

  /** Does with the helper what is left. */
  complete(): void {
    if (pending !== this) return;
    const stopped = (helper as Team).complete(this.kernels as Kernels);
    pending = undefined;
    watchStorages(undefined);
    if (stopped !== 0) {
      if (typeof stopped !== "number") loseHelper();
      this.play();
      // a helper that does not answer may still write
      if (typeof stopped !== "number" && stopped.reason === "late") return;
    }
    this.release();
  }

  /** Gives back what was held. */
  private release(): void {
    for (const storage of this.reached) storage.unref();
    this.reached.clear();
    for (const { ptr, bytes } of this.scratches) heapHome.release(ptr, bytes);
    if (this.code !== undefined) releaseBlock(this.code.ptr, this.code.bytes);
    this.blocks.clear();
    this.touched.clear();
    this.calls = [];
  }
}

/**
 * Runs `fn` as before the job that is noted, if one is: its memory is memory from before, its kernels run at once, and a helper reads
 * what it made. It must not read what the job makes.
 */
export function beforeJob<T>(fn: () => T): T {
  return noting === undefined ? fn() : withHome(heapHome, () => withKernels(kernelsOfBuild, fn));
}

/** Something that is being made beside the program. */
export interface Background<T> {
  /** Whether the helper was given anything to do. */
  readonly posted: boolean;
  /** What the function answered, with its elements there. */
  wait(): T;
}

/** Runs `fn`, whose kernels work later, by the helper or at wait(); only where hasBackground(). Throws what `fn` throws. */
export function inBackground<T>(fn: () => T): Background<T> {
  // one job at a time: the helper has one program
  pending?.complete();
  const job = new Job();
  let result: T;
  let posted = false;
  try {
    result = job.run(fn);
  } finally {
    // what a function that throws has made is made too
    posted = job.post();
  }
  return {
    posted,
    wait() {
      job.complete();
      return result;
    },
  };
}
