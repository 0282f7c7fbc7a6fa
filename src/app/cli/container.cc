#include "app/cli/container.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "store/azure_store.h"
#include "store/local_store.h"

namespace dropscore::app {
namespace {

/// True where `inner` is `outer` or lies within it.
bool is_within(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  const auto [end, unused] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end();
}

Status check_folders_apart(const std::filesystem::path& input, const std::filesystem::path& output) {
  std::error_code failed;
  const auto whole = [&failed](const std::filesystem::path& path) {
    std::filesystem::path resolved = std::filesystem::weakly_canonical(path, failed);
    return resolved.has_filename() ? resolved : resolved.parent_path();  // "in/" is "in"
  };
  const std::filesystem::path in = whole(input);
  const std::filesystem::path out = whole(output);
  if (is_within(in, out) || is_within(out, in)) {
    return fail(ErrorKind::misuse,
                fmt::format("the input folder {} and the output folder {} are the same or one lies in the "
                            "other; results would be taken for input. Choose two folders side by side",
                            in.string(), out.string()));
  }
  return {};
}

Result<Container> open_remote(const std::string& uri, const std::shared_ptr<net::HttpClient>& client) {
  Container container;
  DROPSCORE_TRY(const azure::ResourceUrl url, azure::parse_resource_url(uri));
  DROPSCORE_TRY(container.account, azure::resolve_account(url, azure::process_environment(), client));
  DROPSCORE_TRY(container.store, store::open_azure_store(*container.account, url.name, client));
  DROPSCORE_CHECK(store::make_container(*container.account, url.name, client));
  log::info("container_opened", {{"account", container.account->name},
                                 {"container", url.name},
                                 {"credential", container.account->credential->kind()}});
  return container;
}

}  // namespace

Result<Container> open_container(const std::string& uri, const std::shared_ptr<net::HttpClient>& client) {
  if (azure::is_resource_url(uri)) return open_remote(uri, client);
  Container container;
  container.folder = uri;
  std::error_code unseen;
  const bool was_there = std::filesystem::exists(container.folder, unseen);
  DROPSCORE_TRY(container.store, store::open_local_store(uri));
  if (!was_there) log::info("folder_made", {{"folder", uri}});  // nobody finds a mistyped name otherwise
  return container;
}

std::string shown(const std::string& uri) { return azure::is_resource_url(uri) ? uri.substr(0, uri.find('?')) : uri; }

Status check_apart(const std::string& input, const std::string& output) {
  const bool remote = azure::is_resource_url(input);
  if (remote != azure::is_resource_url(output)) return {};
  if (!remote) return check_folders_apart(input, output);
  DROPSCORE_TRY(const azure::ResourceUrl in, azure::parse_resource_url(input));
  DROPSCORE_TRY(const azure::ResourceUrl out, azure::parse_resource_url(output));
  if (in.endpoint == out.endpoint && in.name == out.name) {
    return fail(ErrorKind::misuse, fmt::format("input and output are both the container {}; results would be taken for "
                                               "input. Choose two containers",
                                               in.name));
  }
  return {};
}

}  // namespace dropscore::app
