// Variables that the host gives to an attempt, and a process that serves several.
#include "host/zygote/environment.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

#include "host/zygote/json_text.h"

namespace perdure::zygote {
namespace {

std::string value_of(const char* name) {
  const char* const value = getenv(name);
  return value == nullptr ? "(not set)" : value;
}

TEST(GivenVariables, AreThereForOneAttemptAndTheProcessesOwnComeBack) {
  setenv("PERDURE_TEST_OWN", "mine", 1);
  give_variables(R"({"PERDURE_TEST_OWN":"given","PERDURE_TEST_NEW":"x"})");
  EXPECT_EQ(value_of("PERDURE_TEST_OWN"), "given");
  EXPECT_EQ(value_of("PERDURE_TEST_NEW"), "x");
  give_variables(R"({"PERDURE_TEST_NEW":"y"})");
  EXPECT_EQ(value_of("PERDURE_TEST_OWN"), "mine");
  EXPECT_EQ(value_of("PERDURE_TEST_NEW"), "y");
  give_variables("");
  EXPECT_EQ(value_of("PERDURE_TEST_NEW"), "(not set)");
  EXPECT_EQ(value_of("PERDURE_TEST_OWN"), "mine");
}

TEST(GivenVariables, MayHaveAnyText) {
  give_variables(R"({"PERDURE_TEST_TEXT":"a \"b\" \\ \n\t\u0001 ä \u00e4 \ud83c\udf89"})");
  EXPECT_EQ(value_of("PERDURE_TEST_TEXT"), "a \"b\" \\ \n\t\x01 ä ä 🎉");
  give_variables(R"({"PERDURE_TEST_TEXT":""})");
  EXPECT_EQ(value_of("PERDURE_TEST_TEXT"), "");
  give_variables("");
}

TEST(UnescapedJson, OfWhatIsBrokenIsReplaced) {
  EXPECT_EQ(json_unescaped(R"("\ud83c")"), "\xEF\xBF\xBD");
  EXPECT_EQ(json_unescaped(R"("\udf89x")"), "\xEF\xBF\xBDx");
  EXPECT_EQ(json_unescaped(R"("\ud83c\u0041")"),
            "\xEF\xBF\xBD"
            "A");
  EXPECT_EQ(json_unescaped(R"("\u12")"), "\xEF\xBF\xBD");
  EXPECT_EQ(json_unescaped("12"), "");
}

}  // namespace
}  // namespace perdure::zygote
