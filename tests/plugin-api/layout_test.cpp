// The binary layout of plugin.h against what was released: golden/plugin_v1_<minor>.txt, one file for each minor.
#include "tests/plugin-api/layout.h"

#include <gtest/gtest.h>
#include <perdure/plugin.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace perdure::test {
namespace {

using Layout = std::map<std::string, std::string>;  // what a line names, and the rest of it

void add(Layout& layout, const std::string& line) {
  const auto space = line.find(' ');
  layout[line.substr(0, space)] = line.substr(space + 1);
}

Layout current() {
  Layout layout;
  int number = 0;
  for (const char* line = nullptr; (line = layout_line(number)) != nullptr; ++number) add(layout, line);
  return layout;
}

Layout golden(const std::filesystem::path& file) {
  Layout layout;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) add(layout, line);
  return layout;
}

std::filesystem::path golden_folder() { return PERDURE_GOLDEN_DIR; }

TEST(Layout, IsRecordedForTheCurrentMinor) {
  const auto file = golden_folder() / ("plugin_v1_" + std::to_string(PERDURE_ABI_MINOR) + ".txt");
  ASSERT_TRUE(std::filesystem::exists(file)) << file << " is missing; it records the layout of this minor";
  EXPECT_EQ(current(), golden(file))
      << "plugin.h has changed: a released minor stays as it is, raise PERDURE_ABI_MINOR";
}

TEST(Layout, OnlyGrowsAtTheEndOfEachStruct) {
  const Layout now = current();
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder())) {
    ++files;
    for (const auto& [name, released] : golden(entry.path())) {
      SCOPED_TRACE(name + " of " + entry.path().filename().string());
      ASSERT_TRUE(now.contains(name));
      const bool whole_struct = released.find(' ') == std::string::npos;
      if (whole_struct) {
        EXPECT_GE(std::stol(now.at(name)), std::stol(released));
      } else {
        EXPECT_EQ(now.at(name), released);
      }
    }
  }
  EXPECT_GT(files, 0);
}

TEST(Layout, HasReadsOnlyWhatTheWriterKnew) {
  perdure_task task{};
  task.struct_size = offsetof(perdure_task, hooks);  // as if hooks had come later
  EXPECT_TRUE(PERDURE_HAS(&task, run));
  EXPECT_FALSE(PERDURE_HAS(&task, hooks));
  task.struct_size = sizeof task;
  EXPECT_TRUE(PERDURE_HAS(&task, hooks));
}

}  // namespace
}  // namespace perdure::test
