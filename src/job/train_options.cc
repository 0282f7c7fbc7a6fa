#include "job/train_options.h"

#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace dropscore::job {
namespace {

template <class T>
std::optional<T> read(std::string_view text) {
  T number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> read_finite(std::string_view text) {
  const std::optional<double> number = read<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

/// "profit:value=60,cost=4" after its first colon.
Result<ThresholdRule> parse_profit(std::string_view text) {
  ThresholdRule rule;
  rule.kind = ThresholdRule::Kind::profit;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const std::size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    const auto number = equals == std::string_view::npos ? std::nullopt : read_finite(part.substr(equals + 1));
    if (!number || (key != "value" && key != "cost")) {
      return fail(ErrorKind::misuse,
                  fmt::format("--threshold profit: \"{}\" is neither value=NUMBER nor cost=NUMBER", part));
    }
    (key == "value" ? rule.value : rule.cost) = *number;
  }
  if (!(rule.value > 0) || !(rule.cost >= 0)) {
    return fail(ErrorKind::misuse, "--threshold profit needs value=NUMBER over 0 and cost=NUMBER of at least 0");
  }
  return rule;
}

}  // namespace

Result<Holdout> parse_holdout(std::string_view text) {
  if (text == "none") return Holdout{NoHoldout{}};
  if (!text.starts_with("sklearn:")) {
    if (text.empty()) return fail(ErrorKind::misuse, "--holdout is empty: sklearn:SEED:FRACTION, none or a CSV file");
    return Holdout{FileHoldout{std::string(text)}};
  }
  const std::string_view rest = text.substr(8);
  const std::size_t colon = rest.find(':');
  const auto seed = read<std::uint32_t>(rest.substr(0, colon));
  const auto fraction =
      colon == std::string_view::npos ? std::optional<double>(0.2) : read_finite(rest.substr(colon + 1));
  if (!seed || !fraction || !(*fraction > 0) || !(*fraction < 1)) {
    return fail(
        ErrorKind::misuse,
        fmt::format("--holdout {}: expected sklearn:SEED:FRACTION, as sklearn:42:0.2, the fraction between 0 and 1",
                    text));
  }
  return Holdout{SklearnHoldout{*seed, *fraction}};
}

Result<ThresholdRule> parse_threshold(std::string_view text) {
  using Kind = ThresholdRule::Kind;
  if (text == "mcc") return ThresholdRule{Kind::mcc};
  if (text == "f1") return ThresholdRule{Kind::f1};
  if (text == "accuracy") return ThresholdRule{Kind::accuracy};
  if (text == "sign") return ThresholdRule{Kind::sign};
  if (text.starts_with("profit:")) return parse_profit(text.substr(7));
  const bool recall = text.starts_with("recall>=");
  const std::optional<double> number = read_finite(recall ? text.substr(8) : text);
  if (!number || *number < 0 || *number > 1) {
    return fail(ErrorKind::misuse,
                fmt::format("--threshold {}: expected mcc, f1, accuracy, recall>=X, sign, a number from 0 "
                            "to 1, or profit:value=V,cost=C",
                            text));
  }
  return ThresholdRule{recall ? Kind::recall : Kind::fixed, *number};
}

Result<CalibrationChoice> parse_calibration(std::string_view text) {
  if (text == "auto") return CalibrationChoice::automatic;
  if (text == "original") return CalibrationChoice::original;
  if (text == "platt") return CalibrationChoice::platt;
  if (text == "none") return CalibrationChoice::none;
  if (text == "isotonic") return CalibrationChoice::isotonic;
  return fail(ErrorKind::misuse,
              fmt::format("--calibration {}: expected auto, original, platt, isotonic or none", text));
}

std::string_view name(Select select) {
  switch (select) {
    case Select::log_loss: return "log_loss";
    case Select::auc: return "auc";
    case Select::mcc: return "mcc";
    case Select::f1: return "f1";
    case Select::accuracy: return "accuracy";
    case Select::brier: return "brier";
  }
  return "log_loss";
}

Result<Select> parse_select(std::string_view text) {
  for (const Select select :
       {Select::log_loss, Select::auc, Select::mcc, Select::f1, Select::accuracy, Select::brier}) {
    if (text == name(select)) return select;
  }
  return fail(ErrorKind::misuse, fmt::format("--select {}: expected log_loss, auc, mcc, f1, accuracy or brier", text));
}

Result<learn::Effort> parse_search(std::string_view text) {
  if (text == "original") return learn::Effort::original;
  if (text == "quick") return learn::Effort::quick;
  if (text == "full") return learn::Effort::full;
  return fail(ErrorKind::misuse, fmt::format("--search {}: expected original, quick or full", text));
}

Status add_setting(TrainOptions& options, std::string_view setting) {
  const std::size_t dot = setting.find('.');
  const std::size_t equals = setting.find('=');
  if (dot == std::string_view::npos || equals == std::string_view::npos || dot == 0 || dot + 1 >= equals ||
      equals + 1 == setting.size()) {
    return fail(ErrorKind::misuse, fmt::format("--set {}: expected MODEL.PARAM=VALUE, as svm.C=10", setting));
  }
  const std::string model(setting.substr(0, dot));
  options.set[model][std::string(setting.substr(dot + 1, equals - dot - 1))] = setting.substr(equals + 1);
  return {};
}

}  // namespace dropscore::job
