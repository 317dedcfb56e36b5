// The threads that large ops and programs of the calling thread are divided between.
import { endTeam, type ParallelStats, teamStats } from "../../bindings/team.js";

/** Ends the worker threads; programs from then on start new ones. */
export function dispose(): void {
  endTeam();
}

/** How many threads are in use, how many workers are ready now, and how often some were lost. */
export function stats(): ParallelStats {
  return teamStats();
}
