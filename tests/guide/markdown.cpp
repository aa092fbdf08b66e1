#include "tests/guide/markdown.h"

#include <algorithm>

namespace perdure::guide {
namespace {

constexpr std::string_view kFence = "```";
constexpr std::string_view kAnything = "…";

std::string_view next_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// Runs of spaces become one; none stand before the end of a line or of the text.
std::string with_single_spaces(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t';
    if (c == '\n' && out.ends_with(' ')) out.pop_back();
    if (!space || !(out.empty() || out.ends_with(' ') || out.ends_with('\n'))) out += space ? ' ' : c;
  }
  while (out.ends_with(' ') || out.ends_with('\n')) out.pop_back();
  return out;
}

}  // namespace

std::vector<Block> fenced_blocks(std::string_view markdown) {
  std::vector<Block> blocks;
  bool inside = false;
  for (std::size_t number = 1; !markdown.empty(); ++number) {
    const std::string_view line = next_line(markdown);
    if (line.starts_with(kFence)) {
      if (!inside) blocks.push_back({std::string(line.substr(kFence.size())), number + 1, {}});
      inside = !inside;
    } else if (inside) {
      blocks.back().text.append(line).append("\n");
    }
  }
  return blocks;
}

std::vector<Exchange> exchanges(const Block& console) {
  std::vector<Exchange> found;
  std::string_view text = console.text;
  for (std::size_t number = console.line; !text.empty(); ++number) {
    const std::string_view line = next_line(text);
    if (line.starts_with("$ ")) {
      found.push_back({number, std::string(line.substr(2)), {}});
    } else if (!found.empty()) {
      found.back().shown.append(line).append("\n");
    }
  }
  return found;
}

bool matches(std::string_view shown, std::string_view printed) {
  const std::string pattern = with_single_spaces(shown), text = with_single_spaces(printed);
  std::string_view rest = text;
  std::string_view left = pattern;
  for (bool first = true;; first = false) {
    const auto end = std::min(left.find(kAnything), left.size());
    const std::string_view piece = left.substr(0, end);
    const bool last = end == left.size();
    if (first) {
      if (!rest.starts_with(piece)) return false;
      rest.remove_prefix(piece.size());
      if (last) return rest.empty();
    } else if (last) {
      return rest.ends_with(piece);
    } else {
      const auto at = rest.find(piece);
      if (at == std::string_view::npos) return false;
      rest.remove_prefix(at + piece.size());
    }
    left.remove_prefix(end + kAnything.size());
  }
}

}  // namespace perdure::guide
