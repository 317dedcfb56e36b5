// The threads that large ops and programs of the calling thread are divided between.
import { endHelper } from "../../bindings/background.js";
import { endTeam, type ParallelStats, teamStats } from "../../bindings/team.js";

/** Ends the worker threads, the helper that assembles batches ahead included; programs and loaders from then on start new ones. */
export function dispose(): void {
  endHelper();
  endTeam();
}

/**
 * How many threads are in use, how many workers are ready now, and how often some were lost. The helper that assembles batches ahead
 * (`prefetch`) counts in none of them: lost three times since configure({ threads }), it is not started again, and a line says so.
 */
export function stats(): ParallelStats {
  return teamStats();
}
