// The `tapir` command. An error is one line on stderr and exit code 1.
import "../fast.js";
import { AbortError, ConfigError, TapirError } from "../../bindings/errors.js";
import * as doctor from "./doctor.js";
import * as evaluation from "./eval.js";
import { help } from "./options.js";
import * as training from "./train.js";

const commands = [training, evaluation, doctor];

function overview(): string {
  const rows = commands.map(({ command }) => `  ${`${command.name} ${command.operands}`.padEnd(14)} ${command.summary.split("\n")[0]}`);
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

main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof TapirError)) throw error;
  process.stderr.write(`tapir: ${error.message}\n`);
  process.exitCode = error instanceof AbortError ? 130 : 1;
});
