#include "host/cli/table.h"

#include <algorithm>
#include <ostream>

namespace perdure::cli {

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void Table::print(Console& console) const {
  std::vector<std::vector<Cell>> lines;
  lines.emplace_back();
  for (const std::string& heading : headings_) lines.back().push_back({heading, Style::kDim});
  for (const auto& row : rows_) {
    lines.emplace_back();
    for (const Cell& cell : row) {
      std::string text = printable(cell.text);
      std::ranges::replace(text, '\n', ' ');
      lines.back().push_back({std::move(text), cell.style});
    }
  }
  std::vector<std::size_t> widths(headings_.size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < widths.size() && i < line.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(line[i].text));
    }
  }
  for (const auto& line : lines) {
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const Cell& cell = line[i];
      out += cell.style ? styled(color_out(console), *cell.style, cell.text) : cell.text;
      if (i + 1 < line.size()) out.append(widths[i] - width_of(cell.text) + 2, ' ');
    }
    out.erase(out.find_last_not_of(' ') + 1);
    console.out << out << "\n";
  }
}

}  // namespace perdure::cli
