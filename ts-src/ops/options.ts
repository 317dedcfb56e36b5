// Options that come from outside: an object with names that the function knows.
import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/op.js";

/** Throws ConfigError unless `options` is an object (or undefined) with none but these names. */
export function checkedOptions(op: string, options: unknown, names: readonly string[]): void {
  if (options === undefined) return;
  if (options === null || typeof options !== "object" || Array.isArray(options)) {
    throw new ConfigError(`${op}: expected an object of options (${names.join(", ")}); got ${Array.isArray(options) ? "an array" : showValue(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw new ConfigError(`${op}: expected options ${names.join(", ")}; got ${name}`);
  }
}
