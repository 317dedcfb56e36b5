// Work for a thread of its own beside the program: what kernels a function calls is noted, and a helper does it while the main
// thread goes on. Who needs a result does with the helper what is left of it, so a helper that starts, sleeps or is gone holds
// nothing up.
//
// What is noted reads memory from before and writes blocks that nothing but noted kernels has touched. So it can be done over from
// its beginning, when the helper was lost in it. All else is done at once, after what it depends on: kernels that answer something,
// elements that JavaScript reads or writes, changes in place.
import { signatures } from "../build/program/instructions.js";
import { Blocks } from "./blocks.js";
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
/** How often it was lost since threads were set. */
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
  if (++lost === MOST_TEAMS) console.warn(`tapir: no batches ahead: the helper thread was lost ${lost} times; batches are the same`);
}

/** Lets helpers be started, however often they were lost. */
export function allowHelper(): void {
  lost = 0;
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
  /** Blocks that were made while calls were noted; of those the ones that the calls name, and the ones that the main thread has touched. */
  private readonly blocks = new Blocks();
  private readonly named = new Set<number>();
  private readonly touched = new Set<number>();
  /** Storages that were reached; they are held. */
  private readonly reached = new Set<Storage>();
  /** Blocks that only calls need. */
  private readonly spent: { readonly ptr: number; readonly bytes: number }[] = [];
  private code: { readonly ptr: number; readonly bytes: number } | undefined;
  private readonly home: Home = {
    allocate: (bytes) => this.allocate(bytes),
    release: (ptr, bytes) => this.giveBack(ptr, bytes),
    scratch: (bytes) => {
      const ptr = this.allocate(bytes);
      this.spent.push({ ptr, bytes });
      return ptr;
    },
    view: (ptr, length, dtype) => {
      if (noting === this) this.touch(this.blocksOf([ptr]));
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
    if (noting === this) this.blocks.add(ptr, bytes);
    return ptr;
  }

  private giveBack(ptr: number, bytes: number): void {
    if (this.named.has(ptr)) {
      this.spent.push({ ptr, bytes });
      return;
    }
    this.blocks.remove(ptr);
    this.touched.delete(ptr);
    heapHome.release(ptr, bytes);
  }

  private hold(storage: Storage): void {
    if (this.reached.has(storage)) return;
    this.reached.add(storage);
    storage.refs++;
  }

  /** The blocks of the job that addresses lie in; an argument that is no address may seem to be one. */
  private blocksOf(args: readonly number[]): number[] {
    return args.flatMap((arg) => this.blocks.at(arg) ?? []);
  }

  note(kernels: Kernels, build: Build, name: string, args: readonly number[]): number {
    const blocks = this.blocksOf(args);
    const later = signatures[name]?.answers === false && (this.calls.length === 0 || this.kernels === kernels);
    if (later && !blocks.some((block) => this.touched.has(block))) {
      this.kernels = kernels;
      this.build = build;
      this.calls.push({ name, args });
      for (const block of blocks) this.named.add(block);
      return 0;
    }
    this.touch(blocks);
    return callKernel(kernels, name, args);
  }

  /** The main thread touches blocks: what was noted for them is done first. */
  private touch(blocks: readonly number[]): void {
    if (blocks.some((block) => this.named.has(block))) this.play();
    for (const block of blocks) this.touched.add(block);
  }

  /** Does all that was noted, here and now. */
  private play(): void {
    const { calls, kernels } = this;
    this.calls = [];
    for (const { name, args } of calls) callKernel(kernels as Kernels, name, args);
    for (const block of this.named) this.touched.add(block);
    this.named.clear();
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
    this.blocks.clear();
    this.named.clear();
    this.touched.clear();
    this.calls = [];
    for (const storage of this.reached) storage.unref();
    this.reached.clear();
    for (const { ptr, bytes } of this.spent) heapHome.release(ptr, bytes);
    if (this.code !== undefined) releaseBlock(this.code.ptr, this.code.bytes);
  }
}

/**
 * Runs `fn` as before the job that is noted, if one is: its memory is memory from before, its kernels run at once, and a helper reads
 * what it made. It must not read what the job makes.
 */
export function beforeJob<T>(fn: () => T): T {
  return noting === undefined ? fn() : withHome(heapHome, () => withKernels(kernelsOfBuild, fn));
}

/** A job whose result nobody can ask for any more is done with, and what it held is given back. */
const abandoned = new FinalizationRegistry<Job>((job) => job.complete());

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
  const background = {
    posted,
    wait() {
      job.complete();
      return result;
    },
  };
  abandoned.register(background, job);
  return background;
}
