// Makes the executor's dispatch from the kernels' own signatures, as the compiler writes them: build/program/all.ts (what asc
// compiles: every kernel, and run()) and build/program/instructions.ts (what the bindings encode instructions by). Not kept in git.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const FOLDER = "build/program";
const KERNELS = 'export * from "../../assembly/index";\n';
/** Bytes of an instruction before its arguments: number of the kernel, bytes of the instruction. */
const HEAD = 8;
/** Bytes of an argument: integers take the first four, floats are kept as f64. */
const SLOT = 8;

/** What the first pass of the compiler sees: the kernels alone. */
export function writeEntry() {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/all.ts`, KERNELS);
}

/** Kernels that an instruction may call: those that answer nothing, or 0 for "well" (i32). */
function signatures() {
  const typings = readFileSync(`${FOLDER}/signatures.d.ts`, "utf8");
  const found = [];
  for (const [, comment, name] of typings.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export function (\w+)\(/g)) {
    const types = [...comment.matchAll(/@param \w+ `(\w+)`/g)].map((match) => match[1]);
    const answer = /@returns `(\w+)`/.exec(comment)?.[1];
    if (answer !== undefined && answer !== "i32") continue;
    if (types.some((type) => !["usize", "i32", "u32", "f32", "f64"].includes(type))) continue;
    found.push({ name, types, checked: answer === "i32" });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function argument(type, i) {
  const offset = HEAD + SLOT * i;
  // this pass compiles real as f32; a parameter that is f64 here is f64 in every build
  if (type === "f32") return `<real>load<f64>(pc, ${offset})`;
  return `load<${type}>(pc, ${offset})`;
}

export function writeDispatch() {
  const kernels = signatures();
  const cases = kernels.map(({ name, types, checked }, id) => {
    const call = `kernels.${name}(${types.map(argument).join(", ")})`;
    return `      case ${id}: ${checked ? `if (${call}) return pc; break;` : `${call}; break;`}`;
  });
  writeFileSync(
    `${FOLDER}/all.ts`,
    `${KERNELS}export * from "../../assembly/sync/team";
import * as kernels from "../../assembly/index";
import { ABORT } from "../../assembly/sync/abort";

/**
 * Runs the instructions within one: its head holds the count and the number of moves, each the place of a word, in bytes from pc,
 * and what is added to it between two rounds; then the instructions follow. Afterwards the words are as before.
 */
function loop(pc: usize): usize {
  const count = load<i32>(pc, 8), moves = pc + 16, body = moves + (<usize>load<i32>(pc, 12) << 4), end = pc + <usize>load<i32>(pc, 4);
  for (let move = moves; move < body; move += 16) store<i32>(pc + <usize>load<i32>(move), load<i32>(move, 8));
  for (let round = 0; round < count; round++) {
    if (run(body, end)) return pc;
    for (let move = moves; move < body; move += 16) {
      const word = pc + <usize>load<i32>(move);
      store<i32>(word, load<i32>(word) + load<i32>(move, 4));
    }
  }
  return 0;
}

/** Runs the instructions from pc to end; answers 0, or the address of the one whose kernel found something wrong or that an abort kept from running. */
export function run(pc: usize, end: usize): usize {
  while (pc < end) {
    if (load<i32>(ABORT)) return pc;
    switch (load<i32>(pc)) {
${cases.join("\n")}
      case ${kernels.length}: {
        const stopped = loop(pc);
        if (stopped) return stopped;
        break;
      }
      default: return pc;
    }
    pc += <usize>load<i32>(pc, 4);
  }
  return 0;
}
`,
  );
  writeFileSync(
    `${FOLDER}/instructions.ts`,
    `/** Number of the instruction that repeats others. */
export const LOOP = ${kernels.length};
/** Per kernel its number, its arguments (i an integer or address, f a float) and whether it answers something. */
export const signatures: Readonly<Record<string, { readonly id: number; readonly types: string; readonly answers: boolean }>> = {
${kernels.map(({ name, types, checked }, id) => `  ${name}: { id: ${id}, types: "${types.map((type) => (type.startsWith("f") ? "f" : "i")).join("")}", answers: ${checked} },`).join("\n")}
};
`,
  );
}
