// What the host remembers of plugin versions: their numbers, what served from which file, and rollbacks.
#include "host/catalog/version_register.h"

#include <gtest/gtest.h>

#include "tests/catalog/plugin_directory.h"

namespace perdure::catalog {
namespace {

using store::Time;
using store::VersionId;
using namespace std::chrono_literals;
using std::chrono::sys_days;

const Time kNoon = sys_days(std::chrono::year(2026) / 11 / 23) + 12h;

// Hashes that are told apart by their first digit.
VersionId version(char digit) { return VersionId(digit + std::string(63, '0')); }

class VersionRegisterTest : public testing::Test {
 protected:
  VersionRegister open() {
    auto opened = VersionRegister::open(here.cache());
    EXPECT_TRUE(opened) << opened.status().message();
    return std::move(*opened);
  }
  /// The versions served one after the other, and their copies are there.
  void serve(VersionRegister& versions, const std::string& digits) {
    for (const char digit : digits) {
      std::filesystem::create_directories(here.cache() / version(digit).text());
      std::ofstream(here.cache() / version(digit).text() / "a.so") << digit;
      versions.number_of(version(digit), "a.so", kNoon);
      versions.served("a.so", version(digit), version(digit), kNoon);
    }
  }
  std::string history(const VersionRegister& versions) {
    std::string digits;
    for (const auto& served : versions.file("a.so")->history) digits += served.version.text()[0];
    return digits;
  }

  const PluginDirectory here;
};

TEST_F(VersionRegisterTest, NumbersVersionsByTheDayTheyWereFirstSeenAndInOrder) {
  VersionRegister versions = open();
  EXPECT_EQ(versions.number_of(version('a'), "a.so", kNoon), "20261123.1");
  EXPECT_EQ(versions.number_of(version('b'), "b.so", kNoon + 11h), "20261123.2");
  EXPECT_EQ(versions.number_of(version('c'), "a.so", kNoon + 12h), "20261124.1");
  EXPECT_EQ(versions.number_of(version('a'), "other.so", kNoon + 48h), "20261123.1") << "it has its number";
  EXPECT_EQ(versions.find(version('a'))->file, "a.so");
  EXPECT_EQ(versions.find_number("20261123.2"), version('b'));
  EXPECT_EQ(versions.find_number("20261123.3"), std::nullopt);
}

TEST_F(VersionRegisterTest, GivesNoNumberTwiceWhenThereAreMoreThanNine) {
  VersionRegister versions = open();
  for (char digit = 'a'; digit < 'a' + 10; ++digit) versions.number_of(version(digit), "a.so", kNoon);
  EXPECT_EQ(versions.number_of(version('z'), "a.so", kNoon), "20261123.11");
}

TEST_F(VersionRegisterTest, RemembersEverythingAcrossAStart) {
  {
    VersionRegister versions = open();
    serve(versions, "abc");
    versions.describe(version('a'), "greetings", "1.0", {});
    ASSERT_TRUE(versions.roll_back("a.so", version('c')));
    versions.number_of(version('d'), "gone.so", kNoon);
    versions.served("gone.so", version('d'), version('d'), kNoon);
    versions.withdrawn("gone.so", kNoon + 1h);
    ASSERT_TRUE(versions.save());
  }
  const VersionRegister versions = open();
  EXPECT_TRUE(versions.damage());
  EXPECT_EQ(versions.find(version('a'))->number, "20261123.1");
  EXPECT_EQ(versions.find(version('a'))->plugin, "greetings");
  EXPECT_EQ(versions.find(version('a'))->version, "1.0");
  EXPECT_EQ(versions.find(version('a'))->first_seen, kNoon);
  EXPECT_EQ(history(versions), "abc");
  EXPECT_TRUE(versions.file("a.so")->history[2].rolled_back);
  EXPECT_EQ(versions.serving_choice("a.so", version('c')), version('b'));
  EXPECT_EQ(versions.file("gone.so")->withdrawn, kNoon + 1h);
}

TEST_F(VersionRegisterTest, WritesNothingBeforeItIsToldToAndNothingThatHasNotChanged) {
  VersionRegister versions = open();
  const auto file = here.cache() / "versions.json";
  ASSERT_TRUE(versions.save());
  EXPECT_FALSE(std::filesystem::exists(file));
  versions.number_of(version('a'), "a.so", kNoon);
  EXPECT_FALSE(std::filesystem::exists(file));
  ASSERT_TRUE(versions.save());
  EXPECT_TRUE(std::filesystem::remove(file));
  ASSERT_TRUE(versions.save());
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_FALSE(std::filesystem::exists(here.cache() / "versions.json.new"));
}

TEST_F(VersionRegisterTest, KeepsWhatItCouldNotWriteAndWritesItLater) {
  VersionRegister versions = open();
  versions.number_of(version('a'), "a.so", kNoon);
  const auto beside = here.cache() / "versions.json.new";
  std::filesystem::create_directory(beside);
  const auto status = versions.save();
  EXPECT_EQ(status.code(), store::Code::kIo);
  EXPECT_NE(status.message().find("versions.json"), std::string::npos) << status.message();
  std::filesystem::remove(beside);
  ASSERT_TRUE(versions.save());
  EXPECT_NE(open().find(version('a')), nullptr);
}

TEST_F(VersionRegisterTest, KeepsFileNamesThatAreNoText) {
  const std::string name = "caf\xe9\x01\".so";
  {
    VersionRegister versions = open();
    versions.number_of(version('a'), name, kNoon);
    versions.served(name, version('a'), version('a'), kNoon);
    ASSERT_TRUE(versions.save());
  }
  const VersionRegister versions = open();
  EXPECT_TRUE(versions.damage()) << versions.damage().message();
  EXPECT_EQ(versions.serving(name), version('a'));
}

TEST_F(VersionRegisterTest, BeginsAnewBesideADamagedOneAndSaysSo) {
  const std::string whole = [&] {
    VersionRegister versions = open();
    serve(versions, "ab");
    EXPECT_TRUE(versions.roll_back("a.so", version('b')));
    EXPECT_TRUE(versions.save());
    return content(here.cache() / "versions.json");
  }();
  // Cut off anywhere it is noticed; the blank at its end is nothing.
  for (std::size_t size = 0; size + 1 < whole.size(); size += 3) {
    std::ofstream(here.cache() / "versions.json", std::ios::binary) << whole.substr(0, size);
    VersionRegister versions = open();
    ASSERT_EQ(versions.damage().code(), store::Code::kCorruption) << whole.substr(0, size);
    ASSERT_EQ(content(here.cache() / "versions.json.damaged"), whole.substr(0, size));
    ASSERT_FALSE(std::filesystem::exists(here.cache() / "versions.json"));
  }
  VersionRegister versions = open();
  EXPECT_EQ(versions.number_of(version('c'), "a.so", kNoon), "20261123.1");
}

TEST_F(VersionRegisterTest, SaysWhatIsWrongWithADamagedOne) {
  std::filesystem::create_directories(here.cache());
  std::ofstream(here.cache() / "versions.json")
      << R"({"format":1,"versions":{},"files":{"a.so":{"history":[{"version":"ab"}]}}})";
  EXPECT_NE(open().damage().message().find(
                "/versions.json, which says what plugin versions there have been, is damaged: expected a text as "
                "\"since\" of the history of file a.so. It is now "),
            std::string::npos);
}

TEST_F(VersionRegisterTest, SaysThatItCannotBeRead) {
  std::filesystem::create_directories(here.cache() / "versions.json");
  EXPECT_EQ(VersionRegister::open(here.cache()).status().code(), store::Code::kIo);
}

TEST_F(VersionRegisterTest, KeepsABoundedHistoryWithTheNewestLast) {
  VersionRegister versions = open();
  serve(versions, "abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(history(versions), "ghijklmnopqrstuvwxyz");
  serve(versions, "m");
  EXPECT_EQ(history(versions), "ghijklnopqrstuvwxyzm") << "each once";
}

TEST_F(VersionRegisterTest, RollsBackToTheVersionBeforeUntilTheFileChanges) {
  VersionRegister versions = open();
  serve(versions, "ab");
  EXPECT_EQ(*versions.previous("a.so"), version('a'));
  EXPECT_EQ(*versions.roll_back("a.so", version('b')), version('a'));
  EXPECT_EQ(versions.serving_choice("a.so", version('b')), version('a'));
  versions.served("a.so", version('a'), version('b'), kNoon);
  EXPECT_EQ(versions.serving("a.so"), version('a'));
  EXPECT_EQ(versions.serving_choice("a.so", version('b')), version('a')) << "also after it serves";
  EXPECT_EQ(versions.serving_choice("a.so", version('c')), version('c'));
  serve(versions, "c");
  EXPECT_EQ(versions.serving_choice("a.so", version('b')), version('b')) << "put there again, it serves";
}

TEST_F(VersionRegisterTest, EndsARollbackWhenTheEarlierFileIsPutBackByHand) {
  VersionRegister versions = open();
  serve(versions, "ab");
  ASSERT_TRUE(versions.roll_back("a.so", version('b')));
  versions.served("a.so", version('a'), version('a'), kNoon);
  EXPECT_EQ(versions.serving("a.so"), version('a'));
  EXPECT_EQ(versions.serving_choice("a.so", version('b')), version('b'));
}

TEST_F(VersionRegisterTest, KeepsARollbackWhenTheNextFileIsRefused) {
  VersionRegister versions = open();
  serve(versions, "ab");
  ASSERT_TRUE(versions.roll_back("a.so", version('b')));
  EXPECT_EQ(versions.serving_choice("a.so", version('c')), version('c')) << "and it is refused";
  EXPECT_EQ(versions.serving("a.so"), version('a'));
}

TEST_F(VersionRegisterTest, RollsBackFurtherEachTime) {
  VersionRegister versions = open();
  serve(versions, "abc");
  EXPECT_EQ(*versions.roll_back("a.so", version('c')), version('b'));
  EXPECT_EQ(*versions.roll_back("a.so", version('c')), version('a'));
  EXPECT_EQ(versions.serving_choice("a.so", version('c')), version('a'));
  const auto none = versions.roll_back("a.so", version('c'));
  EXPECT_EQ(
      none.status().message(),
      "There is no version of a.so before 20261123.1 to go back to; put an earlier file into the plugin directory "
      "instead.");
  EXPECT_EQ(versions.serving_choice("a.so", version('c')), version('a'));
}

TEST_F(VersionRegisterTest, DoesNotGoBackToWhatWasGoneBackFrom) {
  VersionRegister versions = open();
  serve(versions, "ab");
  ASSERT_TRUE(versions.roll_back("a.so", version('b')));
  serve(versions, "c");
  EXPECT_EQ(*versions.previous("a.so"), version('a'));
  serve(versions, "bc");
  EXPECT_EQ(*versions.previous("a.so"), version('b')) << "it was put there again since";
}

TEST_F(VersionRegisterTest, GoesBackOnlyToCopiesThatAreThere) {
  VersionRegister versions = open();
  serve(versions, "abc");
  std::filesystem::remove_all(here.cache() / version('b').text());
  EXPECT_EQ(*versions.previous("a.so"), version('a'));
  std::filesystem::remove_all(here.cache() / version('a').text());
  EXPECT_EQ(versions.previous("a.so").status().code(), store::Code::kNotFound);
  EXPECT_EQ(versions.previous("b.so").status().message(), "No version has served from b.so yet.");
}

TEST_F(VersionRegisterTest, EndsARollbackByHand) {
  VersionRegister versions = open();
  serve(versions, "abc");
  EXPECT_FALSE(versions.end_rollback("a.so"));
  ASSERT_TRUE(versions.roll_back("a.so", version('c')));
  ASSERT_TRUE(versions.roll_back("a.so", version('c')));
  EXPECT_TRUE(versions.end_rollback("a.so"));
  EXPECT_EQ(versions.serving_choice("a.so", version('c')), version('c'));
  EXPECT_EQ(*versions.previous("a.so"), version('b'));
}

TEST_F(VersionRegisterTest, KeepsTheCopiesThatARollbackMayNeed) {
  VersionRegister versions = open();
  serve(versions, "abcdefg");
  EXPECT_EQ(versions.kept(), (std::set{version('c'), version('d'), version('e'), version('f'), version('g')}));
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(versions.roll_back("a.so", version('g')));
  EXPECT_TRUE(versions.kept().contains(version('a'))) << "it serves instead";
}

TEST_F(VersionRegisterTest, ForgetsAFileAWeekAfterItWasWithdrawn) {
  VersionRegister versions = open();
  serve(versions, "a");
  versions.withdrawn("a.so", kNoon);
  versions.withdrawn("a.so", kNoon + 24h);
  versions.forget({}, kNoon + 7 * 24h - 1ms);
  EXPECT_NE(versions.file("a.so"), nullptr);
  versions.forget({}, kNoon + 7 * 24h);
  EXPECT_EQ(versions.file("a.so"), nullptr);
  EXPECT_TRUE(versions.kept().empty());
}

TEST_F(VersionRegisterTest, DoesNotForgetAFileThatCameBack) {
  VersionRegister versions = open();
  serve(versions, "a");
  versions.withdrawn("a.so", kNoon);
  serve(versions, "a");
  versions.forget({}, kNoon + 30 * 24h);
  EXPECT_NE(versions.file("a.so"), nullptr);
}

TEST_F(VersionRegisterTest, ForgetsTheOldestOfManyVersionsThatNothingNames) {
  VersionRegister versions = open();
  const auto numbered = [](std::size_t i) { return VersionId(std::to_string(1000 + i)); };
  for (std::size_t i = 0; i < VersionRegister::kMostVersions + 4; ++i) {
    versions.number_of(numbered(i), "a.so", kNoon + std::chrono::milliseconds(i));
  }
  versions.served("a.so", numbered(0), numbered(0), kNoon);
  versions.forget({numbered(1)}, kNoon);
  EXPECT_NE(versions.find(numbered(0)), nullptr) << "it served";
  EXPECT_NE(versions.find(numbered(1)), nullptr) << "it is in use";
  EXPECT_EQ(versions.find(numbered(2)), nullptr);
  EXPECT_EQ(versions.find(numbered(3)), nullptr);
  EXPECT_NE(versions.find(numbered(4)), nullptr);
}

}  // namespace
}  // namespace perdure::catalog
