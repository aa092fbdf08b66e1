// Every way in which something in the plugin directory changes is told, and many changes at once are told once.
#include "host/catalog/directory_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <vector>

#include "host/catalog/watched_directories.h"
#include "host/os/unique_fd.h"
#include "tests/catalog/plugin_directory.h"

namespace perdure::catalog {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// While it is there, no file can be opened in this process.
class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    if (::getrlimit(RLIMIT_NOFILE, &before_) != 0) std::abort();
    const int next = os::UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)).get();
    const rlimit none{static_cast<rlim_t>(next), before_.rlim_max};
    if (next < 0 || ::setrlimit(RLIMIT_NOFILE, &none) != 0) std::abort();
  }
  ~NoDescriptorsLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptorsLeft(const NoDescriptorsLeft&) = delete;
  NoDescriptorsLeft& operator=(const NoDescriptorsLeft&) = delete;

 private:
  rlimit before_{};
};

class DirectoryWatchTest : public testing::Test {
 protected:
  void watch(const fs::path& path, store::Duration poll = 0ms) {
    watching = std::make_unique<DirectoryWatch>(
        io, DirectoryWatchOptions{.path = path,
                                  .poll = poll,
                                  .fallback_poll = 1ms,
                                  .gather = 1ms,
                                  .changed = [this] { ++changes; },
                                  .warn = [this](const std::string& sentence) { warnings.push_back(sentence); }});
  }

  /// Runs until something was told; false when nothing is for long.
  bool told() {
    changes = 0;
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (changes == 0 && std::chrono::steady_clock::now() < deadline) io.run_one_for(1s);
    return changes > 0;
  }

  void write(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

  const PluginDirectory here;
  const fs::path plugins = here.plugins();
  const fs::path root = plugins.parent_path();
  boost::asio::io_context io;
  int changes = 0;
  std::vector<std::string> warnings;
  std::unique_ptr<DirectoryWatch> watching;
};

TEST_F(DirectoryWatchTest, TellsOfFilesThatComeChangeAndGo) {
  write(root / "elsewhere", "text");
  watch(plugins);
  here.put("a.so", "one");
  EXPECT_TRUE(told()) << "made";
  here.put("a.so", "two");
  EXPECT_TRUE(told()) << "overwritten";
  fs::rename(plugins / "a.so", plugins / "b.so");
  EXPECT_TRUE(told()) << "renamed";
  fs::permissions(plugins / "b.so", fs::perms::owner_all);
  EXPECT_TRUE(told()) << "other rights";
  fs::rename(root / "elsewhere", plugins / "b.so");
  EXPECT_TRUE(told()) << "replaced";
  fs::create_hard_link(plugins / "b.so", plugins / "c.so");
  EXPECT_TRUE(told()) << "linked";
  fs::remove(plugins / "c.so");
  EXPECT_TRUE(told()) << "removed";
  here.put("b.so.sig", "signature");
  EXPECT_TRUE(told()) << "signed";
  EXPECT_TRUE(warnings.empty());
}

TEST_F(DirectoryWatchTest, TellsOfAFileThatIsWrittenSlowlyWhenItIsClosed) {
  watch(plugins);
  std::ofstream file(plugins / "a.so");
  EXPECT_TRUE(told());
  file << "the rest" << std::flush;
  file.close();
  EXPECT_TRUE(told());
}

TEST_F(DirectoryWatchTest, TellsOfManyChangesOnce) {
  watch(plugins);
  for (int i = 0; i < 100; ++i) here.put(std::to_string(i) + ".so", "text");
  EXPECT_TRUE(told());
  io.poll();
  EXPECT_EQ(changes, 1);
}

TEST_F(DirectoryWatchTest, TellsWhenTheSystemLostEvents) {
  int most = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> most;
  ASSERT_GT(most, 0);
  if (most > 1'000'000) GTEST_SKIP() << "the queue is too long to fill";
  write(plugins / "one.txt", "of no interest");
  write(plugins / "two.txt", "of no interest");
  watch(plugins);
  for (int i = 0; i <= most; ++i) {
    ::chmod((plugins / (i % 2 == 0 ? "one.txt" : "two.txt")).c_str(), 0600);
  }
  EXPECT_TRUE(told());
}

TEST_F(DirectoryWatchTest, TellsOfASymbolicLinkItsTargetAndEveryStepToIt) {
  fs::create_directories(root / "releases" / "1");
  fs::create_directories(root / "releases" / "2");
  write(root / "releases" / "1" / "built.so", "one");
  fs::create_symlink("1", root / "releases" / "current");
  watch(plugins);
  fs::create_symlink("../releases/current/built.so", plugins / "a.so");
  EXPECT_TRUE(told()) << "made";
  write(root / "releases" / "1" / "built.so", "other");
  EXPECT_TRUE(told()) << "the target overwritten";
  fs::remove(root / "releases" / "current");
  fs::create_symlink("2", root / "releases" / "current");
  EXPECT_TRUE(told()) << "a step re-pointed";
  write(root / "releases" / "2" / "built.so", "two");
  EXPECT_TRUE(told()) << "the target made at last";
  fs::remove(plugins / "a.so");
  fs::create_symlink("../releases/1/built.so", plugins / "a.so");
  EXPECT_TRUE(told()) << "re-pointed";
  write(root / "releases" / "1" / "built.so", "again");
  EXPECT_TRUE(told());
}

TEST_F(DirectoryWatchTest, FollowsTheDirectoryWhenItIsRemovedAndMadeAgain) {
  watch(plugins);
  fs::remove_all(plugins);
  EXPECT_TRUE(told());
  fs::create_directory(plugins);
  EXPECT_TRUE(told());
  here.put("a.so", "text");
  EXPECT_TRUE(told());
  fs::remove_all(plugins);
  fs::create_directory(plugins);
  EXPECT_TRUE(told()) << "at once";
  here.put("a.so", "text");
  EXPECT_TRUE(told());
}

TEST_F(DirectoryWatchTest, FollowsTheDirectoryWhenAnotherTakesItsPlace) {
  watch(plugins);
  fs::rename(plugins, root / "old");
  fs::create_directory(plugins);
  EXPECT_TRUE(told());
  here.put("a.so", "text");
  EXPECT_TRUE(told());
  write(root / "old" / "b.so", "text");
  io.poll();
  EXPECT_EQ(changes, 1) << "the old one is of no interest";
}

TEST_F(DirectoryWatchTest, FollowsASymbolicLinkToTheDirectoryThatIsRePointed) {
  fs::create_directory(root / "release-1");
  fs::create_directory(root / "release-2");
  fs::create_directory_symlink("release-1", root / "current");
  watch(root / "current");
  write(root / "release-1" / "a.so", "text");
  EXPECT_TRUE(told());
  fs::create_directory_symlink("release-2", root / "next");
  fs::rename(root / "next", root / "current");
  EXPECT_TRUE(told());
  write(root / "release-2" / "a.so", "text");
  EXPECT_TRUE(told());
}

TEST_F(DirectoryWatchTest, WaitsForADirectoryThatIsNotThereYet) {
  watch(root / "not" / "yet");
  fs::create_directory(root / "not");
  EXPECT_TRUE(told());
  fs::create_directory(root / "not" / "yet");
  EXPECT_TRUE(told());
  write(root / "not" / "yet" / "a.so", "text");
  EXPECT_TRUE(told());
}

TEST_F(DirectoryWatchTest, FindsADirectoryThatWasFilledBeforeItCouldBeWatched) {
  watch(root / "not" / "yet");
  fs::create_directories(root / "not" / "yet");
  EXPECT_TRUE(told());
  write(root / "not" / "yet" / "a.so", "text");
  EXPECT_TRUE(told());
}

TEST_F(DirectoryWatchTest, SeesEveryChangeByPollingToo) {
  fs::create_symlink("../built.so", plugins / "link.so");
  watch(plugins, 1ms);
  here.put("a.so", "one");
  EXPECT_TRUE(told()) << "made";
  here.put("a.so", "three");
  EXPECT_TRUE(told()) << "overwritten";
  write(root / "built.so", "text");
  EXPECT_TRUE(told()) << "the target of a link";
  fs::permissions(plugins / "a.so", fs::perms::owner_all);
  EXPECT_TRUE(told()) << "other rights";
  fs::permissions(plugins, fs::perms::owner_all);
  EXPECT_TRUE(told()) << "other rights of the directory";
  fs::remove_all(plugins);
  EXPECT_TRUE(told()) << "removed";
}

TEST_F(DirectoryWatchTest, SaysNothingWhilePollingFindsNothing) {
  here.put("a.so", "one");
  watch(plugins, 1ms);
  write(plugins / "notes.txt", "of no interest");
  for (int i = 0; i < 10; ++i) io.run_one();
  EXPECT_EQ(changes, 0);
}

TEST_F(DirectoryWatchTest, PollsWhileThereIsNoInotifyAndSaysSo) {
#ifdef PERDURE_SANITIZE_ADDRESS_UNDEFINED
  GTEST_SKIP() << "the sanitizer needs descriptors too";
#endif
  const boost::asio::steady_timer makes_the_reactor(io);
  {
    const NoDescriptorsLeft now;
    watch(plugins);
    for (int i = 0; i < 3; ++i) io.run_one();
  }
  ASSERT_EQ(warnings.size(), 1u) << "once";
  EXPECT_TRUE(warnings[0].starts_with("The system cannot tell of changes in " + plugins.string())) << warnings[0];
  here.put("a.so", "one");
  EXPECT_TRUE(told());
  here.put("a.so", "three");
  EXPECT_TRUE(told()) << "by inotify again";
}

TEST_F(DirectoryWatchTest, MayBeDestroyedByWhatItCalls) {
  watching = std::make_unique<DirectoryWatch>(io, DirectoryWatchOptions{.path = plugins, .changed = [this] {
                                                                          ++changes;
                                                                          watching.reset();
                                                                        }});
  here.put("a.so", "one");
  EXPECT_TRUE(told());
  here.put("a.so", "two");
  io.run();
  EXPECT_EQ(changes, 1);
}

TEST(WatchedNames, AreThoseOfPluginsAndOfTheStepsToThem) {
  const WatchedNames names{.plugins = true, .steps = {"current"}, .files = {"built"}};
  for (const char* name : {"a.so", "a.so.sig", "current", "built", ""}) EXPECT_TRUE(names.concern(name)) << name;
  for (const char* name : {".a.so", "a.so.tmp", "a.sig", "so"}) EXPECT_FALSE(names.concern(name)) << name;
  EXPECT_FALSE((WatchedNames{.steps = {"current"}}.concern("a.so")));
}

}  // namespace
}  // namespace perdure::catalog
