#include "schema/schema.h"

#include <algorithm>

#include "base/json_reader.h"

namespace dropscore::schema {
namespace {

std::string_view text(Kind kind) { return kind == Kind::numeric ? "numeric" : "categorical"; }
std::string_view text(UnknownRule rule) { return rule == UnknownRule::reject ? "reject" : "code"; }

void write(JsonWriter& json, const Feature& feature) {
  json.begin_object();
  json.member("name", feature.name).member("kind", text(feature.kind));
  if (feature.kind == Kind::categorical) {
    json.key("categories").begin_array();
    for (const std::string& category : feature.categories) json.value(category);
    json.end_array();
  } else {
    json.member("minimum", feature.minimum).member("maximum", feature.maximum);
  }
  json.member("missing_allowed", feature.missing_allowed).member("fill", feature.fill);
  json.end_object();
}

Result<Feature> read_feature(JsonReader json) {
  Feature feature;
  DROPSCORE_TRY(const JsonReader name, json.member("name"));
  DROPSCORE_TRY(feature.name, name.text());
  DROPSCORE_TRY(const JsonReader kind, json.member("kind"));
  DROPSCORE_TRY(const std::string kind_text, kind.text());
  if (kind_text == text(Kind::categorical)) {
    feature.kind = Kind::categorical;
    DROPSCORE_TRY(const JsonReader categories, json.member("categories"));
    DROPSCORE_TRY(feature.categories, categories.texts());
    const bool strictly_ascending = std::adjacent_find(feature.categories.begin(), feature.categories.end(),
                                                       std::greater_equal<>()) == feature.categories.end();
    if (!strictly_ascending) return categories.error("not in ascending order");
    if (feature.categories.empty()) return categories.error("empty");
  } else if (kind_text == text(Kind::numeric)) {
    DROPSCORE_TRY(const JsonReader minimum, json.member("minimum"));
    DROPSCORE_TRY(feature.minimum, minimum.number());
    DROPSCORE_TRY(const JsonReader maximum, json.member("maximum"));
    DROPSCORE_TRY(feature.maximum, maximum.number());
  } else {
    return kind.error("neither \"numeric\" nor \"categorical\"");
  }
  DROPSCORE_TRY(const JsonReader missing, json.member("missing_allowed"));
  DROPSCORE_TRY(feature.missing_allowed, missing.flag());
  DROPSCORE_TRY(const JsonReader fill, json.member("fill"));
  DROPSCORE_TRY(feature.fill, fill.number());
  DROPSCORE_CHECK(json.no_other_members());
  return feature;
}

Result<Target> read_target(JsonReader json) {
  Target target;
  DROPSCORE_TRY(const JsonReader column, json.member("column"));
  DROPSCORE_TRY(target.column, column.text());
  DROPSCORE_TRY(const JsonReader negative, json.member("negative"));
  DROPSCORE_TRY(target.negative, negative.text());
  DROPSCORE_TRY(const JsonReader positive, json.member("positive"));
  DROPSCORE_TRY(target.positive, positive.text());
  DROPSCORE_CHECK(json.no_other_members());
  return target;
}

Result<DroppedColumn> read_dropped(JsonReader json) {
  DroppedColumn dropped;
  DROPSCORE_TRY(const JsonReader name, json.member("name"));
  DROPSCORE_TRY(dropped.name, name.text());
  DROPSCORE_TRY(const JsonReader why, json.member("why"));
  DROPSCORE_TRY(dropped.why, why.text());
  DROPSCORE_CHECK(json.no_other_members());
  return dropped;
}

}  // namespace

std::optional<std::uint32_t> Feature::code(std::string_view category) const {
  const auto at = std::lower_bound(categories.begin(), categories.end(), category);
  if (at == categories.end() || *at != category) return std::nullopt;
  return static_cast<std::uint32_t>(at - categories.begin());
}

void write(JsonWriter& json, const Schema& schema) {
  json.begin_object();
  json.key("target").begin_object();
  json.member("column", schema.target.column);
  json.member("negative", schema.target.negative).member("positive", schema.target.positive);
  json.end_object();
  json.member("unknown_categories", text(schema.unknown));
  json.key("features").begin_array();
  for (const Feature& feature : schema.features) write(json, feature);
  json.end_array();
  json.key("dropped").begin_array();
  for (const DroppedColumn& dropped : schema.dropped) {
    json.begin_object().member("name", dropped.name).member("why", dropped.why).end_object();
  }
  json.end_array();
  json.end_object();
}

Result<Schema> read_schema(JsonReader json) {
  Schema schema;
  DROPSCORE_TRY(const JsonReader target, json.member("target"));
  DROPSCORE_TRY(schema.target, read_target(target));
  DROPSCORE_TRY(const JsonReader unknown, json.member("unknown_categories"));
  DROPSCORE_TRY(const std::string rule, unknown.text());
  if (rule != text(UnknownRule::reject) && rule != text(UnknownRule::code)) {
    return unknown.error("neither \"reject\" nor \"code\"");
  }
  schema.unknown = rule == text(UnknownRule::code) ? UnknownRule::code : UnknownRule::reject;
  DROPSCORE_TRY(const JsonReader features, json.member("features"));
  DROPSCORE_TRY(const std::vector<JsonReader> feature_items, features.items());
  for (const JsonReader& item : feature_items) {
    DROPSCORE_TRY(Feature feature, read_feature(item));
    const auto same = [&](const Feature& other) { return other.name == feature.name; };
    if (std::any_of(schema.features.begin(), schema.features.end(), same)) return item.error("its name stands twice");
    schema.features.push_back(std::move(feature));
  }
  if (schema.features.empty()) return features.error("empty");
  DROPSCORE_TRY(const JsonReader dropped, json.member("dropped"));
  DROPSCORE_TRY(const std::vector<JsonReader> dropped_items, dropped.items());
  for (const JsonReader& item : dropped_items) {
    DROPSCORE_TRY(DroppedColumn column, read_dropped(item));
    schema.dropped.push_back(std::move(column));
  }
  DROPSCORE_CHECK(json.no_other_members());
  return schema;
}

}  // namespace dropscore::schema
