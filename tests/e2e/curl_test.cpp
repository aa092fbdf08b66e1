// Other people's HTTP: curl and gzip, as Debian has them, against a real host.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

class Curl : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(host.start()) << host.log(); }

  [[nodiscard]] Ended curl(const std::string& target, const std::vector<std::string>& options) const {
    std::vector<std::string> command{
        "curl", "--silent", "--show-error", "--max-time", "60", "--header", "authorization: Bearer " + host.key()};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back(host.url() + target);
    return run_program(command);
  }

  HostProcess host;
};

TEST_F(Curl, TakesCompressedAnswersAndSendsACompressedPayload) {
  const std::filesystem::path file = host.directory() / "trigger.json";
  const std::string payload(200'000, 'x');
  std::ofstream(file) << R"({"payload":")" << payload << R"(","options":{"payloadType":"text/plain"}})";
  ASSERT_EQ(run_program({"gzip", file.string()}).exit_status, 0);
  const Ended triggered =
      curl("/api/v1/tasks/echo/trigger", {"--header", "content-type: application/json", "--header",
                                          "content-encoding: gzip", "--data-binary", "@" + file.string() + ".gz"});
  const Answer answer{200, triggered.out};
  ASSERT_TRUE(answer.json().is_object()) << triggered.out << triggered.err;
  const std::string id(answer.json().at("id").as_string());
  Http http = host.client();
  EXPECT_EQ(await_run(http, id).at("output").as_string(), payload);

  const std::string target = "/api/v3/runs/" + id;
  const Ended plain = curl(target, {});
  const Ended compressed = curl(target, {"--compressed"});
  EXPECT_GT(plain.out.size(), payload.size());
  EXPECT_EQ(compressed.out, plain.out);
  const Ended size = curl(target, {"--compressed", "--output", "/dev/null", "--write-out", "%{size_download}"});
  EXPECT_EQ(size.exit_status, 0) << size.err;
  EXPECT_LT(std::stoul(size.out), plain.out.size() / 20);
}

}  // namespace
}  // namespace perdure::e2e
