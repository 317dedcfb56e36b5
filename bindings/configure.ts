// The settings of the runtime.
import { allowHelper, endHelper } from "./background.js";
import { ConfigError } from "./errors.js";
import { setDeterministic } from "./kernels.js";
import { checkedLimit, setLimit } from "./memory.js";
import { showValue } from "./show.js";
import { checkedDeadline, checkedThreads, endTeam, setDeadline, setThreads } from "./team.js";

export interface Configuration {
  /** Threads that large ops and compiled functions are divided between: one a core by default, or TAPIR_THREADS. Results are the same. */
  threads?: number;
  /** Seconds after which a thread that does not answer is an error; 60 by default. */
  threadTimeout?: number;
  /** Same bits on every engine and machine: multiply and add are rounded separately. */
  deterministic?: boolean;
  /** Limit of the WebAssembly memory, in bytes. */
  maxMemory?: number;
}

/** Changes the defaults; may be called at any time. Throws ConfigError for a value that cannot be; then nothing was changed. */
export function configure(settings: Configuration): void {
  if (settings === null || typeof settings !== "object") {
    throw new ConfigError(`configure: expected an object of settings (threads, threadTimeout, deterministic, maxMemory); got ${showValue(settings)}`);
  }
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    if (name === "threads") checkedThreads("configure", value);
    else if (name === "threadTimeout") checkedDeadline(value);
    else if (name === "deterministic") {
      if (typeof value !== "boolean") throw new ConfigError(`configure: expected deterministic: true or false; got ${showValue(value)}`);
    } else if (name === "maxMemory") checkedLimit(value);
    else throw new ConfigError(`configure: expected threads, threadTimeout, deterministic or maxMemory; got ${name}`);
  }
  if (settings.maxMemory !== undefined) setLimit(settings.maxMemory);
  if (settings.threadTimeout !== undefined) setDeadline(settings.threadTimeout);
  // what the helper has begun it does with the kernels of before
  if (settings.threads !== undefined || settings.deterministic !== undefined) endHelper();
  if (settings.threads !== undefined) {
    allowHelper();
    setThreads(settings.threads);
  }
  // workers hold the builds that they were started with
  if (settings.deterministic !== undefined && setDeterministic(settings.deterministic)) endTeam();
}
