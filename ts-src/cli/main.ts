// The `tapir` command. An error is one line on stderr and exit code 1; with TAPIR_DEBUG set, an unexpected one shows its stack.
import "../fast.js";
import { AbortError, ConfigError, TapirError } from "../../bindings/errors.js";
import { reason } from "../formats/files.js";
import * as doctor from "./doctor.js";
import * as evaluation from "./eval.js";
import { help } from "./options.js";
import * as plotting from "./plot.js";
import * as training from "./train.js";

const commands = [training, evaluation, plotting, doctor];

function overview(): string {
  const rows = commands.map(({ command }) => `  ${`${command.name} ${command.operands}`.padEnd(18)} ${command.summary.split("\n")[0]}`);
  return ["tapir COMMAND [options]", "", ...rows, "", "tapir COMMAND --help tells more about one."].join("\n");
}

async function main(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(`${overview()}\n`);
    return;
  }
  const found = commands.find(({ command }) => command.name === name);
  if (!found) throw new ConfigError(`unknown command ${name}; expected ${commands.map(({ command }) => command.name).join(", ")}; see tapir --help`);
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(`${help(found.command)}\n`);
    return;
  }
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort(new Error("interrupted")));
  await found.run(rest, controller.signal);
}

/** A line for a terminal: what could move the cursor or turn the text round is written as its code. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${(c.codePointAt(0) as number).toString(16)}}`);
}

function complain(text: string): void {
  process.stderr.write(`tapir: ${printable(text)}\n`);
}

// a reader that has seen enough, such as head, closes the pipe: no error, and nothing is left to do
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") {
    complain(`expected to write the output; ${reason(error)} at stdout`);
    process.exitCode = 1;
  }
  process.exit();
});
// without it there is no place to tell of errors; the work and its exit code stay
process.stderr.on("error", () => undefined);

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof TapirError) complain(error.message);
  else {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    if (process.env.TAPIR_DEBUG) process.stderr.write(`${stack}\n`);
    complain(`${name}: ${message}; this is a fault in tapir: please report it with what TAPIR_DEBUG=1 shows`);
  }
  process.exitCode = error instanceof AbortError ? 130 : 1;
});
