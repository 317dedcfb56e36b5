// What tells arguments from others: the key of a plan.
import { ConfigError } from "../../bindings/errors.js";
import { arithmetic } from "../../bindings/kernels.js";
import { threadsInUse } from "../../bindings/team.js";
import { Tensor } from "../../bindings/tensor.js";

const identities = new WeakMap<object, number>();
let identified = 0;

/** A number for a function or an object with more to it than its fields. */
export function identityOf(value: object): number {
  let id = identities.get(value);
  if (id === undefined) {
    id = identified++;
    identities.set(value, id);
  }
  return id;
}

const DEEPEST = 100;

/** What a plan depends on: shapes and dtypes, and whatever in the arguments is no tensor. Throws ConfigError for a cycle. */
export function signature(xs: readonly unknown[]): string {
  let key = `${arithmetic()} ${threadsInUse()}`;
  const visit = (value: unknown, depth: number): void => {
    if (depth > DEEPEST) throw new ConfigError("compile: expected arguments that are trees of tensors; got one that contains itself");
    if (value instanceof Tensor) key += `;${value.dtype}[${value.shape}]`;
    else if (Array.isArray(value)) {
      key += "(";
      for (const item of value) visit(item, depth + 1);
      key += ")";
    } else if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
      key += "{";
      for (const [name, item] of Object.entries(value)) {
        key += `${JSON.stringify(name)}:`;
        visit(item, depth + 1);
      }
      key += "}";
    } else if (typeof value === "function" || (typeof value === "object" && value !== null)) key += `;#${identityOf(value)}`;
    else key += typeof value === "string" ? `;${JSON.stringify(value)}` : `;${Object.is(value, -0) ? "-0" : String(value)}`;
  };
  for (const x of xs) visit(x, 0);
  return key;
}
