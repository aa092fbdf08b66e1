// Where the client finds its host and key when the program says nothing: as the command line does.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <perdure/client/environment.hpp>

namespace perdure::client {
namespace {

class Environment : public ::testing::Test {
 protected:
  Environment() {
    for (const char* const name : {"PERDURE_URL", "PERDURE_API_KEY", "PERDURE_DATA"}) unsetenv(name);
  }
  ~Environment() override {
    for (const char* const name : {"PERDURE_URL", "PERDURE_API_KEY", "PERDURE_DATA"}) unsetenv(name);
  }
};

TEST_F(Environment, NamesTheHostAndTheKey) {
  setenv("PERDURE_URL", "https://perdure.example", 1);
  setenv("PERDURE_API_KEY", "tr_prod_x", 1);
  const Options options = options_from_environment();
  EXPECT_EQ(options.url, "https://perdure.example");
  EXPECT_EQ(options.key, "tr_prod_x");
}

TEST_F(Environment, ReadsTheKeyOfADataDirectory) {
  const std::filesystem::path data = std::filesystem::path(::testing::TempDir()) / "perdure-client-data";
  std::filesystem::create_directories(data);
  std::ofstream(data / "secret") << "tr_prod_of_file\n";
  setenv("PERDURE_DATA", data.c_str(), 1);
  const Options options = options_from_environment();
  EXPECT_EQ(options.url, "http://127.0.0.1:3030");
  EXPECT_EQ(options.key, "tr_prod_of_file");
  EXPECT_EQ(options.key_source, data.string() + "/secret");
  std::filesystem::remove_all(data);
}

TEST_F(Environment, SendsThisMachinesKeyToNoOtherMachine) {
  setenv("PERDURE_URL", "http://perdure.example:3030", 1);
  const Options options = options_from_environment();
  EXPECT_EQ(options.key, "");
  EXPECT_NE(options.key_source.find("PERDURE_API_KEY"), std::string::npos);
}

TEST(Loopback, IsThisMachineAndNothingThatLooksLikeIt) {
  for (const char* const url : {"http://127.0.0.1:3030", "http://127.8.9.1:1", "http://localhost:3030",
                                "http://[::1]:80", "https://localhost:1/x", "127.0.0.1:3030"}) {
    EXPECT_TRUE(detail::is_loopback(url)) << url;
  }
  for (const char* const url : {"http://127.0.0.1.example:80", "http://localhost.example:1", "http://10.0.0.1:3030",
                                "http://127.0.0.1:80@example.com:80", "http://[::2]:80", ""}) {
    EXPECT_FALSE(detail::is_loopback(url)) << url;
  }
}

}  // namespace
}  // namespace perdure::client
