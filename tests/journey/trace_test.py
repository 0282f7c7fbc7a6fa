"""One trace from an upload's event to its result: through the queue, the worker, the API, the logs of both, the result's
metadata and the spans that a collector gets."""
import base64
import json
import re
import time
import unittest

import azure_support
import support
from azure_support import records
from collector import Collector
from event_grid import blob_created

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
CAUSE = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=1"}
SERVER, CLIENT, CONSUMER, INTERNAL = 2, 3, 5, 1


def only(items, **wanted):
    found = [item for item in items if all(item[key] == value for key, value in wanted.items())]
    assert len(found) == 1, f"{len(found)} of {wanted} among {items}"
    return found[0]


class TraceOnAzureTest(azure_support.AzureTest):
    def collector(self, *answers):
        collector = Collector(answers)
        self.addCleanup(collector.close)
        return collector

    def serve(self, port=0, env=None):
        serving = self.start("serve", "--model", self.model, "--port", port, "--log-format", "json", env=env)
        serving.wait_for('"serving"')
        return serving, f"http://127.0.0.1:{records(serving.text(), 'serving')[0]['port']}"

    def watch_api(self, url, env=None):
        arguments = self.watch_arguments("--api", url)
        at = arguments.index("--model")
        return self.start(*arguments[:at], *arguments[at + 2:], env={**self.credentials(), **(env or {})})

    def announce(self, name, trace=None, schema="cloud"):
        etag = self.blobs.put(self.container, name, support.CUSTOMERS)
        event = blob_created(self.azurite.blob_url, self.container, name, etag, len(support.CUSTOMERS), schema, trace=trace)
        self.queues.put(self.queue, base64.b64encode(event.encode()).decode())

    def test_one_trace_from_event_to_result(self):
        collector = self.collector()
        serving, url = self.serve(env=collector.environment("api"))
        worker = self.watch_api(url, env=collector.environment("worker"))
        self.announce("a.csv", CAUSE)
        metadata = self.result_answer("a.csv").metadata
        worker.wait_for("file_done")
        self.stop(worker)
        self.assertEqual(serving.stop(), 0, serving.text())

        spans = [span for span in collector.spans() if span["traceId"] == TRACE]
        file = only(spans, name="process file")
        score = only(spans, name="score")
        call = only(spans, name="POST /predict", service="worker")
        answer = only(spans, name="POST /predict", service="api")
        asked = only(spans, name="GET /health", service="worker")
        parents = {span["spanId"]: span["parent"] for span in spans}
        self.assertEqual(file["parent"], PARENT)
        self.assertEqual(only(spans, name="wait")["parent"], file["spanId"])
        self.assertEqual(score["parent"], file["spanId"])
        self.assertEqual(only(spans, name="publish")["parent"], file["spanId"])
        self.assertEqual(call["parent"], score["spanId"])
        self.assertEqual(answer["parent"], call["spanId"])
        self.assertEqual(only(spans, name="GET /health", service="api")["parent"], asked["spanId"])
        self.assertEqual(len(parents), 8, "each span has an id of its own, and there are no others")
        self.assertEqual({span["state"] for span in spans}, {"vendor=1"})
        self.assertEqual({span["flags"] for span in spans}, {1})
        self.assertEqual({span["status"] for span in spans}, {0})

        self.assertEqual(file["kind"], CONSUMER)
        self.assertEqual(call["kind"], CLIENT)
        self.assertEqual(answer["kind"], SERVER)
        self.assertEqual(score["kind"], INTERNAL)
        for span in spans:
            self.assertLessEqual(int(span["start"]), int(span["end"]))
        for inner in (only(spans, name="wait"), score, only(spans, name="publish")):
            self.assertLessEqual(int(file["start"]), int(inner["start"]))
            self.assertLessEqual(int(inner["end"]), int(file["end"]))
        self.check_attributes(file, call, answer)

        self.assertEqual(metadata["traceparent"], f"00-{TRACE}-{file['spanId']}-01")
        done = records(worker.text(), "file_done")[0]
        self.assertEqual((done["trace_id"], done["span_id"], done["service"]), (TRACE, file["spanId"], "worker"))
        requests = {line["path"]: line for line in records(serving.text(), "request")}
        self.assertEqual((requests["/predict"]["trace_id"], requests["/predict"]["span_id"]), (TRACE, answer["spanId"]))
        self.assertEqual(requests["/predict"]["service"], "api")
        everything = b"".join(body for _, _, body in collector.requests)
        for secret in (*self.secrets, "sig=", "SharedKey"):
            self.assertNotIn(secret.encode(), everything)
        for cell in (b"PPC", b"Referral", b"SEO"):
            self.assertNotIn(cell, everything)

    def check_attributes(self, file, call, answer):
        attributes = file["attributes"]
        self.assertEqual(attributes["dropscore.blob"], "a.csv")
        self.assertEqual(attributes["dropscore.outcome"], "scored")
        self.assertEqual(attributes["dropscore.attempt"], 1)
        self.assertEqual(attributes["messaging.system"], "azure_queue_storage")
        self.assertEqual(attributes["messaging.operation.type"], "process")
        self.assertGreater(attributes["dropscore.rows"], 0)
        self.assertEqual(call["attributes"]["http.request.method"], "POST")
        self.assertEqual(call["attributes"]["http.response.status_code"], 200)
        self.assertRegex(call["attributes"]["url.full"], r"^http://127\.0\.0\.1:\d+/predict$")
        self.assertEqual(answer["attributes"]["http.request.method"], "POST")
        self.assertEqual(answer["attributes"]["http.route"], "/predict")
        self.assertEqual(answer["attributes"]["url.path"], "/predict")
        self.assertEqual(answer["attributes"]["http.response.status_code"], 200)
        self.assertEqual(answer["attributes"]["dropscore.rows"], attributes["dropscore.rows"])

    def test_each_delivery_of_a_message_is_in_the_same_trace(self):
        port = support.free_port()  # nobody listens there yet
        worker = self.watch_api(f"http://127.0.0.1:{port}")
        self.announce("a.csv", schema="grid")
        worker.wait_for("file_failed")
        serving, _ = self.serve(port)
        metadata = self.result_answer("a.csv").metadata
        worker.wait_for("file_done")
        self.stop(worker)
        lines = [json.loads(line) for line in worker.text().splitlines()]
        mine = [line for line in lines if line.get("blob") == "a.csv"]
        self.assertGreaterEqual(len(mine), 2)
        traces = {line["trace_id"] for line in mine}
        self.assertEqual(len(traces), 1, mine)
        trace = traces.pop()
        self.assertIn(trace, metadata["traceparent"])
        serving.stop()
        requests = records(serving.text(), "request")
        self.assertIn(trace, {line.get("trace_id") for line in requests}, "the API's log names it, with no collector at all")

    def test_a_result_that_is_written_again_is_the_same_whatever_its_trace(self):
        worker = self.watch()
        self.announce("a.csv", CAUSE)
        first = self.result_answer("a.csv")
        self.announce("a.csv", {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"})
        support.wait_until(lambda: self.files_done(worker) == 2, "the second delivery")
        self.stop(worker)
        second = self.blobs.get(self.results, "a.csv.json")
        self.assertEqual(first.body.replace(first.metadata["input_etag"].encode(), b""),
                         second.body.replace(second.metadata["input_etag"].encode(), b""))
        self.assertNotIn(TRACE.encode(), first.body)


class TraceTest(support.JourneyTest):
    def collector(self, *answers):
        collector = Collector(answers)
        self.addCleanup(collector.close)
        return collector

    def serve(self, env):
        running = self.start("serve", "--model", self.model, "--port", 0, "--log-format", "json", env=env)
        running.wait_for('"serving"')
        return running, records(running.text(), "serving")[0]["port"]

    def test_a_local_file_is_a_trace_of_its_own(self):
        self.input.mkdir()
        watching = self.watch("--log-format", "json")
        watching.wait_for('"watching"')
        for name in ("a.csv", "b.csv"):
            (self.input / name).write_bytes(support.CUSTOMERS)
            self.result(name)
        support.wait_until(lambda: len(records(watching.text(), "file_done")) == 2, "both files")
        watching.stop()
        done = records(watching.text(), "file_done")
        self.assertEqual(len({line["trace_id"] for line in done}), 2)
        for line in done:
            kept = (self.output / ".dropscore" / "meta" / f"{line['blob']}.json.json").read_text()
            self.assertIn(f"00-{line['trace_id']}-{line['span_id']}-01", kept)

    def test_the_collector_may_be_slow_to_come(self):
        collector = self.collector(503, 503)
        running, port = self.serve(collector.environment("api", OTEL_EXPORTER_OTLP_HEADERS="x-api-key=hidden%20one"))
        support.request(port, "GET", "/health")
        support.wait_until(lambda: len(collector.requests) >= 3, "the third try")
        self.assertEqual(running.stop(), 0)
        path, headers, body = collector.requests[2]
        self.assertEqual(path, "/v1/traces")
        self.assertEqual(headers["Content-Type"], "application/x-protobuf")
        self.assertEqual(headers["x-api-key"], "hidden one")
        self.assertEqual({body for _, _, body in collector.requests[:3]}, {body}, "the same once more")
        self.assertNotIn("hidden", running.text())
        self.assertEqual(records(running.text(), "traced")[0]["sent"], 1)

    def test_a_collector_that_hangs_holds_nobody_up(self):
        collector = self.collector(*[None] * 100)
        running, port = self.serve(collector.environment("api", OTEL_EXPORTER_OTLP_TIMEOUT="600000",
                                                         OTEL_BSP_MAX_QUEUE_SIZE="10"))
        support.request(port, "GET", "/health")
        support.wait_until(lambda: collector.requests, "the first batch")
        begun = time.monotonic()
        for _ in range(50):
            self.assertEqual(support.request(port, "GET", "/health")[0], 200)
        self.assertEqual(running.stop(), 0)
        self.assertLess(time.monotonic() - begun, 50)  # and not the ten minutes that a request may take
        counts = records(running.text(), "traced")[0]
        self.assertEqual(counts["sent"], 0)
        self.assertEqual(counts["failed"] + counts["dropped"], 51)
        self.assertGreater(counts["dropped"], 0)

    def test_what_stop_finds_is_sent(self):
        collector = self.collector()
        running, port = self.serve(collector.environment("api", OTEL_BSP_SCHEDULE_DELAY="3600000"))
        for _ in range(20):
            support.request(port, "GET", "/health", headers={"traceparent": CAUSE["traceparent"]})
        self.assertEqual(running.stop(), 0)
        self.assertEqual(len([span for span in collector.spans() if span["traceId"] == TRACE]), 20)

    def test_a_sampler_is_followed(self):
        collector = self.collector()
        running, port = self.serve(collector.environment("api", OTEL_TRACES_SAMPLER="parentbased_traceidratio",
                                                         OTEL_TRACES_SAMPLER_ARG="0"))
        for flags in ("00", "01"):
            support.request(port, "GET", "/health", headers={"traceparent": f"00-{TRACE}-{PARENT}-{flags}"})
        support.request(port, "GET", "/health")
        running.stop()
        self.assertEqual([span["parent"] for span in collector.spans()], [PARENT], "the one that its caller records")

    def test_settings_that_are_not_followed_are_told(self):
        collector = self.collector()
        running, _ = self.serve(collector.environment("api", OTEL_EXPORTER_OTLP_PROTOCOL="grpc"))
        running.stop()
        self.assertIn("http/protobuf", records(running.text(), "tracing_setting")[0]["error"])

    def test_an_invocation_is_in_its_requests_trace(self):
        running = self.start("function", "--port", 0, "--model", self.model, "--log-format", "json")
        running.wait_for('"function_ready"')
        port = records(running.text(), "function_ready")[0]["port"]
        body = json.dumps({"Data": {"inputBlob": base64.b64encode(support.CUSTOMERS).decode()},
                           "Metadata": {"name": '"a.csv"'}})
        for headers in ({"traceparent": CAUSE["traceparent"]}, {}):
            status, _, _ = support.request(port, "POST", "/BlobTriggerConversionPrediction", body,
                                           {"Content-Type": "application/json", **headers})
            self.assertEqual(status, 200)
        running.stop()
        first, second = records(running.text(), "invocation")
        self.assertEqual((first["trace_id"], first["span_id"]), (TRACE, PARENT))
        self.assertRegex(second["trace_id"], re.compile("^[0-9a-f]{32}$"))
        self.assertNotEqual(second["trace_id"], TRACE)


if __name__ == "__main__":
    unittest.main()
