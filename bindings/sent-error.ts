// What was thrown in one thread, as it goes to another: cloning keeps neither class nor code.

export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of an error of this package. */
  readonly code: string | undefined;
  readonly cause: SentError | undefined;
}

/** Causes of causes beyond this are left out: they may be a ring. */
const DEEPEST = 8;

/** What was thrown, which may be no error, as what can be cloned. */
export function sentError(thrown: unknown, depth = 0): SentError {
  if (!(thrown instanceof Error)) return { name: "Error", message: String(thrown), stack: undefined, code: undefined, cause: undefined };
  const { name, message, stack, code, cause } = thrown as Error & { code?: unknown };
  return {
    name: String(name),
    message: String(message),
    stack,
    code: typeof code === "string" ? code : undefined,
    cause: cause instanceof Error && depth < DEEPEST ? sentError(cause, depth + 1) : undefined,
  };
}
