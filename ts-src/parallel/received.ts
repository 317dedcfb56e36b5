// Errors of another thread, in the class that they had there.
import * as errors from "../../bindings/errors.js";
import type { SentError } from "../../bindings/sent-error.js";

type Kind = typeof errors.WorkerError;

let kinds: ReadonlyMap<string, Kind> | undefined;

/** Classes of errors by their code. */
function kindOf(code: string | undefined): Kind | undefined {
  kinds ??= new Map(
    Object.values(errors)
      .filter((kind): kind is Kind => kind.prototype instanceof errors.TapirError)
      .map((kind) => [new kind("").code, kind]),
  );
  return code === undefined ? undefined : kinds.get(code);
}

/** What was thrown there: its cause is the error as it was, with the stack of that thread. What is no TapirError becomes a WorkerError. */
export function receivedError(sent: SentError): errors.TapirError {
  const { name, message, code } = sent;
  const kind = kindOf(code);
  const cause = asItWas(sent);
  return kind === undefined ? new errors.WorkerError(`${name}: ${message}`, { cause }) : new kind(message, { cause });
}

/** Name, message, stack and causes. */
export function asItWas({ name, message, stack, cause }: SentError): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause: asItWas(cause) });
  error.name = name;
  error.stack = stack;
  return error;
}
