// Threads that run one program together. A program is a list of phases, a phase one task for each slot, and tasks of one phase
// touch nothing in common. A thread claims a task before it runs it, its own first, then those that nobody has begun: so a thread
// that sleeps, or is gone, holds nobody up, and what is done twice or not at all does not exist.
// All counters only go up (modulo 2^32): who comes late finds every task of its phase claimed, whatever has begun since.
//
// A job is published by one store. What it is stands in one of two descriptors, of which the one not in use is written, so who reads
// it late finds either it whole or the job gone on; the same program again needs no other store. Words that one thread writes while
// others look at them have cache lines of their own. (With the descriptor in the line of the job, fork and join took 1.3 us; written
// anew for each job, 0.6 us; so 0.15 to 0.6 us, with the distance of the cores: npm run bench -- threads.)
//
// The control block, offsets in bytes (bindings/control.ts has them in words):
//     0 job: phases published so far, its own included   4 its descriptor, 0 or 1
//    64 slots   68 stop   72 spins of who waits for a phase   76 most spins of who waits for a job   80 workers that are ready   84 whether a kernel trapped
//   128 descriptor 0, 192 descriptor 1: table, phases, build
//   256 phases of the job that were done when the leader came back
//   320 tasks done   384 sleepers for tasks   448 sleepers for jobs   512 the instruction that failed, or 0
//   576 + 64 s   claim of slot s: the serial of the last phase in which its task was claimed
//   then 64 bytes a thread: instruction that it runs, what the system calls it, sleeps in a row, waits so far, tasks that it has run,
//     4 unused, its job in 8
import { run } from "../../build/program/all";

// @ts-ignore: decorator
@inline const SLOTS: usize = 64;
// @ts-ignore: decorator
@inline const STOP: usize = 68;
// @ts-ignore: decorator
@inline const PHASE_SPINS: usize = 72;
// @ts-ignore: decorator
@inline const JOB_SPINS: usize = 76;
// @ts-ignore: decorator
@inline const TRAPPED: usize = 84;
// @ts-ignore: decorator
@inline const DESCRIPTORS: usize = 128;
// @ts-ignore: decorator
@inline const REACHED: usize = 256;
// @ts-ignore: decorator
@inline const DONE: usize = 320;
// @ts-ignore: decorator
@inline const TASK_SLEEPERS: usize = 384;
// @ts-ignore: decorator
@inline const JOB_SLEEPERS: usize = 448;
// @ts-ignore: decorator
@inline const FAILED: usize = 512;
// @ts-ignore: decorator
@inline const CLAIMS: usize = 576;
/** Within the state of a thread. */
// @ts-ignore: decorator
@inline const SLEPT: usize = 8;
// @ts-ignore: decorator
@inline const WAITS: usize = 12;
// @ts-ignore: decorator
@inline const TASKS: usize = 16;
// @ts-ignore: decorator
@inline const TAKEN: usize = 24;
/** A worker that sleeps again and again spins 2^-6 of the longest time before: about 3 us. */
// @ts-ignore: decorator
@inline const MOST_HALVINGS: i32 = 6;

// @ts-ignore: decorator
@inline function descriptorOf(control: usize, job: i64): usize {
  return control + DESCRIPTORS + 64 * <usize>(job >> 32);
}

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
  store<i32>(state, load<i32>(state, TASKS) + 1, TASKS);
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
  const job = load<i64>(control), descriptor = descriptorOf(control, job), phases = load<i32>(descriptor, 4);
  const reached = work(control, 0, load<usize>(descriptor), phase, phases, load<i32>(control, SLOTS), <i32>job - phases, nanoseconds);
  store<i32>(control, reached, REACHED);
  if (reached < phases) return 1;
  return 0;
}

/** Publishes a program, which the workers that come begin; teamGoOn does with them what is left of it. */
export function teamPost(control: usize, table: usize, phases: i32, build: i32): void {
  const last = load<i64>(control);
  let which = last >> 32, descriptor = descriptorOf(control, last);
  if (load<usize>(descriptor) != table || load<i32>(descriptor, 4) != phases || load<i32>(descriptor, 8) != build) {
    which ^= 1;
    descriptor = control + DESCRIPTORS + 64 * <usize>which;
    store<usize>(descriptor, table);
    store<i32>(descriptor, phases, 4);
    store<i32>(descriptor, build, 8);
  }
  store<i32>(control, 0, REACHED);
  if (load<i32>(control, FAILED)) store<i32>(control, 0, FAILED);
  atomic.store<i64>(control, (which << 32) | <i64><u32>(<i32>last + phases));
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
 * A worker waits for another job than `seen`: spins, then sleeps. Each sleep in a row halves the spinning, and every sixteenth wait
 * spins as long as it may, to see whether that pays again: one long gap, as of a collection of garbage, must not put it to sleep in the
 * short ones that follow (a step 784-256-10 then took 1.8 instead of 1.1 ms in one case of six).
 */
function nextJob(control: usize, state: usize, seen: i64): i64 {
  const slept = load<i32>(state, SLEPT), waits = load<i32>(state, WAITS);
  store<i32>(state, waits + 1, WAITS);
  let job = seen;
  for (let spins = load<i32>(control, JOB_SPINS) >> ((waits & 15) == 0 ? 0 : min(slept, MOST_HALVINGS)); spins > 0; spins--) {
    job = atomic.load<i64>(control);
    if (job != seen) {
      store<i32>(state, 0, SLEPT);
      return job;
    }
  }
  atomic.add<i32>(control, 1, JOB_SLEEPERS);
  job = seen;
  // the wait comes first: with a load and a branch before it in the loop, V8's baseline compiler (of Node 20 and 24) never came back from it
  while (job == seen) {
    atomic.wait<i32>(control, <i32>seen, -1);
    job = atomic.load<i64>(control);
  }
  atomic.sub<i32>(control, 1, JOB_SLEEPERS);
  store<i32>(state, slept + 1, SLEPT);
  return job;
}

/** A worker does its part of jobs until it is told to end (-1), or until one calls another build than the first, whose number it answers. */
export function teamServe(control: usize, me: i32): i32 {
  const state = stateOf(control, me);
  let build = 0;
  while (build == 0) {
    const job = nextJob(control, state, load<i64>(state, TAKEN));
    if (atomic.load<i32>(control, STOP)) return -1;
    store<i64>(state, job, TAKEN);
    const called = load<i32>(descriptorOf(control, job), 8);
    // gone on meanwhile: that job is done
    if (atomic.load<i64>(control) != job) continue;
    if (called == 0) teamWork(control, me);
    build = called;
  }
  return build;
}

/** A worker's part of the job that it has taken; answers 0. */
export function teamWork(control: usize, me: i32): i32 {
  const job = load<i64>(stateOf(control, me), TAKEN), descriptor = descriptorOf(control, job);
  const table = load<usize>(descriptor), phases = load<i32>(descriptor, 4);
  if (atomic.load<i64>(control) == job) work(control, me, table, 0, phases, load<i32>(control, SLOTS), <i32>job - phases, -1);
  return 0;
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
