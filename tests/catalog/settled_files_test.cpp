// When a file in the plugin directory is taken for complete.
#include "host/catalog/settled_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "host/os/unique_fd.h"
#include "tests/catalog/plugin_directory.h"

namespace perdure::catalog {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const store::Time kNow{1'000'000s};
const fs::path kFile = "a.so";

// A file that was last touched then.
FileSignature touched(store::Time modified, store::Time changed, std::uint64_t size = 1) {
  const auto nanoseconds = [](store::Time time) { return std::chrono::nanoseconds(time.time_since_epoch()).count(); };
  return {.size = size, .modified_ns = nanoseconds(modified), .changed_ns = nanoseconds(changed)};
}
FileSignature touched(store::Time when, std::uint64_t size = 1) { return touched(when, when, size); }

class SettledFilesTest : public testing::Test {
 protected:
  bool settled(const FileSignature& signature, store::Time now) {
    last = files.look({{kFile, signature}}, now);
    return last.files.at(kFile).settled;
  }

  Writer writer = Writer::kNone;
  int asked = 0;
  SettledFiles files{{.settle = 200ms, .longest_wait = 1000ms, .writer_of = [this](const fs::path&) {
                        ++asked;
                        return writer;
                      }}};
  SettledFiles::Look last;
};

TEST_F(SettledFilesTest, TakesAFileThatHasNotChangedForLongAtFirstSight) {
  EXPECT_TRUE(settled(touched(kNow - 200ms), kNow));
  EXPECT_EQ(last.again, std::nullopt);
}

TEST_F(SettledFilesTest, WaitsForAFileThatHasJustChanged) {
  EXPECT_FALSE(settled(touched(kNow - 50ms), kNow));
  EXPECT_EQ(last.again, kNow + 150ms);
  EXPECT_NE(last.files.at(kFile).why, "");
  EXPECT_FALSE(settled(touched(kNow - 50ms), kNow + 149ms));
  EXPECT_TRUE(settled(touched(kNow - 50ms), kNow + 150ms));
}

TEST_F(SettledFilesTest, DoesNotBelieveAModificationTimeThatWasSetBack) {
  EXPECT_FALSE(settled(touched(kNow - 24h, kNow - 50ms), kNow));
}

TEST_F(SettledFilesTest, WaitsAnewForEveryChange) {
  settled(touched(kNow, 1), kNow);
  EXPECT_FALSE(settled(touched(kNow + 190ms, 2), kNow + 190ms));
  EXPECT_FALSE(settled(touched(kNow + 190ms, 2), kNow + 380ms));
  EXPECT_TRUE(settled(touched(kNow + 190ms, 2), kNow + 390ms));
  EXPECT_FALSE(settled(touched(kNow + 400ms, 3), kNow + 400ms)) << "it was settled before";
}

TEST_F(SettledFilesTest, WaitsAMomentForAFileFromTheFuture) {
  EXPECT_FALSE(settled(touched(kNow + 24h), kNow));
  EXPECT_EQ(last.again, kNow + 200ms);
  EXPECT_TRUE(settled(touched(kNow + 24h), kNow + 200ms));
}

TEST_F(SettledFilesTest, WaitsNoLongerWhenTheClockIsSetBack) {
  settled(touched(kNow), kNow);
  EXPECT_FALSE(settled(touched(kNow), kNow - 1h));
  EXPECT_TRUE(settled(touched(kNow), kNow - 1h + 200ms));
}

TEST_F(SettledFilesTest, DoesNotTakeAFileThatIsWrittenHoweverLongItsWriterPauses) {
  writer = Writer::kOpen;
  EXPECT_FALSE(settled(touched(kNow - 1h), kNow));
  EXPECT_NE(last.files.at(kFile).why.find("open for writing"), std::string::npos);
  writer = Writer::kNone;
  EXPECT_TRUE(settled(touched(kNow - 1h), kNow + 1ms)) << "closed without another write";
}

TEST_F(SettledFilesTest, LooksLessAndLessOftenWhileAWriterStays) {
  writer = Writer::kOpen;
  store::Time now = kNow;
  for (const auto wait : {200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    settled(touched(kNow - 1h), now);
    EXPECT_EQ(*last.again - now, wait);
    now = *last.again;
  }
}

TEST_F(SettledFilesTest, TakesAFileWhoseWritersCannotBeFoundOutOnceItIsStable) {
  writer = Writer::kUnknown;
  EXPECT_FALSE(settled(touched(kNow), kNow));
  EXPECT_TRUE(settled(touched(kNow), kNow + 200ms));
}

TEST_F(SettledFilesTest, AsksForWritersOnlyUntilAFileIsSettled) {
  settled(touched(kNow), kNow);
  EXPECT_EQ(asked, 0);
  for (int i = 0; i < 3; ++i) settled(touched(kNow), kNow + 200ms);
  EXPECT_EQ(asked, 1);
}

TEST_F(SettledFilesTest, SaysWhenTheFirstOfSeveralIsDue) {
  last =
      files.look({{"a.so", touched(kNow - 10ms)}, {"b.so", touched(kNow - 90ms)}, {"c.so", touched(kNow - 1h)}}, kNow);
  EXPECT_EQ(last.again, kNow + 110ms);
  EXPECT_TRUE(last.files.at("c.so").settled);
}

TEST_F(SettledFilesTest, ForgetsAFileThatIsGone) {
  EXPECT_TRUE(settled(touched(kNow - 1h), kNow));
  last = files.look({}, kNow);
  EXPECT_TRUE(last.files.empty());
  settled(touched(kNow - 1h), kNow);
  EXPECT_EQ(asked, 2);
}

TEST(WriterOf, SeesWhoHoldsTheFileOpenForWriting) {
  const PluginDirectory here;
  const fs::path file = here.put("a.so", "half");
  if (writer_of(file) == Writer::kUnknown) GTEST_SKIP() << "this file system has no leases";
  EXPECT_EQ(writer_of(file), Writer::kNone);
  os::UniqueFd held(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(writer_of(file), Writer::kNone) << "readers do not matter";
  held.reset(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(writer_of(file), Writer::kOpen);
  held.reset();
  EXPECT_EQ(writer_of(file), Writer::kNone);
}

TEST(WriterOf, IsUnknownForAFileThatIsNotThere) { EXPECT_EQ(writer_of("/no/such/file"), Writer::kUnknown); }

TEST(WriterOf, HarmsNeitherTheHostNorAWriterThatComesInJustThatMoment) {
  const PluginDirectory here;
  const fs::path file = here.put("a.so", "half");
  if (writer_of(file) == Writer::kUnknown) GTEST_SKIP() << "this file system has no leases";
  std::atomic<bool> done = false;
  std::atomic<int> refused = 0;
  std::thread writer([&] {
    while (!done) {
      if (!os::UniqueFd(::open(file.c_str(), O_WRONLY | O_CLOEXEC))) ++refused;
    }
  });
  for (int i = 0; i < 20'000; ++i) (void)writer_of(file);  // the signal of a broken lease would end this process
  done = true;
  writer.join();
  EXPECT_EQ(refused, 0);
}

TEST(SettledFiles, DoNotIncludeAFileThatIsCopiedSlowly) {
  const PluginDirectory here;
  const fs::path file = here.put("a.so", "half");
  if (writer_of(file) == Writer::kUnknown) GTEST_SKIP() << "this file system has no leases";
  os::UniqueFd copying(::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  SettledFiles files;
  const auto look = [&](store::Duration later) {
    const auto signature = file_signature(file);
    const store::Time now(
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::nanoseconds(signature->changed_ns)));
    return files.look({{file, *signature}}, now + later).files.at(file).settled;
  };
  EXPECT_FALSE(look(1h)) << "a writer may pause";
  ASSERT_EQ(::write(copying.get(), "rest", 4), 4);
  copying.reset();
  EXPECT_FALSE(look(1h)) << "just changed";
  EXPECT_TRUE(look(2h));
}

TEST(FileSignature, ChangesWithContentRightsAndReplacement) {
  const PluginDirectory here;
  const fs::path file = here.put("a.so", "one");
  const auto first = file_signature(file);
  ASSERT_TRUE(first);
  EXPECT_EQ(first, file_signature(file));
  ::chmod(file.c_str(), 0600);
  EXPECT_NE(first, file_signature(file));
  fs::create_symlink("a.so", here.plugins() / "link.so");
  EXPECT_EQ(file_signature(here.plugins() / "link.so"), file_signature(file));
  fs::rename(here.put("b", "one"), file);
  EXPECT_NE(first->inode, file_signature(file)->inode);
  EXPECT_EQ(file_signature("/no/such/file"), std::nullopt);
}

}  // namespace
}  // namespace perdure::catalog
