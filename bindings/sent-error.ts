// What was thrown in one thread, as it goes to another: cloning keeps neither class nor code, and throws for much that can be thrown.

/** What errors of this package have, in every copy of it. */
export const TAPIR_ERROR = Symbol.for("tapir.error");

export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | number | undefined;
  /** Whether it is an error of this package, so that its code tells the class. */
  readonly own: boolean;
  readonly cause: SentError | undefined;
  /** Of an AggregateError. */
  readonly errors: readonly SentError[] | undefined;
}

/** Causes of causes beyond this are left out. */
const DEEPEST = 8;
/** Of an AggregateError, and of one within it; those further within are left out. */
const MOST_ERRORS = 100;
const DEEPEST_LIST = 2;

/** What was thrown, which may be anything at all, as what can be cloned. */
export function sentError(thrown: unknown, within: readonly unknown[] = []): SentError {
  const plain = { name: "Error", stack: undefined, code: undefined, own: false, cause: undefined, errors: undefined };
  if (!isError(thrown)) return { ...plain, message: shown(thrown) };
  const path = [...within, thrown];
  const inner = (other: unknown): SentError | undefined =>
    other === undefined || other === null || path.length > DEEPEST || path.includes(other) ? undefined : sentError(other, path);
  const [code, stack, errors] = [read(thrown, "code"), read(thrown, "stack"), read(thrown, "errors")];
  const all = attempt(() => (Array.isArray(errors) && path.length <= DEEPEST_LIST ? errors.slice(0, MOST_ERRORS) : undefined), undefined);
  return {
    name: shown(read(thrown, "name") ?? "Error"),
    message: shown(read(thrown, "message") ?? ""),
    stack: typeof stack === "string" ? stack : undefined,
    code: typeof code === "string" || typeof code === "number" ? code : undefined,
    own: read(thrown, TAPIR_ERROR) === true,
    cause: inner(read(thrown, "cause")),
    errors: all?.flatMap((error) => inner(error) ?? []),
  };
}

/** Answers what `fn` does, or `otherwise` if it throws: that a value cannot be looked at must not hide that it was thrown. */
function attempt<T>(fn: () => T, otherwise: T): T {
  try {
    return fn();
  } catch {
    return otherwise;
  }
}

/** Errors of another realm included. */
function isError(value: unknown): value is object {
  return attempt(() => value instanceof Error || Object.prototype.toString.call(value) === "[object Error]", false);
}

function read(from: object, key: string | symbol): unknown {
  return attempt(() => (from as { [key: string | symbol]: unknown })[key], undefined);
}

/** A string as it is, an object as JSON. */
function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (value === null || typeof value !== "object") return String(value);
  return attempt(() => JSON.stringify(value), undefined) ?? "an object that cannot be shown";
}
