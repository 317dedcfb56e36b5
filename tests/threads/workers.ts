// The worker threads that tapir starts, caught as they start, so that a test can end them. Import it before anything starts one.
import * as fs from "node:fs";
import * as threads from "node:worker_threads";

/** In the order in which they were started. */
export const started: threads.Worker[] = [];

class Caught extends threads.Worker {
  constructor(...args: ConstructorParameters<typeof threads.Worker>) {
    super(...args);
    started.push(this);
  }
}

/** What happens when tapir looks whether a thread is there, as it does while it waits for one. */
export const look: { taken?: () => void } = {};

function existsSync(path: fs.PathLike): boolean {
  look.taken?.();
  return fs.existsSync(path);
}

const builtin = process.getBuiltinModule;
const caught: Record<string, object> = { "node:worker_threads": { ...threads, Worker: Caught }, "node:fs": { ...fs, existsSync } };
process.getBuiltinModule = ((name: string) => caught[name] ?? builtin(name)) as typeof builtin;
