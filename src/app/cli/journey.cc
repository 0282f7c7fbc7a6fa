#include "app/cli/journey.h"

#include <utility>

#include <fmt/format.h>

#include "app/cli/writable_folder.h"
#include "base/stop.h"
#include "event/azure_queue.h"
#include "event/local_inbox.h"
#include "event/queue_inbox.h"
#include "event/store_sweep.h"

namespace dropscore::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds folder_sweep{2000};        // beside file events
constexpr milliseconds container_sweep{500};      // the whole trigger
constexpr milliseconds lost_event_sweep{10'000};  // beside a queue

job::Containers stores_of(const Container& input, const Container& output) {
  return {input.store.get(), output.store.get()};
}

/// Both where results appear and where the store prepares them: another user may have run before.
Status check_output_folder(const Container& output) {
  DROPSCORE_CHECK(check_writable(output.folder));
  const auto prepared = output.store->create("probe", store::WriteCondition::if_absent());
  return prepared ? Status() : tl::unexpected<Error>(prepared.error());
}

struct Queue {
  azure::Account account;
  std::string name;
};

/// A queue by its URL, or by its name in the account of the input.
Result<Queue> find_queue(const std::string& queue, const azure::Account& input,
                         const std::shared_ptr<net::HttpClient>& client) {
  if (azure::is_resource_url(queue)) {
    DROPSCORE_TRY(const azure::ResourceUrl url, azure::parse_resource_url(queue));
    DROPSCORE_TRY(azure::Account account, azure::resolve_account(url, azure::process_environment(), client));
    account.queue_endpoint = url.endpoint;
    return Queue{std::move(account), url.name};
  }
  if (input.queue_endpoint.empty()) {
    return fail(ErrorKind::misuse,
                fmt::format("where the queue service of account {} is cannot be told from the container's URL; give "
                            "--queue the queue's whole URL, or a connection string with a QueueEndpoint",
                            input.name));
  }
  return Queue{input, queue};
}

}  // namespace

Result<std::unique_ptr<Journey>> Journey::open(const JourneyOptions& options, const FileScorerSource& scorer,
                                               const std::shared_ptr<net::HttpClient>& client) {
  DROPSCORE_CHECK(options.worker.validate());
  DROPSCORE_CHECK(check_apart(options.input, options.output));
  const StopEndsProgram impatience;  // a service that cannot be reached is waited for
  std::unique_ptr<Journey> journey(new Journey);
  journey->drain_time_ = options.drain_time;
  journey->client_ = client;
  DROPSCORE_TRY(journey->input_, open_container(options.input, client));
  DROPSCORE_TRY(journey->output_, open_container(options.output, client));
  if (!journey->output_.is_remote()) DROPSCORE_CHECK(check_output_folder(journey->output_));
  DROPSCORE_CHECK(journey->open_inbox(options, scorer, client));
  journey->opened_inbox_ = journey->inbox_.get();
  journey->scorer_ = scorer;
  journey->worker_options_ = options.worker;
  journey->worker_options_.rescore = options.rescore;
  return journey;
}

void Journey::begin() {
  worker_ = std::make_unique<Worker>(stores_of(input_, output_), *inbox_, scorer_, worker_options_);
}

bool Journey::stop() {
  client_->hurry();
  return worker_->stop_within(drain_time_);
}

/// With --rescore: that of the present model. What another one has done is to be found again.
Result<std::optional<std::string>> Journey::wanted_model(const FileScorerSource& scorer) {
  DROPSCORE_TRY(std::string version, scorer()->model_version());
  event::Inbox* const inbox = opened_inbox_;
  if (swept_for_.empty()) swept_for_ = version;
  if (swept_for_ != version && inbox != nullptr) {
    inbox->forget_done();
    swept_for_ = version;
  }
  return std::optional(std::move(version));
}

Status Journey::open_inbox(const JourneyOptions& options, const FileScorerSource& scorer,
                           const std::shared_ptr<net::HttpClient>& client) {
  const job::Containers stores = stores_of(input_, output_);
  const auto wanted_model = [this, scorer, rescore = options.rescore]() -> Result<std::optional<std::string>> {
    if (!rescore) return std::nullopt;
    return this->wanted_model(scorer);
  };
  const bool wants_queue =
      options.trigger == Trigger::queue || (options.trigger == Trigger::automatic && !options.queue.empty());
  if (!input_.is_remote()) {
    if (wants_queue) return fail(ErrorKind::misuse, "a folder has no queue; leave --queue and --trigger queue away");
    const auto is_pending = [stores, wanted_model](const store::BlobInfo& blob) -> Result<bool> {
      DROPSCORE_TRY(const std::optional<std::string> model, wanted_model());
      return job::is_pending(stores, blob, model);
    };
    const event::LocalInboxOptions inbox{.use_inotify = options.trigger == Trigger::automatic,
                                         .sweep_interval = options.sweep_interval.value_or(folder_sweep)};
    DROPSCORE_TRY(inbox_, event::open_local_inbox(input_.folder, *input_.store, is_pending, inbox));
    return {};
  }

  const event::FindPending find_pending =
      [stores, wanted_model](const std::function<bool(const store::BlobInfo&)>& visit) -> Status {
    DROPSCORE_TRY(const std::optional<std::string> model, wanted_model());
    return job::find_pending(stores, model, visit);
  };
  if (!wants_queue) {
    const event::StoreSweepOptions sweep{.interval = options.sweep_interval.value_or(container_sweep)};
    DROPSCORE_TRY(std::unique_ptr<event::SweepInbox> inbox, event::open_sweep_inbox(find_pending, sweep));
    notify_ = [to = inbox.get()](const std::string& blob, const telemetry::TraceContext& trace) {
      to->notify(blob, trace);
    };
    inbox_ = std::move(inbox);
    return {};
  }
  if (options.queue.empty()) return fail(ErrorKind::misuse, "--trigger queue needs --queue NAME");
  DROPSCORE_TRY(const Queue queue, find_queue(options.queue, *input_.account, client));
  DROPSCORE_CHECK(event::AzureQueue(queue.account, queue.name, client).make());
  event::QueueInboxOptions inbox;
  inbox.visibility = options.visibility;
  inbox.sweep.interval = options.sweep_interval.value_or(lost_event_sweep);
  gauges_ = std::make_unique<event::QueueGauges>(queue.account, queue.name, client);
  DROPSCORE_TRY(inbox_, event::open_queue_inbox(queue.account, queue.name, client, *input_.store, find_pending, inbox));
  return {};
}

}  // namespace dropscore::app
