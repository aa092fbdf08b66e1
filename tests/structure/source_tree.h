// Reads the repository as text: its source files and what they include. Only for the tests of its structure.
// Single-threaded; throws std::filesystem::filesystem_error when the tree cannot be read.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::structure {

struct Include {
  std::size_t line = 0;  // from 1
  std::string target;    // as written, without the quotes or brackets
  bool angled = false;   // <target>
};

struct SourceFile {
  std::string path;  // from the repository's root, with '/'
  std::size_t lines = 0;
  std::vector<Include> includes;
};

/// The #include directives of a C or C++ source text.
std::vector<Include> includes_of(std::string_view text);

/// Every source file under the rooms of `root`: C, C++, Rust, TypeScript and the build's own scripts; sorted by path.
std::vector<SourceFile> read_tree(const std::filesystem::path& root);

/// What `file` must not include, one sentence each; empty when it keeps to the architecture.
/// `exists` tells whether a path from the root is a file of the repository.
std::vector<std::string> violations(const SourceFile& file, bool (*exists)(const std::string& path));

/// Why a file may not be called so, or empty.
std::string name_violation(const std::string& path);

}  // namespace perdure::structure
