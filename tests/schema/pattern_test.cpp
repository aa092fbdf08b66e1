// Regular expressions of schemas: what matches, what is refused, and that time stays linear.
#include "host/schema/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace perdure::schema {
namespace {

constexpr std::uint64_t kPlenty = 10'000'000;

bool is_in(const std::string& pattern, const std::string& text) {
  const store::Result<Pattern> made = Pattern::compile(pattern);
  if (!made) {
    ADD_FAILURE() << pattern << ": " << made.status().message();
    return false;
  }
  Work work(kPlenty);
  return made.value().is_in(text, work);
}

struct Case {
  const char* pattern;
  const char* text;
  bool matches;
};

const Case kCases[] = {
    {"", "", true},
    {"a", "cab", true},
    {"^a", "ba", false},
    {"a$", "ab", false},
    {"^a$", "a", true},
    {"^(a|bc)*d$", "abcbcad", true},
    {"^(a|bc)*d$", "abcbd", false},
    {"^a?b+c*$", "bb", true},
    {"^a{2,3}$", "a", false},
    {"^a{2,3}$", "aaa", true},
    {"^a{2,3}$", "aaaa", false},
    {"^a{2}$", "aa", true},
    {"^a{2,}$", "aaaaa", true},
    {"^a{2,}$", "a", false},
    {"^a{,2}$", "a{,2}", true},
    {"^x{$", "x{", true},
    {"^a+?b*?$", "aab", true},
    {"^[a-c0-9_]+$", "b7_", true},
    {"^[a-c]+$", "d", false},
    {"^[^a-c]+$", "xyz", true},
    {"^[^a-c]+$", "xaz", false},
    {"^[\\d\\-a]+$", "4-a", true},
    {"^[a-]+$", "-a", true},
    {"^[]$", "a", false},
    {"^[^]$", "a", true},
    {"^\\d{3}-\\d{4}$", "555-1234", true},
    {"^\\w+\\s\\W$", "ab_1 !", true},
    {"^\\D\\S$", "a1", true},
    {"\\bcat\\b", "a cat sat", true},
    {"\\bcat\\b", "concat", false},
    {"\\Bcat", "concat", true},
    {"^.$", "\n", false},
    {"^.$", "\xc3\xa9", true},            // one code point
    {"^..$", "\xf0\x9f\x98\x80", false},  // likewise
    {"^\\u00e9$", "\xc3\xa9", true},
    {"^\\u{1F600}$", "\xf0\x9f\x98\x80", true},
    {"^\\ud83d\\ude00$", "\xf0\x9f\x98\x80", true},
    {"^[\xc3\xa0-\xc3\xbf]$", "\xc3\xa9", true},
    {"^\\x41\\t\\cJ\\0$", "A", false},
    {"^\\x41\\t$", "A\t", true},
    {"^\\/\\.\\*\\\\$", "/.*\\", true},
    {"^(?:a|(?<name>b))c$", "bc", true},
    {"^(a*)*$", "aaa", true},
    {"^(a*)*$", "aab", false},
    {"^(|a)+$", "", true},
    {"a|b|c|d", "xxd", true},
    {"^(a|b|c)$", "d", false},
    {"^((a{1,3}b){2})$", "aabab", true},
};

TEST(Pattern, MatchesAsEcmaSays) {
  for (const Case& each : kCases)
    EXPECT_EQ(is_in(each.pattern, each.text), each.matches) << each.pattern << "  " << each.text;
}

struct Refused {
  const char* pattern;
  const char* why;
};
const Refused kRefused[] = {
    {"a(?=b)", "looks ahead or behind"},
    {"(?!b)a", "looks ahead or behind"},
    {"(?<=b)a", "looks ahead or behind"},
    {"(?<!b)a", "looks ahead or behind"},
    {"(a)\\1", "refers back"},
    {"(?<n>a)\\k<n>", "refers back"},
    {"\\p{L}", "property of characters"},
    {"(a", "a ( has no )"},
    {"a)", "a ) without a ("},
    {"[a", "a [ has no ]"},
    {"[b-a]", "ends before it begins"},
    {"*a", "nothing stands before a repetition"},
    {"a**", "nothing stands before a repetition"},
    {"a{3,2}", "greater than its most"},
    {"\\", "ends with a \\"},
    {"[\\", "ends with a \\"},
    {"\\y", "means nothing"},
    {"\\u12", "number of a character"},
    {"\\u{110000}", "number of a character"},
    {"(?a)", "means nothing"},
    {"(?<a", "has no end"},
    {"a{99999}", "too large"},
    {"((a{100}){100}){100}", "too large"},
};

TEST(Pattern, SaysWhatItCannotUse) {
  for (const Refused& each : kRefused) {
    const store::Result<Pattern> made = Pattern::compile(each.pattern);
    ASSERT_FALSE(made) << each.pattern;
    EXPECT_NE(made.status().message().find(each.why), std::string::npos)
        << each.pattern << ": " << made.status().message();
  }
}

TEST(Pattern, RefusesGroupsThatAreNestedTooDeep) {
  EXPECT_FALSE(Pattern::compile(std::string(100'000, '(') + std::string(100'000, ')')));
  EXPECT_TRUE(Pattern::compile(std::string(100, '(') + std::string(100, ')')));
}

// Patterns that take other engines longer than the universe will last, or their whole stack.
TEST(Pattern, TakesTimeInProportionToTheText) {
  const std::string text = std::string(10'000, 'a') + '!';
  for (const char* pattern :
       {"^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^(.*)*x$", "^([a-zA-Z]+)*$", "(a*)*b", "^(a?){50}a{50}$"}) {
    const store::Result<Pattern> made = Pattern::compile(pattern);
    ASSERT_TRUE(made) << pattern;
    Work work(kPlenty);
    EXPECT_FALSE(made.value().is_in(text, work)) << pattern;
    EXPECT_FALSE(work.is_over()) << pattern;
  }
}

TEST(Pattern, StopsWhenItsStepsAreUsedUp) {
  const store::Result<Pattern> made = Pattern::compile("^(a|b)*$");
  Work work(1000);
  EXPECT_FALSE(made.value().is_in(std::string(1'000'000, 'a'), work));
  EXPECT_TRUE(work.is_over());
}

}  // namespace
}  // namespace perdure::schema
