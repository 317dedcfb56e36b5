// The word by which another thread stops programs of this one: see assembly/sync/abort.ts.
import { AbortError } from "./errors.js";
import { read, theMemory, write } from "./memory.js";

const ABORT = 512;

/** Whether programs are to stop. */
export function isAborted(): boolean {
  return read(ABORT, "int32") !== 0;
}

/** Lets programs run again, or stops them. */
export function setAborted(on: boolean): void {
  theMemory();
  write(ABORT, "int32", on ? 1 : 0);
}

/** For a program that was stopped before an instruction. */
export function abortError(where: string): AbortError {
  return new AbortError(`compile: expected no abort; stopped before ${where}; what the step changes may be half written`);
}
