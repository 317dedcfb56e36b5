// The worker's program where there is node:worker_threads.
import { readlinkSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { serve } from "./worker.js";

/** The number of this thread in the system, by which the main thread sees that it is gone; 0 where there is no such list. */
function threadNumber(): number {
  try {
    return Number(/task\/(\d+)$/.exec(readlinkSync("/proc/thread-self"))?.[1] ?? 0);
  } catch (error) {
    // there is no such list, or it may not be read (Deno)
    if (error instanceof Error && ("code" in error || error.name === "NotCapable")) return 0;
    throw error;
  }
}

serve(workerData, threadNumber());
