// The fenced blocks of a document: what its reader would copy. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::guide {

struct Block {
  std::string info;      // what stands after the opening fence: "cpp", "cpp test", "console"
  std::size_t line = 0;  // of its first line of text
  std::string text;      // each line ends in a newline
};

std::vector<Block> fenced_blocks(std::string_view markdown);

/// A command of a "console" block, after its "$ ", and what the block shows that it prints.
struct Exchange {
  std::size_t line = 0;
  std::string command;
  std::string shown;
};

std::vector<Exchange> exchanges(const Block& console);

/// Whether a program printed what a document shows. "…" in it stands for anything, and spaces for spaces however many.
bool matches(std::string_view shown, std::string_view printed);

}  // namespace perdure::guide
