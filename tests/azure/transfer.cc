// For tests: many uploads to a container and downloads from it, every byte checked. Prints counts as JSON.
//
//   transfer download|upload|both --url CONTAINER_URL [--direct-url CONTAINER_URL] --count N --bytes B --seed S
//
// --url may lead through something that spoils connections; --direct-url prepares blobs, reads uploads back, and makes
// the changes of --change-every. Exit code: 1 where a byte was wrong or an operation failed for good.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <iostream>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "azure/account.h"
#include "base/limits.h"
#include "store/azure_store.h"

namespace dropscore {
namespace {

using store::BlobStore;
using store::WriteCondition;

struct Options {
  std::string mode;
  std::string url;
  std::string direct_url;
  std::uint64_t count = 100;
  std::uint64_t bytes = 100'000;
  std::uint64_t seed = 1;
  std::uint64_t change_every = 0;
  std::size_t threads = 4;
  store::AzureStoreOptions store;
  std::int64_t first_delay_ms = 800;
};

struct Counts {
  std::atomic<std::uint64_t> uploads{0};
  std::atomic<std::uint64_t> downloads{0};
  std::atomic<std::uint64_t> wrong{0};      ///< bytes, sizes, or an outcome that cannot be
  std::atomic<std::uint64_t> changed{0};    ///< downloads that were told so and were taken again
  std::atomic<std::uint64_t> try_later{0};  ///< operations that a worker would take again, and that were
  std::atomic<std::uint64_t> failed{0};     ///< after limits::max_attempts of them, or with another error
  std::atomic<std::uint64_t> requests{0};   ///< sent, all tries counted
  std::atomic<std::uint64_t> needed{0};     ///< had there been no fault
  std::atomic<std::uint64_t> bytes_up{0};
  std::atomic<std::uint64_t> bytes_down{0};
};

/// Each try is authorized anew, which makes them countable.
class CountingCredential : public azure::Credential {
 public:
  CountingCredential(std::shared_ptr<azure::Credential> inner, std::atomic<std::uint64_t>& count)
      : inner_(std::move(inner)), count_(count) {}
  Status authorize(azure::Draft& draft, const Deadline& deadline) override {
    ++count_;
    return inner_->authorize(draft, deadline);
  }
  bool refused() override { return inner_->refused(); }
  std::string_view kind() const override { return inner_->kind(); }

 private:
  std::shared_ptr<azure::Credential> inner_;
  std::atomic<std::uint64_t>& count_;
};

/// A blob's bytes, made as they are wanted: any part of one version differs from the same part of another (splitmix64).
class Content {
 public:
  Content(std::uint64_t seed, std::uint64_t index, std::uint64_t version)
      : state_(mixed(mixed(mixed(seed) ^ index) ^ version)) {}

  void fill(std::span<char> out) {
    for (std::size_t at = 0; at < out.size();) {
      if (left_ == 0) {
        const std::uint64_t next = mixed(state_ += 0x9E3779B97F4A7C15U);
        std::memcpy(word_, &next, sizeof word_);
        left_ = sizeof word_;
      }
      const std::size_t take = std::min(left_, out.size() - at);
      std::memcpy(out.data() + at, word_ + sizeof word_ - left_, take);
      left_ -= take;
      at += take;
    }
  }

 private:
  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  std::uint64_t state_;
  char word_[8] = {};
  std::size_t left_ = 0;
};

class Campaign {
 public:
  Campaign(const Options& options, BlobStore& through, BlobStore& direct, Counts& counts)
      : options_(options), through_(through), direct_(direct), counts_(counts) {}

  void upload(std::uint64_t index) {
    const std::string name = name_of(index);
    const std::uint64_t size = size_of(index);
    WriteCondition condition;
    if (index % 3 == 1) condition = WriteCondition::if_absent();
    if (index % 3 == 2) {
      const auto before = put(direct_, index, 0, 10, WriteCondition::always());
      if (!before) return fatal(name, before.error());
      condition = WriteCondition::if_match(before->etag);
    }
    bool outcome_unknown = false;
    const bool done = persist(name, [&]() -> Status {
      const std::size_t block = options_.store.block_bytes;
      counts_.needed += size <= block ? 1 : (size + block - 1) / block + 1;
      auto written = put(through_, index, 1, size, condition);
      // Of two commits the first may have been this one's own, its answer lost.
      if (!written && written.error().kind == ErrorKind::changed && outcome_unknown) return {};
      if (!written && written.error().kind == ErrorKind::changed) tell_wrong(name, "nobody else writes here");
      if (written && written->size_bytes != size) tell_wrong(name, "of another size");
      outcome_unknown = true;
      return written ? Status() : pass_on(std::move(written));
    });
    if (!done) return;
    counts_.bytes_up += size;
    ++counts_.uploads;
  }

  /// Not counted and not timed: is what was uploaded there?
  void read_back(std::uint64_t index) {
    const auto right = check(direct_, index, 1, std::nullopt, {});
    if (!right) return fatal(name_of(index), right.error());
    if (!*right) tell_wrong(name_of(index), "what was uploaded is not there");
  }

  void prepare(std::uint64_t index) {
    const auto written = put(direct_, index, 1, size_of(index), WriteCondition::always());
    if (!written) fatal(name_of(index), written.error());
  }

  void download(std::uint64_t index) {
    const std::string name = name_of(index);
    std::function<void()> change;
    if (options_.change_every > 0 && index % options_.change_every == 0) {
      change = [&] {
        const auto after = put(direct_, index, 2, size_of(index), WriteCondition::always());
        if (!after) fatal(name, after.error());
      };
    }
    const bool done = persist(name, [&]() -> Status {
      DROPSCORE_TRY(const auto before, direct_.properties(name));
      const auto version = before.metadata.find("version");
      if (version == before.metadata.end()) return fail(ErrorKind::give_up, "somebody else writes here");
      ++counts_.needed;
      const auto right =
          check(through_, index, std::stoull(version->second), before.info.etag, std::exchange(change, {}));
      if (!right && right.error().kind == ErrorKind::changed) ++counts_.changed;
      if (right && !*right) tell_wrong(name, "other bytes than the version's");
      return right ? Status() : Status(tl::unexpected<Error>(right.error()));
    });
    if (!done) return;
    counts_.bytes_down += size_of(index);
    ++counts_.downloads;
  }

 private:
  std::string name_of(std::uint64_t index) const { return fmt::format("transfer/{}/{}", options_.seed, index); }

  /// As asked for, round the blocks' ends, and anything up to twice as large.
  std::uint64_t size_of(std::uint64_t index) const {
    Content random(options_.seed, index, 99);
    std::uint64_t number = 0;
    random.fill({reinterpret_cast<char*>(&number), sizeof number});
    const std::uint64_t block = options_.store.block_bytes;
    switch (index % 4) {
      case 1: return std::min(number % 3 * block + block - 1 + number % 5 % 3, 2 * options_.bytes);
      case 2: return number % (2 * options_.bytes + 1);
      case 3: return options_.bytes + 1;
      default: return options_.bytes;
    }
  }

  Result<store::BlobInfo> put(BlobStore& store, std::uint64_t index, std::uint64_t version, std::uint64_t size,
                              const WriteCondition& condition) const {
    DROPSCORE_TRY(const auto writer, store.create(name_of(index), condition));
    Content content(options_.seed, index, version);
    std::string chunk(256 * limits::kib, '\0');
    for (std::uint64_t at = 0; at < size;) {
      const std::size_t take = std::min<std::uint64_t>(chunk.size(), size - at);
      content.fill(std::span(chunk).first(take));
      DROPSCORE_CHECK(writer->write(std::string_view(chunk).substr(0, take)));
      at += take;
    }
    return writer->commit({{"version", std::to_string(version)}});
  }

  /// False where a byte is wrong, or there are too few or too many. `half_way` is called once, where it is not empty.
  Result<bool> check(BlobStore& store, std::uint64_t index, std::uint64_t version,
                     const std::optional<std::string>& etag, std::function<void()> half_way) const {
    DROPSCORE_TRY(const auto source, store.open(name_of(index), etag));
    Content content(options_.seed, index, version);
    const std::uint64_t size = size_of(index);
    std::string got(256 * limits::kib, '\0');
    std::string wanted(got.size(), '\0');
    for (std::uint64_t at = 0;;) {
      if (half_way && at >= size / 2) std::exchange(half_way, {})();
      DROPSCORE_TRY(const std::size_t count, source->read(got));
      if (count == 0) return at == size;
      content.fill(std::span(wanted).first(count));
      if (std::memcmp(got.data(), wanted.data(), count) != 0) return false;
      at += count;
    }
  }

  /// As a worker does: `try_later` and `changed` are taken again, a limited number of times.
  bool persist(const std::string& name, const std::function<Status()>& operation) {
    for (int attempt = 1;; ++attempt) {
      const Status done = operation();
      if (done) return true;
      const ErrorKind kind = done.error().kind;
      if (kind == ErrorKind::try_later) ++counts_.try_later;
      if ((kind == ErrorKind::try_later || kind == ErrorKind::changed) && attempt < limits::max_attempts) continue;
      fatal(name, done.error());
      return false;
    }
  }

  void fatal(const std::string& name, const Error& error) {
    ++counts_.failed;
    std::cerr << fmt::format("{}: {}: {}\n", name, dropscore::name(error.kind), error.detail.text);
  }
  void tell_wrong(const std::string& name, std::string_view what) {
    ++counts_.wrong;
    std::cerr << fmt::format("{}: {}\n", name, what);
  }

  const Options& options_;
  BlobStore& through_;
  BlobStore& direct_;
  Counts& counts_;
};

Result<std::unique_ptr<BlobStore>> open(const Options& options, const std::string& url,
                                        std::shared_ptr<net::HttpClient> client, std::atomic<std::uint64_t>* requests) {
  DROPSCORE_TRY(const azure::ResourceUrl resource, azure::parse_resource_url(url));
  DROPSCORE_TRY(azure::Account account, azure::resolve_account(resource, azure::process_environment(), client));
  if (requests != nullptr) account.credential = std::make_shared<CountingCredential>(account.credential, *requests);
  DROPSCORE_CHECK(store::make_container(account, resource.name, client, options.store.retry));
  return store::open_azure_store(account, resource.name, std::move(client), options.store);
}

double timed(const Options& options, const std::function<void(std::uint64_t)>& work) {
  const auto start = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> next = 0;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min<std::uint64_t>(options.threads, options.count); ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t index = next++; index < options.count; index = next++) work(index);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double megabytes_per_second(std::uint64_t bytes, double seconds) {
  return seconds > 0 ? static_cast<double>(bytes) / 1e6 / seconds : 0;
}

int run(const Options& options) {
  Counts counts;
  const auto client = std::make_shared<net::HttpClient>();
  auto through = open(options, options.url, client, &counts.requests);
  auto direct = open(options, options.direct_url.empty() ? options.url : options.direct_url, client, nullptr);
  for (const auto* opened : {&through, &direct}) {
    if (*opened) continue;
    std::cerr << opened->error().detail.text << "\n";
    return 2;
  }
  counts.requests = 0;
  Campaign campaign(options, **through, **direct, counts);
  double seconds_up = 0;
  double seconds_down = 0;
  if (options.mode == "download") {
    timed(options, [&](std::uint64_t i) { campaign.prepare(i); });
  } else {
    seconds_up = timed(options, [&](std::uint64_t i) { campaign.upload(i); });
  }
  if (options.mode == "upload") {
    timed(options, [&](std::uint64_t i) { campaign.read_back(i); });
  } else {
    seconds_down = timed(options, [&](std::uint64_t i) { campaign.download(i); });
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const std::uint64_t requests = counts.requests;
  const std::uint64_t needed = std::min<std::uint64_t>(counts.needed, requests);
  std::cout << fmt::format(
      "{{\"seed\": {}, \"uploads\": {}, \"downloads\": {}, \"wrong\": {}, \"changed\": {}, \"try_later\": {}, "
      "\"failed\": {}, \"requests\": {}, \"retries\": {}, \"upload_mb_per_s\": {:.1f}, \"download_mb_per_s\": {:.1f}, "
      "\"peak_resident_mib\": {:.1f}}}\n",
      options.seed, counts.uploads, counts.downloads, counts.wrong, counts.changed, counts.try_later, counts.failed,
      requests, requests - needed, megabytes_per_second(counts.bytes_up, seconds_up),
      megabytes_per_second(counts.bytes_down, seconds_down), static_cast<double>(usage.ru_maxrss) / 1024);
  return counts.wrong == 0 && counts.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace dropscore

int main(int argc, char** argv) {
  using namespace dropscore;
  Options options;
  CLI::App app("Uploads and downloads, every byte checked");
  app.add_option("mode", options.mode)->required()->check(CLI::IsMember({"download", "upload", "both"}));
  app.add_option("--url", options.url, "the container")->required();
  app.add_option("--direct-url", options.direct_url, "the same container without anything between");
  app.add_option("--count", options.count, "uploads, and downloads");
  app.add_option("--bytes", options.bytes, "of a blob, about; of exactly every fourth");
  app.add_option("--seed", options.seed);
  app.add_option("--change-every", options.change_every, "every so-manieth download is of a blob replaced meanwhile");
  app.add_option("--threads", options.threads);
  app.add_option("--block-bytes", options.store.block_bytes);
  app.add_option("--max-tries", options.store.retry.max_tries);
  app.add_option("--first-delay-ms", options.first_delay_ms);
  CLI11_PARSE(app, argc, argv);
  options.store.retry.first_delay = std::chrono::milliseconds(options.first_delay_ms);
  return run(options);
}
