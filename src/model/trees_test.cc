#include "model/trees.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/json_reader.h"

namespace dropscore::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const float nan = std::numeric_limits<float>::quiet_NaN();

/// Two features, the second a category: an age under 40 goes left, a missing one right; there, codes 0 and 1 go left,
/// and so does an unknown one. Handed over in depth-first order with a node that nothing reaches.
std::vector<TreeNode> small_tree() {
  return {{.feature = 0, .value = 40, .left = 1, .right = 2},
          {.value = 0.125F},
          {.feature = 1, .value = 1.5F, .left = 4, .right = 5, .missing_left = true},
          {.value = 99},
          {.value = 0.25F},
          {.value = 0.75F}};
}

TreesForm small_form(TreeRule rule) {
  TreesForm form;
  form.rule = rule;
  form.base = rule == TreeRule::boosted ? 0.5 : 0;
  form.categorical = {false, true};
  form.trees.add(small_tree());
  form.trees.add(std::vector<TreeNode>{{.value = 0.1F}});
  return form;
}

/// A tree of up to `depth` levels with thresholds around 0 and leaves that are probabilities.
std::vector<TreeNode> any_tree(std::mt19937& engine, std::size_t features, int depth) {
  std::vector<TreeNode> nodes(1);
  std::vector<int> depths{0};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (depths[i] >= depth || engine() % 5 == 0) {
      nodes[i].value = static_cast<float>(engine() % 1000) / 999.0F;
      continue;
    }
    nodes[i] = {.feature = static_cast<std::int32_t>(engine() % features),
                .value = static_cast<float>(engine() % 2001) / 1000.0F - 1,
                .left = static_cast<std::uint32_t>(nodes.size()),
                .right = static_cast<std::uint32_t>(nodes.size() + 1),
                .missing_left = engine() % 2 == 0};
    nodes.resize(nodes.size() + 2);
    depths.resize(nodes.size(), depths[i] + 1);
  }
  return nodes;
}

float leaf_reached(const std::vector<TreeNode>& nodes, std::span<const float> x, const std::vector<bool>& categorical) {
  std::size_t at = 0;
  while (nodes[at].feature >= 0) {
    const auto j = static_cast<std::size_t>(nodes[at].feature);
    const bool missing = std::isnan(x[j]) || (categorical[j] && x[j] < 0);
    at = (missing ? nodes[at].missing_left : x[j] < nodes[at].value) ? nodes[at].left : nodes[at].right;
  }
  return nodes[at].value;
}

template <class T>
std::vector<double> decide(const Predictor& form, const features::Matrix<T>& rows) {
  std::vector<double> out(rows.rows());
  form.decide(rows.view(), out);
  return out;
}

std::string document(const Predictor& form) {
  std::string out;
  JsonWriter json(out, 1);
  json.begin_object().member("family", form.family());
  form.save(json);
  json.end_object();
  return out;
}

Result<std::unique_ptr<Predictor>> parse(const std::string& text) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(text);
  simdjson::dom::element root;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return fail(ErrorKind::give_up, "not readable as JSON");
  return load_predictor(JsonReader(root));
}

std::string refusal(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  const auto loaded = parse(text);
  if (loaded) return "loaded";
  EXPECT_EQ(loaded.error().kind, ErrorKind::give_up);
  return loaded.error().customer.text;
}

TEST(Trees, AreLaidOutLevelByLevel) {
  const TreeArrays trees = small_form(TreeRule::boosted).trees;
  EXPECT_THAT(trees.roots, ElementsAre(0, 5));
  EXPECT_THAT(trees.feature, ElementsAre(0, -1, 1, -1, -1, -1));
  EXPECT_THAT(trees.value, ElementsAre(40, 0.125F, 1.5F, 0.25F, 0.75F, 0.1F));
  EXPECT_THAT(trees.left, ElementsAre(1, 1, 3, 3, 4, 5));
  EXPECT_THAT(trees.missing_left, ElementsAre(0, 0, 1, 0, 0, 0));
}

TEST(Trees, AddUpToALogOdds) {
  features::Matrix<float> rows(6, 2);
  const std::vector<float> cells{39, 0, 40, 1, 40, 2, nan, 2, 50, -1, 50, nan};
  std::copy(cells.begin(), cells.end(), rows.data());
  const std::vector<double> sums = decide(Trees(small_form(TreeRule::boosted)), rows);
  const double more = 0.5 + static_cast<double>(0.1F);
  EXPECT_THAT(sums, ElementsAre(more + 0.125, more + 0.25, more + 0.75, more + 0.75, more + 0.25, more + 0.25));
}

TEST(Trees, AForestIsTheMeansLogOdds) {
  TreesForm form;
  form.rule = TreeRule::forest;
  form.categorical = {false};
  for (const float vote : {1.0F, 1.0F, 0.25F}) form.trees.add(std::vector<TreeNode>{{.value = vote}});
  const features::Matrix<double> rows(1, 1);
  EXPECT_DOUBLE_EQ(decide(Trees(form), rows)[0], std::log(2.75 / 1.25));
  for (float& vote : form.trees.value) vote = 1;
  EXPECT_DOUBLE_EQ(decide(Trees(form), rows)[0], std::log(3.5 / 0.5)) << "unanimous, but finite";
  for (float& vote : form.trees.value) vote = 0.5F;
  EXPECT_EQ(decide(Trees(form), rows)[0], 0);
}

RC_GTEST_PROP(Trees, AreTheirDefinitionInBothPrecisions, ()) {
  std::mt19937 engine(*rc::gen::arbitrary<unsigned>());
  TreesForm form;
  form.base = 0.25;
  form.categorical = {false, true, false};
  std::vector<std::vector<TreeNode>> all;
  for (int tree = *rc::gen::inRange(1, 20); tree > 0; --tree) {
    all.push_back(any_tree(engine, 3, 6));
    form.trees.add(all.back());
  }
  features::Matrix<float> rows(*rc::gen::inRange<std::size_t>(1, 200), 3);
  features::Matrix<double> wide(rows.rows(), 3);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      rows(i, j) = engine() % 7 == 0 ? nan : static_cast<float>(engine() % 3001) / 1000.0F - 1.5F;
      // Where rounding to float lands on a threshold, both precisions have to agree on the side.
      wide(i, j) = static_cast<double>(rows(i, j)) * (1 + 1e-9);
    }
  }
  const Trees trees(form);
  const std::vector<double> sums = decide(trees, rows);
  RC_ASSERT(decide(trees, wide) == sums);
  const auto again = parse(document(trees));
  RC_ASSERT(again.has_value());
  RC_ASSERT(decide(**again, rows) == sums);
  RC_ASSERT(document(**again) == document(trees));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    double sum = form.base;
    for (const auto& tree : all) sum += static_cast<double>(leaf_reached(tree, rows.row(i), form.categorical));
    RC_ASSERT(sums[i] == sum);
    double alone = 0;
    trees.decide(rows.view().block(i, 1), std::span(&alone, 1));
    RC_ASSERT(alone == sum);
  }
}

TEST(Trees, NoCellMakesItNaN) {
  features::Matrix<double> rows(5, 2);
  const double huge = std::numeric_limits<double>::max();
  const double infinite = std::numeric_limits<double>::infinity();
  const std::vector<double> cells{huge, -huge, infinite, -infinite, std::nan(""), std::nan(""), -infinite, huge, 0, 0};
  std::copy(cells.begin(), cells.end(), rows.data());
  for (const TreeRule rule : {TreeRule::boosted, TreeRule::forest}) {
    for (const double value : decide(Trees(small_form(rule)), rows)) EXPECT_TRUE(std::isfinite(value));
  }
}

TEST(Trees, AreReadableAndReadBackBitForBit) {
  const std::string text = document(Trees(small_form(TreeRule::boosted)));
  EXPECT_EQ(text, R"({
 "family": "boosted",
 "features": 2,
 "categorical": [
  1
 ],
 "base": 0.5,
 "trees": [
  {"feature":[0,-1,1,-1,-1],"value":[40,0.125,1.5,0.25,0.75],"missing_left":[2]},
  {"feature":[-1],"value":[0.1],"missing_left":[]}
 ]
})");
  std::mt19937 engine(3);
  TreesForm form = small_form(TreeRule::boosted);
  for (int i = 0; i < 5000; ++i) {
    float value = 0;
    do {
      const auto bits = static_cast<std::uint32_t>(engine());
      value = std::bit_cast<float>(bits);
    } while (!std::isfinite(value));
    form.trees.add(std::vector<TreeNode>{{.value = value}});
  }
  const auto again = parse(document(Trees(form)));
  ASSERT_TRUE(again) << again.error().customer.text;
  EXPECT_EQ(dynamic_cast<const Trees&>(**again).form().trees.value, form.trees.value);
  EXPECT_EQ((*again)->display_name(), "Boosted trees");
}

TEST(Trees, RefuseWhatTheyDoNotKnow) {
  const std::string good = document(Trees(small_form(TreeRule::boosted)));
  const std::string forest = document(Trees(small_form(TreeRule::forest)));
  EXPECT_EQ(refusal(good, "[40,", "[41.5,"), "loaded");
  EXPECT_EQ(refusal(forest, "0.75", "1"), "loaded");
  EXPECT_THAT(refusal(forest, "0.75", "1.01"), HasSubstr("$.trees[0].value: 1.01 at 4 is no probability"));
  EXPECT_THAT(refusal(forest, "0.75", "-0.5"), HasSubstr("no probability"));
  EXPECT_THAT(refusal(forest, "\"trees\"", "\"base\": 1, \"trees\""), HasSubstr("\"base\" is not known"));
  EXPECT_THAT(refusal(good, "\"base\": 0.5,", ""), HasSubstr("\"base\" is missing"));
  EXPECT_THAT(refusal(good, "\"base\": 0.5", "\"base\": 1e300"), HasSubstr("$.base"));
  EXPECT_THAT(refusal(good, "\"features\": 2", "\"features\": 0"), HasSubstr("$.features"));
  EXPECT_THAT(refusal(good, "\"features\": 2", "\"features\": 1"), HasSubstr("$.categorical[0]"));
  EXPECT_THAT(refusal(good, "\"features\": 2", "\"features\": 1e9"), HasSubstr("$.features"));
  EXPECT_THAT(refusal(good, "[0,-1,1,-1,-1]", "[0,-1,2,-1,-1]"), HasSubstr("2 at 2 is neither -1 nor a feature"));
  EXPECT_THAT(refusal(good, "[0,-1,1,-1,-1]", "[0,-1,-2,-1,-1]"), HasSubstr("$.trees[0].feature"));
  EXPECT_THAT(refusal(good, "[0,-1,1,-1,-1]", "[0,-1,0.5,-1,-1]"), HasSubstr("$.trees[0].feature"));
  EXPECT_THAT(refusal(good, "[0,-1,1,-1,-1]", "[0,-1,1,1,-1]"), HasSubstr("need two children each"));
  EXPECT_THAT(refusal(good, "[0,-1,1,-1,-1]", "[0,-1,-1,0,-1]"), HasSubstr("node 3 is no node's child"));
  EXPECT_THAT(refusal(good, "[0,-1,1,-1,-1]", "[-1,-1,0,1,-1]"), HasSubstr("node 1 is no node's child"));
  EXPECT_THAT(refusal(good, "[0,-1,1,-1,-1]", "[]"), HasSubstr("$.trees[0].value"));
  EXPECT_THAT(refusal(good, "0.75]", "null]"), HasSubstr("$.trees[0].value"));
  EXPECT_THAT(refusal(good, "0.75]", "1e39]"), HasSubstr("beyond a float"));
  EXPECT_THAT(refusal(good, "0.75]", "0.75,1]"), HasSubstr("6 numbers"));
  EXPECT_THAT(refusal(good, "_left\":[2]", "_left\":[1]"), HasSubstr("node 1 is a leaf"));
  EXPECT_THAT(refusal(good, "_left\":[2]", "_left\":[5]"), HasSubstr("no node's position"));
  EXPECT_THAT(refusal(good, "_left\":[2]", "_left\":[2,2]"), HasSubstr("not ascending"));
  EXPECT_THAT(refusal(good, "_left\":[2]", "_left\":[-1]"), HasSubstr("no node's position"));
  EXPECT_THAT(refusal(good, "_left\":[2]", "_left\":[2],\"right\":[]"), HasSubstr("\"right\" is not known"));
  EXPECT_THAT(refusal(good, "{\"feature\":[-1],\"value\":[0.1],\"missing_left\":[]}", "{}"), HasSubstr("$.trees[1]"));
  const std::string trees = good.substr(good.find("\"trees\""));
  EXPECT_THAT(refusal(good, trees, "\"trees\": []}"), HasSubstr("$.trees: empty"));
}

/// Whatever a mutation leaves loadable keeps to the arrays' promises and scores.
RC_GTEST_PROP(Trees, AMutationIsRefusedOrScores, ()) {
  const TreeRule rule = *rc::gen::element(TreeRule::boosted, TreeRule::forest);
  std::string text = document(Trees(small_form(rule)));
  for (int changes = *rc::gen::inRange(1, 4); changes > 0; --changes) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    switch (*rc::gen::inRange(0, 3)) {
      case 0: text[at] = *rc::gen::element('[', ']', ',', '0', '1', '2', '9', '-', 'e', '.'); break;
      case 1: text.erase(at, *rc::gen::inRange<std::size_t>(1, 6)); break;
      default: text.insert(at, text.substr(*rc::gen::inRange<std::size_t>(0, text.size()), 4)); break;
    }
    RC_PRE(!text.empty());
  }
  const auto loaded = parse(text);
  if (!loaded) return;
  const TreeArrays& trees = dynamic_cast<const Trees&>(**loaded).form().trees;
  for (std::size_t node = 0; node < trees.feature.size(); ++node) {
    RC_ASSERT(trees.feature[node] < static_cast<std::int32_t>((*loaded)->features()));
    RC_ASSERT(std::isfinite(trees.value[node]));
    if (trees.feature[node] < 0) continue;
    RC_ASSERT(trees.left[node] > node && trees.left[node] + 1 < trees.feature.size());
  }
  for (const double value : decide(**loaded, features::Matrix<float>(3, (*loaded)->features()))) {
    RC_ASSERT(std::isfinite(value));
  }
}

}  // namespace
}  // namespace dropscore::model
