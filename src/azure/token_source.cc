#include "azure/token_source.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "azure/endpoint.h"
#include "azure/text.h"
#include "base/files.h"
#include "base/limits.h"
#include "base/log.h"
#include "telemetry/metrics.h"

namespace dropscore::azure {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::string_view resource = "https://storage.azure.com/";
constexpr std::string_view scope = "https://storage.azure.com/.default";
constexpr std::size_t max_answer_bytes = 256 * limits::kib;
constexpr std::size_t max_token_file_bytes = 64 * limits::kib;
constexpr int max_tries = 4;
constexpr int max_updating_tries = 8;

/// One request to `client`, and more where the answer, or its absence, may be a passing thing.
class Asker {
 public:
  Asker(std::shared_ptr<net::HttpClient> client, const TokenTiming& timing)
      : client_(std::move(client)), timing_(timing) {}

  struct Rules {
    bool is_metadata = false;   ///< 404 and 410 pass, too: an identity that is just being attached, an update
    bool retry_silence = true;  ///< no connection, no answer
  };

  Result<Token> ask(std::string_view who, net::Request request, const Rules& rules, const Deadline& deadline) {
    const net::RetryPolicy policy{max_updating_tries, timing_.first_delay, timing_.updating_delay, timing_.budget};
    net::Retry retry(policy, deadline, client_->hurried());
    request.deadline = retry.deadline();
    for (;;) {
      std::string why;
      std::optional<milliseconds> wait;
      bool passing = rules.retry_silence;
      int most_tries = max_tries;
      if (const auto exchange = client_->send(request)) {
        const int status = (*exchange)->status();
        const Result<std::string> body = net::read_body(**exchange, max_answer_bytes);
        if (status == 200 && body) return named(who, parse_token(*body, system_clock::now()));
        why = fmt::format("{} {}", status, body ? refusal_code(*body) : std::string("with a broken body"));
        passing = net::is_transient(status) ||
                  (rules.is_metadata && (status == 404 || status == 410 || status >= 500)) ||
                  (status == 200 && rules.retry_silence);
        wait = net::retry_after(**exchange, system_clock::now());
        if (rules.is_metadata && status == 410) {
          wait = timing_.updating_delay;
          most_tries = max_updating_tries;
        }
      } else {
        why = exchange.error().detail.text;
        passing = passing && exchange.error().kind == ErrorKind::try_later;
      }
      const std::optional<milliseconds> delay = retry.next_delay(wait);
      if (!passing || retry.tries() >= most_tries || !delay) {
        if (passing) telemetry::add(telemetry::Metric::retries_exhausted, 1, {"token", "GET"});
        return refused(who, why, retry.tries());
      }
      telemetry::add(telemetry::Metric::retries, 1, {"token", "GET"});
      log::debug("token_retry", {{"source", who}, {"error", why}, {"wait_ms", delay->count()}});
      if (!retry.wait(*delay)) return refused(who, why, retry.tries());
    }
  }

  static tl::unexpected<Error> refused(std::string_view who, std::string_view why, int tries) {
    return fail(ErrorKind::try_later, CustomerText{"the storage service cannot be used at the moment"},
                OperatorText{fmt::format("no token from {}: {} ({} tries)", who, trimmed(why), tries)});
  }

 private:
  static Result<Token> named(std::string_view who, Result<Token> token) {
    if (token) return token;
    return refused(who, token.error().detail.text, 1);
  }

  std::shared_ptr<net::HttpClient> client_;
  TokenTiming timing_;
};

/// A client's secret, or the token of another issuer in its place, at Entra's token endpoint.
class ClientCredentials : public TokenSource {
 public:
  struct Settings {
    std::string authority;
    std::string tenant;
    std::string client_id;
    std::string secret;      ///< or
    std::string token_file;  ///< read anew each time: it is replaced every hour
  };
  ClientCredentials(Settings settings, Asker asker) : settings_(std::move(settings)), asker_(std::move(asker)) {}

  std::string_view kind() const override { return settings_.secret.empty() ? "workload identity" : "client secret"; }
  bool renews_at_half() const override { return false; }

  Result<Token> fetch(const Deadline& deadline) override {
    net::Request request;
    request.method = "POST";
    request.url = fmt::format("{}/{}/oauth2/v2.0/token", settings_.authority, net::percent_encoded(settings_.tenant));
    if (!may_have_secrets(request.url)) {
      return Asker::refused(kind(), "AZURE_AUTHORITY_HOST is not an https:// URL", 0);
    }
    std::string form = fmt::format("grant_type=client_credentials&client_id={}&scope={}",
                                   net::percent_encoded(settings_.client_id), net::percent_encoded(scope));
    if (!settings_.secret.empty()) {
      form += fmt::format("&client_secret={}", net::percent_encoded(settings_.secret));
    } else {
      const Result<std::string> file = read_file(settings_.token_file, max_token_file_bytes);
      if (!file)
        return Asker::refused(kind(), fmt::format("AZURE_FEDERATED_TOKEN_FILE: {}", file.error().detail.text), 0);
      form += fmt::format("&client_assertion_type={}&client_assertion={}",
                          net::percent_encoded("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                          net::percent_encoded(trimmed(*file)));
    }
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    request.body = form;
    return asker_.ask(kind(), std::move(request), {}, deadline);
  }

 private:
  /// https, or a stand-in on this machine.
  static bool may_have_secrets(std::string_view url) {
    const Result<UrlParts> parts = split_url(url);
    if (!parts) return false;
    return parts->scheme == "https" || parts->host == "localhost" || parts->host == "[::1]" ||
           (is_plain_host(parts->host) && parts->host.starts_with("127."));
  }

  const Settings settings_;
  Asker asker_;
};

std::string with_client_id(std::string query, const std::string& client_id) {
  if (!client_id.empty()) query += fmt::format("&client_id={}", net::percent_encoded(client_id));
  return query;
}

/// Container Apps, App Service and Functions: an endpoint beside the program, and a secret header.
class IdentityEndpoint : public TokenSource {
 public:
  IdentityEndpoint(std::string endpoint, std::string secret, std::string client_id, Asker asker)
      : endpoint_(std::move(endpoint)),
        secret_(std::move(secret)),
        client_id_(std::move(client_id)),
        asker_(std::move(asker)) {}

  std::string_view kind() const override { return "managed identity"; }
  bool renews_at_half() const override { return true; }

  Result<Token> fetch(const Deadline& deadline) override {
    net::Request request;
    request.method = "GET";
    const char separator = endpoint_.find('?') == std::string::npos ? '?' : '&';
    request.url = with_client_id(
        fmt::format("{}{}api-version=2019-08-01&resource={}", endpoint_, separator, net::percent_encoded(resource)),
        client_id_);
    request.headers = {{"X-IDENTITY-HEADER", secret_}};
    request.use_proxy = false;
    return asker_.ask("the identity endpoint", std::move(request), {true, true}, deadline);
  }

 private:
  const std::string endpoint_;
  const std::string secret_;
  const std::string client_id_;
  Asker asker_;
};

/// A virtual machine's metadata service. Where it is not there, that is told at once.
class MachineIdentity : public TokenSource {
 public:
  MachineIdentity(std::string host, std::string client_id, Asker asker)
      : host_(std::move(host)), client_id_(std::move(client_id)), asker_(std::move(asker)) {}

  std::string_view kind() const override { return "managed identity"; }
  bool renews_at_half() const override { return true; }

  Result<Token> fetch(const Deadline& deadline) override {
    net::Request request;
    request.method = "GET";
    request.url = with_client_id(fmt::format("{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}",
                                             host_, net::percent_encoded(resource)),
                                 client_id_);
    request.headers = {{"Metadata", "true"}};
    request.use_proxy = false;
    if (!has_answered_) request.connect_timeout = milliseconds(1000);
    Result<Token> token =
        asker_.ask("IMDS (no other identity is set up)", std::move(request), {true, has_answered_}, deadline);
    has_answered_ = has_answered_ || token.has_value();
    return token;
  }

 private:
  const std::string host_;
  const std::string client_id_;
  Asker asker_;
  bool has_answered_ = false;
};

std::string without_slash(std::string text) {
  while (text.ends_with('/')) text.pop_back();
  return text;
}

}  // namespace

std::unique_ptr<TokenSource> find_token_source(const Environment& environment, std::shared_ptr<net::HttpClient> client,
                                               const TokenTiming& timing) {
  const auto setting = [&](const char* name) { return environment(name).value_or(""); };
  const auto or_else = [](const std::string& value, const char* otherwise) {
    return value.empty() ? std::string(otherwise) : value;
  };
  Asker asker(std::move(client), timing);
  ClientCredentials::Settings credentials;
  credentials.authority = without_slash(or_else(setting("AZURE_AUTHORITY_HOST"), "https://login.microsoftonline.com"));
  credentials.tenant = setting("AZURE_TENANT_ID");
  credentials.client_id = setting("AZURE_CLIENT_ID");
  if (!credentials.tenant.empty() && !credentials.client_id.empty()) {
    credentials.secret = setting("AZURE_CLIENT_SECRET");
    if (credentials.secret.empty()) credentials.token_file = setting("AZURE_FEDERATED_TOKEN_FILE");
    if (!credentials.secret.empty() || !credentials.token_file.empty()) {
      return std::make_unique<ClientCredentials>(std::move(credentials), std::move(asker));
    }
  }
  std::string endpoint = setting("IDENTITY_ENDPOINT");
  std::string secret = setting("IDENTITY_HEADER");
  if (!endpoint.empty() && !secret.empty()) {
    return std::make_unique<IdentityEndpoint>(std::move(endpoint), std::move(secret), credentials.client_id,
                                              std::move(asker));
  }
  return std::make_unique<MachineIdentity>(
      without_slash(or_else(setting("AZURE_POD_IDENTITY_AUTHORITY_HOST"), "http://169.254.169.254")),
      credentials.client_id, std::move(asker));
}

}  // namespace dropscore::azure
