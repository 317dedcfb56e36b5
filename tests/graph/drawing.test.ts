// The picture of a graph shows every node where it can be read, and tells the function from its derivative.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { layers, optim, tensor, trace } = tapir;
type T = tapir.Tensor;
const SEED = 20240611;
console.log(`seed ${SEED}`);

interface Box {
  readonly title: string;
  readonly label: string;
  readonly outline: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The boxes of a picture, by their outlines. */
function boxesOf(svg: string): Box[] {
  return [...svg.matchAll(/<g text-anchor="middle"><title>([^<]*)<\/title>\n(<[^>]*>)\n<text[^>]*>([^<]*)<\/text>/g)].map(([, title, outline, label]) => {
    const number = (name: string): number => Number(new RegExp(` ${name}="([^"]*)"`).exec(outline)?.[1]);
    if (outline.startsWith("<rect")) {
      const [left, top] = [number("x"), number("y")];
      return { title, label, outline, left, top, right: left + number("width"), bottom: top + number("height") };
    }
    const path = /d="M([\d.]+) ([\d.]+)H[\d.]+L([\d.]+) [\d.]+V[\d.]+L[\d.]+ ([\d.]+)H[\d.]+L([\d.]+) /.exec(outline) as RegExpExecArray;
    const [, , top, right, bottom, left] = path.map(Number);
    return { title, label, outline, left, top, right, bottom };
  });
}

function assertApart(boxes: readonly Box[]): void {
  for (const [i, a] of boxes.entries()) {
    for (const b of boxes.slice(i + 1)) {
      const overlap = a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
      assert.not(overlap, `${a.title} lies over ${b.title}`);
    }
  }
}

function trainingStep(depth: number): { graph: tapir.Graph; model: tapir.layers.Module } {
  const model = new layers.Sequential(...Array.from({ length: depth }, () => [new layers.Linear(8, 8), new layers.ReLU()]).flat());
  const optimizer = new optim.Adam(model.parameters());
  const graph = trace(
    (x: T, y: T) => {
      optimizer.zeroGrad();
      const loss = tapir.crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      return loss;
    },
    tapir.ones([4, 8]),
    tensor(new Int32Array(4)),
  );
  return { graph, model };
}

test("a training step shows each node once, weights beside what reads them, and no box lies over another", () => {
  const { graph, model } = trainingStep(3);
  const boxes = boxesOf(graph.toSVG({ title: "three layers", names: model.namedParameters() }));
  assertApart(boxes);
  const own = graph.nodes.filter(({ kind }) => kind !== "constant").length;
  assert.is(boxes.filter(({ title }) => !title.startsWith("c")).length, own);
  for (const [name] of model.namedParameters()) {
    assert.ok(
      boxes.some(({ label }) => label === name),
      name,
    );
    assert.ok(
      boxes.some(({ label }) => label === `Adam ${name}`),
      `Adam ${name}`,
    );
  }
});

test("derivatives have dashed outlines, changes of memory cut corners, results thick ones", () => {
  const { graph } = trainingStep(2);
  for (const { label, outline } of boxesOf(graph.toSVG())) {
    assert.is(/stroke-dasharray/.test(outline), /Grad$|matmul|sum|permute|reshape/.test(label), label);
    assert.is(outline.startsWith("<path"), label === "Adam", label);
    assert.is(/stroke-width="3"/.test(outline), label === "crossEntropy", label);
  }
});

test("what a node of the derivative is made of is part of the derivative, also when it is compiled, run in another trace or differentiated again", () => {
  const x = tensor([1, 2, 3], { dtype: "float64" });
  const cube = trace((t: T) => t.mul(t).mul(t).sum(), x);
  assert.not(cube.nodes.some(({ derivative }) => derivative));
  const first = tapir.gradient(cube);
  const counts = (graph: tapir.Graph): number => graph.nodes.filter(({ derivative }) => derivative).length;
  assert.ok(counts(first) > 0);
  assert.is(counts(trace((t: T) => first.run(t) as T, x)), counts(first));
  assert.ok(counts(tapir.gradient(trace((t: T) => (first.run(t) as T).sum(), x))) > counts(first));
});

test("random graphs: rows go down, no box lies over another, none leaves the picture", () => {
  const random = new Random(SEED);
  for (let round = 0; round < 20; round++) {
    const size = random.integer(5, 65);
    const graph = trace(
      (x: T) => {
        const values = [x];
        const any = (): T => random.pick(values);
        while (values.length < size) values.push(random.unit() < 0.5 ? any().add(any()) : any().tanh());
        return values[size - 1];
      },
      tapir.ones([2]),
    );
    const svg = graph.toSVG();
    const boxes = boxesOf(svg);
    assert.is(boxes.length, graph.nodes.length);
    assertApart(boxes);
    const [, width, height] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) as RegExpExecArray).map(Number);
    for (const { left, right, top, bottom } of boxes)
      assert.ok(left >= 0 && top >= 0 && right <= width && bottom <= height, `${[left, right, top, bottom]} in ${[width, height]}`);
    const byName = new Map(boxes.map((box) => [box.title.split(" ")[0], box]));
    for (const { title, top } of boxes) {
      const read = /\(([^;)]*)/.exec(title)?.[1].split(", ") ?? [];
      for (const name of read) assert.ok((byName.get(name)?.bottom as number) < top, `${title} stands below ${name}`);
    }
  }
});

test("labels and titles are text, whatever they hold", () => {
  const w = tensor([1, 2], { requiresGrad: true });
  const svg = trace((x: T) => x.mul(w), tapir.ones([2])).toSVG({ title: '<script>"&', names: [["a<b>&", w]] });
  assert.match(svg, /&lt;script&gt;&quot;&amp;<\/text>/);
  assert.match(svg, />a&lt;b&gt;&amp;<\/text>/);
  assert.not.match(svg, /<script/);
});

test("a graph of thousands of nodes is drawn", () => {
  const graph = trace(
    (x: T) => {
      let y = x;
      for (let i = 0; i < 5000; i++) y = y.tanh();
      return y.add(x);
    },
    tapir.ones([2]),
  );
  assert.is(boxesOf(graph.toSVG()).length, 5002);
});

test("options that are none are errors", () => {
  const graph = trace((x: T) => x.tanh(), tapir.ones([2]));
  assertThrows(() => graph.toSVG({ titel: "x" } as tapir.DrawingOptions), tapir.ConfigError, /expected options title, names; got titel/);
  assertThrows(() => graph.toSVG({ title: 3 as unknown as string }), tapir.ConfigError, /expected a title, a string; got number 3/);
  assertThrows(() => graph.toSVG({ names: [["w"]] as unknown as [] }), tapir.ConfigError, /as module\.namedParameters\(\) gives; got .*array.* among them/i);
});

test.run();
