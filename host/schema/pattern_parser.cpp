#include "host/schema/pattern_parser.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "host/schema/code_points.h"

namespace perdure::schema {
namespace {

using Op = Pattern::Op;
using Set = std::vector<CodePoints>;

constexpr std::size_t kMostSteps = 10'000;
constexpr int kDeepest = 100;
constexpr std::size_t kNoEnd = std::numeric_limits<std::size_t>::max();
constexpr char32_t kLast = 0x10ffff;

const Set kDigits{{'0', '9'}};
const Set kWords{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const Set kBlanks{{'\t', '\r'},     {' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
                  {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};
const Set kLineEnds{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

Set in_order(Set set) {
  std::ranges::sort(set, {}, &CodePoints::first);
  Set merged;
  for (const CodePoints& range : set) {
    if (!merged.empty() && range.first <= merged.back().last + 1) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

Set all_but(const Set& set) {
  Set others;
  char32_t next = 0;
  for (const CodePoints& range : in_order(set)) {
    if (range.first > next) others.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLast) others.push_back({next, kLast});
  return others;
}

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string spelled(char32_t c) {
  return c >= 0x20 && c < 0x7f ? std::string(1, static_cast<char>(c)) : "U+" + std::to_string(static_cast<unsigned>(c));
}

// Appends steps whose jumps are relative to their beginning.
void append(std::vector<Pattern::Step>& to, const std::vector<Pattern::Step>& steps) {
  const auto base = static_cast<std::uint32_t>(to.size());
  for (Pattern::Step step : steps) {
    if (step.op == Op::kSplit || step.op == Op::kJump) step.a += base;
    if (step.op == Op::kSplit) step.b += base;
    to.push_back(step);
  }
}

}  // namespace

PatternParser::PatternParser(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) text_.push_back(next_code_point(text, at));
}

store::Result<Pattern> PatternParser::parse() {
  Steps steps = alternatives(0);
  if (fault_.empty() && !at_end()) fail("there is a ) without a (");
  if (!fault_.empty()) return store::Status::invalid(fault_);
  steps.push_back({Op::kMatch});
  pattern_.steps_ = std::move(steps);
  return std::move(pattern_);
}

void PatternParser::fail(const std::string& why) {
  if (fault_.empty()) fault_ = why + " (at character " + std::to_string(at_ + 1) + ")";
  at_ = text_.size();  // so that every loop ends
}

bool PatternParser::accept(char32_t c) {
  if (at_end() || peek() != c) return false;
  at_++;
  return true;
}

PatternParser::Steps PatternParser::alternatives(int depth) {
  if (depth > kDeepest) {
    fail("its groups are nested more than " + std::to_string(kDeepest) + " deep");
    return {};
  }
  std::vector<Steps> all{sequence(depth)};
  while (fault_.empty() && accept('|')) all.push_back(sequence(depth));
  std::size_t size = all.back().size();
  for (std::size_t i = 0; i + 1 < all.size(); i++) size += all[i].size() + 2;
  Steps steps;
  for (std::size_t i = 0; i + 1 < all.size(); i++) {
    const auto begin = static_cast<std::uint32_t>(steps.size());
    steps.push_back({Op::kSplit, begin + 1, begin + 2 + static_cast<std::uint32_t>(all[i].size())});
    append(steps, all[i]);
    steps.push_back({Op::kJump, static_cast<std::uint32_t>(size)});
  }
  append(steps, all.back());
  return steps;
}

PatternParser::Steps PatternParser::sequence(int depth) {
  Steps steps;
  while (fault_.empty() && !at_end() && peek() != '|' && peek() != ')') append(steps, repeated(depth));
  return steps;
}

PatternParser::Steps PatternParser::repeated(int depth) {
  const Steps one = atom(depth);
  std::size_t least = 1, most = 1;
  if (!fault_.empty() || !quantifier(least, most)) return one;
  if (least > most) fail("a repetition's least number is greater than its most");
  std::size_t again = 1;
  if (fault_.empty() && quantifier(again, again)) fail("nothing stands before a repetition");
  return fault_.empty() ? times(one, least, most) : Steps{};
}

bool PatternParser::quantifier(std::size_t& least, std::size_t& most) {
  if (accept('*')) {
    least = 0, most = kNoEnd;
  } else if (accept('+')) {
    least = 1, most = kNoEnd;
  } else if (accept('?')) {
    least = 0, most = 1;
  } else if (!braces(least, most)) {
    return false;
  }
  accept('?');  // as few as possible: whether there is a match does not depend on it
  return true;
}

// {n}, {n,} or {n,m}; braces around anything else are characters.
bool PatternParser::braces(std::size_t& least, std::size_t& most) {
  const std::size_t begin = at_;
  const auto number = [this](std::size_t& value) {
    if (!is_digit(peek())) return false;
    value = 0;
    while (is_digit(peek())) value = std::min<std::size_t>(kMostSteps + 1, value * 10 + (text_[at_++] - '0'));
    return true;
  };
  std::size_t low = 0, high = 0;
  if (accept('{') && number(low)) {
    high = low;
    if (accept(',') && !number(high)) high = kNoEnd;
    if (accept('}')) {
      least = low;
      most = high;
      return true;
    }
  }
  if (fault_.empty()) at_ = begin;
  return false;
}

PatternParser::Steps PatternParser::times(const Steps& one, std::size_t least, std::size_t most) {
  const std::size_t copies = most == kNoEnd ? least + 1 : most;
  const std::size_t size = (one.size() + 2) * copies;
  written_ += size;
  if (one.size() > kMostSteps || copies > kMostSteps || size > kMostSteps || written_ > 4 * kMostSteps) {
    fail("its repetitions make it too large: written out it would have more than " + std::to_string(kMostSteps) +
         " steps");
    return {};
  }
  Steps steps;
  for (std::size_t i = 0; i < least; i++) append(steps, one);
  if (most == kNoEnd) {
    const auto begin = static_cast<std::uint32_t>(steps.size());
    steps.push_back({Op::kSplit, begin + 1, begin + 2 + static_cast<std::uint32_t>(one.size())});
    append(steps, one);
    steps.push_back({Op::kJump, begin});
    return steps;
  }
  const auto end = static_cast<std::uint32_t>(steps.size() + (most - least) * (one.size() + 1));
  for (std::size_t i = least; i < most; i++) {
    steps.push_back({Op::kSplit, static_cast<std::uint32_t>(steps.size() + 1), end});
    append(steps, one);
  }
  return steps;
}

PatternParser::Steps PatternParser::atom(int depth) {
  const char32_t c = peek();
  at_++;
  switch (c) {
    case '^':
      return {{Op::kBegin}};
    case '$':
      return {{Op::kEnd}};
    case '.':
      return reading(all_but(kLineEnds));
    case '(':
      return group(depth);
    case '[':
      return reading(bracketed());
    case '\\':
      return escaped_atom();
    case '*':
    case '+':
    case '?':
      at_--;
      fail("nothing stands before a repetition");
      return {};
    default:
      return reading({{c, c}});
  }
}

PatternParser::Steps PatternParser::group(int depth) {
  if (accept('?')) {
    const bool behind = peek() == '<' && (peek(1) == '=' || peek(1) == '!');
    if (peek() == '=' || peek() == '!' || behind) {
      fail(
          "it looks ahead or behind, which is not supported because matching must take linear time: say it by several "
          "patterns in \"allOf\" or \"not\"");
      return {};
    }
    if (accept('<')) {
      while (!at_end() && peek() != '>') at_++;
      if (!accept('>')) fail("a group's name has no end");
    } else if (!accept(':')) {
      fail("a group begins with (?" + spelled(peek()) + ", which means nothing");
    }
  }
  Steps inside = alternatives(depth + 1);
  if (fault_.empty() && !accept(')')) fail("a ( has no )");
  return inside;
}

PatternParser::Steps PatternParser::reading(Set set) {
  if (!fault_.empty()) return {};
  set = in_order(std::move(set));
  written_ += 1 + set.size();
  if (written_ > 4 * kMostSteps) fail("it is too large");
  const auto first = static_cast<std::uint32_t>(pattern_.ranges_.size());
  pattern_.ranges_.insert(pattern_.ranges_.end(), set.begin(), set.end());
  return {{Op::kSet, first, static_cast<std::uint32_t>(set.size())}};
}

PatternParser::Steps PatternParser::escaped_atom() {
  if (at_end()) {
    fail("it ends with a \\");
    return {};
  }
  const char32_t c = text_[at_++];
  if (c == 'b') return {{Op::kWordEdge}};
  if (c == 'B') return {{Op::kNoWordEdge}};
  if ((c >= '1' && c <= '9') || c == 'k') {
    fail("it refers back to a group, which is not supported because matching must take linear time");
    return {};
  }
  Set set;
  if (class_escape(c, set)) return reading(std::move(set));
  const char32_t meant = character_escape(c);
  return reading({{meant, meant}});
}

bool PatternParser::class_escape(char32_t c, Set& set) {
  switch (c) {
    case 'd':
      set = kDigits;
      return true;
    case 'D':
      set = all_but(kDigits);
      return true;
    case 'w':
      set = kWords;
      return true;
    case 'W':
      set = all_but(kWords);
      return true;
    case 's':
      set = kBlanks;
      return true;
    case 'S':
      set = all_but(kBlanks);
      return true;
    case 'p':
    case 'P':
      fail("it asks for a property of characters (\\p), which is not supported: name the ranges");
      return true;
    default:
      return false;
  }
}

char32_t PatternParser::character_escape(char32_t c) {
  switch (c) {
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'v':
      return '\v';
    case 'f':
      return '\f';
    case 'r':
      return '\r';
    case '0':
      return 0;
    case 'c':
      if (is_letter(peek())) return text_[at_++] & 31U;
      fail("\\c needs a letter");
      return 0;
    case 'x':
      return hexadecimal(2);
    case 'u': {
      if (accept('{')) {
        const char32_t value = hexadecimal(0);
        if (!accept('}')) fail("\\u{ has no }");
        return value;
      }
      const char32_t first = hexadecimal(4);
      if (first >= 0xd800 && first < 0xdc00 && peek() == '\\' && peek(1) == 'u') {
        at_ += 2;
        const char32_t second = hexadecimal(4);
        return 0x10000 + ((first - 0xd800) << 10U) + (second - 0xdc00);
      }
      return first;
    }
    default:
      if (is_letter(c) || is_digit(c)) fail("\\" + spelled(c) + " means nothing");
      return c;
  }
}

// `digits` of them; 0: as many as there are.
char32_t PatternParser::hexadecimal(int digits) {
  char32_t value = 0;
  int got = 0;
  for (; digits == 0 || got < digits; got++) {
    const char32_t c = peek();
    const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!is_digit(c) && !letter) break;
    value = value * 16 + (is_digit(c) ? c - '0' : (c | 32U) - 'a' + 10);
    at_++;
    if (value > kLast) break;
  }
  if (got == 0 || got < digits || value > kLast) fail("a number of a character is broken");
  return value;
}

PatternParser::Set PatternParser::bracketed() {
  const bool others = accept('^');
  Set set;
  while (fault_.empty() && !at_end() && peek() != ']') {
    bool is_single = true, ends_single = true;
    const Set from = bracket_part(is_single);
    if (peek() == '-' && at_ + 1 < text_.size() && peek(1) != ']' && fault_.empty()) {
      at_++;
      const Set to = bracket_part(ends_single);
      if (!fault_.empty()) return {};
      if (is_single && ends_single) {
        if (from[0].first > to[0].first) {
          fail("a range in brackets ends before it begins");
          return {};
        }
        set.push_back({from[0].first, to[0].first});
        continue;
      }
      set.push_back({'-', '-'});
      set.insert(set.end(), to.begin(), to.end());
    }
    set.insert(set.end(), from.begin(), from.end());
  }
  if (!accept(']')) fail("a [ has no ]");
  return others ? all_but(set) : set;
}

PatternParser::Set PatternParser::bracket_part(bool& is_single) {
  char32_t c = text_[at_++];
  if (c == '\\') {
    if (at_end()) {
      fail("it ends with a \\");
      return {};
    }
    c = text_[at_++];
    Set set;
    is_single = !class_escape(c, set);
    if (!is_single) return set;
    c = c == 'b' ? U'\b' : c == '-' ? U'-' : character_escape(c);
  }
  return {{c, c}};
}

}  // namespace perdure::schema
