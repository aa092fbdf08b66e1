// What the SDK reads and what the schema it derives says are the same: values it writes fit, and a payload fits exactly
// when it can be read.
#include <gtest/gtest.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include <perdure/json_read.hpp>
#include <perdure/json_write.hpp>
#include <perdure/schema.hpp>

#include "host/schema/schema.h"

namespace perdure::test {
namespace {

enum class Colour { red, green };
BOOST_DESCRIBE_ENUM(Colour, red, green)

struct Base {
  bool flag = false;
};
BOOST_DESCRIBE_STRUCT(Base, (), (flag))

struct Inner : Base {
  std::int8_t small = 0;
  std::uint64_t large = 0;
  std::optional<double> real;
};
BOOST_DESCRIBE_STRUCT(Inner, (Base), (small, large, real))

struct Tree {
  std::string label;
  std::vector<Tree> children;
};
BOOST_DESCRIBE_STRUCT(Tree, (), (label, children))

struct Everything {
  std::string text;
  Colour colour = Colour::red;
  std::vector<Inner> list;
  std::set<std::string> names;
  std::array<int, 3> three{};
  std::map<std::string, Inner> members;
  std::unordered_map<std::string, std::vector<bool>> flags;
  std::variant<std::monostate, bool, std::int32_t, std::string, Inner> any;
  std::tuple<std::string, int, std::optional<bool>> tuple;
  std::pair<float, std::int64_t> pair;
  std::optional<Tree> tree;
  json::value free;
};
BOOST_DESCRIBE_STRUCT(Everything, (), (text, colour, list, names, three, members, flags, any, tuple, pair, tree, free))

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(engine_() % end); }
  bool coin() { return below(2) == 0; }
  template <class T>
  T integer() {
    const T edges[] = {std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), 0, 1};
    return coin() ? edges[below(4)] : static_cast<T>(engine_());
  }
  std::string text() {
    const char* const texts[] = {"", "a", "red", "\xc3\xa9\"\\\n", "12"};
    return texts[below(5)];
  }

 private:
  std::mt19937_64 engine_;
};

Inner inner(Random& random) {
  Inner made;
  made.flag = random.coin();
  made.small = random.integer<std::int8_t>();
  made.large = random.integer<std::uint64_t>();
  if (random.coin()) made.real = 1.0 / static_cast<double>(random.below(100) + 1);
  return made;
}

Tree tree(Random& random, int depth) {
  Tree made{random.text(), {}};
  for (std::size_t i = random.below(3); depth > 0 && i > 0; i--) made.children.push_back(tree(random, depth - 1));
  return made;
}

Everything everything(Random& random) {
  Everything made;
  made.text = random.text();
  made.colour = random.coin() ? Colour::red : Colour::green;
  for (std::size_t i = random.below(3); i > 0; i--) {
    made.list.push_back(inner(random));
    made.names.insert(random.text());
    made.members[random.text()] = inner(random);
    made.flags[random.text()] = {random.coin(), random.coin()};
  }
  for (int& each : made.three) each = random.integer<int>();
  switch (random.below(5)) {
    case 1:
      made.any = random.coin();
      break;
    case 2:
      made.any = random.integer<std::int32_t>();
      break;
    case 3:
      made.any = random.text();
      break;
    case 4:
      made.any = inner(random);
      break;
    default:
      break;
  }
  made.tuple = {random.text(), random.integer<int>(), random.coin() ? std::optional(true) : std::nullopt};
  made.pair = {std::numeric_limits<float>::max(), random.integer<std::int64_t>()};
  if (random.coin()) made.tree = tree(random, 3);
  made.free = {{"a", {1, nullptr}}};
  return made;
}

json::value something(Random& random) {
  const char* const texts[] = {"null",
                               "true",
                               "-1",
                               "0",
                               "3.0",
                               "1.5",
                               "128",
                               "1e18",
                               "1e19",
                               "1e39",
                               "\"\"",
                               "\"red\"",
                               "\"blue\"",
                               "[]",
                               "[1]",
                               "{}",
                               "[1,2,3]",
                               "9223372036854775807",
                               "9223372036854775808",
                               "18446744073709551615",
                               "-9223372036854775808",
                               "{\"label\":\"x\",\"children\":[]}",
                               "-0.0"};
  return json::parse(texts[random.below(std::size(texts))]);
}

// Changes one place somewhere in `value`.
void disturb(json::value& value, Random& random) {
  if (json::object* object = value.if_object(); object != nullptr && !object->empty() && random.below(4) > 0) {
    auto at = object->begin() + static_cast<std::ptrdiff_t>(random.below(object->size()));
    if (random.below(6) == 0) {
      object->erase(at);
    } else if (random.below(8) == 0) {
      object->emplace("unknown", something(random));
    } else {
      disturb(at->value(), random);
    }
    return;
  }
  if (json::array* list = value.if_array(); list != nullptr && !list->empty() && random.below(4) > 0) {
    if (random.below(6) == 0) {
      list->push_back(something(random));
    } else if (random.below(6) == 0) {
      list->pop_back();
    } else {
      disturb((*list)[random.below(list->size())], random);
    }
    return;
  }
  value = something(random);
}

// Why the SDK does not read `text` as T; empty when it does.
template <class T>
std::string unread(const std::string& text) {
  try {
    (void)from_json<T>(text);
    return {};
  } catch (const JsonError& e) {
    return e.what();
  }
}

TEST(DerivedSchema, AgreesWithWhatIsReadAndWritten) {
  const std::string text = detail::schema_of<Everything>();
  const auto schema = schema::Schema::compile(text);
  ASSERT_TRUE(schema) << schema.status().message() << '\n' << text;
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  std::size_t fitted = 0, refused = 0;
  for (int round = 0; round < 3000; round++) {
    const std::string written = to_json(everything(random));
    const auto fault = schema.value()->check(written);
    ASSERT_FALSE(fault) << fault->sentence() << '\n' << written;
    ASSERT_EQ(to_json(from_json<Everything>(written)), to_json(from_json<Everything>(written)));
    json::value disturbed = json::parse(written);
    disturb(disturbed, random);
    const std::string payload = json::serialize(disturbed);
    const auto found = schema.value()->check(payload);
    const std::string why = unread<Everything>(payload);
    ASSERT_EQ(found.has_value(), !why.empty()) << (found ? found->sentence() : why) << '\n' << payload;
    (found ? refused : fitted)++;
  }
  EXPECT_GT(fitted, 100u);
  EXPECT_GT(refused, 100u);
}

template <class T>
void expect_agreement(const char* payload, bool fits) {
  const auto schema = schema::Schema::compile(detail::schema_of<T>());
  ASSERT_TRUE(schema) << schema.status().message();
  EXPECT_EQ(!schema.value()->check(payload), fits) << payload;
  EXPECT_EQ(unread<T>(payload).empty(), fits) << payload << ": " << unread<T>(payload);
}

TEST(DerivedSchema, AgreesAtTheEndsOfNumbers) {
  expect_agreement<std::int64_t>("9223372036854775807", true);
  expect_agreement<std::int64_t>("9223372036854775808", false);
  expect_agreement<std::int64_t>("-9223372036854775808", true);
  expect_agreement<std::int64_t>("1e18", true);
  expect_agreement<std::int64_t>("1e19", false);
  expect_agreement<std::uint64_t>("1e19", true);
  expect_agreement<std::uint64_t>("1e20", false);
  expect_agreement<std::uint64_t>("-1", false);
  expect_agreement<std::int8_t>("128", false);
  expect_agreement<std::int8_t>("-128.0", true);
  expect_agreement<std::int32_t>("1.5", false);
  expect_agreement<float>("1e38", true);
  expect_agreement<float>("1e39", false);
  expect_agreement<double>("1e308", true);
}

TEST(DerivedSchema, AgreesOnShapes) {
  expect_agreement<std::array<int, 2>>("[1]", false);
  expect_agreement<std::array<int, 2>>("[1,2]", true);
  expect_agreement<std::pair<int, std::string>>(R"([1,"a"])", true);
  expect_agreement<std::pair<int, std::string>>(R"(["a",1])", false);
  expect_agreement<std::tuple<>>("[]", true);
  expect_agreement<std::tuple<>>("[1]", false);
  expect_agreement<std::variant<int, std::string>>("null", false);
  expect_agreement<std::variant<std::monostate, std::string>>("null", true);
  expect_agreement<Tree>(R"({"label":"a","children":[{"label":"b","children":[{"label":1,"children":[]}]}]})", false);
  expect_agreement<Tree>(R"({"label":"a","children":[{"label":"b","children":[]}]})", true);
}

TEST(DerivedSchema, NamesTheAlternativesThatNoneOfWasReadAs) {
  EXPECT_EQ((unread<std::variant<int, std::string>>("null")),
            "the value fits no alternative: the value must be an integer from -2147483648 to 2147483647, not null; the "
            "value must be a string, not null");
  EXPECT_EQ((unread<std::array<int, 2>>("[1]")), "the value must be an array of 2 elements, not of 1");
}

}  // namespace
}  // namespace perdure::test
