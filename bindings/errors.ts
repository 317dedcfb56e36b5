// Every error that a user can meet: typed, one line, what was expected, what came, what to do.
import { TAPIR_ERROR } from "./sent-error.js";

const LONGEST = 500; // a message quotes what came, which may be a large array

/** Base of all errors; `code` is the stable name to test for, the message one line. */
export class TapirError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    const line = message.replace(/\s*\n\s*/g, " ");
    super(line.length > LONGEST ? `${line.slice(0, LONGEST)} ...` : line, options);
    this.code = code;
    this.name = new.target.name;
  }
}

// what another thread sends may be of another copy of this package
Object.defineProperty(TapirError.prototype, TAPIR_ERROR, { value: true });

// the inferred type would have Error's static members, whose declarations need @types/node
type Kind = new (message: string, options?: ErrorOptions) => TapirError;

function kind(code: string): Kind {
  return class extends TapirError {
    constructor(message: string, options?: ErrorOptions) {
      super(code, message, options);
    }
  };
}

/** Shapes that do not fit the operation. */
export class ShapeError extends kind("shape") {}
/** A dtype that the operation does not take. */
export class DtypeError extends kind("dtype") {}
/** A tensor used after its memory was given back. */
export class DisposedError extends kind("disposed") {}
/** A tensor that a derivative needs was changed in place. */
export class VersionError extends kind("version") {}
/** A derivative that cannot be taken. */
export class GradientError extends kind("gradient") {}
/** The memory limit was reached. */
export class OutOfMemoryError extends kind("outOfMemory") {}
/** A value outside what the computation takes: NaN, a label out of range. */
export class NumericError extends kind("numeric") {}
/** A file that is missing, cut or corrupt. */
export class FormatError extends kind("format") {}
/** A thread that ended or trapped while it had work. */
export class WorkerError extends kind("worker") {}
/** What was waited for did not come in time. */
export class TimeoutError extends kind("timeout") {}
/** Stopped by an AbortSignal. */
export class AbortError extends kind("abort") {}
/** A setting, option or flag with a value that cannot be. */
export class ConfigError extends kind("config") {}
