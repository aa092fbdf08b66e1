#include "host/schema/pattern.h"

#include <algorithm>

#include "host/schema/code_points.h"
#include "host/schema/pattern_parser.h"

namespace perdure::schema {
namespace {

constexpr char32_t kNothing = 0xffff'ffff;  // before the first and after the last code point

bool is_word(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The steps that a match may be at: a list in which each is once.
class Places {
 public:
  explicit Places(std::size_t steps) : seen_(steps, 0) {}
  void clear() {
    list_.clear();
    ++round_;
  }
  bool add(std::uint32_t step) {
    if (seen_[step] == round_) return false;
    seen_[step] = round_;
    list_.push_back(step);
    return true;
  }
  [[nodiscard]] const std::vector<std::uint32_t>& list() const { return list_; }

 private:
  std::vector<std::uint32_t> list_;
  std::vector<std::uint32_t> seen_;
  std::uint32_t round_ = 1;
};

}  // namespace

store::Result<Pattern> Pattern::compile(std::string_view text) { return PatternParser(text).parse(); }

bool Pattern::reads(const Step& step, char32_t c) const {
  const auto begin = ranges_.begin() + step.a;
  const auto found = std::upper_bound(begin, begin + step.b, c,
                                      [](char32_t value, const CodePoints& range) { return value < range.first; });
  return found != begin && c <= std::prev(found)->last;
}

bool Pattern::is_in(std::string_view text, Work& work) const {
  Places now(steps_.size()), next(steps_.size());
  std::vector<std::uint32_t> to_follow;
  std::size_t at = 0;
  char32_t before = kNothing;
  for (;;) {
    std::size_t behind = at;
    const char32_t c = at < text.size() ? next_code_point(text, behind) : kNothing;
    const bool edge = is_word(before) != is_word(c);
    bool matches = false;
    // Everything that can be reached without reading, from where the last code point led and from the beginning.
    to_follow.assign(now.list().rbegin(), now.list().rend());
    to_follow.push_back(0);
    now.clear();
    while (!to_follow.empty()) {
      const std::uint32_t place = to_follow.back();
      to_follow.pop_back();
      if (!now.add(place)) continue;
      if (!work.take()) return false;
      const Step& step = steps_[place];
      switch (step.op) {
        case Op::kSplit:
          to_follow.push_back(step.b);
          to_follow.push_back(step.a);
          break;
        case Op::kJump:
          to_follow.push_back(step.a);
          break;
        case Op::kBegin:
          if (before == kNothing) to_follow.push_back(place + 1);
          break;
        case Op::kEnd:
          if (c == kNothing) to_follow.push_back(place + 1);
          break;
        case Op::kWordEdge:
          if (edge) to_follow.push_back(place + 1);
          break;
        case Op::kNoWordEdge:
          if (!edge) to_follow.push_back(place + 1);
          break;
        case Op::kMatch:
          matches = true;
          break;
        case Op::kSet:
          break;
      }
      if (matches) return true;
    }
    if (c == kNothing) return false;
    next.clear();
    for (const std::uint32_t place : now.list()) {
      if (steps_[place].op == Op::kSet && reads(steps_[place], c)) next.add(place + 1);
    }
    std::swap(now, next);
    before = c;
    at = behind;
  }
}

}  // namespace perdure::schema
