// Command line options, declared once: parsing, checking and help read the same table.
import { parseArgs } from "node:util";
import { ConfigError } from "../../bindings/errors.js";

export interface Option {
  /** What stands after the flag in the help; none for a switch. */
  value?: string;
  help: string;
  /** Shown in the help, used when the flag is missing. */
  default?: string;
  /** The value from its text; throws ConfigError. */
  parse?: (flag: string, text: string) => unknown;
}

export interface Command {
  name: string;
  /** What stands after the name, such as "[MODEL]". */
  operands: string;
  /** How many operands at most. */
  most: number;
  summary: string;
  options: Readonly<Record<string, Option>>;
  examples: readonly string[];
}

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (flag: string, text: string): number => {
    const n = Number(text);
    if (text.trim() === "" || !Number.isInteger(n) || n < least || n > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `>= ${least}` : least === most ? `${least}` : `from ${least} to ${most}`;
      throw new ConfigError(`--${flag}: expected a whole number ${range}; got ${text}`);
    }
    return n;
  };
}

export function positive(flag: string, text: string): number {
  const n = Number(text);
  if (text.trim() === "" || !(n > 0) || !Number.isFinite(n)) throw new ConfigError(`--${flag}: expected a number > 0; got ${text}`);
  return n;
}

export function oneOf(...names: string[]) {
  return (flag: string, text: string): string => {
    if (!names.includes(text)) throw new ConfigError(`--${flag}: expected ${names.join(" or ")}; got ${text}`);
    return text;
  };
}

/** Values by flag, the operands, and which flags were given; throws ConfigError for an unknown flag, a bad value or too many operands. */
export function parse(command: Command, args: readonly string[]): { values: Record<string, unknown>; operands: string[]; given: ReadonlySet<string> } {
  const flags = Object.fromEntries(
    Object.entries(command.options).map(([name, option]) => [name, { type: option.value ? ("string" as const) : ("boolean" as const) }]),
  );
  const { tokens } = parseArgs({ args: joined(command, args), options: flags, allowPositionals: true, strict: false, tokens: true });
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(command.options)) {
    if (option.default !== undefined) values[name] = option.parse ? option.parse(name, option.default) : option.default;
  }
  const operands: string[] = [];
  const given = new Set<string>();
  for (const token of tokens ?? []) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(command.options, token.name) ? command.options[token.name] : undefined;
    if (!option)
      throw new ConfigError(
        `unknown option ${token.rawName}; expected ${Object.keys(command.options)
          .map((name) => `--${name}`)
          .join(" ")}`,
      );
    given.add(token.name);
    if (!option.value) {
      if (token.value !== undefined) throw new ConfigError(`--${token.name}: expected no value; got ${token.value}`);
      values[token.name] = true;
    } else if (token.value === undefined) throw new ConfigError(`--${token.name}: expected ${option.value}; got nothing`);
    else if (!token.inlineValue && token.value.startsWith("--")) {
      throw new ConfigError(`--${token.name}: expected ${option.value}; got ${token.value}; --${token.name}=${token.value} if it is meant`);
    } else values[token.name] = option.parse ? option.parse(token.name, token.value) : token.value;
  }
  if (operands.length > command.most) throw new ConfigError(`expected ${command.operands || "no operand"}; got ${operands.join(" ")}`);
  return { values, operands, given };
}

/** `--lr -1` as `--lr=-1`, so that the value is checked and not taken for a flag. */
function joined(command: Command, args: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const name = args[i].startsWith("--") ? args[i].slice(2) : "";
    if (command.options[name]?.value && i + 1 < args.length && /^-[\d.]/.test(args[i + 1])) out.push(`${args[i]}=${args[++i]}`);
    else out.push(args[i]);
  }
  return out;
}

export function help(command: Command): string {
  const rows = Object.entries(command.options).map(([name, option]): [string, string] => [
    `--${name}${option.value ? ` ${option.value}` : ""}`,
    `${option.help}${option.default === undefined ? "" : ` (${option.default})`}`,
  ]);
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    `tapir ${command.name}${command.operands ? ` ${command.operands}` : ""}`,
    "",
    command.summary,
    "",
    ...rows.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`),
    "",
    "Examples",
    ...command.examples.map((line) => `  ${line}`),
  ].join("\n");
}
