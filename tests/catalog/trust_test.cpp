// Whose files are trusted, by owner and mode.
#include "host/catalog/trust.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <array>
#include <cerrno>

#include "host/os/unique_fd.h"
#include "tests/catalog/plugin_directory.h"

namespace perdure::catalog {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kStranger = 54321;  // no user of any system

class TrustTest : public testing::Test {
 protected:
  TrustTest() {
    ::chmod(root.c_str(), 0755);
    ::chmod(plugins.c_str(), 0755);
    ::chmod(file.c_str(), 0644);
  }
  [[nodiscard]] std::string refusal() const { return check_permissions(file, options).message(); }
  /// Only root can give files away.
  static bool give(const fs::path& path, uid_t user, gid_t group) {
    return ::geteuid() == 0 && ::lchown(path.c_str(), user, group) == 0;
  }

  const PluginDirectory here;
  const fs::path plugins = fs::canonical(here.plugins());
  const fs::path root = plugins.parent_path();
  const fs::path file = plugins / here.put("a.so", "text").filename();
  TrustOptions options;
};

TEST_F(TrustTest, TakesAFileThatOnlyItsOwnerMayWrite) { EXPECT_EQ(refusal(), ""); }

TEST_F(TrustTest, RefusesAFileThatEverybodyMayWriteAndSaysWhatToDo) {
  ::chmod(file.c_str(), 0646);
  EXPECT_TRUE(refusal().starts_with("It is not trusted: the file " + file.string() + " (mode 0646, owner "))
      << refusal();
  EXPECT_TRUE(refusal().ends_with(") is writable by everybody, who could replace the plugin; run: chmod go-w '" +
                                  file.string() + "', or set [trust] allow_writable = true."))
      << refusal();
}

TEST_F(TrustTest, TakesAnythingWhenToldTo) {
  ::chmod(file.c_str(), 0666);
  options.allow_writable = true;
  EXPECT_EQ(refusal(), "");
}

TEST_F(TrustTest, RefusesADirectoryThatEverybodyMayWriteUnlessItIsSticky) {
  ::chmod(plugins.c_str(), 0777);
  EXPECT_TRUE(refusal().starts_with("It is not trusted: the directory " + plugins.string() + " (mode 0777"))
      << refusal();
  ::chmod(plugins.c_str(), 01777);
  EXPECT_EQ(refusal(), "");
}

TEST_F(TrustTest, DoesNotMindDirectoriesFurtherUp) {
  ::chmod(root.c_str(), 0777);
  EXPECT_EQ(refusal(), "");
}

TEST_F(TrustTest, RefusesALinkWhoseTargetOrItsDirectoryMayBeWritten) {
  const fs::path built = root / "built", target = built / "b.so", link = plugins / "link.so";
  fs::create_directory(built);
  std::ofstream(target) << "text";
  ::chmod(built.c_str(), 0755);
  ::chmod(target.c_str(), 0644);
  fs::create_symlink("../built/b.so", link);
  EXPECT_TRUE(check_permissions(link, options));
  ::chmod(target.c_str(), 0666);
  EXPECT_NE(check_permissions(link, options).message().find("the file " + target.string()), std::string::npos);
  ::chmod(target.c_str(), 0644);
  ::chmod(built.c_str(), 0777);
  EXPECT_NE(check_permissions(link, options).message().find("the directory " + built.string()), std::string::npos);
  ::chmod(built.c_str(), 0755);
  ::chmod(plugins.c_str(), 0777);
  EXPECT_NE(check_permissions(link, options).message().find("the directory " + plugins.string()), std::string::npos);
}

TEST_F(TrustTest, RefusesWhatBelongsToSomebodyElse) {
  if (!give(file, kStranger, 0)) {
    options.user = ::geteuid() + 1;  // then it is the test's own user that is somebody else
  } else {
    EXPECT_NE(refusal().find("owner 54321, group root (0)) does not belong to root, and its owner could replace the "
                             "plugin; run: chown -h 0 '" +
                             file.string() + "', or set"),
              std::string::npos)
        << refusal();
    options.user = kStranger + 1;
  }
  EXPECT_NE(refusal().find("belongs to neither root nor the host's user"), std::string::npos) << refusal();
}

TEST_F(TrustTest, RefusesALinkThatSomebodyElseMadeInAStickyDirectory) {
  const fs::path link = plugins / "link.so";
  fs::create_symlink("a.so", link);
  ::chmod(plugins.c_str(), 01777);
  EXPECT_TRUE(check_permissions(link, options));
  if (!give(link, kStranger, 0)) GTEST_SKIP() << "only root can give files away";
  EXPECT_NE(check_permissions(link, options).message().find("the symbolic link " + link.string()), std::string::npos);
}

TEST_F(TrustTest, LetsTheHostsUserOwnThem) {
  if (!give(file, kStranger, 0) || !give(plugins, kStranger, 0)) GTEST_SKIP() << "only root can give files away";
  options.user = kStranger;
  EXPECT_EQ(refusal(), "");
}

TEST_F(TrustTest, RefusesAFileThatAGroupMayWriteUnlessItIsAPrivateOne) {
  ::chmod(file.c_str(), 0664);
  if (!give(file, 0, kStranger)) GTEST_SKIP() << "only root can give files away";
  EXPECT_NE(refusal().find("is writable by others of its group"), std::string::npos) << refusal();
  options.user = kStranger;
  EXPECT_EQ(refusal(), "") << "the host's user has the group of the same number, which has no name";
  ASSERT_TRUE(give(file, 0, 0));
  EXPECT_EQ(refusal(), "") << "root's own group";
}

TEST_F(TrustTest, RefusesAFileThatAnAccessListLetsOthersWrite) {
  struct Entry {
    std::uint16_t tag, permissions;
    std::uint32_t id;
  };
  struct {
    std::uint32_t version = 2;
    std::array<Entry, 5> entries{
        {{0x01, 6, ~0u}, {0x02, 6, kStranger}, {0x04, 4, ~0u}, {0x10, 6, ~0u}, {0x20, 4, ~0u}}};
  } list;
  if (::setxattr(file.c_str(), "system.posix_acl_access", &list, sizeof list, 0) != 0) {
    GTEST_SKIP() << "this file system has no access control lists";
  }
  EXPECT_NE(refusal().find("is writable by others through its access control list, who could replace the plugin; run: "
                           "setfacl -b '" +
                           file.string() + "' && chmod go-w"),
            std::string::npos)
      << refusal();
}

TEST_F(TrustTest, ChecksTheFileThatWasOpened) {
  ::chmod(file.c_str(), 0666);
  const os::UniqueFd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  std::ofstream(plugins / "new") << "text";
  ::chmod((plugins / "new").c_str(), 0644);
  fs::rename(plugins / "new", file);
  EXPECT_EQ(refusal(), "");
  EXPECT_FALSE(check_permissions(file, options, opened.get()));
}

TEST_F(TrustTest, SaysThatThereIsNoSuchFile) {
  fs::remove(file);
  EXPECT_EQ(check_permissions(file, options).code(), store::Code::kIo);
}

}  // namespace
}  // namespace perdure::catalog
