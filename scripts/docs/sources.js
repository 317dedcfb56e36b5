// What the sources say: each op's declaration, wherever `op(` is called, and each function that the package exports. Nothing is run.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import ts from "typescript";

const parsed = new Map();

/** A source file, read once. */
function source(path) {
  let file = parsed.get(path);
  if (file === undefined) {
    file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ESNext, true);
    parsed.set(path, file);
  }
  return file;
}

/** The text of a doc comment on one line; "" without one. */
function docOf(node) {
  const ranges = ts.getLeadingCommentRanges(node.getSourceFile().text, node.pos) ?? [];
  const last = ranges.at(-1);
  const text = last === undefined ? "" : node.getSourceFile().text.slice(last.pos, last.end);
  if (!text.startsWith("/**")) return "";
  return text
    .slice(3, -2)
    .replace(/^\s*\* ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();
}

function walk(node, visit) {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

function enclosing(node, test) {
  let at = node.parent;
  while (at !== undefined && !test(at)) at = at.parent;
  return at;
}

/** The value of an expression that is a string under these values of names; undefined if it cannot be told. */
function stringOf(node, names) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isIdentifier(node)) return names.get(node.text);
  if (!ts.isTemplateExpression(node)) return undefined;
  const parts = node.templateSpans.map((span) => [stringOf(span.expression, names), span.literal.text]);
  return parts.some(([value]) => value === undefined) ? undefined : node.head.text + parts.flat().join("");
}

function functionNamed(file, name) {
  return file.statements.find((statement) => ts.isFunctionDeclaration(statement) && statement.name?.text === name && statement.body !== undefined);
}

/** The objects of which a declaration is made: the literal, and what the helpers of the same file answer. */
function literalsOf(node) {
  if (ts.isObjectLiteralExpression(node)) {
    return [node, ...node.properties.filter(ts.isSpreadAssignment).flatMap((part) => literalsOf(part.expression))];
  }
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return [];
  const helper = functionNamed(node.getSourceFile(), node.expression.text);
  const answers = [];
  if (helper !== undefined) {
    walk(helper.body, (inner) => {
      if (ts.isReturnStatement(inner) && inner.expression !== undefined && enclosing(inner, ts.isFunctionLike) === helper) answers.push(inner.expression);
    });
  }
  return answers.flatMap((answer) => literalsOf(ts.isAsExpression(answer) ? answer.expression : answer));
}

function property(literals, name) {
  for (const literal of literals) {
    const found = literal.properties.find((part) => part.name?.getText() === name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The name that a declaration has: its own, or the first argument of the helper that makes it. */
function nameOf(node, names) {
  const own = property(literalsOf(node), "name");
  const literal = own && (ts.isShorthandPropertyAssignment(own) ? stringOf(own.name, names) : stringOf(own.initializer, names));
  if (literal !== undefined) return literal;
  const calls = ts.isCallExpression(node) ? [node] : node.properties.filter(ts.isSpreadAssignment).map((part) => part.expression);
  return calls.map((call) => ts.isCallExpression(call) && call.arguments.length > 0 && stringOf(call.arguments[0], names)).find((name) => name);
}

/** What names stand for where op( is called: nothing at the top; the arguments of each call of a function; each round of a loop. */
function valuesAt(call) {
  const loop = enclosing(call, (node) => ts.isForOfStatement(node) || ts.isFunctionDeclaration(node));
  if (loop === undefined) return [new Map()];
  if (ts.isForOfStatement(loop)) {
    const name = loop.initializer.getText().replace(/^const /, "");
    const list = ts.isAsExpression(loop.expression) ? loop.expression.expression : loop.expression;
    return ts.isArrayLiteralExpression(list) ? list.elements.map((element) => new Map([[name, stringOf(element, new Map())]])) : [];
  }
  const found = [];
  walk(call.getSourceFile(), (node) => {
    if (!ts.isCallExpression(node) || node.expression.getText() !== loop.name?.text || enclosing(node, (at) => at === loop) !== undefined) return;
    found.push(new Map(loop.parameters.map((p, i) => [p.name.getText(), node.arguments[i] && stringOf(node.arguments[i], new Map())])));
  });
  return found;
}

/** Source text moved to the left. */
function dedented(text) {
  const lines = text.split("\n");
  const indents = lines
    .slice(1)
    .filter((line) => line.trim() !== "")
    .map((line) => /^ */.exec(line)[0].length);
  const indent = Math.min(...indents, 80);
  return lines.map((line, i) => (i === 0 ? line : line.slice(indent))).join("\n");
}

/** The comment of the one function that does nothing but apply an op. */
function wrapperDoc(file, variable) {
  const wraps = (statement) =>
    ts.isFunctionDeclaration(statement) && statement.body?.statements.length === 1 && statement.body.getText().includes(`apply(${variable},`);
  const wrapper = file.statements.find(wraps);
  return wrapper === undefined ? "" : docOf(wrapper);
}

/** By op: the comment above its declaration, its derivative's source, and its file. */
export function declarations() {
  const found = new Map();
  for (const path of tsFiles("ts-src")) {
    const file = source(path);
    if (!file.text.includes("op(") && !file.text.includes("op<")) continue;
    walk(file, (node) => {
      if (!ts.isCallExpression(node) || node.expression.getText() !== "op" || node.arguments.length !== 1) return;
      const [declaration] = node.arguments;
      const statement = enclosing(node, ts.isVariableStatement);
      const variable = enclosing(node, ts.isVariableDeclaration)?.name.getText();
      const doc = statement && docOf(statement);
      const vjp = property(literalsOf(declaration), "vjp");
      const rule = vjp === undefined ? "" : dedented(ts.isPropertyAssignment(vjp) ? vjp.initializer.getText() : `function ${vjp.getText()}`);
      for (const names of valuesAt(node)) {
        const name = nameOf(declaration, names);
        if (name === undefined) continue;
        const namesake = functionNamed(file, name);
        found.set(name, { name, path, doc: doc || (namesake && docOf(namesake)) || wrapperDoc(file, variable), rule });
      }
    });
  }
  return found;
}

function tsFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? tsFiles(`${folder}/${entry.name}`) : `${folder}/${entry.name}`))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"));
}

/** The beginning of a file: what it holds. */
export function headerOf(path) {
  const lines = source(path).text.split("\n");
  const count = lines.findIndex((line) => !line.startsWith("//"));
  return lines
    .slice(0, count)
    .map((line) => line.replace(/^\/\/ ?/, ""))
    .join(" ");
}

function parametersOf(node) {
  return node.parameters.map((p) => `${p.dotDotDotToken ? "..." : ""}${p.name.getText()}${p.questionToken || p.initializer ? "?" : ""}`).join(", ");
}

/** What is exported under a name from a file: where it stands, its comment, its parameters and their types. */
function described(path, name) {
  const own = source(path).statements.filter(
    (statement) =>
      statement.name?.text === name ||
      (ts.isVariableStatement(statement) && statement.declarationList.declarations.some((declaration) => declaration.name.getText() === name)),
  );
  const values = own.filter((node) => !ts.isInterfaceDeclaration(node) && !ts.isTypeAliasDeclaration(node));
  if (values.length === 0) return undefined;
  const isFunction = ts.isFunctionDeclaration(values[0]);
  const whole = isFunction ? (values.find((node) => node.body !== undefined) ?? values[0]) : values[0];
  return {
    path,
    doc: values.map(docOf).find((doc) => doc !== "") ?? "",
    parameters: isFunction ? parametersOf(whole) : undefined,
    types: isFunction ? whole.parameters.map((p) => (p.initializer || p.questionToken ? "optional" : (p.type?.getText() ?? ""))) : [],
    node: whole,
  };
}

/** Every value that a file exports, by its public name; those of a namespace as "namespace.name". */
export function exported(path, prefix = "") {
  const found = new Map();
  for (const statement of source(path).statements) {
    if (ts.isExportDeclaration(statement)) {
      if (statement.isTypeOnly || statement.moduleSpecifier === undefined) continue;
      const target = join(dirname(path), statement.moduleSpecifier.text).replace(/\.js$/, ".ts");
      const clause = statement.exportClause;
      if (clause === undefined) for (const [name, of] of exported(target, prefix)) found.set(name, of);
      else if (ts.isNamespaceExport(clause)) for (const [name, of] of exported(target, `${prefix}${clause.name.text}.`)) found.set(name, of);
      else {
        for (const item of clause.elements) {
          if (item.isTypeOnly) continue;
          const of = exported(target).get((item.propertyName ?? item.name).text);
          if (of !== undefined) found.set(`${prefix}${item.name.text}`, of);
        }
      }
      continue;
    }
    if (!statement.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)) continue;
    const names = ts.isVariableStatement(statement) ? statement.declarationList.declarations.map((d) => d.name.getText()) : [statement.name?.text];
    for (const name of names) {
      const of = name && described(path, name);
      if (of) found.set(`${prefix}${name}`, of);
    }
  }
  return found;
}

/** The public members of a class that have a comment. */
export function membersOf({ node }) {
  const found = new Map();
  for (const member of node.members) {
    const hidden = member.modifiers?.some((m) => [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword, ts.SyntaxKind.StaticKeyword].includes(m.kind));
    const doc = docOf(member);
    if (hidden || doc === "" || member.name === undefined || ts.isPrivateIdentifier(member.name) || ts.isComputedPropertyName(member.name)) continue;
    const name = member.name.getText();
    if (!found.has(name)) found.set(name, { doc, parameters: ts.isMethodDeclaration(member) ? parametersOf(member) : undefined });
  }
  return found;
}
