#include "job/api_scorer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json_writer.h"
#include "base/limits.h"
#include "telemetry/trace.h"

namespace dropscore::job {
namespace {

constexpr std::size_t max_problem_bytes = 4 * limits::mib;
constexpr std::size_t max_health_bytes = 64 * limits::kib;
constexpr std::size_t tail_bytes = 4 * limits::kib;  ///< of an answer, where its summary stands
constexpr std::string_view unknown_version = "api";  ///< the original names none

/// {"csv_data":"<the bytes of another source, escaped>"}
class CsvInJson : public ByteSource {
 public:
  explicit CsvInJson(ByteSource& csv) : csv_(csv), ready_(R"({"csv_data":)") {}

  Result<std::size_t> read(std::span<char> out) override {
    while (at_ == ready_.size() && !ended_) DROPSCORE_CHECK(refill());
    const std::size_t count = std::string_view(ready_).substr(at_).copy(out.data(), out.size());
    at_ += count;
    return count;
  }

 private:
  /// A multi-byte character may be cut at the end of a piece: bytes go through as they are, only what JSON must have
  /// escaped is.
  Status refill() {
    DROPSCORE_TRY(const std::size_t got, csv_.read(piece_));
    ready_.clear();
    at_ = 0;
    if (!begun_) ready_.push_back('"');
    begun_ = true;
    for (const char c : std::string_view(piece_.data(), got)) append_escaped(c);
    if (got == 0) {
      ready_.append("\"}");
      ended_ = true;
    }
    return {};
  }

  void append_escaped(char c) {
    switch (c) {
      case '"': ready_.append("\\\""); break;
      case '\\': ready_.append("\\\\"); break;
      case '\n': ready_.append("\\n"); break;
      case '\r': ready_.append("\\r"); break;
      case '\t': ready_.append("\\t"); break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(ready_), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
          ready_.push_back(c);
        }
    }
  }

  ByteSource& csv_;
  std::array<char, 64 * limits::kib> piece_{};
  std::string ready_;
  std::size_t at_ = 0;
  bool begun_ = false;
  bool ended_ = false;
};

/// Counts what is read through it.
class CountingSource : public ByteSource {
 public:
  explicit CountingSource(ByteSource& inner) : inner_(inner) {}
  Result<std::size_t> read(std::span<char> out) override {
    Result<std::size_t> got = inner_.read(out);
    if (got) count_ += *got;
    return got;
  }
  std::uint64_t count() const { return count_; }

 private:
  ByteSource& inner_;
  std::uint64_t count_ = 0;
};

std::uint64_t natural(const simdjson::dom::element& object, std::string_view key) {
  std::uint64_t number = 0;
  return object[key].get(number) == simdjson::SUCCESS ? number : 0;
}

std::string text(const simdjson::dom::element& object, std::string_view key) {
  std::string_view value;
  return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

/// What the end of an answer says: "summary" and what comes after it. An API that orders its keys in another way is
/// taken at its word all the same; only the log then lacks the counts.
void read_tail(std::string_view tail, ScoredFile& scored) {
  const std::size_t at = tail.rfind(R"("summary":)");
  if (at == std::string_view::npos) return;
  const std::string rest = fmt::format("{{{}", tail.substr(at));
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(rest).get(document) != simdjson::SUCCESS) return;
  simdjson::dom::element summary;
  if (document["summary"].get(summary) == simdjson::SUCCESS) {
    scored.counts.scored = natural(summary, "total_records");
    scored.counts.rejected = natural(summary, "rejected_records");
    scored.counts.predicted_conversions = natural(summary, "predicted_conversions");
  }
  if (const std::string version = text(document, "model_version"); !version.empty()) scored.model_version = version;
}

FileRefusal try_again(std::string detail) {
  return {Error{ErrorKind::try_later, CustomerText{"the scoring service could not be used"},
                OperatorText{std::move(detail)}},
          {}};
}

/// A refusal of the file itself, in the API's words.
FileRefusal refusal_of(int status, const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  FileRefusal refusal;
  std::string why;
  if (parser.parse(body).get(document) == simdjson::SUCCESS && document.is_object()) {
    why = text(document, "detail");
    if (why.empty()) why = text(document, "error");
    simdjson::dom::array errors;
    if (document["errors"].get(errors) == simdjson::SUCCESS && errors.size() > 0) {
      refusal.error_members = [list = simdjson::to_string(errors)](JsonWriter& json) { json.key("errors").raw(list); };
    }
  }
  if (why.empty()) why = fmt::format("the scoring service refused the file (HTTP {})", status);
  refusal.error = Error{status == 413 ? ErrorKind::too_large : ErrorKind::reject, CustomerText{why},
                        OperatorText{fmt::format("the API answered {}", status)}};
  return refusal;
}

/// HOST[:PORT] of a URL without a user's name.
std::string_view authority_of(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  return url.substr(0, url.find('/'));
}

class ApiScorer : public FileScorer {
 public:
  ApiScorer(ApiOptions options, std::shared_ptr<net::HttpClient> client)
      : options_(std::move(options)), client_(std::move(client)) {
    while (options_.url.ends_with('/')) options_.url.pop_back();
  }

  Result<std::string> model_version() const override {
    telemetry::Span span("GET /health", telemetry::SpanKind::client);
    net::Request request = to("GET", "/health", Deadline::in(options_.timeout), span);
    Result<std::unique_ptr<net::Exchange>> sent = client_->send(request);
    note_answer(span, sent);
    DROPSCORE_TRY(const std::unique_ptr<net::Exchange> answer, std::move(sent));
    if (answer->status() != 200) return unusable(answer->status());
    DROPSCORE_TRY(const std::string body, net::read_body(*answer, max_health_bytes));
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    if (parser.parse(body).get(document) != simdjson::SUCCESS) return unusable(answer->status());
    std::string version = text(document, "model_version");
    return version.empty() ? std::string(unknown_version) : version;
  }

  tl::expected<ScoredFile, FileRefusal> score(ByteSource& input, const WriteText& write,
                                              const ScoreOptions& /*options*/) const override {
    CountingSource counted(input);
    CsvInJson wrapped(counted);
    const bool as_json = wants_json_;
    telemetry::Span span("POST /predict", telemetry::SpanKind::client);
    net::Request request = to("POST", "/predict", Deadline::in(options_.timeout), span);
    request.headers.push_back({"Content-Type", as_json ? "application/json" : "text/csv"});
    request.headers.push_back({"Accept", "application/json"});
    request.body_source = as_json ? static_cast<ByteSource*>(&wrapped) : &counted;
    Result<std::unique_ptr<net::Exchange>> answer = client_->send(request);
    note_answer(span, answer);
    if (!answer) return tl::unexpected<FileRefusal>(FileRefusal{answer.error(), {}});
    if ((*answer)->status() != 200) return tl::unexpected<FileRefusal>(refused(**answer, as_json));

    ScoredFile scored;
    scored.model_version = unknown_version;
    if (const Status copied = copy(**answer, write, scored); !copied) {
      span.fail(name(copied.error().kind));
      return tl::unexpected<FileRefusal>(FileRefusal{copied.error(), {}});
    }
    scored.counts.bytes_read = counted.count();
    return scored;
  }

  int tries() const override { return options_.tries; }
  std::stop_token hurried() const override { return client_->hurried(); }

 private:
  /// A request that tells the API of `span`, which is told of the request.
  net::Request to(std::string method, std::string_view path, const Deadline& deadline, telemetry::Span& span) const {
    net::Request request;
    request.method = std::move(method);
    request.url = fmt::format("{}{}", options_.url, path);
    request.stall_timeout = options_.timeout;
    request.deadline = deadline;
    if (!options_.key.empty()) request.headers.push_back({"X-API-Key", options_.key});
    request.headers.push_back({"traceparent", telemetry::traceparent(span.context())});
    if (!span.context().state.empty()) request.headers.push_back({"tracestate", span.context().state});
    span.set("http.request.method", request.method);
    span.set("url.full", request.url);  // which has neither query nor user
    span.set("server.address", authority_of(request.url));
    return request;
  }

  static void note_answer(telemetry::Span& span, const Result<std::unique_ptr<net::Exchange>>& answer) {
    if (!answer) {
      span.fail(name(answer.error().kind));
      return;
    }
    const int status = (*answer)->status();
    span.set("http.response.status_code", status);
    if (status >= 400) span.fail(fmt::format("{}", status));
  }

  FileRefusal refused(net::Exchange& answer, bool as_json) const {
    const int status = answer.status();
    if (status == 415 && !as_json) {
      wants_json_ = true;
      return try_again("the API takes no text/csv; from now on files go to it as JSON");
    }
    if (status != 400 && status != 413 && status != 422) return try_again(unusable(status).value().detail.text);
    return refusal_of(status, net::read_body(answer, max_problem_bytes).value_or(""));
  }

  static tl::unexpected<Error> unusable(int status) {
    const std::string_view mend = status == 401 || status == 403   ? "; it wants another key (DROPSCORE_API_KEY)"
                                  : status == 404 || status == 405 ? "; is the URL that of a scoring API?"
                                                                   : "";
    return fail(ErrorKind::try_later, CustomerText{"the scoring service could not be used"},
                OperatorText{fmt::format("the API answered {}{}", status, mend)});
  }

  static Status copy(net::Exchange& answer, const WriteText& write, ScoredFile& scored) {
    std::string tail;
    std::array<char, 64 * limits::kib> piece;
    for (;;) {
      DROPSCORE_TRY(const std::size_t got, answer.read(piece));
      if (got == 0) break;
      const std::string_view bytes(piece.data(), got);
      DROPSCORE_CHECK(write(bytes));
      tail.append(bytes);
      if (tail.size() > 2 * tail_bytes) tail.erase(0, tail.size() - tail_bytes);
    }
    read_tail(tail, scored);
    return {};
  }

  ApiOptions options_;
  std::shared_ptr<net::HttpClient> client_;
  mutable std::atomic<bool> wants_json_ = false;
};

/// An API and those who ask it may share one setting, while the key is being changed.
std::string first_key(std::string_view keys) {
  constexpr std::string_view between = ", \t\r\n";
  keys.remove_prefix(std::min(keys.find_first_not_of(between), keys.size()));
  return std::string(keys.substr(0, keys.find_first_of(between)));
}

}  // namespace

Status ApiOptions::validate() const {
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return fail(ErrorKind::misuse, "the API's address must begin with http:// or https://");
  }
  if (url.find_first_of("?#") != std::string::npos) {
    return fail(ErrorKind::misuse, "the API's address must have no query; /predict is put behind it");
  }
  if (timeout < std::chrono::seconds(1)) return fail(ErrorKind::misuse, "the API's time limit is under 1 s");
  if (tries < 1 || tries > 10) return fail(ErrorKind::misuse, "the API's tries are not within 1 to 10");
  return {};
}

Result<std::shared_ptr<const FileScorer>> api_scorer(const ApiOptions& options,
                                                     std::shared_ptr<net::HttpClient> client) {
  DROPSCORE_CHECK(options.validate());
  ApiOptions with_one_key = options;
  with_one_key.key = first_key(options.key);
  return std::make_shared<const ApiScorer>(std::move(with_one_key), std::move(client));
}

}  // namespace dropscore::job
