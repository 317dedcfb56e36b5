// The threads of this runtime: workers that wait in WebAssembly over the one memory, and the main thread that leads them through
// the phases of a program. They start at the first program that is worth it and keep no process alive. Since who finds a task
// unclaimed does it, a worker that starts, sleeps or is gone holds nothing up; one that is lost within a task is noticed and named.
// The protocol and the layout of the control block are in assembly/sync/team.ts.
import { claimAt, controlWords, DONE, FAILED, JOB, JOB_SPINS, PC, PHASE_SPINS, READY, SLOTS, STOP, stateAt, TASKS, THREAD, TRAPPED, WAITS } from "./control.js";
import { ConfigError } from "./errors.js";
import { buildBytes, type Kernels, kernelModule, kernelsThatRun } from "./kernels.js";
import { releaseBlock, reserveBlock, theMemory } from "./memory.js";
import { showValue } from "./show.js";
import { cores, isGone, noThreads, startThread, type Thread, variable } from "./workers.js";

const MOST_THREADS = 64;
/** How often, and for how long, it is looked whether a thread that was ended is gone; how long it is given where nothing tells, ms. */
const [LOOK_MS, MOST_MS, UNKNOWN_MS] = [2, 2000, 20];
/** Jobs between two looks whether the workers are there, which take some us. */
const LOOK = 256;
/** How long the leader waits for a task, at most, before it looks whether the others are alive, ms. */
const SLICE = 100;
/** Time of a phase and of the gap between two jobs that is spun through, us; where threads outnumber cores, none. */
const [PHASE_US, JOB_US] = [100, 200];
/** A word that nobody writes to. */
const CALIBRATED = 64;
/** Lost teams after which there is one thread; those before are replaced. */
export const MOST_TEAMS = 3;

/** Why a program stopped: the address of the instruction, if it is known, and what happened to the thread that ran it. */
export interface Loss {
  readonly pc: number;
  readonly reason: "gone" | "late" | "trapped";
}

interface Worker {
  readonly thread: Thread;
  ended: string | undefined;
}

let wanted: number | undefined;
/** Whether threads can be started here; asked once. */
let possible: boolean | undefined;
let deadline = 60;
let warned = false;

/** A number of threads that came from outside. */
export function checkedThreads(what: string, value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > MOST_THREADS)
    throw new ConfigError(`${what}: expected threads, a whole number from 1 to ${MOST_THREADS}; got ${showValue(value)}`);
  return value as number;
}

/** Seconds that came from outside. */
export function checkedDeadline(value: unknown): number {
  if (typeof value !== "number" || !(value > 0) || value > 86400)
    throw new ConfigError(`configure: expected threadTimeout, seconds above 0 and up to 86400; got ${showValue(value)}`);
  return value;
}

export function setDeadline(seconds: number): void {
  deadline = seconds;
}

/** Sets the number of threads for programs from now on. */
export function setThreads(threads: number): void {
  lost = 0;
  if (threads === wanted) return;
  wanted = threads;
  endTeam();
}

function warn(reason: string): void {
  if (warned) return;
  warned = true;
  console.warn(`tapir: one thread: ${reason}; results are the same`);
}

let lost = 0;

/** Threads that programs are divided between: as configured, or TAPIR_THREADS, or one a core; 1 where none can be started. */
export function threadsInUse(): number {
  if (wanted === undefined) {
    const given = variable("TAPIR_THREADS");
    wanted =
      given === undefined || given === "" ? Math.min(cores(), MOST_THREADS) : checkedThreads("TAPIR_THREADS", /^\d+$/.test(given) ? Number(given) : given);
  }
  if (wanted === 1 || lost >= MOST_TEAMS) return 1;
  if (possible === undefined) {
    const reason = noThreads();
    possible = reason === undefined;
    if (reason !== undefined) warn(reason);
  }
  return possible ? wanted : 1;
}

/** Of a team whose threads could not be started. */
class Unstartable extends Error {}

function slice(): number {
  return Math.min(SLICE, deadline * 1000);
}

/** Workers and their control block. */
export class Team {
  readonly threads: number;
  private readonly control: number;
  private readonly bytes: number;
  private readonly words: Int32Array;
  private readonly workers: Worker[] = [];
  private ended = false;
  private jobs = 0;

  /** `spins`: whether who waits looks for a while before it sleeps. */
  constructor(threads: number, spins: boolean) {
    this.threads = threads;
    this.bytes = 4 * controlWords(threads);
    this.control = reserveBlock(this.bytes);
    this.words = new Int32Array(theMemory().buffer, this.control, this.bytes / 4);
    this.words.fill(0);
    this.words[SLOTS] = threads;
    for (let slot = 0; slot < threads; slot++) this.words[claimAt(slot)] = -1;
    const perUs = spins ? spinsPerUs() : 0;
    this.words[PHASE_SPINS] = PHASE_US * perUs;
    this.words[JOB_SPINS] = JOB_US * perUs;
    try {
      for (let me = 1; me < threads; me++) this.workers.push(this.started(me));
    } catch (error) {
      this.end(true);
      throw new Unstartable(String((error as Error | undefined)?.message ?? error), { cause: error });
    }
  }

  private started(me: number): Worker {
    const start = { memory: theMemory(), modules: [kernelModule(), buildBytes("f64")], control: this.control, me };
    const worker: Worker = {
      thread: startThread(start, (reason) => {
        worker.ended ??= reason;
      }),
      ended: undefined,
    };
    return worker;
  }

  /** Whether a worker waits or works. */
  get ready(): boolean {
    return Atomics.load(this.words, READY) > 0;
  }

  /** Workers that wait or work, as far as is known. */
  get workersReady(): number {
    const isReady = ({ ended }: Worker, i: number): boolean => {
      const at = this.stateOf(i);
      return ended === undefined && Atomics.load(this.words, at + WAITS) !== 0 && !isGone(this.words[at + THREAD]);
    };
    return this.workers.filter(isReady).length;
  }

  /** Whether no worker is known to be gone. */
  get whole(): boolean {
    for (let i = 0; i < this.workers.length; i++) if (this.workers[i].ended !== undefined) return false;
    return true;
  }

  get endings(): string {
    return this.workers.flatMap(({ ended }) => ended ?? []).join(", ");
  }

  /** In a loop without a turn of the event loop nothing says that a worker is gone: so it is looked for now and then. */
  private look(): void {
    for (const [i, worker] of this.workers.entries()) {
      if (isGone(this.words[this.stateOf(i) + THREAD])) worker.ended ??= "it was ended";
    }
  }

  /** Where the state of a worker stands. */
  private stateOf(i: number): number {
    return stateAt(this.threads, i + 1);
  }

  /** Runs the phases of a program with all workers; answers 0, the address of the instruction whose kernel found something wrong, or what was lost. */
  lead(kernels: Kernels, build: 0 | 1, table: number, phases: number): number | Loss {
    return this.finished(
      kernels,
      this.step(kernels, () => kernels.teamLead(this.control, table, phases, build, slice() * 1e6)),
    );
  }

  /** Lets the workers begin a program; complete() must end it before another is run. */
  post(kernels: Kernels, build: 0 | 1, table: number, phases: number): void {
    kernels.teamPost(this.control, table, phases, build);
  }

  /** Does with the workers what is left of the program that was posted; answers as lead(). */
  complete(kernels: Kernels): number | Loss {
    return this.finished(
      kernels,
      this.step(kernels, () => kernels.teamGoOn(this.control, slice() * 1e6)),
    );
  }

  /** Tasks that a worker, numbered from 1, has run so far. */
  tasksOf(worker: number): number {
    return Atomics.load(this.words, stateAt(this.threads, worker) + TASKS);
  }

  /** Waits, if the leader still does, until all is done; answers as lead(). */
  private finished(kernels: Kernels, still: boolean): number | Loss {
    const { control, words } = this;
    if (++this.jobs % LOOK === 0) this.look();
    let waiting = still;
    let [done, waited] = [0, 0];
    while (waiting) {
      // what is waited for is one task, not a job of many
      const now = Atomics.load(words, DONE);
      waited = now === done ? waited + slice() : slice();
      done = now;
      const loss = this.missing(waited >= deadline * 1000);
      if (loss !== undefined) return loss;
      waiting = this.step(kernels, () => kernels.teamGoOn(control, slice() * 1e6));
    }
    if (words[TRAPPED] === 0) return words[FAILED] >>> 0;
    words[TRAPPED] = 0;
    return { pc: words[FAILED] >>> 0, reason: "trapped" };
  }

  /** Whether the leader still waits. */
  private step(kernels: Kernels, call: () => number): boolean {
    try {
      return call() !== 0;
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      kernels.teamTrap(this.control, 0);
      return kernels.teamGoOn(this.control, slice() * 1e6) !== 0;
    }
  }

  /** What keeps the leader waiting, if that will not end. */
  private missing(late: boolean): Loss | undefined {
    const states = this.workers.map(({ ended }, i) => {
      const at = this.stateOf(i);
      return { pc: this.words[at + PC] >>> 0, gone: ended !== undefined || isGone(this.words[at + THREAD]) };
    });
    const broken = states.find(({ pc, gone }) => gone && pc !== 0);
    if (broken !== undefined) return { pc: broken.pc, reason: "gone" };
    const running = states.find(({ pc, gone }) => !gone && pc !== 0);
    if (late) return { pc: running?.pc ?? 0, reason: "late" };
    // lost between its claim and its first instruction, or after its last
    if (running === undefined && states.some(({ gone }) => gone)) return { pc: 0, reason: "gone" };
    return undefined;
  }

  /** Ends the workers and waits until they are gone: what they were doing is about to be done again, or given back. */
  private terminate(): void {
    for (const { thread } of this.workers) thread.terminate();
    const word = new Int32Array(new SharedArrayBuffer(4));
    for (let i = 0; i < this.workers.length; i++) {
      const number = this.words[this.stateOf(i) + THREAD];
      let ms = 0;
      do {
        Atomics.wait(word, 0, 0, LOOK_MS);
        ms += LOOK_MS;
        // where nothing tells: the engine ends a thread at the next turn of a loop
      } while (number === 0 ? ms < UNKNOWN_MS : !isGone(number) && ms < MOST_MS);
    }
  }

  /** Tells the workers to end; `now`: they are ended wherever they are. */
  end(now: boolean): void {
    if (this.ended) return;
    this.ended = true;
    const { words } = this;
    Atomics.store(words, STOP, 1);
    Atomics.add(words, JOB, 1);
    Atomics.notify(words, JOB);
    if (now) this.terminate();
    // the block stays: nothing tells when the last of them has looked at it for the last time
    retired.push({ control: this.control, bytes: this.bytes, workers: this.workers });
  }
}

/** Control blocks of teams that have ended. */
const retired: { readonly control: number; readonly bytes: number; readonly workers: readonly Worker[] }[] = [];

/** Gives back the blocks of teams whose workers are all gone. */
function sweep(): void {
  for (let i = retired.length - 1; i >= 0; i--) {
    const { control, bytes, workers } = retired[i];
    if (!workers.every(({ ended }) => ended !== undefined)) continue;
    releaseBlock(control, bytes);
    retired.splice(i, 1);
  }
}

let team: Team | undefined;
let spins: number | undefined;

/** How often a waiting thread looks in a microsecond. */
function spinsPerUs(): number {
  if (spins !== undefined) return spins;
  const kernels = kernelsThatRun("float32");
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10; i++) {
    const started = performance.now();
    kernels.teamSpin(CALIBRATED, 100_000);
    best = Math.min(best, performance.now() - started);
  }
  spins = Math.max(1, Math.round(100 / best));
  return spins;
}

/** A new team, once the memory of those that are gone is given back; undefined, from then on too, where the engine starts no thread after all. */
export function startTeam(threads: number, spins: boolean): Team | undefined {
  sweep();
  try {
    return new Team(threads, spins);
  } catch (error) {
    if (!(error instanceof Unstartable)) throw error;
    possible = false;
    warn(`this engine starts no threads (${error.message})`);
    return undefined;
  }
}

/** The team, once its first worker is ready; it is started by the first call. Undefined until then, and for one thread. */
export function readyTeam(): Team | undefined {
  const threads = threadsInUse();
  if (threads === 1) return undefined;
  if (team !== undefined && !team.whole) {
    const { endings } = team;
    loseTeam(endings);
    if (lost >= MOST_TEAMS) return undefined;
  }
  if (team === undefined || team.threads !== threads) {
    endTeam();
    team = startTeam(threads, threads <= cores());
  }
  return team?.ready ? team : undefined;
}

/** Ends a team of which a worker is lost; the next program starts another, but not for ever. */
export function loseTeam(reason: string): void {
  team?.end(true);
  team = undefined;
  lost++;
  if (lost >= MOST_TEAMS) warn(`worker threads were lost ${lost} times, last because ${reason}`);
}

/** Ends the workers; programs from then on start new ones. */
export function endTeam(): void {
  team?.end(false);
  team = undefined;
}

export interface ParallelStats {
  /** Threads that programs are divided between, the calling one included. */
  threads: number;
  /** Workers that are ready now; they start at the first program that is worth it. */
  workers: number;
  /** How often workers were lost since the number of threads was set; after the third time there is one thread. */
  lost: number;
}

/** The threads now. */
export function teamStats(): ParallelStats {
  return { threads: threadsInUse(), workers: team?.workersReady ?? 0, lost };
}
