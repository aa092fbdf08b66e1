// The targets over the kept corpus, without libFuzzer: what fuzzing has found once stays found. One test for each
// target.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

#include "tests/fuzz/claim.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {

// How GoogleTest shows a parameter.
void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

namespace {

namespace fs = std::filesystem;

const fs::path kCorpus = PERDURE_CORPUS;

std::vector<fs::path> files_of(const char* target) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(kCorpus / target)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class Corpus : public testing::TestWithParam<Target> {};

TEST_P(Corpus, EveryClaimHoldsForEveryFile) {
  const std::vector<fs::path> files = files_of(GetParam().name);
  ASSERT_FALSE(files.empty()) << "the corpus of " << GetParam().name << " is missing";
  for (const fs::path& file : files) {
    const std::string bytes = content_of(file);
    EXPECT_NO_THROW(GetParam().run(bytes)) << file;
  }
}

TEST_P(Corpus, EveryClaimHoldsForNothingAndForCutFiles) {
  EXPECT_NO_THROW(GetParam().run({}));
  for (const fs::path& file : files_of(GetParam().name)) {
    const std::string bytes = content_of(file);
    EXPECT_NO_THROW(GetParam().run(std::string_view(bytes).substr(0, bytes.size() / 2))) << file;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Corpus, testing::ValuesIn(kTargets),
                         [](const testing::TestParamInfo<Target>& target) { return std::string(target.param.name); });

TEST(Claims, OneThatDoesNotHoldIsNoticed) {
  EXPECT_NO_THROW(claim(true, "it holds"));
  EXPECT_THROW(claim(false, "it holds"), BrokenClaim);
}

TEST(CorpusFolder, HasAFolderForEachTargetAndNoOther) {
  std::vector<std::string> folders, targets;
  for (const fs::directory_entry& entry : fs::directory_iterator(kCorpus)) folders.push_back(entry.path().filename());
  for (const Target& target : kTargets) targets.emplace_back(target.name);
  std::ranges::sort(folders);
  std::ranges::sort(targets);
  EXPECT_EQ(folders, targets);
}

}  // namespace
}  // namespace perdure::fuzz
