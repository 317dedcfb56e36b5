// The word by which another thread stops programs of this one: see assembly/sync/abort.ts.
import { AbortError, ConfigError } from "./errors.js";
import { read, theMemory } from "./memory.js";
import { showValue } from "./show.js";

const ABORT = 512;

/** Whether programs are to stop. */
export function isAborted(): boolean {
  return read(ABORT, "int32") !== 0;
}

/** Memory for stopPrograms() in another thread; it stays valid when the memory grows. Undefined where a page may share none. */
export function abortMemory(): SharedArrayBuffer | undefined {
  return typeof SharedArrayBuffer === "undefined" ? undefined : (theMemory().buffer as unknown as SharedArrayBuffer);
}

/** Stops programs of the thread whose abortMemory() this is. */
export function stopPrograms(memory: SharedArrayBuffer): void {
  Atomics.store(new Int32Array(memory), ABORT / 4, 1);
}

/** For what was stopped before an instruction. */
export function abortError(what: string, where: string): AbortError {
  return new AbortError(`${what}: expected no abort; stopped before ${where}; what it changes may be half written`);
}

/** Throws ConfigError for what is no AbortSignal that can be listened to. */
export function checkSignal(what: string, value: unknown): void {
  const { aborted, addEventListener, removeEventListener } = (value ?? {}) as Partial<AbortSignal>;
  if (typeof aborted !== "boolean" || typeof addEventListener !== "function" || typeof removeEventListener !== "function")
    throw new ConfigError(`${what}: expected signal, an AbortSignal; got ${showValue(value)}`);
}

/** For what a signal stopped. */
export function stoppedBy({ reason }: AbortSignal): AbortError {
  return new AbortError(`stopped by the signal: ${String((reason as Error | undefined)?.message ?? reason)}`, { cause: reason });
}
