#include "model/model.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/files.h"
#include "base/hash.h"
#include "base/json_reader.h"
#include "base/limits.h"

namespace dropscore::model {
namespace {

constexpr std::string_view file_name = "model.json";
constexpr std::string_view format_name = "dropscore-model";
constexpr std::uint64_t format_version = 1;
constexpr std::string_view checksum_prefix = "sha256:";
constexpr std::string_view what_to_do = "restore the model folder from a copy, or train again";

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorKind::give_up, fmt::format("model document: {}; {}", what, what_to_do));
}

std::string checksum_of(std::string_view body) { return fmt::format("{}{}", checksum_prefix, sha256_hex(body)); }

void write(JsonWriter& json, const DecisionRule& rule) {
  json.begin_object();
  if (rule.kind == DecisionRule::Kind::sign) {
    json.member("rule", "sign");
  } else {
    json.member("rule", "probability").member("threshold", rule.threshold);
  }
  json.end_object();
}

Result<DecisionRule> read_rule(JsonReader json) {
  DecisionRule rule;
  DROPSCORE_TRY(const JsonReader kind, json.member("rule"));
  DROPSCORE_TRY(const std::string kind_name, kind.text());
  if (kind_name == "sign") {
    rule.kind = DecisionRule::Kind::sign;
  } else if (kind_name == "probability") {
    DROPSCORE_TRY(const JsonReader threshold, json.member("threshold"));
    DROPSCORE_TRY(rule.threshold, threshold.number());
  } else {
    return kind.error("neither \"probability\" nor \"sign\"");
  }
  DROPSCORE_CHECK(json.no_other_members());
  return rule;
}

Status fit_together(const ModelParts& parts) {
  if (parts.predictor == nullptr) return fail(ErrorKind::give_up, "a model needs a predictor");
  if (parts.predictor->features() != parts.schema.size()) {
    return fail(ErrorKind::give_up, fmt::format("the predictor takes {} features, but the schema has {}",
                                                parts.predictor->features(), parts.schema.size()));
  }
  if (!std::isfinite(parts.decision.threshold)) return fail(ErrorKind::give_up, "the threshold is not a finite number");
  return parts.calibration.check();
}

std::string write_document(const ModelParts& parts) {
  std::string text;
  JsonWriter json(text, 1);
  json.begin_object().member("format", format_name).member("format_version", format_version);
  const std::string no_checksum(checksum_prefix.size() + 64, '0');
  json.key("checksum").value(no_checksum);
  const std::size_t checksum_at = text.size() - 1 - no_checksum.size();
  json.key("body");
  const std::size_t body_at = text.size();
  json.begin_object();
  json.key("schema");
  schema::write(json, parts.schema);
  json.key("predictor").begin_object().member("family", parts.predictor->family());
  parts.predictor->save(json);
  json.end_object();
  json.key("calibration");
  write(json, parts.calibration);
  json.key("decision");
  write(json, parts.decision);
  json.key("training").raw(parts.training_json);
  json.end_object();
  const std::string checksum = checksum_of(std::string_view(text).substr(body_at));
  text.replace(checksum_at, checksum.size(), checksum);
  json.end_object();
  text.push_back('\n');
  return text;
}

/// The bytes of the body, and of "training" within it, as they stand in the document. simdjson's DOM does not keep
/// them, its on-demand front end does.
struct RawParts {
  std::string_view body;
  std::string_view training;
};

Result<RawParts> find_raw_parts(const simdjson::padded_string& text) {
  namespace ondemand = simdjson::ondemand;
  const auto raw_member = [&text](std::initializer_list<std::string_view> path, std::string_view& out) {
    ondemand::parser parser;
    ondemand::document document;
    ondemand::object object;
    if (parser.iterate(text).get(document) != simdjson::SUCCESS) return false;
    if (document.get_object().get(object) != simdjson::SUCCESS) return false;
    for (const std::string_view name : path) {
      ondemand::object inner;
      if (object.find_field_unordered(name).get_object().get(inner) != simdjson::SUCCESS) return false;
      object = inner;
    }
    if (object.raw_json().get(out) != simdjson::SUCCESS) return false;
    out = out.substr(0, out.find_last_of('}') + 1);  // it runs on to the next token
    return true;
  };
  RawParts parts;
  if (!raw_member({"body"}, parts.body)) return damaged("$.body: not an object");
  if (!raw_member({"body", "training"}, parts.training)) return damaged("$.body.training: not an object");
  return parts;
}

Result<ModelParts> read_body(JsonReader body, std::string_view training) {
  ModelParts parts;
  DROPSCORE_TRY(const JsonReader schema, body.member("schema"));
  DROPSCORE_TRY(parts.schema, schema::read_schema(schema));
  DROPSCORE_TRY(const JsonReader predictor, body.member("predictor"));
  DROPSCORE_TRY(parts.predictor, load_predictor(predictor));
  DROPSCORE_TRY(const JsonReader calibration, body.member("calibration"));
  DROPSCORE_TRY(parts.calibration, read_calibration(calibration));
  DROPSCORE_TRY(const JsonReader decision, body.member("decision"));
  DROPSCORE_TRY(parts.decision, read_rule(decision));
  DROPSCORE_CHECK(body.member("training"));
  parts.training_json = training;
  DROPSCORE_CHECK(body.no_other_members());
  DROPSCORE_CHECK(fit_together(parts));
  return parts;
}

/// What the document says of itself, before anything in the body is believed. Returns the body.
Result<JsonReader> read_envelope(JsonReader root, std::string_view raw_body) {
  DROPSCORE_TRY(const JsonReader format, root.member("format"));
  DROPSCORE_TRY(const std::string format_text, format.text());
  if (format_text != format_name) return format.error(fmt::format("not \"{}\"", format_name));
  DROPSCORE_TRY(const JsonReader version, root.member("format_version"));
  DROPSCORE_TRY(const std::uint64_t number, version.natural());
  if (number != format_version) {
    return version.error(
        fmt::format("version {} is not known to this program, which knows version {}: use the program "
                    "that wrote it",
                    number, format_version));
  }
  DROPSCORE_TRY(const JsonReader checksum, root.member("checksum"));
  DROPSCORE_TRY(const std::string expected, checksum.text());
  DROPSCORE_TRY(JsonReader body, root.member("body"));
  DROPSCORE_CHECK(root.no_other_members());
  if (expected != checksum_of(raw_body)) return checksum.error("does not belong to the body, which was changed");
  return body;
}

Result<ModelParts> read_document(std::string_view document, std::string& checksum) {
  if (document.size() > limits::max_model_bytes) {
    return fail(ErrorKind::give_up, fmt::format("model document: over {} bytes", limits::max_model_bytes));
  }
  const simdjson::padded_string text(document);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (const auto wrong = parser.parse(text).get(root); wrong != simdjson::SUCCESS) {
    return damaged(fmt::format("not readable as JSON ({})", simdjson::error_message(wrong)));
  }
  if (!root.is_object()) return damaged("$: not an object");
  DROPSCORE_TRY(const RawParts raw, find_raw_parts(text));
  const auto with_advice = [](const Error& error) { return damaged(error.customer.text); };
  const Result<JsonReader> body = read_envelope(JsonReader(root), raw.body);
  if (!body) return with_advice(body.error());
  Result<ModelParts> parts = read_body(*body, raw.training);
  if (!parts) return with_advice(parts.error());
  checksum = sha256_hex(raw.body);
  return parts;
}

Status check_training(const std::string& json) {
  simdjson::dom::parser parser;
  if (!parser.parse(json).is_object()) return fail(ErrorKind::give_up, "the training's figures are no JSON object");
  return {};
}

}  // namespace

Result<std::shared_ptr<const Model>> Model::make(ModelParts parts) {
  if (parts.training_json.empty()) parts.training_json = "{}";
  DROPSCORE_CHECK(fit_together(parts));
  DROPSCORE_CHECK(check_training(parts.training_json));
  // Through the text, so that a model that is saved is one that loads: a NaN, say, is found now and not in production.
  return parse(write_document(parts));
}

Result<std::shared_ptr<const Model>> Model::parse(std::string_view document) {
  std::string checksum;
  DROPSCORE_TRY(ModelParts parts, read_document(document, checksum));
  const std::shared_ptr<Model> model(new Model());
  model->parts_ = std::move(parts);
  model->document_ = document;
  model->version_ = checksum.substr(0, 12);
  return model;
}

Result<std::shared_ptr<const Model>> Model::load(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / file_name;
  const Result<std::string> document = read_file(path, limits::max_model_bytes);
  if (document) {
    Result<std::shared_ptr<const Model>> model = parse(*document);
    if (!model) model.error().detail.text = fmt::format("{}: {}", path.string(), model.error().detail.text);
    return model;
  }
  std::error_code ignored;
  if (std::filesystem::is_regular_file(directory, ignored)) {
    return fail(
        ErrorKind::misuse, CustomerText{"no model was found where this program was told to look"},
        OperatorText{fmt::format("{} is a file: name the folder that `dropscore train DATA.csv --out FOLDER` has "
                                 "written",
                                 directory.string())});
  }
  if (document.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::misuse, CustomerText{"no model was found where this program was told to look"},
                OperatorText{fmt::format("no model at {}: name a folder that `dropscore train DATA.csv --out FOLDER` "
                                         "has written",
                                         path.string())});
  }
  const ErrorKind kind = document.error().kind == ErrorKind::too_large ? ErrorKind::give_up : document.error().kind;
  return fail(kind, document.error().customer, document.error().detail);
}

Status Model::save(const std::filesystem::path& directory) const {
  return write_file_atomically(directory / file_name, document_);
}

Precision Model::preferred_precision() const {
  return calibration().kind == CalibrationKind::original ? Precision::double_precision : Precision::single_precision;
}

template <class T>
void Model::score(features::MatrixView<T> rows, std::span<Score> out) const {
  assert(rows.columns == schema().size() && out.size() == rows.rows);
  constexpr std::size_t block = 1024;
  std::array<double, block> decisions;      // NOLINT(cppcoreguidelines-pro-type-member-init): decide() writes it
  std::array<double, block> probabilities;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const DecisionRule& rule = decision();
  for (std::size_t first = 0; first < rows.rows; first += block) {
    const std::size_t count = std::min(block, rows.rows - first);
    const std::span<double> decided(decisions.data(), count);
    predictor().decide(rows.block(first, count), decided);
    if constexpr (std::is_same_v<T, float>) {
      calibration().apply(decided, std::span(probabilities.data(), count));
    } else {
      std::transform(decided.begin(), decided.end(), probabilities.begin(),
                     [this](double value) { return calibration().probability_of(value); });
    }
    for (std::size_t i = 0; i < count; ++i) {
      const bool converts =
          rule.kind == DecisionRule::Kind::sign ? decisions[i] >= 0 : probabilities[i] >= rule.threshold;
      out[first + i] = {probabilities[i], converts};
    }
  }
}

template void Model::score(features::MatrixView<float> rows, std::span<Score> out) const;
template void Model::score(features::MatrixView<double> rows, std::span<Score> out) const;

}  // namespace dropscore::model
