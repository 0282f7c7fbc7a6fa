#include <filesystem>

#include <fmt/format.h>

#include "app/cli/model_options.h"
#include "base/files.h"
#include "base/limits.h"
#include "model/model.h"

namespace dropscore::app {
namespace {

std::string describe(const schema::Feature& feature) {
  if (feature.kind == schema::Kind::numeric) {
    return fmt::format("number, {:g} to {:g}{}", feature.minimum, feature.maximum,
                       feature.missing_allowed ? ", may be missing" : "");
  }
  return fmt::format("one of {}{}", fmt::join(feature.categories, ", "),
                     feature.missing_allowed ? ", may be missing" : "");
}

void print(const model::Model& model) {
  const schema::Schema& schema = model.schema();
  fmt::print("model        {} ({})\n", model.version(), model.predictor().display_name());
  fmt::print("predicts     {} = {}\n", schema.target.column, schema.target.positive);
  fmt::print("calibration  {}\n", model::name(model.calibration().kind));
  if (model.decision().kind == model::DecisionRule::Kind::sign) {
    fmt::print("decides      by the sign of the decision value\n");
  } else {
    fmt::print("decides      \"will convert\" from probability {:.6g} on\n", model.decision().threshold);
  }
  fmt::print("features     {}\n", schema.size());
  for (const schema::Feature& feature : schema.features) fmt::print("  {:<22} {}\n", feature.name, describe(feature));
  for (const schema::DroppedColumn& column : schema.dropped)
    fmt::print("  {:<22} left out: {}\n", column.name, column.why);
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  auto directory = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App& command = *app.add_subcommand("inspect", "Show what a model is made of and what training said of it");
  command.add_option("MODEL_DIR", *directory, "Model folder, or a container's URL")->type_name("DIR|URL")->required();
  add_flag(command, "--json", *json, "Print the model document's \"training\" part instead");
  command.callback([directory, json, &action] {
    action = [directory, json] {
      const auto model = load_model(*directory);
      if (!model) return report_error(model.error());
      if (*json) {
        fmt::print("{}\n", (*model)->training_json());
      } else {
        // The card is for people; a folder that holds the document alone is still described.
        const auto card = read_file(std::filesystem::path(*directory) / card_name, limits::mib);
        if (card && card->find((*model)->version()) != std::string::npos) {
          fmt::print("{}", *card);
        } else {
          print(**model);
        }
      }
      return exit_done;
    };
  });
}

}  // namespace dropscore::app
