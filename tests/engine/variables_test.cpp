// The variables of attempts: what they may be, what is kept of them, and that the file is nobody else's.
#include "host/engine/variables.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace perdure::engine {
namespace {

using Existing = Variables::Existing;

class KeptVariables : public testing::Test {
 protected:
  KeptVariables() : path_(testing::TempDir() + "variables-" + std::to_string(::getpid())) { forget(); }
  ~KeptVariables() override { forget(); }
  void forget() { std::filesystem::remove(path_); }
  std::unique_ptr<Variables> open() {
    auto opened = Variables::open(path_);
    EXPECT_TRUE(opened) << opened.status().message();
    return opened ? std::move(*opened) : std::make_unique<Variables>();
  }
  const std::string path_;
};

TEST_F(KeptVariables, OutliveTheHostInAFileOfItsOwnersOnly) {
  const VariableMap variables{{"A", {"1", false}}, {"B", {"say \"b\"\n\x01", true}}};
  ASSERT_TRUE(open()->set(variables, Existing::kRefuse));
  struct stat about {};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  const auto again = open();
  EXPECT_EQ(again->all(), variables);
  EXPECT_EQ(again->document(), "{\"A\":\"1\",\"B\":\"say \\\"b\\\"\\n\\u0001\"}");
  ASSERT_TRUE(again->change("B", "2"));
  EXPECT_TRUE(again->find("B")->secret) << "it stays one";
  ASSERT_TRUE(again->remove("A"));
  ASSERT_TRUE(again->remove("B"));
  EXPECT_EQ(open()->document(), "");
}

TEST_F(KeptVariables, OfWhichOneIsRefusedAreAllRefused) {
  const auto variables = open();
  ASSERT_TRUE(variables->set({{"A", {"1", false}}}, Existing::kRefuse));
  EXPECT_EQ(variables->set({{"0", {"x", false}}, {"B", {"x", false}}}, Existing::kReplace).code(),
            store::Code::kInvalid);
  EXPECT_EQ(variables->set({{"A", {"2", false}}, {"B", {"x", false}}}, Existing::kRefuse).code(),
            store::Code::kConflict);
  EXPECT_EQ(variables->all(), (VariableMap{{"A", {"1", false}}}));
  EXPECT_EQ(variables->change("B", "x").code(), store::Code::kNotFound);
  EXPECT_EQ(variables->remove("B").code(), store::Code::kNotFound);
}

TEST_F(KeptVariables, AreNotReadFromAFileThatOthersMayRead) {
  ASSERT_TRUE(open()->set({{"A", {"1", false}}}, Existing::kRefuse));
  ::chmod(path_.c_str(), 0644);
  const auto opened = Variables::open(path_);
  EXPECT_EQ(opened.status().code(), store::Code::kInvalid);
  EXPECT_NE(opened.status().message().find("chmod 600"), std::string::npos);
}

TEST_F(KeptVariables, OfADamagedFileAreNoneAndSaidToBe) {
  for (const char* const text : {"", "{", "[]", R"({"variables":[]})", R"({"variables":{"A":1}})",
                                 R"({"variables":{"LD_PRELOAD":{"value":"x"}}})"}) {
    std::ofstream(path_) << text;
    ::chmod(path_.c_str(), 0600);
    EXPECT_EQ(Variables::open(path_).status().code(), store::Code::kCorruption) << text;
  }
}

TEST(VariablesOfAttempts, AreBoundedInNumberAndSize) {
  EXPECT_TRUE(check_variable("A_1", std::string(kLongestVariable, 'x')));
  EXPECT_FALSE(check_variable("A_1", std::string(kLongestVariable + 1, 'x')));
  EXPECT_FALSE(check_variable(std::string(129, 'A'), ""));
  for (const char* const name : {"", "1A", "A-B", "A=B", "LD_LIBRARY_PATH", "PERDURE_X", "TMPDIR"}) {
    EXPECT_FALSE(check_variable(name, "")) << name;
  }
  VariableMap many;
  for (std::size_t i = 0; i <= kMostVariables; ++i) many["V" + std::to_string(i)] = {"", false};
  Variables variables;
  EXPECT_FALSE(variables.set(many, Existing::kReplace));
  many.erase("V0");
  EXPECT_TRUE(variables.set(many, Existing::kReplace));
  for (auto& [name, variable] : many) variable.value.assign(1000, 'x');
  EXPECT_FALSE(variables.set(many, Existing::kReplace)) << "together they are too large";
  EXPECT_EQ(variables.find("V1")->value, "");
}

}  // namespace
}  // namespace perdure::engine
