// From the text of a regular expression to the steps of a Pattern. Used once for each pattern; single-threaded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/schema/pattern.h"

namespace perdure::schema {

class PatternParser {
 public:
  explicit PatternParser(std::string_view text);
  store::Result<Pattern> parse();

 private:
  using Set = std::vector<CodePoints>;
  using Steps = std::vector<Pattern::Step>;  // jumps inside are relative to its beginning

  Steps alternatives(int depth);
  Steps sequence(int depth);
  Steps repeated(int depth);
  Steps atom(int depth);
  Steps group(int depth);
  Steps escaped_atom();
  Steps times(const Steps& one, std::size_t least, std::size_t most);
  bool quantifier(std::size_t& least, std::size_t& most);
  bool braces(std::size_t& least, std::size_t& most);
  Set bracketed();
  Set bracket_part(bool& is_single);
  bool class_escape(char32_t c, Set& set);
  char32_t character_escape(char32_t c);
  char32_t hexadecimal(int digits);
  Steps reading(Set set);

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char32_t peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : 0;
  }
  bool accept(char32_t c);
  void fail(const std::string& why);

  std::u32string text_;
  std::size_t at_ = 0;
  std::size_t written_ = 0;  // steps made so far, thrown away ones included
  std::string fault_;        // the first thing that was wrong
  Pattern pattern_;
};

}  // namespace perdure::schema
