// Invocations answered with stores in memory.
#include "app/function/handler.h"

#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/base64.h"
#include "base/text_source.h"
#include "store/memory_store.h"
#include "tests/support/tiny_model.h"

namespace dropscore::function {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string good = "Age,Channel\n50,SEO\nold,SEO\n30,PPC\n";
const std::string bad = "Age,Channel\nold,SEO\n";

std::string invocation(const std::string& blob, const std::string& content) {
  return R"({"Data":{"inputBlob":")" + base64_encoded(content) +
         R"("},"Metadata":{"Uri":"\"https://acct.blob.core.windows.net/input-data/)" + blob + R"(\"","name":"\")" +
         blob + R"(\""}})";
}

/// What the host takes from a reply.
struct Taken {
  std::string document;
  std::string logs;
};
Taken taken(const http::EndpointReply& reply) {
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  EXPECT_EQ(parser.parse(reply.body).get(json), simdjson::SUCCESS) << reply.body;
  Taken out;
  std::string_view base64;
  if (json["Outputs"]["outputBlob"].get(base64) == simdjson::SUCCESS) {
    out.document = base64_decoded(base64).value_or("no base64");
  }
  out.logs = simdjson::to_string(json["Logs"]);
  return out;
}

/// A model in the process, and a way to interfere each time that it is about to be asked.
class Interfered final : public job::FileScorer {
 public:
  std::function<void()> before = [] {};
  Result<std::string> model_version() const override { return inner_->model_version(); }
  tl::expected<job::ScoredFile, job::FileRefusal> score(ByteSource& input, const job::WriteText& write,
                                                        const job::ScoreOptions& options) const override {
    before();
    if (fault_) return tl::unexpected<job::FileRefusal>(job::FileRefusal{*fault_, {}});
    return inner_->score(input, write, options);
  }
  void fail_with(const Error& fault) { fault_ = fault; }

 private:
  std::shared_ptr<const job::FileScorer> inner_ = job::file_scorer(job::Scorer(testing::tiny_model()));
  std::optional<Error> fault_;
};

class HandlerTest : public ::testing::Test {
 protected:
  http::EndpointReply invoke(const std::string& body) { return handler().invoke(body, "id"); }
  Handler handler() {
    return Handler(
        options_, [scorer = scorer_] { return scorer; },
        with_stores_ ? OpenStores([this](const event::BlobName& blob) -> Result<Stores> {
          const std::lock_guard lock(opened_mutex_);
          opened_ = blob;
          return Stores{input_, output_};
        })
                     : OpenStores());
  }
  std::string put(const std::string& blob, const std::string& content) {
    return store::write_all(*input_, blob, content, store::WriteCondition::always(), {})->etag;
  }
  std::string result(const std::string& blob) {
    return store::read_all(*output_, blob + ".json", 1 << 20).value_or("none");
  }

  HandlerOptions options_;
  std::shared_ptr<Interfered> scorer_ = std::make_shared<Interfered>();
  std::shared_ptr<store::BlobStore> input_ = store::make_memory_store("input-data");
  std::shared_ptr<store::BlobStore> output_ = store::make_memory_store("output-results");
  bool with_stores_ = true;
  std::mutex opened_mutex_;  // a handler is asked from many threads
  event::BlobName opened_;
};

TEST_F(HandlerTest, StoreHoldsTheResultAndItsKey) {
  const std::string etag = put("dir/a b.csv", good);
  const http::EndpointReply reply = invoke(invocation("dir/a%20b.csv", "not what the store holds"));
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_THAT(reply.body, HasSubstr(R"("Outputs":{},)"));
  EXPECT_THAT(taken(reply).logs, HasSubstr("scored: 2 rows scored, 1 rejected"));
  EXPECT_THAT(taken(reply).logs, Not(HasSubstr("old")));
  EXPECT_EQ(opened_.account, "acct");
  EXPECT_EQ(opened_.container, "input-data");
  EXPECT_THAT(result("dir/a b.csv"),
              HasSubstr(R"({"blob_name":"input-data/dir/a b.csv","processing_status":"success")"));
  const store::Metadata metadata = output_->properties("dir/a b.csv.json")->metadata;
  EXPECT_EQ(metadata.at("input_etag"), etag);
  EXPECT_EQ(metadata.at("processing_status"), "success");
  // The same again is done already, and writes nothing.
  const std::string before = output_->properties("dir/a b.csv.json")->info.etag;
  const http::EndpointReply again = invoke(invocation("dir/a%20b.csv", ""));
  EXPECT_EQ(again.status, 200);
  EXPECT_THAT(taken(again).logs, HasSubstr("already_done"));
  EXPECT_EQ(output_->properties("dir/a b.csv.json")->info.etag, before);
}

TEST_F(HandlerTest, AFileToMendFailsEachTimeUntilItIsPoison) {
  put("a.csv", bad);
  for (int time = 0; time < 5; ++time) {
    const http::EndpointReply reply = invoke(invocation("a.csv", bad));
    EXPECT_EQ(reply.status, 500) << time;
    EXPECT_EQ(reply.content_type, "application/json");
    EXPECT_THAT(reply.body, HasSubstr(R"("success":false)"));
    EXPECT_THAT(result("a.csv"), HasSubstr(R"("processing_status": "error")"));
  }
  put("a.csv", good);  // mended
  EXPECT_EQ(invoke(invocation("a.csv", good)).status, 200);
  EXPECT_THAT(result("a.csv"), HasSubstr(R"("processing_status":"success")"));
}

TEST_F(HandlerTest, ABlobThatIsGoneIsASuccessAndNothingIsWritten) {
  const http::EndpointReply reply = invoke(invocation("a.csv", good));
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(taken(reply).logs, HasSubstr("gone"));
  EXPECT_EQ(result("a.csv"), "none");
}

TEST_F(HandlerTest, ABlobThatChangesIsScoredAsItIsNow) {
  put("a.csv", bad);
  std::string etag;
  scorer_->before = [&] {
    if (etag.empty()) etag = put("a.csv", good);
  };
  EXPECT_EQ(invoke(invocation("a.csv", bad)).status, 200);
  EXPECT_EQ(output_->properties("a.csv.json")->metadata.at("input_etag"), etag);
  EXPECT_THAT(result("a.csv"), HasSubstr(R"("total_records":2)"));
}

TEST_F(HandlerTest, ABlobThatNeverRestsIsAFault) {
  put("a.csv", good);
  int times = 0;
  scorer_->before = [&] {
    ++times;
    put("a.csv", good);
  };
  EXPECT_EQ(invoke(invocation("a.csv", good)).status, 503);
  EXPECT_EQ(times, limits::max_attempts);
  EXPECT_EQ(result("a.csv"), "none");
}

TEST_F(HandlerTest, ABlobThatGoesWhileItIsReadIsGone) {
  put("a.csv", good);
  scorer_->before = [&] { EXPECT_TRUE(input_->remove("a.csv", {})); };
  EXPECT_EQ(invoke(invocation("a.csv", good)).status, 200);
  EXPECT_EQ(result("a.csv"), "none");
}

TEST_F(HandlerTest, FaultsAreTriedAgainByTheHost) {
  put("a.csv", good);
  scorer_->fail_with({ErrorKind::try_later, {"the API cannot be reached"}, {"connection refused: http://10.0.0.1"}});
  const http::EndpointReply reply = invoke(invocation("a.csv", good));
  EXPECT_EQ(reply.status, 503);
  EXPECT_THAT(reply.body, HasSubstr("the API cannot be reached"));
  EXPECT_THAT(reply.body, Not(HasSubstr("10.0.0.1")));
  EXPECT_EQ(result("a.csv"), "none");
}

TEST_F(HandlerTest, BindingCarriesTheDocument) {
  options_.output = Output::binding;
  with_stores_ = false;
  const http::EndpointReply reply = invoke(invocation("a.csv", good));
  EXPECT_EQ(reply.status, 200) << reply.body;
  const std::string document = taken(reply).document;
  EXPECT_THAT(document, HasSubstr(R"({"blob_name":"input-data/a.csv","processing_status":"success")"));
  EXPECT_THAT(document, HasSubstr(R"("total_records":2)"));
  EXPECT_EQ(taken(invoke(invocation("a.csv", good))).document, document);
  // Another content, another version.
  const std::string other = taken(invoke(invocation("a.csv", good + "60,SEO\n"))).document;
  EXPECT_NE(document.substr(document.find("input_etag")), other.substr(other.find("input_etag")));
}

TEST_F(HandlerTest, BindingCarriesErrorDocumentsByASuccess) {
  options_.output = Output::binding;
  with_stores_ = false;
  for (const std::string& content : {bad, std::string()}) {
    const http::EndpointReply reply = invoke(invocation("a.csv", content));
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(taken(reply).document, HasSubstr(R"("processing_status": "error")"));
    EXPECT_THAT(taken(reply).logs, HasSubstr("error_document"));
  }
}

TEST_F(HandlerTest, LongPayloadsGoThroughTheStoreOrAreRefused) {
  options_.output = Output::binding;
  const std::string left_out =
      R"({"Data":{"inputBlob":null},"Metadata":{"Uri":"\"https://acct.blob.core.windows.net/input-data/a.csv\""}})";
  put("a.csv", good);
  const http::EndpointReply stored = invoke(left_out);
  EXPECT_EQ(stored.status, 200);
  EXPECT_EQ(taken(stored).document, "");
  EXPECT_THAT(result("a.csv"), HasSubstr(R"("processing_status":"success")"));
  with_stores_ = false;
  const http::EndpointReply refused = invoke(left_out);
  EXPECT_EQ(refused.status, 200);
  EXPECT_THAT(taken(refused).document, HasSubstr("over the 4194304 bytes"));
}

TEST_F(HandlerTest, SaysWhatIsWrongWithAnInvocation) {
  EXPECT_EQ(invoke("{").status, 400);
  EXPECT_EQ(invoke(std::string(10'000'000, ' ')).status, 413);
  options_.output = Output::binding;
  with_stores_ = false;
  const http::EndpointReply misnamed = invoke(R"({"Data":{"myblob":""},"Metadata":{"name":"a.csv"}})");
  EXPECT_EQ(misnamed.status, 500);
  EXPECT_THAT(misnamed.body, HasSubstr("--input-binding"));
}

TEST_F(HandlerTest, SixteenAtATime) {
  const Handler handler = this->handler();
  for (int i = 0; i < 16; ++i) put(std::to_string(i) + ".csv", good);
  std::vector<std::thread> threads;
  std::atomic<int> done{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      for (int time = 0; time < 20; ++time) {
        done += handler.invoke(invocation(std::to_string((i + time) % 16) + ".csv", good), "id").status == 200;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 320);
  for (int i = 0; i < 16; ++i) EXPECT_THAT(result(std::to_string(i) + ".csv"), HasSubstr(R"("total_records":2)"));
}

TEST(HandlerOptionsTest, Validate) {
  EXPECT_TRUE(HandlerOptions().validate());
  const auto refused = [](const std::function<void(HandlerOptions&)>& spoil) {
    HandlerOptions options;
    spoil(options);
    return !options.validate();
  };
  EXPECT_TRUE(refused([](HandlerOptions& o) { o.function = "a/b"; }));
  EXPECT_TRUE(refused([](HandlerOptions& o) { o.function = ""; }));
  EXPECT_TRUE(refused([](HandlerOptions& o) { o.input_binding = ""; }));
  EXPECT_TRUE(refused([](HandlerOptions& o) { o.max_payload_bytes = 65 * limits::mib; }));
  EXPECT_TRUE(refused([](HandlerOptions& o) { o.score.max_row_bytes = 1; }));
}

}  // namespace
}  // namespace dropscore::function
