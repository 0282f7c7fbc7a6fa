#include "job/sample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/limits.h"

namespace dropscore::job {
namespace {

/// The standard fixes mt19937_64's numbers but not its distributions', so those are made here.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : engine_(seed) {}

  double uniform() { return static_cast<double>(engine_() >> 11U) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in low..high, both included.
  int whole(int low, int high) { return low + static_cast<int>(uniform() * static_cast<double>(high - low + 1)); }
  template <std::size_t n>
  std::size_t pick(const std::array<double, n>& weights) {
    double left = uniform();
    for (std::size_t i = 0; i + 1 < n; ++i) {
      left -= weights[i];
      if (left < 0) return i;
    }
    return n - 1;
  }

 private:
  std::mt19937_64 engine_;
};

struct Customer {
  int age = 0;
  std::size_t gender = 0;
  int income = 0;
  std::size_t channel = 0;
  std::size_t type = 0;
  double ad_spend = 0;
  double click_through_rate = 0;
  double conversion_rate = 0;
  int website_visits = 0;
  double pages_per_visit = 0;
  double time_on_site = 0;
  int social_shares = 0;
  int email_opens = 0;
  int email_clicks = 0;
  int previous_purchases = 0;
  int loyalty_points = 0;
};

constexpr std::array<std::string_view, 2> genders = {"Female", "Male"};
constexpr std::array<std::string_view, 5> channels = {"Email", "PPC", "Referral", "SEO", "Social Media"};
constexpr std::array<std::string_view, 4> types = {"Awareness", "Consideration", "Conversion", "Retention"};
constexpr std::array<double, 4> type_effect = {-0.3, 0.0, 0.9, 0.1};

Customer draw_customer(Draw& draw) {
  Customer c;
  c.age = draw.whole(18, 69);
  c.gender = draw.pick(std::array{0.6, 0.4});
  c.income = draw.whole(20'000, 149'999);
  c.channel = draw.pick(std::array{0.19, 0.21, 0.21, 0.2, 0.19});
  c.type = draw.pick(std::array{0.25, 0.25, 0.26, 0.24});
  c.ad_spend = draw.uniform(100, 10'000);
  c.click_through_rate = draw.uniform(0.01, 0.3);
  c.conversion_rate = draw.uniform(0.01, 0.2);
  c.website_visits = draw.whole(0, 49);
  c.pages_per_visit = draw.uniform(1, 10);
  c.time_on_site = draw.uniform(0.5, 15);
  c.social_shares = draw.whole(0, 99);
  c.email_opens = draw.whole(0, 19);
  c.email_clicks = draw.whole(0, 9);
  c.previous_purchases = draw.whole(0, 9);
  c.loyalty_points = draw.whole(0, 4999);
  return c;
}

/// An invented truth: more attention and more spending convert more, with diminishing returns and some noise.
bool draw_conversion(const Customer& c, Draw& draw) {
  const double log_odds = -2.6 + 1.6 * std::sqrt(c.time_on_site / 15) + 1.5 * std::sqrt(c.ad_spend / 10'000) +
                          1.2 * c.click_through_rate / 0.3 + 0.9 * c.pages_per_visit / 10 +
                          1.1 * c.previous_purchases / 9.0 + 0.8 * std::min(1.0, c.email_clicks / 4.0) +
                          0.6 * c.loyalty_points / 5000.0 + 0.4 * c.conversion_rate / 0.2 + type_effect[c.type];
  return draw.uniform() < 1 / (1 + std::exp(-log_odds));
}

void append(std::string& out, std::uint64_t id, const Customer& c) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "{},{},{},{},{},{},", id, c.age, genders[c.gender], c.income, channels[c.channel], types[c.type]);
  for (const double number : {c.ad_spend, c.click_through_rate, c.conversion_rate}) {
    append_json_number(out, number);
    out.push_back(',');
  }
  fmt::format_to(to, "{},", c.website_visits);
  append_json_number(out, c.pages_per_visit);
  out.push_back(',');
  append_json_number(out, c.time_on_site);
  fmt::format_to(to, ",{},{},{},{},{},Sample,Sample", c.social_shares, c.email_opens, c.email_clicks,
                 c.previous_purchases, c.loyalty_points);
}

}  // namespace

Status write_sample(const SampleOptions& options, const std::function<Status(std::string_view)>& write) {
  constexpr std::uint64_t first_id = 8000;
  Draw draw(options.seed);
  std::string out =
      "CustomerID,Age,Gender,Income,CampaignChannel,CampaignType,AdSpend,ClickThroughRate,ConversionRate,WebsiteVisits,"
      "PagesPerVisit,TimeOnSite,SocialShares,EmailOpens,EmailClicks,PreviousPurchases,LoyaltyPoints,"
      "AdvertisingPlatform,"
      "AdvertisingTool";
  out.append(options.labelled ? ",Conversion\n" : "\n");
  for (std::uint64_t row = 0; row < options.rows; ++row) {
    const Customer customer = draw_customer(draw);
    const bool converts = draw_conversion(customer, draw);
    append(out, first_id + row, customer);
    if (options.labelled) out.append(converts ? ",1" : ",0");
    out.push_back('\n');
    if (out.size() >= limits::read_chunk_bytes) {
      DROPSCORE_CHECK(write(out));
      out.clear();
    }
  }
  return out.empty() ? Status{} : write(out);
}

}  // namespace dropscore::job
