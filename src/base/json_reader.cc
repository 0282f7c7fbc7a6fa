#include "base/json_reader.h"

#include <cmath>

#include <fmt/format.h>

namespace dropscore {

tl::unexpected<Error> JsonReader::error(std::string_view what) const {
  return fail(ErrorKind::give_up, fmt::format("{}: {}", place_, what));
}

Result<JsonReader> JsonReader::member(std::string_view name) {
  simdjson::dom::object object;
  if (value_.get(object) != simdjson::SUCCESS) return error("not an object");
  simdjson::dom::element found;
  if (object.at_key(name).get(found) != simdjson::SUCCESS) return error(fmt::format("member \"{}\" is missing", name));
  asked_.emplace(name);
  return JsonReader(found, fmt::format("{}.{}", place_, name));
}

bool JsonReader::has(std::string_view name) const {
  simdjson::dom::object object;
  return value_.get(object) == simdjson::SUCCESS && object.at_key(name).error() == simdjson::SUCCESS;
}

Status JsonReader::no_other_members() const {
  simdjson::dom::object object;
  if (value_.get(object) != simdjson::SUCCESS) return error("not an object");
  std::set<std::string_view> seen;
  for (const auto field : object) {
    if (!asked_.contains(field.key)) return error(fmt::format("member \"{}\" is not known", field.key));
    if (!seen.insert(field.key).second) return error(fmt::format("member \"{}\" stands twice", field.key));
  }
  return {};
}

Result<std::string> JsonReader::text() const {
  std::string_view text;
  if (value_.get(text) != simdjson::SUCCESS) return error("not a text");
  return std::string(text);
}

Result<double> JsonReader::number() const {
  double number = 0;
  if (value_.get(number) != simdjson::SUCCESS || !std::isfinite(number)) return error("not a number");
  return number;
}

Result<std::uint64_t> JsonReader::natural() const {
  std::uint64_t number = 0;
  if (value_.get(number) != simdjson::SUCCESS) return error("not a whole number");
  return number;
}

Result<bool> JsonReader::flag() const {
  bool flag = false;
  if (value_.get(flag) != simdjson::SUCCESS) return error("neither true nor false");
  return flag;
}

Result<std::vector<JsonReader>> JsonReader::items() const {
  simdjson::dom::array array;
  if (value_.get(array) != simdjson::SUCCESS) return error("not a list");
  std::vector<JsonReader> items;
  for (const auto item : array) items.emplace_back(item, fmt::format("{}[{}]", place_, items.size()));
  return items;
}

Result<std::vector<double>> JsonReader::numbers() const {
  simdjson::dom::array array;
  if (value_.get(array) != simdjson::SUCCESS) return error("not a list");
  std::vector<double> numbers;
  for (const auto item : array) {
    double number = 0;
    if (item.get(number) != simdjson::SUCCESS || !std::isfinite(number)) {
      return error(fmt::format("item {} is not a number", numbers.size()));
    }
    numbers.push_back(number);
  }
  return numbers;
}

Result<std::vector<std::string>> JsonReader::texts() const {
  DROPSCORE_TRY(const std::vector<JsonReader> all, items());
  std::vector<std::string> texts;
  for (const JsonReader& item : all) {
    DROPSCORE_TRY(std::string text, item.text());
    texts.push_back(std::move(text));
  }
  return texts;
}

std::string JsonReader::raw() const { return simdjson::to_string(value_); }

}  // namespace dropscore
