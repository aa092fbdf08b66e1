// Texts from outside: made UTF-8, sliced, and turned into lines.
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/os/channels.h"
#include "host/process/json_slices.h"
#include "host/process/manifest.h"
#include "host/process/output_capture.h"
#include "host/process/utf8_text.h"

namespace perdure::process::test {
namespace {

TEST(Utf8, WellFormedTextIsKept) {
  for (const std::string text :
       {"", "plain", "gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
    EXPECT_EQ(to_utf8(text), text);
  }
}

TEST(Utf8, WhatIsNoCharacterIsReplaced) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(to_utf8("a\xff"
                    "b"),
            "a" + bad + "b");
  EXPECT_EQ(to_utf8("cut \xe2\x82"), "cut " + bad + bad);
  EXPECT_FALSE(is_utf8("\xc0\xaf"));          // overlong
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));      // surrogate
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));  // beyond the last character
}

TEST(Utf8, ACutDoesNotSplitACharacter) {
  EXPECT_EQ(whole_characters("ab\xe2\x82\xac", 4), 2u);
  EXPECT_EQ(whole_characters("abcd", 2), 2u);
  EXPECT_EQ(whole_characters("ab", 5), 2u);
  EXPECT_EQ(whole_characters(std::string(10, '\x80'), 5), 2u);  // no character anywhere near
}

// Found by fuzzing.
TEST(Utf8, ACharacterThatIsLongerThanTheLimitIsNotCut) {
  EXPECT_EQ(whole_characters("\xe2\x82\xac", 2), 0u);
  EXPECT_EQ(whole_characters("\xc3\xa9x", 1), 0u);
}

TEST(JsonSlices, MembersKeepTheirText) {
  std::vector<std::pair<std::string, std::string>> members;
  for_each_member(R"( {"a" : 1.80 , "b":{"x":[1,"}"]},"c\"d":"e,\"f" } )",
                  [&](std::string_view key, std::string_view value) { members.emplace_back(key, value); });
  const std::vector<std::pair<std::string, std::string>> expected{
      {"a", "1.80"}, {"b", R"({"x":[1,"}"]})"}, {R"(c\"d)", R"("e,\"f")"}};
  EXPECT_EQ(members, expected);
}

TEST(JsonSlices, ElementsKeepTheirText) {
  std::vector<std::string> elements;
  for_each_element(R"([1, "a]", [2,3], {} ])", [&](std::string_view value) { elements.emplace_back(value); });
  EXPECT_EQ(elements, (std::vector<std::string>{"1", "\"a]\"", "[2,3]", "{}"}));
}

TEST(JsonSlices, EmptyOnesHaveNoParts) {
  int parts = 0;
  for_each_member("{ }", [&](std::string_view, std::string_view) { parts++; });
  for_each_element("[]", [&](std::string_view) { parts++; });
  for_each_member("[1]", [&](std::string_view, std::string_view) { parts++; });
  EXPECT_EQ(parts, 0);
}

TEST(JsonSlices, StringsAreDecoded) {
  EXPECT_EQ(string_of(R"("a\n\u00e9")"), "a\n\xc3\xa9");
  EXPECT_EQ(string_of("1"), std::nullopt);
  EXPECT_EQ(integer_of("-12"), -12);
  EXPECT_EQ(integer_of("1.5"), std::nullopt);
}

TEST(JsonSlices, AWrittenStringReadsBack) {
  std::string json;
  append_string(json, "quote\" back\\ line\n bell\x07");
  EXPECT_EQ(string_of(json), "quote\" back\\ line\n bell\x07");
}

TEST(Manifest, OfAnotherProtocolIsRefused) {
  const auto manifest = parse_manifest(R"({"protocol":99,"plugin":"p","tasks":[{"id":"t"}]})");
  ASSERT_FALSE(manifest.is_ok());
  EXPECT_NE(manifest.status().message().find("protocol 99"), std::string::npos);
}

TEST(Manifest, ThatIsNoJsonIsRefused) { EXPECT_FALSE(parse_manifest("{").is_ok()); }

class Lines final : public LineSink {
 public:
  void on_line(bool, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

class OutputCaptureTest : public testing::Test {
 protected:
  OutputCaptureTest() {
    EXPECT_TRUE(os::open_pipe(pipe_));
    capture_.emplace(std::move(pipe_.read), false);
  }
  void write(const std::string& text) const {
    ASSERT_EQ(::write(pipe_.write.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  os::Pipe pipe_;
  std::optional<OutputCapture> capture_;
  Lines sink_;
};

TEST_F(OutputCaptureTest, ALineMayComeInParts) {
  write("one\ntw");
  EXPECT_EQ(capture_->read(sink_), OutputCapture::Turn::kEmpty);
  EXPECT_EQ(sink_.lines, (std::vector<std::string>{"one"}));
  write("o\r\n");
  (void)capture_->read(sink_);
  EXPECT_EQ(sink_.lines, (std::vector<std::string>{"one", "two"}));
}

TEST_F(OutputCaptureTest, AnEmptyPipeIsNotWaitedFor) { EXPECT_EQ(capture_->read(sink_), OutputCapture::Turn::kEmpty); }

TEST_F(OutputCaptureTest, TheEndIsTold) {
  pipe_.write.reset();
  EXPECT_EQ(capture_->read(sink_), OutputCapture::Turn::kEnded);
}

TEST_F(OutputCaptureTest, DrainingDeliversAnUnfinishedLine) {
  write("a\nb");
  capture_->drain(sink_);
  EXPECT_EQ(sink_.lines, (std::vector<std::string>{"a", "b"}));
}

TEST_F(OutputCaptureTest, DiscardedOutputIsGone) {
  write("a\nb");
  capture_->discard();
  capture_->drain(sink_);
  EXPECT_TRUE(sink_.lines.empty());
}

TEST_F(OutputCaptureTest, AnEndlessLineIsCutWithoutKeepingIt) {
  for (int i = 0; i < 10; i++) {
    write(std::string(16000, 'x'));
    (void)capture_->read(sink_);
  }
  EXPECT_EQ(sink_.lines.size(), 9u);
  for (const std::string& line : sink_.lines) EXPECT_EQ(line.size(), kMaxLine);
}

}  // namespace
}  // namespace perdure::process::test
