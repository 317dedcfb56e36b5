// The control block of a team, in words of 4 bytes: as in assembly/sync/team.ts, where the protocol is.

/** Each word that several threads write has a line of its own. */
const LINE = 16;
export const [JOB, SLOTS, STOP, PHASE_SPINS, JOB_SPINS, READY, TRAPPED, DONE, FAILED] = [0, 16, 17, 18, 19, 20, 21, 80, 128];
const CLAIMS = 144;
/** Within the state of a thread. */
export const [PC, THREAD, WAITS, TASKS] = [0, 1, 3, 4];

/** Where the claim of a slot stands. */
export function claimAt(slot: number): number {
  return CLAIMS + LINE * slot;
}

/** Where the state of thread `me` of a team stands. */
export function stateAt(threads: number, me: number): number {
  return CLAIMS + LINE * (threads + me);
}

/** Words of the block of so many threads. */
export function controlWords(threads: number): number {
  return stateAt(threads, threads);
}
