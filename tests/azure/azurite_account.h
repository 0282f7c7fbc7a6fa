// The emulator that tests/azure/with_azurite.py started, as an account.
#pragma once

#include <cstdlib>
#include <stdexcept>

#include "azure/account.h"

namespace dropscore::testing {

inline azure::Account azurite_account() {
  const char* const text = std::getenv("DROPSCORE_TEST_AZURITE");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (text == nullptr) throw std::runtime_error("run this through tests/azure/with_azurite.py");
  const azure::ConnectionString connection = azure::parse_connection_string(text).value();
  azure::Account account;
  account.name = connection.account;
  account.blob_endpoint = connection.blob_endpoint;
  account.queue_endpoint = connection.queue_endpoint;
  account.credential = azure::shared_key(connection.account, connection.key).value();
  return account;
}

}  // namespace dropscore::testing
