// Which files a scan of the plugin directory takes, which it leaves for later, and which may not be loaded.
#include "host/catalog/directory_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "host/os/unique_fd.h"
#include "tests/catalog/plugin_directory.h"

namespace perdure::catalog {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kAtOnce{0};
constexpr std::chrono::milliseconds kMuchLater = 1h;

class DirectoryReaderTest : public testing::Test {
 protected:
  void read(std::chrono::milliseconds settle) {
    reader.emplace(DirectoryReaderOptions{.plugins = here.plugins(),
                                          .cache = here.cache(),
                                          .trusted =
                                              [this](const fs::path&, const fs::path& copy) {
                                                ++asked;
                                                EXPECT_EQ(content(copy), "text");
                                                return trust;
                                              },
                                          .settled = {.settle = settle, .longest_wait = 5s, .writer_of = {}}});
  }
  /// What the scan says of the only file: "taken", "later" or why not; with a ! when it says that it changed.
  std::string scan() {
    auto scanned = reader->scan();
    EXPECT_TRUE(scanned) << scanned.status().message();
    EXPECT_EQ(scanned->plugins.size(), 1u);
    again = scanned->again;
    const FoundPlugin& found = scanned->plugins.at(0);
    if (!found.copy) return "later";
    return (*found.copy ? "taken" : found.copy->status().message()) + (found.changed ? "!" : "");
  }

  const PluginDirectory here;
  store::Status trust;
  int asked = 0;
  std::optional<DirectoryReader> reader;
  std::optional<std::chrono::milliseconds> again;
};

TEST_F(DirectoryReaderTest, TakesAFileOnceUntilItChanges) {
  here.put("a.so", "text");
  read(kAtOnce);
  EXPECT_EQ(scan(), "taken!");
  EXPECT_EQ(scan(), "taken");
  EXPECT_EQ(asked, 1);
  fs::remove(here.plugins() / "a.so");
  here.put("a.so", "text");
  EXPECT_EQ(scan(), "taken!");
  EXPECT_EQ(again, std::nullopt);
}

TEST_F(DirectoryReaderTest, TakesAtTheFirstScanWhatIsThereAndLaterOnlyWhatHasNotChangedForAMoment) {
  here.put("a.so", "text");
  if (writer_of(here.plugins() / "a.so") == Writer::kUnknown) GTEST_SKIP() << "this file system has no leases";
  read(kMuchLater);
  EXPECT_EQ(scan(), "taken!");
  here.put("a.so", "other");
  EXPECT_EQ(scan(), "later");
  EXPECT_NE(again, std::nullopt);
}

TEST_F(DirectoryReaderTest, LeavesAFileThatIsCopiedSlowlyUntilItIsClosed) {
  const fs::path file = here.put("a.so", "te");
  if (writer_of(file) == Writer::kUnknown) GTEST_SKIP() << "this file system has no leases";
  read(kAtOnce);
  os::UniqueFd copying(::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  EXPECT_EQ(scan(), "later") << "at the first scan too";
  EXPECT_EQ(scan(), "later") << "its writer may pause";
  EXPECT_NE(again, std::nullopt);
  ASSERT_EQ(::write(copying.get(), "xt", 2), 2);
  copying.reset();
  EXPECT_EQ(scan(), "taken!");
}

TEST_F(DirectoryReaderTest, AsksAgainWhileAFileIsNotTrusted) {
  here.put("a.so", "text");
  trust = store::Status::invalid("It is not signed.");
  read(kAtOnce);
  EXPECT_EQ(scan(), "It is not signed.!");
  EXPECT_EQ(scan(), "It is not signed.");
  trust = store::Status::invalid("Its signature is by nobody.");
  EXPECT_EQ(scan(), "Its signature is by nobody.!");
  trust = {};
  EXPECT_EQ(scan(), "taken!") << "signed since, and the file is the same";
  EXPECT_EQ(scan(), "taken");
  EXPECT_EQ(asked, 4);
}

TEST_F(DirectoryReaderTest, TriesAgainToCopyAFileThatItCouldNot) {
  here.put("a.so", "text");
  read(kAtOnce);
  fs::create_directories(here.cache().parent_path());
  std::ofstream(here.cache()) << "in the way";
  EXPECT_NE(scan().find("Could not make the directory"), std::string::npos);
  EXPECT_EQ(again, 5s);
  fs::remove(here.cache());
  EXPECT_EQ(scan(), "taken!");
  EXPECT_EQ(again, std::nullopt);
}

TEST_F(DirectoryReaderTest, DoesNotLookAgainAtWhatWillNeverBeAPlugin) {
  fs::create_directory(here.plugins() / "a.so");
  read(kAtOnce);
  EXPECT_NE(scan().find("is not a regular file"), std::string::npos);
  EXPECT_FALSE(scan().ends_with("!"));
  EXPECT_EQ(again, std::nullopt);
}

TEST_F(DirectoryReaderTest, KnowsTheVersionsThatAreThere) {
  const fs::path file = here.put("a.so", "text");
  read(kAtOnce);
  scan();
  EXPECT_EQ(reader->present().size(), 1u);
  fs::remove(file);
  ASSERT_TRUE(reader->scan());
  EXPECT_TRUE(reader->present().empty());
}

}  // namespace
}  // namespace perdure::catalog
