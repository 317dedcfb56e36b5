// Every error that a user can meet: typed, one line, what was expected, what came, what to do.

/** Base of all errors; `code` is the stable name to test for. */
export class TapirError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

function kind(code: string) {
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
/** Stopped by an AbortSignal. */
export class AbortError extends kind("abort") {}
/** A setting, option or flag with a value that cannot be. */
export class ConfigError extends kind("config") {}
