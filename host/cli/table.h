// Columns for people: as wide as what is in them. A value; one thread.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "host/cli/console.h"

namespace perdure::cli {

struct Cell {
  std::string text{};
  std::optional<Style> style{};
};

class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// Writes headings and rows to the console's output; control characters shown, colours on a terminal.
  void print(Console& console) const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<Cell>> rows_;
};

/// How many columns of a terminal UTF-8 `text` takes, counting every code point as one.
std::size_t width_of(std::string_view text);

}  // namespace perdure::cli
