// C++ values to JSON text, straight into a string: the same types that json_read.hpp reads. Refuses with JsonError what
// JSON cannot say: numbers that are not finite, and nesting over 128 levels. No state; any thread.
#pragma once

#include <boost/json/value_from.hpp>
#include <charconv>
#include <cmath>
#include <concepts>
#include <string>
#include <string_view>

#include <perdure/described.hpp>
#include <perdure/json.hpp>

namespace perdure::detail {

/// Appends `text` as a JSON string, quotes included. Bytes above 0x7f pass as they are.
inline void append_text(std::string& out, std::string_view text) {
  constexpr const char* kHex = "0123456789abcdef";
  out += '"';
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text, copied, i - copied);
    copied = i + 1;
    out += '\\';
    switch (byte) {
      case '\n':
        out += 'n';
        break;
      case '\r':
        out += 'r';
        break;
      case '\t':
        out += 't';
        break;
      case '"':
      case '\\':
        out += static_cast<char>(byte);
        break;
      default:
        out += "u00";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
  }
  out.append(text, copied);
  out += '"';
}

template <class Number>
void append_number(std::string& out, Number number) {
  if constexpr (std::floating_point<Number>) {
    if (!std::isfinite(number)) throw JsonError("a number that is not finite cannot be written as JSON");
  }
  char digits[32];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end.ptr);
}

template <class T>
void append_json(std::string& out, const T& value, std::size_t depth = 0);

/// Writes what stands between the brackets or braces of a list: `write(element)` for each, with commas.
template <class List, class Write>
void append_each(std::string& out, const List& list, std::string_view brackets, Write&& write) {
  out += brackets[0];
  bool first = true;
  for (const auto& element : list) {
    if (!first) out += ',';
    first = false;
    write(element);
  }
  out += brackets[1];
}

inline void append_value(std::string& out, const json::value& value, std::size_t depth) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      break;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case json::kind::int64:
      append_number(out, value.get_int64());
      break;
    case json::kind::uint64:
      append_number(out, value.get_uint64());
      break;
    case json::kind::double_:
      append_number(out, value.get_double());
      break;
    case json::kind::string:
      append_text(out, value.get_string());
      break;
    case json::kind::array:
      append_json(out, value.get_array(), depth);
      break;
    case json::kind::object:
      append_json(out, value.get_object(), depth);
      break;
  }
}

template <Described T>
void append_struct(std::string& out, const T& value, std::size_t depth) {
  out += '{';
  bool first = true;
  for_each_member<T>([&](std::string_view name, auto member) {
    if constexpr (Optional<std::remove_cvref_t<decltype(value.*member)>>) {
      if (!(value.*member).has_value()) return;
    }
    if (!first) out += ',';
    first = false;
    append_text(out, name);
    out += ':';
    append_json(out, value.*member, depth + 1);
  });
  out += '}';
}

/// Appends `value` as JSON text. Empty optionals are left out of structs and are null elsewhere.
template <class T>
void append_json(std::string& out, const T& value, std::size_t depth) {
  if (depth > kMaxJsonDepth) throw JsonError("a value nested over 128 levels cannot be written as JSON");
  if constexpr (std::same_as<T, None> || std::same_as<T, std::nullptr_t> || std::same_as<T, std::monostate>) {
    out += "null";
  } else if constexpr (std::same_as<T, RawJson>) {
    out += value.text;
  } else if constexpr (std::same_as<T, json::value>) {
    append_value(out, value, depth);
  } else if constexpr (std::same_as<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::integral<T> || std::floating_point<T>) {
    append_number(out, value);
  } else if constexpr (Text<T>) {
    append_text(out, value);
  } else if constexpr (Optional<T>) {
    if (value)
      append_json(out, *value, depth);
    else
      out += "null";
  } else if constexpr (DescribedEnum<T>) {
    std::string_view found;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
      if (enumerator.value == value) found = enumerator.name;
    });
    if (found.empty()) throw JsonError("an enumerator without a name cannot be written as JSON");
    append_text(out, found);
  } else if constexpr (std::same_as<T, json::object>) {
    append_each(out, value, "{}", [&](const auto& member) {
      append_text(out, member.key());
      out += ':';
      append_json(out, member.value(), depth + 1);
    });
  } else if constexpr (Dictionary<T>) {
    append_each(out, value, "{}", [&](const auto& member) {
      append_text(out, member.first);
      out += ':';
      append_json(out, member.second, depth + 1);
    });
  } else if constexpr (Tuple<T>) {
    out += '[';
    std::apply(
        [&](const auto&... parts) {
          std::size_t at = 0;
          ((out += at++ == 0 ? "" : ",", append_json(out, parts, depth + 1)), ...);
        },
        value);
    out += ']';
  } else if constexpr (Variant<T>) {
    std::visit([&](const auto& alternative) { append_json(out, alternative, depth); }, value);
  } else if constexpr (std::same_as<T, json::array> || Sequence<T> || FixedArray<T>) {
    append_each(out, value, "[]", [&](const auto& element) { append_json(out, element, depth + 1); });
  } else if constexpr (Described<T>) {
    append_struct(out, value, depth);
  } else {
    append_json(out, json::value_from(value), depth);
  }
}

}  // namespace perdure::detail

namespace perdure {

/// The JSON text of `value`. Throws JsonError.
template <class T>
std::string to_json(const T& value) {
  std::string out;
  detail::append_json(out, value);
  return out;
}

}  // namespace perdure
