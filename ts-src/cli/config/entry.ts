// A value of a configuration file with its place in it: every check that fails names the place, what was expected and what stands there.
import { AbortError, ConfigError, TapirError } from "../../../bindings/errors.js";

const LONGEST = 60; // characters of a value in a message

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} ...` : text;
}

/** A name with the values that stand with it: "ReLU", {"Dropout": 0.5}, {"Linear": [4, 3]}, {"Adam": {"lr": 0.01}}. */
export interface Named<T> {
  readonly name: string;
  readonly found: T;
  /** As they are given to a function. */
  readonly args: readonly unknown[];
  /** Where the values stand. */
  readonly entry: Entry;
}

/** Errors that name their place. */
const placed = new WeakSet<Error>();

export class Entry {
  readonly value: unknown;
  /** Such as model[2].Conv2d; "" for the whole file. */
  readonly place: string;
  private readonly file: string;

  constructor(file: string, value: unknown, place = "") {
    this.file = file;
    this.value = value;
    this.place = place;
  }

  /** Ends with a ConfigError. */
  refuse(expected: string, got = shown(this.value)): never {
    throw this.error(`expected ${expected}; got ${got}`);
  }

  private error(message: string, cause?: unknown): ConfigError {
    const made = new ConfigError(`${this.file}: ${this.place === "" ? "" : `${this.place}: `}${message}`, { cause });
    placed.add(made);
    return made;
  }

  /** What a function of the library answers; its errors name this place. */
  within<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw this.placed(error);
    }
  }

  async withinAsync<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw this.placed(error);
    }
  }

  private placed(error: unknown): unknown {
    if (!(error instanceof TapirError) || error instanceof AbortError || placed.has(error)) return error;
    // the place has told the name already
    const last = this.place.split(".").at(-1) as string;
    return this.error(error.message.replace(/^fit: /, "").replace(new RegExp(`^${last.replace(/[^\w]/g, "\\$&")}: `), ""), error);
  }

  private inner(key: string | number): Entry {
    const value = (this.value as Record<string | number, unknown>)[key];
    const place = typeof key === "number" ? `${this.place}[${key}]` : this.place === "" ? key : `${this.place}.${key}`;
    return new Entry(this.file, value, place);
  }

  private isObject(): boolean {
    return this.value !== null && typeof this.value === "object" && !Array.isArray(this.value);
  }

  /** The values of an object by key, undefined where there is none. */
  fields<K extends string>(known: readonly K[], required: readonly K[] = []): { readonly [key in K]?: Entry } {
    if (!this.isObject()) this.refuse(`an object with the keys ${known.join(", ")}`);
    const keys = Object.keys(this.value as object);
    const odd = keys.find((key) => !(known as readonly string[]).includes(key));
    if (odd !== undefined) this.refuse(`the keys ${known.join(", ")}`, shown(odd));
    const missing = required.find((key) => !keys.includes(key));
    if (missing !== undefined) this.refuse(`the key ${missing}`, keys.length === 0 ? "none" : keys.join(", "));
    return Object.fromEntries(keys.map((key) => [key, this.inner(key)])) as { [key in K]?: Entry };
  }

  items(what: string): Entry[] {
    if (!Array.isArray(this.value)) return this.refuse(`a list of ${what}`);
    return this.value.map((_, i) => this.inner(i));
  }

  /** A name of the table, alone or as the key of its values; other keys may stand beside it if they are named. */
  named<T>(what: string, table: { readonly [name: string]: T }, beside: readonly string[] = []): Named<T> {
    const known = Object.keys(table).sort((a, b) => a.localeCompare(b)).join(", "); // biome-ignore format: short
    const { value } = this;
    if (typeof value === "string") {
      if (!Object.hasOwn(table, value)) this.refuse(`${what} among ${known}`);
      return { name: value, found: table[value], args: [], entry: new Entry(this.file, undefined, this.place === "" ? value : `${this.place}.${value}`) };
    }
    const keys = this.isObject() ? Object.keys(value as object).filter((key) => !beside.includes(key)) : [];
    const odd = keys.find((key) => !Object.hasOwn(table, key));
    if (odd !== undefined) this.refuse(`${what} among ${known}`, shown(odd));
    if (keys.length !== 1) this.refuse(`${what}, such as "${Object.keys(table)[0]}" or {"${Object.keys(table)[0]}": ...}, among ${known}`);
    const entry = this.inner(keys[0]);
    return { name: keys[0], found: table[keys[0]], args: Array.isArray(entry.value) ? entry.value : [entry.value], entry };
  }

  /** The value at a place of a named thing: one of its list, or the only one. */
  argument(place: number): Entry {
    return Array.isArray(this.value) ? this.inner(place) : this;
  }

  /** A value beside a name. */
  beside(key: string): Entry | undefined {
    return this.isObject() && Object.hasOwn(this.value as object, key) ? this.inner(key) : undefined;
  }

  whole(least: number, most = Number.MAX_SAFE_INTEGER): number {
    const { value } = this;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    return this.refuse(most === Number.MAX_SAFE_INTEGER ? `a whole number >= ${least}` : `a whole number from ${least} to ${most}`);
  }

  flag(): boolean {
    return typeof this.value === "boolean" ? this.value : this.refuse("true or false");
  }

  text(): string {
    return typeof this.value === "string" && this.value !== "" ? this.value : this.refuse("a text");
  }

  /** An object of options for a function of the library, which checks them. */
  options(): Record<string, unknown> {
    return this.isObject() ? (this.value as Record<string, unknown>) : this.refuse("an object of options");
  }
}

/** The values of a named thing, whose places are called so; throws ConfigError for more of them, and for "options" that are no object. */
export function valuesOf<T>({ args, entry }: Named<T>, takes: readonly string[]): readonly unknown[] {
  if (args.length > takes.length) entry.refuse(takes.length === 0 ? "no values" : `at most [${takes.join(", ")}]`);
  const options = takes.indexOf("options");
  if (args[options] !== undefined) entry.argument(options).options();
  return args;
}
