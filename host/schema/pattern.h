// The regular expressions of JSON Schema (ECMA 262), as far as they can be matched in one pass over the text: all but
// back references and looking around. Matching follows every alternative at once, so its time is at most the length of
// the text times that of the pattern, whatever either is, and it never recurses.
// Immutable once made; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "host/schema/work.h"
#include "store/model/status.h"

namespace perdure::schema {

/// From its first to its last code point.
struct CodePoints {
  char32_t first, last;
};

class Pattern {
 public:
  /// kInvalid says what in `text`, which is UTF-8, cannot be understood or is not supported.
  static store::Result<Pattern> compile(std::string_view text);

  /// Whether any part of `text`, which is UTF-8, matches. False too when `work` ran out.
  [[nodiscard]] bool is_in(std::string_view text, Work& work) const;

  enum class Op : std::uint8_t { kSet, kSplit, kJump, kBegin, kEnd, kWordEdge, kNoWordEdge, kMatch };
  /// kSet reads one code point of `ranges[a … a+b)`; kSplit goes on at a and b, kJump at a; the others read nothing.
  struct Step {
    Op op;
    std::uint32_t a = 0, b = 0;
  };

 private:
  friend class PatternParser;
  Pattern() = default;
  [[nodiscard]] bool reads(const Step& step, char32_t c) const;

  std::vector<Step> steps_;
  std::vector<CodePoints> ranges_;  // of each set in rising order, without overlaps
};

}  // namespace perdure::schema
