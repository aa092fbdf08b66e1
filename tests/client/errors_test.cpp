// Refusals as typed exceptions whose words help, and answers that are broken in every way.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "tests/client/canned.h"

namespace perdure::test {
namespace {

// What a retrieve that is answered so throws: its class is Expected, these are its words.
template <class Expected>
std::string words_of(const std::string& canned, client::Options options = {}) {
  CannedServer server({canned});
  options.url = server.url("");
  options.retry.max_attempts = 1;
  try {
    Client(options).retrieve("run_1");
  } catch (const Expected& e) {
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(ClientErrors, HaveAClassForEachKindOfRefusal) {
  EXPECT_EQ(words_of<client::NotFound>(answer(404, "", R"({"error":"the run \"run_1\" does not exist"})")),
            R"(retrieving run run_1: the run "run_1" does not exist)");
  words_of<client::Forbidden>(answer(403, "", "{}"));
  words_of<client::RateLimited>(answer(429, "", "{}"));
  words_of<client::HostFailed>(answer(500, "", "{}"));
  for (const int status : {400, 405, 413, 422}) words_of<client::Invalid>(answer(status, "", "{}"));
}

TEST(ClientErrors, SayWhatIsWrongWithABody) {
  EXPECT_EQ(words_of<client::Invalid>(answer(
                422, "", R"({"error":"the payload does not fit","issues":[{"message":"/name must be a string"}]})")),
            "retrieving run run_1: the payload does not fit; /name must be a string");
}

TEST(ClientErrors, SayWhereAKeyIsToBeHad) {
  const std::string refusal = answer(401, "", R"({"error":"no"})");
  const std::string none = words_of<client::Unauthorized>(refusal);
  EXPECT_NE(none.find("no key was sent"), std::string::npos) << none;
  const std::string wrong = words_of<client::Unauthorized>(refusal, {.key = "k", .key_source = "PERDURE_API_KEY"});
  EXPECT_NE(wrong.find("looked for in PERDURE_API_KEY"), std::string::npos) << wrong;
  EXPECT_NE(wrong.find("DATA/secret"), std::string::npos) << wrong;
}

TEST(ClientErrors, SayThatNobodyAnswersAndWhatToDo) {
  // A port that was free a moment ago, and that nobody listens at while it is held.
  const int held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(held, reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(getsockname(held, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  client::Options options{.url = url};
  options.retry = {.max_attempts = 2, .min_timeout = milliseconds(1)};
  try {
    Client(options).trigger("hello", 1);
    FAIL() << "nothing was thrown";
  } catch (const client::Unreachable& e) {
    EXPECT_TRUE(e.is_unsent());
    EXPECT_NE(std::string(e.what()).find("no host answers at " + url), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("perdure serve"), std::string::npos) << e.what();
  }
  close(held);
}

TEST(ClientErrors, DoNotFollowTheKeyToAnotherHost) {
  const std::string words = words_of<client::Invalid>(answer(302, "Location: http://elsewhere.example/\r\n", ""));
  EXPECT_NE(words.find("http://elsewhere.example/"), std::string::npos) << words;
}

TEST(ClientErrors, RefuseAnAddressThatIsNone) {
  for (const char* const url : {"ftp://127.0.0.1", "http://", "file:///etc/passwd", "http://127.0.0.1:99999"}) {
    client::Options options{.url = url};
    options.retry.min_timeout = milliseconds(0);
    EXPECT_THROW(Client(options).retrieve("run_1"), client::Unreachable) << url;
  }
}

TEST(ClientErrors, RefuseAKeyThatWouldBeTwoHeaders) {
  CannedServer server({answer(200, "", run_json("QUEUED"))});
  EXPECT_THROW(Client(server.url(""), "k\r\nx-evil: 1").retrieve("run_1"), client::Unreachable);
  EXPECT_EQ(Client(server.url(""), "k").retrieve("run_1").id, "run_1");
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(ClientErrors, NameWhatIsWrongWithAnAnswer) {
  const std::string bodies[] = {"",
                                "not JSON",
                                "[]",
                                "null",
                                "{}",
                                R"({"id":7})",
                                R"({"id":"run_1","taskIdentifier":"t","status":"QUEUED","createdAt":"soon"})",
                                std::string(100'000, '['),
                                "{\"id\":\"\xff\xfe\"}",
                                run_json("QUEUED", R"(,"attemptCount":1e99)"),
                                run_json("QUEUED", R"(,"tags":{"a":1})"),
                                run_json("FAILED", R"(,"error":"boom")"),
                                run_json("QUEUED") + "trailing"};
  for (const std::string& body : bodies) {
    const std::string words = words_of<client::AnswerInvalid>(answer(200, "", body));
    EXPECT_NE(words.find("retrieving run run_1"), std::string::npos) << words;
  }
  EXPECT_NE(words_of<client::AnswerInvalid>(answer(200, "", R"({"id":7})")).find("id must be a string"),
            std::string::npos);
}

TEST(ClientErrors, DoNotReadAnAnswerThatNeverEnds) {
  const std::string words = words_of<client::Unreachable>(
      answer(200, "", run_json("QUEUED", ",\"x\":\"" + std::string(5000, 'x') + "\"")), {.most_answer = 1000});
  EXPECT_NE(words.find("larger than 1000 bytes"), std::string::npos) << words;
}

TEST(ClientErrors, SurviveARefusalThatIsNoJson) {
  EXPECT_EQ(words_of<client::HostFailed>(answer(502, "", "<html>Bad Gateway</html>")),
            "retrieving run run_1: the host answered with status 502 and no reason");
  words_of<client::Invalid>(answer(422, "", R"({"error":"x","issues":[1,{"message":{}},null]})"));
}

}  // namespace
}  // namespace perdure::test
