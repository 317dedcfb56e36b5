// What the examples have in common on the command line: --quick, --out, --help (which shows the comment that their file begins with).
import { mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const COMMON = { quick: { type: "boolean", default: false }, out: { type: "string" }, help: { type: "boolean", default: false } };

/**
 * The options of the example at `url`, its import.meta.url, and where a file of this name goes: to the folder out/ beside it, or to --out.
 * `known`: options of its own, as parseArgs has them; those with `choices` are one of them. Ends the program for --help and for what is no option.
 */
export function options(url, known = {}) {
  const file = fileURLToPath(url);
  const specs = Object.fromEntries(Object.entries(known).map(([name, { choices, ...spec }]) => [name, spec]));
  let values;
  try {
    values = parseArgs({ options: { ...COMMON, ...specs } }).values;
    for (const [name, { choices }] of Object.entries(known)) {
      if (choices && !choices.includes(values[name])) throw new Error(`expected --${name} ${choices.join(" or ")}; got ${values[name]}`);
    }
  } catch (error) {
    console.error(`${relative("", file)}: ${error.message}; --help tells more`);
    process.exit(1);
  }
  if (values.help) {
    const lines = readFileSync(file, "utf8").split("\n");
    console.log(
      lines
        .slice(
          0,
          lines.findIndex((line) => !line.startsWith("//")),
        )
        .map((line) => line.replace(/^\/\/ ?/, ""))
        .join("\n"),
    );
    process.exit(0);
  }
  const folder = values.out ?? fileURLToPath(new URL("out/", url));
  return {
    ...values,
    place(name) {
      mkdirSync(folder, { recursive: true });
      return relative("", join(folder, name));
    },
  };
}
