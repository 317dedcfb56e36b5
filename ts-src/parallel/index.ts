// Threads, as `parallel` of the package.
export type { ParallelStats } from "../../bindings/team.js";
export { dispose, stats } from "./pool.js";
export { type RemoteOptions, remote } from "./remote.js";
export { type Job, serve } from "./serve.js";
