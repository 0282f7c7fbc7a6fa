#include "app/http/live_connection.h"

#include <utility>

#include "base/log.h"

namespace dropscore::http {

RequestRecord& ReadyAnswers::add() {
  if (count == records.size()) records.emplace_back();
  return records[count++];
}

/// Answers, in order, the requests that are here whole and can be answered at once, as many as one write should hold.
/// False where there is none: the next is for answer_one().
bool Connection::answer_ready(ReadyAnswers& ready) {
  ready.text.clear();
  ready.sent_bytes = 0;
  ready.count = 0;
  while (ready.text.size() < flush_bytes && answer_next(ready)) {
  }
  return ready.count > 0;
}

bool Connection::answer_next(ReadyAnswers& ready) {
  if (shared().draining) return false;
  const std::string_view bytes = socket_.in().view();
  QuickRequest request;
  if (!read_quick_request(bytes, {shared().options.max_header_bytes, inline_body_bytes}, request)) return false;
  const tl::expected<Plan, Problem> plan = shared().routes.plan(request.head, shared().options, around_.keys);
  if (!plan || (plan->action != Action::health && plan->action != Action::score_json)) return false;

  RequestRecord& record = ready.add();
  set_request_id(record.id, request.head.request_id);
  record.begin_span(request.head);
  record.begun = begun_;
  record.method = known_method(request.head.method);
  record.path = shared().routes.path_template(request.head.target);
  record.body_bytes = request.body.size();
  record.counts = {};

  ResponseHead head;
  head.content_type = text_of(MediaType::json);
  head.request_id = record.id;
  Problem problem;
  std::optional<job::Scorer> scorer;  // whose model's version the head shows
  ready.body.clear();
  if (plan->action == Action::health) {
    ready.body = health_body();
  } else {
    scorer.emplace(shared().scorer());
    head.model_version = scorer->model_version();
    const auto scored = scorer->score_json(request.body, {}, ready.body);
    record.counts = scored ? *scored : scored.error().counts;
    if (!scored) {
      problem = problem_of(scored.error());
      if (problem.status >= 500) {
        const telemetry::InSpan in(record.span.context);
        log::error("request_failed", {{"request_id", record.id}, {"error", scored.error().error.detail.text}});
      }
      head.status = problem.status;
      head.content_type = problem_type;
      head.headers = problem.headers;
      ready.body = problem_json(problem);
    }
  }
  head.content_length = ready.body.size();
  const std::size_t before = ready.text.size();
  append_head(ready.text, head);
  if (request.head.method != "HEAD") ready.text += ready.body;
  record.status = head.status;
  record.sent_bytes = ready.text.size() - before;
  socket_.in().keep_last(bytes.size() - request.bytes);
  return true;
}

namespace {

/// Those count as answered of which every byte went out.
void log_ready(RequestLog& log, ReadyAnswers& ready) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < ready.count; ++i) {
    end += ready.records[i].sent_bytes;
    ready.records[i].aborted = end > ready.sent_bytes;
    log.add(ready.records[i]);
  }
}

}  // namespace

Io Connection::send_ready(ReadyAnswers& ready) {
  std::string_view rest = ready.text;
  const Io sent = socket_.send_some(rest);
  ready.sent_bytes = ready.text.size() - rest.size();
  if (sent == Io::must_wait) return sent;
  log_ready(around_.log, ready);
  if (sent != Io::ok) socket_.reset();
  return sent;
}

Task<bool> Connection::send_rest(ReadyAnswers& ready) {
  std::string_view rest = std::string_view(ready.text).substr(ready.sent_bytes);
  const Io sent = co_await socket_.send(rest, write_patience());
  ready.sent_bytes = ready.text.size() - rest.size();
  log_ready(around_.log, ready);
  if (sent != Io::ok) socket_.reset();
  co_return sent == Io::ok;
}

}  // namespace dropscore::http
