// Threads that run one program together. A program is a list of phases, a phase one task for each slot, and tasks of one phase
// touch nothing in common. A thread claims a task before it runs it, its own first, then those that nobody has begun: so a thread
// that sleeps, or is gone, holds nobody up, and what is done twice or not at all does not exist.
// All counters only go up (modulo 2^32): who comes late finds every task of its phase claimed, whatever has begun since.
//
// The control block, a cache line for each word that several threads write (offsets in bytes; bindings/team.ts has them too):
//   0 job, odd while it is written   4 table   8 phases   12 slots   16 serial of the first phase   20 build   24 stop
//   28 spins of who waits for a phase   32 most spins of who waits for a job   36 workers that are ready   40 phases done when the
//   leader came back   44 whether a kernel trapped
//   64 tasks done   128 sleepers for tasks   192 sleepers for jobs   256 the instruction that failed, or 0
//   320 + 64 s   claim of slot s: the serial of the last phase in which its task was claimed
//   then 64 bytes a thread: instruction that it runs, 4 unused, spins while it waits for a job, waits so far, tasks that it has run
import { run } from "../../build/program/all";

// @ts-ignore: decorator
@inline const TABLE: usize = 4;
// @ts-ignore: decorator
@inline const PHASES: usize = 8;
// @ts-ignore: decorator
@inline const SLOTS: usize = 12;
// @ts-ignore: decorator
@inline const SERIAL: usize = 16;
// @ts-ignore: decorator
@inline const BUILD: usize = 20;
// @ts-ignore: decorator
@inline const STOP: usize = 24;
// @ts-ignore: decorator
@inline const PHASE_SPINS: usize = 28;
// @ts-ignore: decorator
@inline const JOB_SPINS: usize = 32;
/** Whether a kernel trapped. */
// @ts-ignore: decorator
@inline const TRAPPED: usize = 44;
// @ts-ignore: decorator
@inline const DONE: usize = 64;
// @ts-ignore: decorator
@inline const TASK_SLEEPERS: usize = 128;
// @ts-ignore: decorator
@inline const JOB_SLEEPERS: usize = 192;
// @ts-ignore: decorator
@inline const FAILED: usize = 256;
// @ts-ignore: decorator
@inline const CLAIMS: usize = 320;
/** Fewest spins before a worker sleeps: about 2 us. */
// @ts-ignore: decorator
@inline const FEW_SPINS: i32 = 4096;

// @ts-ignore: decorator
@inline const REACHED: usize = 40;

// @ts-ignore: decorator
@inline function stateOf(control: usize, me: i32): usize {
  return control + CLAIMS + 64 * <usize>(load<i32>(control, SLOTS) + me);
}

/** Counts a task as done and wakes who sleeps for it. */
// @ts-ignore: decorator
@inline function finish(control: usize): void {
  atomic.add<i32>(control, 1, DONE);
  if (atomic.load<i32>(control, TASK_SLEEPERS) > 0) atomic.notify(control + DONE, -1);
}

/** Instructions from pc to end, each noted before it runs; once one has failed the others are left out. */
function task(control: usize, state: usize, pc: usize, end: usize): void {
  store<i32>(state, load<i32>(state, 16) + 1, 16);
  while (pc < end) {
    store<usize>(state, pc);
    const next = pc + <usize>load<i32>(pc, 4);
    const stopped = run(pc, next);
    if (stopped) {
      atomic.cmpxchg<i32>(control, 0, <i32>stopped, FAILED);
      break;
    }
    pc = next;
  }
  store<usize>(state, 0);
}

/** Whether `target` tasks are done before the time (ns; negative for none) is over: spins, then sleeps. */
function awaited(control: usize, target: i32, nanoseconds: i64): bool {
  for (let spins = load<i32>(control, PHASE_SPINS); spins >= 0; spins--) {
    if (atomic.load<i32>(control, DONE) - target >= 0) return true;
  }
  let inTime = true;
  atomic.add<i32>(control, 1, TASK_SLEEPERS);
  for (;;) {
    const done = atomic.load<i32>(control, DONE);
    if (done - target >= 0) break;
    if (atomic.wait<i32>(control + DONE, done, nanoseconds) == 2) {
      inTime = atomic.load<i32>(control, DONE) - target >= 0;
      break;
    }
  }
  atomic.sub<i32>(control, 1, TASK_SLEEPERS);
  return inTime;
}

/** Phases from `phase` on, as thread `me`; answers the first that was not done in time, or their number. */
function work(control: usize, me: i32, table: usize, phase: i32, phases: i32, slots: i32, serial: i32, nanoseconds: i64): i32 {
  const state = stateOf(control, me);
  const entryBytes = <usize>(slots + 1) << 2;
  for (; phase < phases; phase++) {
    const entry = table + entryBytes * <usize>phase, own = serial + phase;
    for (let i = 0, slot = me; i < slots; i++, slot = slot + 1 == slots ? 0 : slot + 1) {
      const claim = control + CLAIMS + 64 * <usize>slot;
      const last = atomic.load<i32>(claim);
      if (last - own >= 0 || atomic.cmpxchg<i32>(claim, last, own) != last) continue;
      const begin = <usize>load<u32>(entry + (<usize>slot << 2)), end = <usize>load<u32>(entry + (<usize>slot << 2), 4);
      if (begin != end && atomic.load<i32>(control, FAILED) == 0) task(control, state, begin, end);
      finish(control);
    }
    // a worker has nothing to do after the last phase
    if (me != 0 && phase + 1 == phases) return phases;
    if (!awaited(control, (own + 1) * slots, nanoseconds)) return phase;
  }
  return phases;
}

// @ts-ignore: decorator
@inline function lead(control: usize, phase: i32, nanoseconds: i64): i32 {
  const phases = load<i32>(control, PHASES), slots = load<i32>(control, SLOTS), serial = load<i32>(control, SERIAL);
  const reached = work(control, 0, load<usize>(control, TABLE), phase, phases, slots, serial, nanoseconds);
  store<i32>(control, reached, REACHED);
  if (reached < phases) return 1;
  return 0;
}

/** Publishes a program, which the workers that come begin; teamGoOn does with them what is left of it. */
export function teamPost(control: usize, table: usize, phases: i32, build: i32): void {
  const job = load<i32>(control);
  const serial = load<i32>(control, SERIAL) + load<i32>(control, PHASES);
  atomic.store<i32>(control, job + 1);
  store<usize>(control, table, TABLE);
  store<i32>(control, phases, PHASES);
  store<i32>(control, serial, SERIAL);
  store<i32>(control, build, BUILD);
  store<i32>(control, 0, REACHED);
  atomic.store<i32>(control, 0, FAILED);
  atomic.store<i32>(control, job + 2);
  if (atomic.load<i32>(control, JOB_SLEEPERS) > 0) atomic.notify(control, -1);
}

/** Publishes a program and runs it with the workers that come; answers 1 if some of its tasks were not done in time, else 0. */
export function teamLead(control: usize, table: usize, phases: i32, build: i32, nanoseconds: f64): i32 {
  teamPost(control, table, phases, build);
  return lead(control, 0, <i64>nanoseconds);
}

/** Goes on with the same program: does what nobody has begun, and waits for the rest. */
export function teamGoOn(control: usize, nanoseconds: f64): i32 {
  return lead(control, load<i32>(control, REACHED), <i64>nanoseconds);
}

/**
 * A worker waits for another job than `seen`: spins, then sleeps. Answers the job, or -1 to end. It spins four times as long as it
 * had to wait last, half as long as the last time if that ended in sleep, and every sixteenth time as long as it may.
 */
export function teamAwait(control: usize, me: i32, seen: i32): i32 {
  const state = stateOf(control, me);
  const most = load<i32>(control, JOB_SPINS), waits = load<i32>(state, 12);
  store<i32>(state, waits + 1, 12);
  const spins = (waits & 15) == 0 ? most : min(load<i32>(state, 8), most);
  for (let i = 0; i < spins; i++) {
    const job = atomic.load<i32>(control);
    if (job != seen && (job & 1) == 0) {
      store<i32>(state, max(FEW_SPINS, i * 4), 8);
      return atomic.load<i32>(control, STOP) ? -1 : job;
    }
  }
  atomic.add<i32>(control, 1, JOB_SLEEPERS);
  let job = atomic.load<i32>(control);
  while ((job == seen || job & 1) && atomic.load<i32>(control, STOP) == 0) {
    if (job == seen) atomic.wait<i32>(control, seen, -1);
    job = atomic.load<i32>(control);
  }
  atomic.sub<i32>(control, 1, JOB_SLEEPERS);
  store<i32>(state, max(FEW_SPINS, spins >> 1), 8);
  return atomic.load<i32>(control, STOP) ? -1 : job;
}

/** The build whose kernels a job calls, or -1 if it is no longer the current one. */
export function teamBuild(control: usize, job: i32): i32 {
  const build = load<i32>(control, BUILD);
  return atomic.load<i32>(control) == job ? build : -1;
}

/** A worker's part of a job. */
export function teamWork(control: usize, me: i32, job: i32): void {
  const table = load<usize>(control, TABLE);
  const phases = load<i32>(control, PHASES), slots = load<i32>(control, SLOTS), serial = load<i32>(control, SERIAL);
  // written anew meanwhile: that program is done
  if (atomic.load<i32>(control) != job) return;
  work(control, me, table, 0, phases, slots, serial, -1);
}

/** Ends the task in which a kernel trapped. */
export function teamTrap(control: usize, me: i32): void {
  const state = stateOf(control, me);
  atomic.store<i32>(control, 1, TRAPPED);
  atomic.cmpxchg<i32>(control, 0, load<i32>(state), FAILED);
  store<usize>(state, 0);
  finish(control);
}

/** Looks at a word n times and answers it: what a spin costs. */
export function teamSpin(word: usize, n: i32): i32 {
  let seen = 0;
  for (; n > 0; n--) seen |= atomic.load<i32>(word);
  return seen;
}
