// The SVM of a model.json in onnxruntime-node, one thread: rows a second, and one row's time. The ONNX document is
// written here, field by field (onnx.proto3), since what converts models is Python's.
// usage: node onnx.mjs MODEL_FOLDER TIMES      prints one JSON object; exits 3 where onnxruntime-node is not installed
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ort = await import("onnxruntime-node").then((module) => module.default, () => {
  console.error("not installed: onnxruntime-node (cd bench && ONNXRUNTIME_NODE_INSTALL=skip npm ci)");
  process.exit(3);
});

const { predictor } = JSON.parse(readFileSync(join(process.argv[2], "model.json"), "utf8")).body;
const times = Number(process.argv[3]);
const columns = predictor.standardizer.mean.length;
const rows = 2048;

// Protocol buffers: a tag, then a varint, or a length and bytes.
function varint(number) {
  const bytes = [];
  let left = BigInt(number);
  do {
    bytes.push(Number(left & 127n) | (left > 127n ? 128 : 0));
    left >>= 7n;
  } while (left > 0n);
  return Buffer.from(bytes);
}
const natural = (field, number) => Buffer.concat([varint(field * 8), varint(number)]);
const bytes = (field, content) => {
  const body = Buffer.isBuffer(content) ? content : Buffer.from(content);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
};
const message = (field, ...parts) => bytes(field, Buffer.concat(parts));

const floats = (values) => Buffer.from(Float32Array.from(values).buffer);
const attribute = {
  floats: (name, values) => message(5, bytes(1, name), bytes(7, floats(values)), natural(20, 6)),
  text: (name, value) => message(5, bytes(1, name), bytes(4, value), natural(20, 3)),
  whole: (name, value) => message(5, bytes(1, name), natural(3, value), natural(20, 2)),
};
const tensor = (field, name, width) =>
  message(field, bytes(1, name), message(2, message(1, natural(1, 1), message(2, message(1, bytes(2, "rows")), message(1, natural(1, width))))));

const node = message(1, bytes(1, "x"), bytes(2, "y"), bytes(4, "SVMRegressor"), bytes(7, "ai.onnx.ml"),
  attribute.floats("coefficients", predictor.coefficients),
  attribute.floats("kernel_params", [predictor.gamma, 0, 3]),
  attribute.text("kernel_type", "RBF"),
  attribute.whole("n_supports", predictor.coefficients.length),
  attribute.floats("rho", [-predictor.rho]),
  attribute.floats("support_vectors", predictor.support_vectors.flat()));
const graph = message(7, node, bytes(2, "svm"), tensor(11, "x", columns), tensor(12, "y", 1));
const model = Buffer.concat([natural(1, 8), graph, message(8, bytes(1, "ai.onnx.ml"), natural(2, 1)), message(8, bytes(1, ""), natural(2, 15))]);

const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
// Rows like the support vectors: halfway between two of them.
const cells = new Float32Array(rows * columns);
const vectors = predictor.support_vectors;
for (let i = 0; i < rows; ++i) {
  for (let j = 0; j < columns; ++j) {
    cells[i * columns + j] = (vectors[i % vectors.length][j] + vectors[(7 * i + 1) % vectors.length][j]) / 2;
  }
}

async function decide(count) {
  const answer = await session.run({ x: new ort.Tensor("float32", cells.subarray(0, count * columns), [count, columns]) });
  return answer.y.data;
}

function exactly(row) {
  const x = cells.subarray(row * columns, (row + 1) * columns);
  return vectors.reduce((sum, vector, i) => {
    const distance = vector.reduce((all, value, j) => all + (value - x[j]) ** 2, 0);
    return sum + predictor.coefficients[i] * Math.exp(-predictor.gamma * distance);
  }, -predictor.rho);
}

async function median(count, repetitions) {
  const taken = [];
  for (let i = 0; i < repetitions; ++i) {
    const begin = process.hrtime.bigint();
    await decide(count);
    taken.push(Number(process.hrtime.bigint() - begin) / 1e9);
  }
  return taken.sort((a, b) => a - b)[taken.length >> 1];
}

const first = await decide(100);
const worst = Math.max(...Array.from(first, (value, row) => Math.abs(value - exactly(row))));
console.log(JSON.stringify({
  worst_difference: worst,
  rows_per_second: rows / (await median(rows, times)),
  one_row_seconds: await median(1, 200 * times),
}));
