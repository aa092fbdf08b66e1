// The JSON Schema (draft 7) of a payload, derived from its C++ type: what json_read.hpp accepts, said to the host, so
// that a bad payload is refused when it is triggered. No state; any thread.
#pragma once

#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <typeinfo>

#include <perdure/described.hpp>
#include <perdure/json_write.hpp>

namespace perdure::detail {

/// The types around the one being written; a type inside itself is not followed.
struct SchemaPlace {
  const SchemaPlace* outer;
  const std::type_info* type;

  bool holds(const std::type_info& wanted) const {
    return *type == wanted || (outer != nullptr && outer->holds(wanted));
  }
};

/// Whether anything at all is known about a payload of type T.
template <class T>
concept Shaped =
    !std::same_as<T, None> && !std::same_as<T, RawJson> && !std::same_as<T, json::value> &&
    (std::integral<T> || std::floating_point<T> || Text<T> || Optional<T> || DescribedEnum<T> || Dictionary<T> ||
     Sequence<T> || std::same_as<T, json::array> || std::same_as<T, json::object> || Described<T>);

template <class T>
void append_schema(std::string& out, const SchemaPlace* outer);

template <std::integral T>
void append_integer_schema(std::string& out) {
  out += "{\"type\":\"integer\"";
  if constexpr (sizeof(T) < 8 || std::unsigned_integral<T>) {
    out += ",\"minimum\":" + std::to_string(std::numeric_limits<T>::min());
  }
  if constexpr (sizeof(T) < 8) out += ",\"maximum\":" + std::to_string(std::numeric_limits<T>::max());
  out += '}';
}

template <DescribedEnum T>
void append_enum_schema(std::string& out) {
  out += "{\"enum\":[";
  bool first = true;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
    if (!first) out += ',';
    first = false;
    append_text(out, enumerator.name);
  });
  out += "]}";
}

template <Described T>
void append_struct_schema(std::string& out, const SchemaPlace& here) {
  out += "{\"type\":\"object\",\"properties\":{";
  std::string required;
  bool first = true;
  for_each_member<T>([&](std::string_view name, auto member) {
    using Member = std::remove_cvref_t<decltype(std::declval<T&>().*member)>;
    if (!first) out += ',';
    first = false;
    append_text(out, name);
    out += ':';
    append_schema<Member>(out, &here);
    if constexpr (!Optional<Member>) {
      if (!required.empty()) required += ',';
      append_text(required, name);
    }
  });
  out += '}';
  if (!required.empty()) out += ",\"required\":[" + required + ']';
  out += '}';
}

/// Appends the schema of T; `{}`, which allows everything, where nothing is known.
template <class T>
void append_schema(std::string& out, const SchemaPlace* outer) {
  const SchemaPlace here{outer, &typeid(T)};
  if (outer != nullptr && outer->holds(typeid(T))) {  // inside itself
    out += "{}";
    return;
  }
  if constexpr (!Shaped<T>) {
    out += "{}";
  } else if constexpr (std::same_as<T, bool>) {
    out += R"({"type":"boolean"})";
  } else if constexpr (std::integral<T>) {
    append_integer_schema<T>(out);
  } else if constexpr (std::floating_point<T>) {
    out += R"({"type":"number"})";
  } else if constexpr (Text<T>) {
    out += R"({"type":"string"})";
  } else if constexpr (Optional<T>) {
    out += R"({"anyOf":[)";
    append_schema<typename T::value_type>(out, &here);
    out += R"(,{"type":"null"}]})";
  } else if constexpr (DescribedEnum<T>) {
    append_enum_schema<T>(out);
  } else if constexpr (std::same_as<T, json::object>) {
    out += R"({"type":"object"})";
  } else if constexpr (std::same_as<T, json::array>) {
    out += R"({"type":"array"})";
  } else if constexpr (Dictionary<T>) {
    out += R"({"type":"object","additionalProperties":)";
    append_schema<typename T::mapped_type>(out, &here);
    out += '}';
  } else if constexpr (Sequence<T>) {
    out += R"({"type":"array","items":)";
    append_schema<typename T::value_type>(out, &here);
    out += '}';
  } else if constexpr (Described<T>) {
    append_struct_schema<T>(out, here);
  }
}

/// The schema of a payload of type T; empty when any payload will do.
template <class T>
std::string schema_of() {
  std::string out;
  if constexpr (Shaped<T>) append_schema<T>(out, nullptr);
  return out;
}

}  // namespace perdure::detail
