// Reading from a service that breaks off, cuts short and replaces the blob meanwhile.
#include "store/azure_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "store/azure_test_service.h"

namespace dropscore::store {
namespace {

using Answer = AzureTestService::Answer;
using Request = AzureTestService::Request;
using Cut = testing::StubAnswer::Cut;

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value()) << "an error was expected";
  return result ? ErrorKind::give_up : result.error().kind;
}

/// The error of opening, or of reading to the end.
Result<std::string> read(BlobStore& store, const std::optional<std::string>& if_match = std::nullopt,
                         std::uint64_t offset = 0, std::size_t chunk_bytes = 1000) {
  DROPSCORE_TRY(const auto source, store.open("x", if_match, offset));
  return drain(*source, chunk_bytes);
}

/// Cuts the n-th answer to a GET at `cuts[n]` bytes of its body.
auto cutting(std::vector<std::size_t> cuts, Cut how) {
  return [cuts = std::move(cuts), how, n = std::size_t{0}](const Request& request, Answer& answer) mutable {
    if (request.method != "GET" || n == cuts.size()) return;
    answer.cut = how;
    answer.cut_at_bytes = cuts[n++];
  };
}

TEST(AzureSource, IsOneRequestOnAConnectionThatIsKept) {
  AzureTestService service;
  service.put("x", numbered_bytes(300'000));
  const auto store = service.open();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(read(*store).value(), service.blobs["x"].bytes);
  service.put("x", "");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(read(*store).value(), "");
  EXPECT_EQ(service.requests.size(), 6U);
  EXPECT_FALSE(service.requests[0].has("x-ms-range"));
  EXPECT_FALSE(service.requests[0].has("if-match"));
  EXPECT_EQ(service.connections(), 1U);
}

TEST(AzureSource, AsksForTheVersionAndTheOffset) {
  AzureTestService service;
  const std::string etag = service.put("x", "0123456789").etag;
  EXPECT_EQ(read(*service.open(), etag, 7).value(), "789");
  EXPECT_EQ(service.requests[0].header("x-ms-range"), "bytes=7-");
  EXPECT_EQ(service.requests[0].header("if-match"), "\"" + etag + "\"");
}

RC_GTEST_PROP(AzureSource, GoesOnWhereItWasCutOff, ()) {
  AzureTestService service;
  service.put("x", numbered_bytes(*rc::gen::inRange<std::size_t>(1, 100'000), *rc::gen::arbitrary<std::uint64_t>()));
  const std::string& bytes = service.blobs["x"].bytes;
  const auto cuts = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, bytes.size() + 1));
  service.spoil = cutting(cuts, *rc::gen::element(Cut::close, Cut::reset));
  const std::size_t offset = *rc::gen::inRange<std::size_t>(0, bytes.size());
  // A reset may swallow what was sent before it; with few tries, that would be no progress too often.
  AzureStoreOptions options = AzureTestService::options();
  options.retry.max_tries = 50;

  const auto store = service.open(options);
  const auto got = read(*store, std::nullopt, offset, *rc::gen::inRange<std::size_t>(1, 20'000));
  RC_ASSERT(got.has_value());
  RC_ASSERT(*got == bytes.substr(offset));
  for (std::size_t i = 1; i < service.requests.size(); ++i) {
    RC_ASSERT(service.requests[i].header("if-match") == "\"" + service.blobs["x"].etag + "\"" || i == 0);
  }
}

TEST(AzureSource, ManyLossesAreNoneWhereEachTryBringsAByte) {
  AzureTestService service;
  service.put("x", numbered_bytes(20));
  service.spoil = cutting(std::vector<std::size_t>(19, 1), Cut::close);
  EXPECT_EQ(read(*service.open()).value(), service.blobs["x"].bytes);
  ASSERT_EQ(service.requests.size(), 20U);
  for (std::size_t i = 1; i < 20; ++i) {
    EXPECT_EQ(service.requests[i].header("x-ms-range"), "bytes=" + std::to_string(i) + "-");
    EXPECT_EQ(service.requests[i].header("if-match"), "\"" + service.blobs["x"].etag + "\"");
  }
}

TEST(AzureSource, GivesUpWhereTriesBringNothing) {
  AzureTestService service;
  service.put("x", numbered_bytes(1000));
  service.spoil = cutting({500, 0, 0, 0, 0, 0, 0, 0}, Cut::close);
  EXPECT_EQ(kind_of(read(*service.open())), ErrorKind::try_later);
  EXPECT_EQ(service.requests.size(), 1U + 3U) << "what brought 500 bytes, and three more tries";
}

TEST(AzureSource, ABlobReplacedMeanwhileHasChanged) {
  AzureTestService service;
  service.put("x", numbered_bytes(1000));
  service.spoil = [&](const Request&, Answer& answer) {
    answer.cut = Cut::close;
    answer.cut_at_bytes = 400;
    service.put("x", numbered_bytes(1000, 2));
  };
  const auto store = service.open();
  const auto source = store->open("x", std::nullopt);
  ASSERT_TRUE(source);
  EXPECT_EQ(kind_of(drain(**source)), ErrorKind::changed);
  EXPECT_EQ(kind_of(drain(**source)), ErrorKind::changed) << "and stays so";
}

TEST(AzureSource, ABlobRemovedMeanwhileIsNotFound) {
  AzureTestService service;
  service.put("x", numbered_bytes(1000));
  service.spoil = [&](const Request&, Answer& answer) {
    answer.cut = Cut::close;
    answer.cut_at_bytes = 400;
    service.blobs.clear();
  };
  EXPECT_EQ(kind_of(read(*service.open())), ErrorKind::not_found);
}

/// What the answer to a second request, for the rest of ten bytes, is spoilt to.
ErrorKind after_five_bytes(const std::function<void(Answer&)>& spoil_second) {
  AzureTestService service;
  service.put("x", "0123456789");
  int answers = 0;
  service.spoil = [&](const Request&, Answer& answer) {
    if (answers++ == 0) {
      answer.cut = Cut::close;
      answer.cut_at_bytes = 5;
    } else {
      spoil_second(answer);
    }
  };
  return kind_of(read(*service.open()));
}

void set_header(Answer& answer, const std::string& name, const std::string& value) {
  for (auto& [header, present] : answer.headers) {
    if (header == name) present = value;
  }
}

TEST(AzureSource, LooksAtWhatItIsGiven) {
  EXPECT_EQ(after_five_bytes([](Answer& answer) { set_header(answer, "ETag", "\"other\""); }), ErrorKind::changed);
  EXPECT_EQ(after_five_bytes([](Answer& answer) { set_header(answer, "Content-Range", "bytes 5-10/11"); }),
            ErrorKind::changed);
  EXPECT_EQ(after_five_bytes([](Answer& answer) { answer = AzureTestService::refusal(416, "InvalidRange"); }),
            ErrorKind::changed);
  EXPECT_EQ(after_five_bytes([](Answer& answer) { set_header(answer, "Content-Range", "bytes 4-9/10"); }),
            ErrorKind::try_later);
  EXPECT_EQ(after_five_bytes([](Answer& answer) { set_header(answer, "Content-Range", "nonsense"); }),
            ErrorKind::try_later);
  EXPECT_EQ(after_five_bytes([](Answer& answer) { set_header(answer, "ETag", ""); }), ErrorKind::try_later);
  EXPECT_EQ(after_five_bytes([](Answer& answer) { answer.status = 200; }), ErrorKind::try_later)
      << "from the start again, which is not what was asked for";
}

TEST(AzureSource, PastTheEndIsEmptyOfTheVersionAskedFor) {
  AzureTestService service;
  const std::string etag = service.put("x", "0123456789").etag;
  const auto store = service.open();
  for (const std::uint64_t offset : {std::uint64_t{10}, std::uint64_t{11}, ~std::uint64_t{0}}) {
    EXPECT_EQ(read(*store, etag, offset).value(), "");
    EXPECT_EQ(read(*store, std::nullopt, offset).value(), "");
    EXPECT_EQ(kind_of(read(*store, "other", offset)), ErrorKind::changed);
  }
  service.put("x", "");
  EXPECT_EQ(read(*store, std::nullopt, 1).value(), "");
  service.blobs.clear();
  EXPECT_EQ(kind_of(read(*store, std::nullopt, ~std::uint64_t{0})), ErrorKind::not_found);
}

TEST(AzureSource, WhatIsNoEtagIsNotSent) {
  AzureTestService service;
  service.put("x", "0123456789");
  const auto store = service.open();
  for (const char* etag : {"", "a\r\nx-ms-range: bytes=0-0", "a\" \"b", "\xC3\xAB"}) {
    EXPECT_EQ(kind_of(store->open("x", etag)), ErrorKind::changed);
    EXPECT_EQ(kind_of(store->remove("x", etag)), ErrorKind::changed);
    EXPECT_EQ(kind_of(write_all(*store, "x", "y", WriteCondition::if_match(etag), {})), ErrorKind::changed);
  }
  EXPECT_TRUE(service.requests.empty());
}

TEST(AzureSource, OutlivesTheStore) {
  AzureTestService service;
  service.put("x", numbered_bytes(10'000));
  service.spoil = cutting({5000}, Cut::close);
  auto store = service.open();
  const auto source = store->open("x", std::nullopt);
  store.reset();
  EXPECT_EQ(drain(**source).value(), service.blobs["x"].bytes);
}

struct Refusal {
  int status;
  const char* code;
  ErrorKind kind;
};

TEST(AzureSource, AMissingBlobIsNotFoundUnderACondition) {
  AzureTestService service;
  const auto store = service.open();
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{5}, ~std::uint64_t{0}}) {
    EXPECT_EQ(kind_of(store->open("x", "0x1", offset)), ErrorKind::not_found);
  }
  EXPECT_EQ(kind_of(store->remove("x", "0x1")), ErrorKind::not_found);
}

TEST(AzureStore, WhatARefusalMeans) {
  constexpr Refusal refusals[] = {{404, "BlobNotFound", ErrorKind::not_found},
                                  {404, "ContainerNotFound", ErrorKind::try_later},
                                  {401, "NoAuthenticationInformation", ErrorKind::try_later},
                                  {403, "AuthorizationPermissionMismatch", ErrorKind::try_later},
                                  {409, "BlobArchived", ErrorKind::try_later},
                                  {409, "BlobAlreadyExists", ErrorKind::changed},
                                  {412, "ConditionNotMet", ErrorKind::changed},
                                  {412, "LeaseIdMissing", ErrorKind::try_later},
                                  {400, "InvalidResourceName", ErrorKind::reject},
                                  {503, "ServerBusy", ErrorKind::try_later}};
  AzureTestService service;
  service.put("x", "0123456789");
  const auto store = service.open();
  const std::string secret(AzureTestService::secret);
  for (const Refusal& refusal : refusals) {
    service.instead = [&](const Request&) { return AzureTestService::refusal(refusal.status, refusal.code); };
    const std::vector<Error> errors = {store->open("x", std::nullopt).error(), store->remove("x", std::nullopt).error(),
                                       store->properties("x").error(),
                                       write_all(*store, "x", "y", WriteCondition::always(), {}).error(),
                                       write_all(*store, "x", std::string(2000, 'y'), {}, {}).error()};
    for (const Error& error : errors) {
      EXPECT_EQ(name(error.kind), name(refusal.kind)) << refusal.code << ": " << error.detail.text;
      EXPECT_EQ(error.detail.text.find(secret), std::string::npos) << error.detail.text;
      EXPECT_EQ(error.customer.text.find(secret), std::string::npos) << error.customer.text;
    }
  }
  for (const Request& request : service.requests) EXPECT_EQ(request.parameter("sig"), secret);
}

TEST(AzureStore, ALostAnswerToRemoveIsSuccess) {
  AzureTestService service;
  const std::string etag = service.put("x", "0123456789").etag;
  service.spoil = [n = 0](const Request&, Answer& answer) mutable { answer.silent = n++ == 0; };
  const auto store = service.open();
  EXPECT_TRUE(store->remove("x", etag));
  EXPECT_EQ(service.count("DELETE"), 2U);
  EXPECT_EQ(service.requests[0].header("x-ms-delete-snapshots"), "include");
  EXPECT_EQ(service.requests[0].header("if-match"), "\"" + etag + "\"");
  EXPECT_EQ(kind_of(store->remove("x", etag)), ErrorKind::not_found);
}

Status make_box(const AzureTestService& service) {
  return make_container(service.account(), "box", std::make_shared<net::HttpClient>(),
                        AzureTestService::options().retry);
}

TEST(AzureStore, MakesItsContainer) {
  AzureTestService service;
  const auto answers = [&](int status, const char* code, int list_status = 403) {
    service.instead = [=](const Request& request) {
      if (request.method == "GET") return AzureTestService::refusal(list_status, "");
      return AzureTestService::refusal(status, code);
    };
    return make_box(service);
  };
  service.instead = [](const Request&) { return Answer{.status = 201}; };
  EXPECT_TRUE(make_box(service));
  EXPECT_EQ(service.requests[0].method + " " + service.requests[0].path, "PUT /acct/box");
  EXPECT_EQ(service.requests[0].parameter("restype"), "container");
  EXPECT_TRUE(answers(409, "ContainerAlreadyExists"));
  EXPECT_TRUE(answers(403, "AuthorizationFailure", 200)) << "who may not make it, but may use it";
  EXPECT_EQ(kind_of(answers(403, "AuthorizationFailure")), ErrorKind::misuse);
  EXPECT_EQ(kind_of(answers(409, "ContainerBeingDeleted")), ErrorKind::try_later);
  EXPECT_EQ(kind_of(answers(503, "ServerBusy")), ErrorKind::try_later);
}

TEST(AzureStore, RefusesBadOptionsAndNames) {
  const AzureTestService service;
  const auto client = std::make_shared<net::HttpClient>();
  for (const char* bad : {"", "a", "ab", "Box", "-box", "box-", "b--x", "b/x", "b?x", "$", "box_1"}) {
    EXPECT_EQ(kind_of(open_azure_store(service.account(), bad, client)), ErrorKind::misuse) << bad;
    EXPECT_EQ(kind_of(make_container(service.account(), bad, client)), ErrorKind::misuse) << bad;
  }
  for (const char* good : {"box", "$web", "input-data", "0a0"}) {
    EXPECT_TRUE(open_azure_store(service.account(), good, client)) << good;
  }
  AzureStoreOptions options;
  options.block_bytes = 0;
  EXPECT_EQ(kind_of(open_azure_store(service.account(), "box", client, options)), ErrorKind::misuse);
  for (const std::size_t bad : {std::size_t{0}, std::size_t{17}}) {
    options = {};
    options.parallel_blocks = bad;
    EXPECT_EQ(kind_of(open_azure_store(service.account(), "box", client, options)), ErrorKind::misuse);
  }
  EXPECT_TRUE(service.requests.empty());
}

}  // namespace
}  // namespace dropscore::store
