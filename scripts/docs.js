// ops/ -> docs/ops.md: one section an op, from the declarations and their comments. `npm run docs` writes it, `node scripts/docs.js
// --check` fails when it is stale. What can be tried is tried: which dtypes an op takes, how often it can be differentiated.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
const PAGE = "docs/ops.md";
const DTYPES = ["float32", "float64", "int32", "uint8", "bool"];
const ORDERS = 3;

/** The comment above each declaration and each public function, and the file it stands in. */
function comments() {
  const found = new Map();
  for (const file of readdirSync("ts-src/ops").filter((name) => name.endsWith(".ts"))) {
    const source = readFileSync(join("ts-src/ops", file), "utf8");
    const sections = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(export )?(?:function (\w+)|const (\w+)Op = op\()/g;
    for (const [, text, , fn, name] of source.matchAll(sections)) {
      const key = fn ?? name;
      const plain = text
        .replace(/^\s*\* ?/gm, "")
        .replace(/\s+/g, " ")
        .trim();
      if (!found.has(key)) found.set(key, { text: plain, file: `ts-src/ops/${file}` });
    }
  }
  return found;
}

const outfile = "build/docs/index.mjs";
mkdirSync("build/docs", { recursive: true });
writeFileSync(
  "build/docs/entry.ts",
  'export * from "../../ts-src/index.js";\nexport { apply } from "../../bindings/op.js";\nexport { scope } from "../../bindings/lifetime.js";\nexport { Random } from "../../tests/draw.js";\n',
);
await build({ entryPoints: ["build/docs/entry.ts"], outfile, bundle: true, format: "esm", platform: "node", loader: { ".wasm": "base64" } });
const tapir = await import(pathToFileURL(join(root, outfile)).href);
const { ops, apply, scope, Random } = tapir;

/** A sample with elements, of two axes or more if there is one. */
function operands(declaration, random) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const sample = random.pick(declaration.samples);
    const { inputs, params } = typeof sample === "function" ? sample(random) : sample;
    const xs = declaration.inputs.map((name) => random.operand(inputs[name]));
    if (xs.every((x) => x.size > 0) && (attempt > 50 || xs.some((x) => x.ndim > 1))) return { xs, params };
  }
  throw new Error(`docs: ${declaration.name} has no sample with elements`);
}

function run(declaration, xs, params) {
  return apply(declaration, Object.fromEntries(declaration.inputs.map((name, i) => [name, xs[i]])), params);
}

/** An example of shapes, and the dtypes that the floats among the operands may have. */
function tried(declaration) {
  const random = new Random(1);
  return scope(() => {
    const { xs, params } = operands(declaration, random);
    const y = run(declaration, xs, params);
    const shape = (t) => `[${t.shape.join(", ")}]`;
    const dtypes = DTYPES.filter((dtype) => {
      try {
        run(
          declaration,
          xs.map((x) => (x.dtype === "float64" ? x.to(dtype) : x)),
          params,
        );
        return true;
      } catch (error) {
        if (error instanceof tapir.TapirError) return false;
        throw error;
      }
    });
    const fixed = declaration.inputs.map((name, i) => [name, xs[i].dtype]).filter(([, dtype]) => dtype !== "float64");
    return {
      example: `${declaration.inputs.map((name, i) => `${name} ${shape(xs[i])}`).join(", ")} -> ${shape(y)}`,
      dtypes: dtypes.join(", ") + fixed.map(([name, dtype]) => `; ${name}: ${dtype}`).join(""),
      output: y.dtype === "float64" ? "" : ` Output: ${y.dtype}.`,
    };
  });
}

/** How many derivatives can be taken one after the other, up to ORDERS. */
function orders(declaration) {
  if (typeof declaration.vjp !== "function") return declaration.vjp === "zero" ? "zero everywhere" : "none";
  if (declaration.samples.length === 0) return "by the rule below";
  const random = new Random(1);
  return scope(() => {
    const { xs, params } = operands(declaration, random);
    const floats = xs.filter((x) => x.dtype === "float64");
    for (const x of floats) x.requiresGrad = true;
    let y = run(declaration, xs, params);
    for (let order = 1; order <= ORDERS; order++) {
      for (const x of floats) x.grad = undefined;
      try {
        // a factor that varies, or symmetric functions would lose their second derivative
        y.mul(y.detach().add(1.5)).sum().backward({ createGraph: true });
      } catch (error) {
        if (!(error instanceof tapir.GradientError)) throw error;
        return order === 1 ? "none" : `${order - 1} times`;
      }
      const gradients = floats.map((x) => x.grad).filter((g) => g?.requiresGrad);
      if (gradients.length === 0) return `any number of times (order ${order + 1} is zero)`;
      y = gradients.map((g) => g.square().sum()).reduce((a, b) => a.add(b));
    }
    return "any number of times";
  });
}

/** A rule as code, without the folding of the bundler. */
function rule(declaration) {
  if (typeof declaration.vjp !== "function") return "";
  const source = declaration.vjp.toString().replace(/^vjp(?=\()/, "");
  const lines = source.split("\n");
  const indent = Math.min(
    ...lines
      .slice(1)
      .filter((line) => line.trim() !== "")
      .map((line) => /^ */.exec(line)[0].length),
    80,
  );
  return lines.map((line, i) => (i === 0 ? line : line.slice(indent))).join("\n");
}

const texts = comments();
const names = [...ops.keys()].sort((a, b) => a.localeCompare(b, "en"));
const rows = names.map((name) => {
  const declaration = ops.get(name);
  const { text = "", file = "" } = texts.get(name) ?? {};
  if (text === "") throw new Error(`docs: expected a comment above ${name} or ${name}Op; got none`);
  const parts = [`### ${name}(${declaration.inputs.join(", ")})`, "", text, ""];
  const facts = [];
  if (declaration.samples.length > 0) {
    const { example, dtypes, output } = tried(declaration);
    facts.push(`Shapes, for instance: ${example}. Dtypes: ${dtypes}.${output}`);
  }
  facts.push(
    `Saves: ${declaration.saves.join(", ") || "nothing"}. Differentiable: ${orders(declaration)}.${declaration.view ? " A view: no copy." : ""} Declared in \`${file}\`.`,
  );
  parts.push(facts.join("\n"));
  const code = rule(declaration);
  if (code !== "") parts.push("", "```ts", code, "```");
  return parts.join("\n");
});
const page = `# Ops

Every declaration, made by \`npm run docs\`. A derivative is the function below an op: from \`dy\`, the gradient of the output, and what the op saved, the gradient of each operand. It is written
with ops, so it has a derivative itself. Functions that are not listed (such as \`mean\` or \`einsum\`) are made of these.

${rows.join("\n\n")}
`;
if (process.argv.includes("--check")) {
  if (!existsSync(PAGE) || readFileSync(PAGE, "utf8") !== page) {
    console.error(`docs: ${PAGE} is stale; run npm run docs`);
    process.exit(1);
  }
} else writeFileSync(PAGE, page);
rmSync("build/docs/entry.ts");
