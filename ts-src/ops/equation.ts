// The equation of einsum, read into names of axes: a letter, or ...1, ...2 for the axes of an ellipsis, counted from the last.

export interface Equation {
  /** Per operand, the name of each axis. */
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/** Reads an equation for operands with so many axes; `fail` throws. */
export function parsed(equation: string, ndims: readonly number[], fail: (problem: string) => never): Equation {
  const sides = equation.replace(/\s/g, "").split("->");
  if (sides.length > 2) fail('expected one "->" at most');
  const parts = sides[0].split(",");
  if (parts.length !== ndims.length) fail(`expected ${parts.length} operands, as it has terms; got ${ndims.length}`);
  let widest = 0;
  const inputs = parts.map((part, i) => {
    const where = `operand ${i + 1}`;
    const letters = symbols(part, where, fail);
    const named = letters.filter((letter) => letter !== "...").length;
    const hidden = ndims[i] - named;
    if (hidden < 0 || (hidden > 0 && named === letters.length)) {
      fail(`expected ${named}${named === letters.length ? "" : " or more"} axes in ${where}, as in ${part || '""'}; got ${ndims[i]}`);
    }
    if (named !== letters.length) widest = Math.max(widest, hidden);
    return letters.flatMap((letter) => (letter === "..." ? ellipsis(hidden) : [letter]));
  });
  if (sides.length === 1) return { inputs, output: implied(inputs, widest) };
  const output = symbols(sides[1], "the output", fail).flatMap((letter) => (letter === "..." ? ellipsis(widest) : [letter]));
  for (const [i, name] of output.entries()) if (output.indexOf(name) !== i) fail(`output index ${name} stands twice`);
  return { inputs, output };
}

function symbols(text: string, where: string, fail: (problem: string) => never): string[] {
  const letters: string[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text.startsWith("...", i)) {
      if (letters.includes("...")) fail(`expected one "..." at most in ${where}`);
      letters.push("...");
      i += 2;
    } else if (/[A-Za-z]/.test(text[i])) letters.push(text[i]);
    else fail(`expected letters or "..." in ${where}; got ${JSON.stringify(text[i])}`);
  }
  return letters;
}

function ellipsis(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `...${count - i}`);
}

/** Axes of the ellipses, then the letters that stand once, capitals first. */
function implied(inputs: readonly (readonly string[])[], widest: number): string[] {
  const all = inputs.flat().filter((name) => !name.startsWith("..."));
  const once = all.filter((name) => all.indexOf(name) === all.lastIndexOf(name));
  return [...ellipsis(widest), ...once.sort()];
}
