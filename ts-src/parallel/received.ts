// Errors of another thread, in the class that they had there.
import * as errors from "../../bindings/errors.js";
import type { SentError } from "../../bindings/sent-error.js";

type Kind = typeof errors.WorkerError;

let kinds: ReadonlyMap<string, Kind> | undefined;

/** The class of an error of this package. */
function kindOf({ own, code }: SentError): Kind | undefined {
  kinds ??= new Map(
    Object.values(errors)
      .filter((kind): kind is Kind => kind.prototype instanceof errors.TapirError)
      .map((kind) => [new kind("").code, kind]),
  );
  return own ? kinds.get(String(code)) : undefined;
}

/** What was thrown there: its cause is the error as it was, with the stack of that thread. What is no TapirError becomes a WorkerError. */
export function receivedError(sent: SentError): errors.TapirError {
  const { name, message } = sent;
  const kind = kindOf(sent);
  const cause = asItWas(sent);
  return kind === undefined ? new errors.WorkerError(`${name}: ${message}`, { cause }) : new kind(message, { cause });
}

/** Name, message, stack, code, causes and the errors of an AggregateError. */
export function asItWas({ name, message, stack, code, cause, errors: parts }: SentError): Error {
  const options = cause === undefined ? undefined : { cause: asItWas(cause) };
  const error = parts === undefined ? new Error(message, options) : new AggregateError(parts.map(asItWas), message, options);
  error.name = name;
  error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}
