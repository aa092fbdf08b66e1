// The rooms of the house stay rooms: who includes whom, how long a file is, what it is called.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/structure/source_tree.h"

namespace perdure::structure {
namespace {

const std::filesystem::path kRoot = PERDURE_SOURCE_DIR;

bool in_repository(const std::string& path) { return std::filesystem::is_regular_file(kRoot / path); }
bool always(const std::string&) { return true; }

const std::vector<SourceFile>& tree() {
  static const std::vector<SourceFile> files = read_tree(kRoot);
  return files;
}

std::vector<std::string> planted(const std::string& path, const std::string& text) {
  return violations({path, 1, includes_of(text)}, always);
}

TEST(Structure, EveryIncludeFollowsAnArrowOfTheArchitecture) {
  ASSERT_GT(tree().size(), 10u);
  for (const SourceFile& file : tree()) {
    for (const std::string& violation : violations(file, in_repository)) ADD_FAILURE() << violation;
  }
}

TEST(Structure, NoFileIsLongerThan800Lines) {
  for (const SourceFile& file : tree()) EXPECT_LE(file.lines, 800u) << file.path;
}

TEST(Structure, NineteenFilesInTwentyAreUnder450Lines) {
  const auto longer = std::ranges::count_if(tree(), [](const SourceFile& file) { return file.lines >= 450; });
  EXPECT_LE(static_cast<double>(longer), 0.05 * static_cast<double>(tree().size()));
}

TEST(Structure, FileNamesSayWhatIsInside) {
  for (const SourceFile& file : tree()) EXPECT_EQ(name_violation(file.path), "");
}

TEST(StructureCheck, SeesAStoreThatIncludesTheHost) {
  EXPECT_EQ(planted("store/rocks/open.cpp", "#include \"host/os/fd.h\"\n").size(), 1u);
}

TEST(StructureCheck, SeesAZygoteThatIncludesTheStore) {
  EXPECT_EQ(planted("host/zygote/main.cpp", "#include \"store/model/run.h\"\n").size(), 1u);
  EXPECT_EQ(planted("host/zygote/main.cpp", "#include \"host/protocol/frame.h\"\n").size(), 0u);
}

TEST(StructureCheck, SeesAnEngineThatNamesAConcreteStore) {
  EXPECT_EQ(planted("host/engine/claim.cpp", "#include \"store/rocks/rocks_store.h\"\n").size(), 1u);
  EXPECT_EQ(planted("host/engine/claim.cpp", "#include \"store/store.h\"\n").size(), 0u);
}

TEST(StructureCheck, LetsOnlyServeAndMainPutTheHostTogether) {
  const std::string engine = "#include \"store/rocks/rocks_store.h\"\n#include \"host/engine/engine.h\"\n";
  EXPECT_EQ(planted("host/cli/serve.cpp", engine).size(), 0u);
  EXPECT_EQ(planted("host/cli/trigger.cpp", engine).size(), 2u);
}

TEST(StructureCheck, SeesAPluginThatReachesIntoTheHost) {
  EXPECT_EQ(planted("plugins/exec/exec.cpp", "#include \"../../host/os/fd.h\"\n").size(), 1u);
  EXPECT_EQ(planted("plugins/exec/exec.cpp", "#include <perdure/task.hpp>\n#include \"argv.h\"\n").size(), 0u);
}

TEST(StructureCheck, SeesAnEngineThatIncludesThePluginInterface) {
  EXPECT_EQ(planted("host/engine/claim.cpp", "#include <perdure/plugin.h>\n").size(), 1u);
}

TEST(StructureCheck, SeesALibraryOutsideItsRoom) {
  EXPECT_EQ(planted("host/engine/claim.cpp", "  #  include <rocksdb/db.h>\n").size(), 1u);
  EXPECT_EQ(planted("store/rocks/open.cpp", "#include <rocksdb/db.h>\n").size(), 0u);
}

TEST(StructureCheck, SeesAFolderThatIsNoRoom) {
  EXPECT_EQ(planted("host/things/thing.h", "#include <string>\n").size(), 1u);
}

TEST(StructureCheck, SeesANameThatSaysNothing) {
  EXPECT_NE(name_violation("host/api/string_utils.h"), "");
  EXPECT_NE(name_violation("store/manager.cpp"), "");
  EXPECT_EQ(name_violation("store/group_commit.cpp"), "");
}

}  // namespace
}  // namespace perdure::structure
