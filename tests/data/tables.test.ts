// Tables: numbers and labels out of csv files, and the iris table.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, data, FormatError, memory } from "../../ts-src/index.js";
import { assertClose, assertRejects } from "../assert-close.js";

const path = join(mkdtempSync(join(tmpdir(), "tapir-csv-")), "table.csv");
const read = (text: string | Uint8Array, options?: data.CsvOptions): Promise<data.TableDataset> => {
  writeFileSync(path, text);
  return data.csv(path, options);
};
const content = (set: data.TableDataset): unknown => ({
  columns: set.columns,
  classes: set.classes,
  x: set.inputs.toArray(),
  y: set.targets.toArray(),
  dtypes: [set.inputs.dtype, set.targets.dtype],
});

test("columns of numbers with labels become inputs and class numbers, names kept", async () => {
  assert.equal(content(await read("a,b,kind\n1,2,dog\n-3.5,4e2,cat\n.5,+6.,dog\n")), {
    columns: ["a", "b"],
    classes: ["cat", "dog"],
    x: [
      [1, 2],
      [-3.5, 400],
      [0.5, 6],
    ],
    y: [1, 0, 1],
    dtypes: ["float32", "int32"],
  });
});

test("targets that are numbers stay numbers, unless they are to be labels", async () => {
  const text = "x,y\n1,10\n2,9\n3,10\n";
  assert.equal(content(await read(text)), { columns: ["x"], classes: undefined, x: [[1], [2], [3]], y: [10, 9, 10], dtypes: ["float32", "float32"] });
  assert.equal((await read(text, { dtype: "float64" })).targets.dtype, "float64");
  const labelled = await read(text, { classes: true });
  assert.equal(
    [labelled.classes, labelled.targets.toArray()],
    [
      ["9", "10"],
      [1, 0, 1],
    ],
  );
  const given = await read(text, { classes: ["10", "9", "8"] });
  assert.equal(
    [given.classes, given.targets.toArray()],
    [
      ["10", "9", "8"],
      [0, 1, 0],
    ],
  );
});

test("columns and target are picked by name or number, in the order asked for", async () => {
  const text = "a;b;c\n1;2;3\n4;5;6\n";
  const set = await read(text, { delimiter: ";", columns: ["c", 0], target: "b" });
  assert.equal(content(set), {
    columns: ["c", "a"],
    classes: undefined,
    x: [
      [3, 1],
      [6, 4],
    ],
    y: [2, 5],
    dtypes: ["float32", "float32"],
  });
  const bare = await read("1\t2\n3\t4\n", { delimiter: "\t", header: false, target: 0 });
  assert.equal(content(bare), { columns: ["1"], classes: undefined, x: [[2], [4]], y: [1, 3], dtypes: ["float32", "float32"] });
});

test("quotes, blanks, comments, a mark of byte order and every end of line are understood", async () => {
  const set = await read('\ufeffa , "b, c",t\r\n# no row\r\n 1, 2 ,"x ""y"""\r\n\r\n3,4,z # end\r\n', { comment: "#" });
  assert.equal(content(set), {
    columns: ["a", "b, c"],
    classes: ['x "y"', "z"],
    x: [
      [1, 2],
      [3, 4],
    ],
    y: [0, 1],
    dtypes: ["float32", "int32"],
  });
});

test("a ragged row, a field that is no number, a label outside the classes: FormatErrors with line and column", async () => {
  for (const [text, message, options] of [
    ["a,b,t\n1,2,x\n1,2\n", /expected 3 fields; got 2 at line 3, column 2/, {}],
    ["a,b,t\n1,2,x,4\n", /expected 3 fields; got 4 at line 2/, {}],
    ["a,b,t\n1,2,x\n\n1,b,x\n", /a finite number; got "b" at line 4, column b/, {}],
    ["a,b,t\n1,,x\n", /got "" at line 2, column b/, {}],
    ["a,b,t\n1,nan,x\n", /got "nan"/, {}],
    ["a,b,t\n1,Infinity,x\n", /got "Infinity"/, {}],
    ["a,b,t\n1,1e999,x\n", /got "1e999"/, {}],
    ["a,b,t\n1,0x10,x\n", /got "0x10"/, {}],
    ["a,b,t\n1,1-2,x\n", /got "1-2"/, {}],
    ["a,b,t\n1,2,x\n", /a class among y, z; got "x" at line 2, column t/, { classes: ["y", "z"] }],
    ["a,b,t\n1,2,x\n", /a finite number; got "x" at line 2, column t/, { classes: false }],
    ["a,t\n1,\n2,3.5\n", /expected a target; got "" at line 2, column t/, {}],
    ["a,t\n1,2.5\n2,nan\n", /all numbers or all labels; got both, "nan" among numbers; classes: true takes them as labels at line 3, column t/, {}],
    ["a,t\n1e39,2\n", /a finite number; got "1e39"/, {}],
    ["a,t\n2,1e39\n", /got both, "1e39"|a finite number; got "1e39"/, { classes: false }],
    ["a,a,t\n1,2,x\n", /each column once; got a twice at line 1/, {}],
    ['a,b,t\n1,"2,x\n', /RFC 4180.*at line 2/, {}],
    ['a,b,t\n1,2"3",x\n', /RFC 4180.*at line 2/, {}],
    ["", /expected a row; got none/, {}],
    ["a,b\n", /expected a row; got none/, {}],
    ["a;b\n1;2\n", /one column; is the delimiter another/, {}],
    [`a,b\n1,"${"x".repeat(2 ** 21)}"\n`, /RFC 4180/, {}],
  ] as const) {
    const { tensors } = memory.stats();
    await assertRejects(read(text, options as data.CsvOptions), FormatError, message);
    assert.is(memory.stats().tensors, tensors);
  }
  await assertRejects(data.csv("/nowhere.csv"), FormatError, /there is none/);
});

test("options that cannot be are ConfigErrors", async () => {
  const text = "a,b,t\n1,2,3\n";
  for (const options of [
    { columns: ["z"] },
    { columns: [3] },
    { columns: [] },
    { columns: ["a", "a"] },
    { columns: "a" },
    { target: "z" },
    { target: 1.5 },
    { header: 1 },
    { delimiter: "" },
    { delimiter: 5 },
    { delimiter: '"' },
    { comment: "" },
    { classes: [] },
    { classes: ["a", "a"] },
    { classes: "a" },
    { dtype: "int32" },
    { separator: ";" },
  ]) {
    await assertRejects(read(text, options as unknown as data.CsvOptions), ConfigError, /^csv: expected/);
  }
  await assertRejects(read(text, null as never), ConfigError, /^csv: expected/);
});

test("a field of a million digits is read or refused in no time", async () => {
  await assertRejects(read(`a,b\n${"1".repeat(2 ** 19)}x,1\n`), FormatError, /finite number/);
  await assertRejects(read(`a,b\n${"1".repeat(2 ** 19)},1\n`), FormatError, /finite number/);
});

test("iris has Fisher's 150 flowers, 50 of each species", async () => {
  const set = await data.iris();
  assert.is(set.length, 150);
  assert.equal(set.classes, ["setosa", "versicolor", "virginica"]);
  assert.equal(set.columns, ["sepal length", "sepal width", "petal length", "petal width"]);
  const x = set.inputs.to("float64");
  // means of the species, of Fisher's table II; setosa with the two rows of the repository that differ
  assertClose(x.reshape([3, 50, 4]).mean({ axis: 1 }).data(), [5.006, 3.418, 1.464, 0.244, 5.936, 2.77, 4.26, 1.326, 6.588, 2.974, 5.552, 2.026], {
    rtol: 1e-6,
  });
  assert.equal(set.targets.reshape([3, 50]).to("float32").mean({ axis: 1 }).toArray(), [0, 1, 2]);
  assertClose(set.inputs.data().slice(0, 4), [5.1, 3.5, 1.4, 0.2], { rtol: 1e-6 });
  assert.equal(
    set.kFold(5).map(({ training, validation }) => [training.length, validation.length]),
    new Array(5).fill([120, 30]),
  );
});

test.run();
