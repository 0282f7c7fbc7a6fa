#include "store/azure_list.h"

#include <cstring>

#include <pugixml.hpp>

namespace dropscore::store {
namespace {

constexpr std::string_view operation = "List Blobs";
constexpr std::string_view bookkeeping_prefix = ".dropscore/";
constexpr const char* page_size = "5000";  // the service's largest

tl::unexpected<Error> no_list(std::string_view what) { return strange_answer(operation, "page", what); }

/// Empty where the blob is a folder of an account with a hierarchical namespace, or stands for one.
Result<std::optional<BlobProperties>> parse_blob(const pugi::xml_node& blob) {
  const pugi::xml_node properties = blob.child("Properties");
  BlobProperties found;
  for (const pugi::xml_node& entry : blob.child("Metadata")) {
    found.metadata[lower_case(entry.name())] = metadata_value_from_wire(entry.text().get());
  }
  const auto folder = found.metadata.find("hdi_isfolder");
  if (folder != found.metadata.end() && lower_case(folder->second) == "true") return std::nullopt;
  if (std::strcmp(properties.child_value("ResourceType"), "directory") == 0) return std::nullopt;

  const pugi::xml_node name = blob.child("Name");
  found.info.name = name.text().get();
  if (name.attribute("Encoded").as_bool()) {
    Result<std::string> decoded = net::percent_decoded(found.info.name);
    if (!decoded) return no_list("a name that is not encoded as it says");
    found.info.name = *std::move(decoded);
  }
  found.info.etag = azure::unquoted_etag(properties.child_value("Etag"));
  const auto size = parse_count(properties.child_value("Content-Length"));
  if (found.info.name.empty() || found.info.etag.empty() || !size)
    return no_list("a blob without name, ETag or length");
  found.info.size_bytes = *size;
  return found;
}

}  // namespace

Result<ListPage> parse_list_page(std::string xml) {
  pugi::xml_document document;
  // A name may be a space; and a line end in one, escaped or not, is the name's.
  constexpr unsigned flags = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_ws_pcdata;
  if (!document.load_buffer_inplace(xml.data(), xml.size(), flags)) return no_list("no XML");
  const pugi::xml_node results = document.child("EnumerationResults");
  if (!results) return no_list("no EnumerationResults");
  ListPage page;
  page.next_marker = results.child_value("NextMarker");
  for (const pugi::xml_node& blob : results.child("Blobs").children("Blob")) {
    DROPSCORE_TRY(std::optional<BlobProperties> found, parse_blob(blob));
    if (found) page.blobs.push_back(*std::move(found));
  }
  return page;
}

Status list_container(AzureContainer& container, bool with_metadata, PassedOver& passed_over,
                      const std::function<bool(const BlobProperties&)>& visit) {
  std::string marker;
  for (;;) {
    azure::StorageRequest request;
    request.method = "GET";
    request.path = "/" + container.name;
    request.query = {{"restype", "container"}, {"comp", "list"}, {"maxresults", page_size}};
    if (with_metadata) request.query.emplace_back("include", "metadata");
    if (!marker.empty()) request.query.emplace_back("marker", marker);
    DROPSCORE_TRY(azure::StorageReply reply, container.client.call(request));
    if (!reply.ok()) return tl::unexpected<Error>(blob_error(operation, request.path, reply));
    DROPSCORE_TRY(ListPage page, parse_list_page(std::move(reply.body)));
    for (const BlobProperties& blob : page.blobs) {
      // A name that ends in '/' stands for a folder, whatever made it.
      if (blob.info.name.starts_with(bookkeeping_prefix) || blob.info.name.ends_with('/')) continue;
      if (!validate_name(blob.info.name)) {
        passed_over.tell(blob.info.name, "its name is not one that a store takes");
      } else if (!visit(blob)) {
        return {};
      }
    }
    if (page.next_marker.empty()) return {};
    if (page.next_marker == marker) return no_list("a page that names itself the next");
    marker = std::move(page.next_marker);
  }
}

}  // namespace dropscore::store
