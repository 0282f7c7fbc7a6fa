// What we write is what the published schema says, and what collectors answer is understood.
//
//   node otlp_schema_test.mjs PROGRAM      PROGRAM: build/.../otlp_sample
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

import { readRequest, writeResponse } from "./otlp.mjs";

const program = process.argv[2];

function run(argument, input) {
  const done = spawnSync(program, [argument], { input, maxBuffer: 1 << 26 });
  assert.equal(done.status, 0, String(done.stderr));
  return done.stdout;
}

const [only, ...others] = readRequest(run("request"));
assert.deepEqual(others, []);
assert.deepEqual(only.resource, { "service.name": "sämple", "service.version": "1.2.3" });
assert.equal(only.schemaUrl, "https://opentelemetry.io/schemas/1.27.0");
assert.equal(only.spans.length, 3);

const [full, bare, long] = only.spans;
assert.deepEqual(full, {
  scope: "dropscore",
  traceId: "000102030405060708090a0b0c0d0e0f",
  spanId: "f0f1f2f3f4f5f6f7",
  parent: "0101010101010101",
  state: "vendor=1,other=2",
  flags: 1,
  name: "POST /predict",
  kind: 2,
  start: "1795413600123456789",
  end: "1795413601000000000",
  attributes: {
    text: "grün",
    empty: "",
    not_utf8: "a\ufffd",
    zero: 0,
    negative: -1,
    large: 2 ** 53 - 1,
    on: true,
    off: false,
    number: 0.1,
  },
  status: 2,
});
assert.equal(bare.parent, "");
assert.equal(bare.state, "");
assert.equal(bare.status, 0);
assert.deepEqual(bare.attributes, {});
assert.equal(long.attributes.text.length, 300_000);

for (const [rejected, message] of [[0, "mind the gap"], [3, ""], [2 ** 40, "too many"]]) {
  const told = String(run("response", writeResponse({ rejectedSpans: rejected, errorMessage: message })));
  assert.equal(told, `${rejected} ${message}\n`);
}
assert.equal(String(run("response", writeResponse({}))), "all taken\n");
assert.equal(String(run("response", writeResponse(null))), "all taken\n");
