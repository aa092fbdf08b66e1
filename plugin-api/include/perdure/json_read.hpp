// JSON text to C++ values: numbers, text, optionals, containers, enums and structs described with Boost.Describe. A
// struct's members are required unless they are std::optional; members the struct does not have are ignored. What does
// not fit is a JsonError naming the place, what was expected and what is there. No state; any thread.
#pragma once

#include <algorithm>
#include <boost/json/value_to.hpp>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <perdure/described.hpp>
#include <perdure/json.hpp>

namespace perdure::detail {

/// Where in a document a reader stands: a chain on the stack, spelled out only when something is wrong.
struct JsonPlace {
  const JsonPlace* parent = nullptr;
  std::string_view member{};
  std::size_t index = 0;

  std::string spelled() const {
    if (parent == nullptr) return "";
    const std::string before = parent->spelled();
    if (member.data() == nullptr) return before + "[" + std::to_string(index) + "]";
    return before + (before.empty() ? "" : ".") + std::string(member);
  }
};

inline std::string_view kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
    default:
      return "a number";
  }
}

[[noreturn]] inline void mismatch(const JsonPlace& place, std::string_view expected, std::string_view found) {
  const std::string where = place.spelled();
  throw JsonError((where.empty() ? "the value" : where) + " must be " + std::string(expected) + ", not " +
                  std::string(found));
}
[[noreturn]] inline void mismatch(const JsonPlace& place, std::string_view expected, const json::value& found) {
  mismatch(place, expected, kind_of(found));
}

template <std::integral T>
T read_integer(const json::value& value, const JsonPlace& place) {
  if (const std::int64_t* number = value.if_int64(); number != nullptr && std::in_range<T>(*number)) {
    return static_cast<T>(*number);
  }
  if (const std::uint64_t* number = value.if_uint64(); number != nullptr && std::in_range<T>(*number)) {
    return static_cast<T>(*number);
  }
  // 3.0 and 1e3 are integers too; beyond the bounds here they are no 64-bit ones.
  if (const double* number = value.if_double(); number != nullptr && *number == std::trunc(*number)) {
    if (*number < 0 && *number >= -0x1p63 && std::in_range<T>(static_cast<std::int64_t>(*number))) {
      return static_cast<T>(*number);
    }
    if (*number >= 0 && *number < 0x1p64 && std::in_range<T>(static_cast<std::uint64_t>(*number))) {
      return static_cast<T>(*number);
    }
  }
  const std::string expected = "an integer from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                               std::to_string(std::numeric_limits<T>::max());
  mismatch(place, expected, value.is_number() ? "another number" : kind_of(value));
}

template <DescribedEnum T>
T read_enum(const json::value& value, const JsonPlace& place) {
  const json::string* const text = value.if_string();
  std::string names;
  std::optional<T> found;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
    if (text != nullptr && std::string_view(*text) == enumerator.name) found = enumerator.value;
    names += std::string(names.empty() ? "" : ", ") + '"' + enumerator.name + '"';
  });
  if (found) return *found;
  mismatch(place, "one of " + names, text != nullptr ? "\"" + std::string(*text) + "\"" : std::string(kind_of(value)));
}

template <class T>
T read(const json::value& value, const JsonPlace& place);

template <std::floating_point T>
T read_real(const json::value& value, const JsonPlace& place) {
  if (!value.is_number()) mismatch(place, "a number", value);
  const auto number = value.to_number<double>();
  if constexpr (sizeof(T) < sizeof(double)) {
    constexpr double kMost = std::numeric_limits<T>::max();
    if (std::abs(number) > kLargestFloat) {
      mismatch(place, "a number that a float can hold", std::string_view("another number"));
    }
    return static_cast<T>(std::clamp(number, -kMost, kMost));
  }
  return static_cast<T>(number);
}

/// The elements of an array of exactly `size`.
inline const json::array& read_elements(const json::value& value, const JsonPlace& place, std::size_t size) {
  const std::string expected = "an array of " + std::to_string(size) + " elements";
  if (!value.is_array()) mismatch(place, expected, value);
  const json::array& elements = value.get_array();
  if (elements.size() != size) mismatch(place, expected, "of " + std::to_string(elements.size()));
  return elements;
}

template <Tuple T>
T read_tuple(const json::value& value, const JsonPlace& place) {
  const json::array& elements = read_elements(value, place, std::tuple_size_v<T>);
  return [&]<std::size_t... at>(std::index_sequence<at...>) {
    return T{read<std::tuple_element_t<at, T>>(elements[at], JsonPlace{&place, {}, at})...};
  }
  (std::make_index_sequence<std::tuple_size_v<T>>());
}

template <FixedArray T>
T read_fixed_array(const json::value& value, const JsonPlace& place) {
  T result{};
  const json::array& elements = read_elements(value, place, result.size());
  JsonPlace inner{&place};
  for (; inner.index < result.size(); ++inner.index) {
    result[inner.index] = read<typename T::value_type>(elements[inner.index], inner);
  }
  return result;
}

template <Variant T, std::size_t at = 0>
T read_variant(const json::value& value, const JsonPlace& place, const std::string& why = {}) {
  if constexpr (at == std::variant_size_v<T>) {
    const std::string where = place.spelled();
    throw JsonError((where.empty() ? "the value" : where) + " fits no alternative: " + why);
  } else {
    try {
      return T(std::in_place_index<at>, read<std::variant_alternative_t<at, T>>(value, place));
    } catch (const JsonError& e) {
      return read_variant<T, at + 1>(value, place, why + (why.empty() ? "" : "; ") + e.what());
    }
  }
}

template <Described T>
T read_struct(const json::value& value, const JsonPlace& place) {
  const json::object* const object = value.if_object();
  if (object == nullptr) mismatch(place, "an object", value);
  T result{};
  for_each_member<T>([&](std::string_view name, auto member) {
    using Member = std::remove_cvref_t<decltype(result.*member)>;
    const json::value* const found = object->if_contains({name.data(), name.size()});
    const JsonPlace inner{&place, name};
    if (found != nullptr) {
      result.*member = read<Member>(*found, inner);
    } else if constexpr (!Optional<Member>) {
      throw JsonError(inner.spelled() + " is missing");
    }
  });
  return result;
}

template <class T>
T read(const json::value& value, const JsonPlace& place) {
  static_assert(!View<T>, "what is read must own its text: use std::string, not std::string_view or a pointer");
  if constexpr (std::same_as<T, None>) {
    return {};
  } else if constexpr (std::same_as<T, std::monostate>) {
    if (!value.is_null()) mismatch(place, "null", value);
    return {};
  } else if constexpr (std::same_as<T, json::value>) {
    return value;
  } else if constexpr (std::same_as<T, json::object>) {
    if (!value.is_object()) mismatch(place, "an object", value);
    return value.get_object();
  } else if constexpr (std::same_as<T, json::array>) {
    if (!value.is_array()) mismatch(place, "an array", value);
    return value.get_array();
  } else if constexpr (std::same_as<T, bool>) {
    if (!value.is_bool()) mismatch(place, "a boolean", value);
    return value.get_bool();
  } else if constexpr (std::integral<T>) {
    return read_integer<T>(value, place);
  } else if constexpr (std::floating_point<T>) {
    return read_real<T>(value, place);
  } else if constexpr (std::same_as<T, std::string>) {
    if (!value.is_string()) mismatch(place, "a string", value);
    return std::string(std::string_view(value.get_string()));
  } else if constexpr (Optional<T>) {
    if (value.is_null()) return std::nullopt;
    return read<typename T::value_type>(value, place);
  } else if constexpr (DescribedEnum<T>) {
    return read_enum<T>(value, place);
  } else if constexpr (Tuple<T>) {
    return read_tuple<T>(value, place);
  } else if constexpr (FixedArray<T>) {
    return read_fixed_array<T>(value, place);
  } else if constexpr (Variant<T>) {
    return read_variant<T>(value, place);
  } else if constexpr (Dictionary<T>) {
    if (!value.is_object()) mismatch(place, "an object", value);
    T result;
    for (const auto& member : value.get_object()) {
      const std::string_view name(member.key());
      result.emplace(std::string(name), read<typename T::mapped_type>(member.value(), {&place, name}));
    }
    return result;
  } else if constexpr (Sequence<T>) {
    if (!value.is_array()) mismatch(place, "an array", value);
    T result;
    JsonPlace inner{&place};
    for (const json::value& element : value.get_array()) {
      result.insert(result.end(), read<typename T::value_type>(element, inner));
      ++inner.index;
    }
    return result;
  } else if constexpr (Described<T>) {
    return read_struct<T>(value, place);
  } else {
    // Anything else Boost.JSON can convert, by a tag_invoke of the author's for instance.
    try {
      return json::value_to<T>(value);
    } catch (const std::exception& e) {
      const std::string where = place.spelled();
      throw JsonError((where.empty() ? "the value" : where) + ": " + e.what());
    }
  }
}

}  // namespace perdure::detail

namespace perdure {

/// A C++ value from a JSON text; no bytes at all are null. Throws JsonError.
template <class T>
T from_json(std::string_view text) {
  if constexpr (std::same_as<T, None>) {
    return {};
  } else if constexpr (std::same_as<T, RawJson>) {
    return {text.empty() ? std::string("null") : std::string(text)};
  } else if constexpr (std::same_as<T, json::value>) {
    return detail::parse(text);
  } else {
    return detail::read<T>(detail::parse(text), detail::JsonPlace{});
  }
}

}  // namespace perdure
