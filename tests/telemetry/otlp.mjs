// OTLP's messages, read and written by code that was generated from the published schema (opentelemetry-proto).
//
//   node otlp.mjs < body      the spans of one ExportTraceServiceRequest as JSON, for tests in other languages
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import path from "node:path";

const here = path.dirname(fileURLToPath(import.meta.url));
const generated = path.join(here, "node_modules/@opentelemetry/otlp-transformer/build/src/generated/root.js");
const { opentelemetry } = createRequire(import.meta.url)(generated);
const trace = opentelemetry.proto.collector.trace.v1;

const hex = (bytes) => Buffer.from(bytes ?? []).toString("hex");

const valueOf = (any) => {
  const fields = Object.keys(any);
  if (fields.length !== 1) throw new Error(`an attribute's value has the fields ${fields}`);
  const value = any[fields[0]];
  return fields[0] === "intValue" ? Number(value) : value;
};

const attributesOf = (list) => {
  const all = Object.fromEntries(list.map(({ key, value }) => [key, valueOf(value)]));
  if (Object.keys(all).length !== list.length) throw new Error("an attribute is there twice");
  return all;
};

/// What the body says. Throws where it is no such message, or holds a field that the schema has not.
export function readRequest(body) {
  const request = trace.ExportTraceServiceRequest.decode(body);
  // What is not in the schema is left out when it is written again.
  const again = trace.ExportTraceServiceRequest.encode(request).finish();
  if (again.length !== body.length) throw new Error(`${body.length} bytes came, ${again.length} of them are in the schema`);
  return request.resourceSpans.map((ofResource) => ({
    resource: attributesOf(ofResource.resource.attributes),
    schemaUrl: ofResource.schemaUrl,
    spans: ofResource.scopeSpans.flatMap((ofScope) => ofScope.spans.map((span) => ({
      scope: ofScope.scope.name,
      traceId: hex(span.traceId),
      spanId: hex(span.spanId),
      parent: hex(span.parentSpanId),
      state: span.traceState ?? "",
      flags: span.flags,
      name: span.name,
      kind: span.kind,
      start: String(span.startTimeUnixNano),
      end: String(span.endTimeUnixNano),
      attributes: attributesOf(span.attributes),
      status: span.status?.code ?? 0,
    }))),
  }));
}

export function writeResponse(partialSuccess) {
  return Buffer.from(trace.ExportTraceServiceResponse.encode({ partialSuccess }).finish());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pieces = [];
  for await (const piece of process.stdin) pieces.push(piece);
  process.stdout.write(JSON.stringify(readRequest(Buffer.concat(pieces))));
}
