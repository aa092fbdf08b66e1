// The JSON Schema (draft 7) of a payload, derived from its C++ type: what json_read.hpp accepts, said to the host, so
// that a bad payload is refused when it is triggered. No state; any thread.
#pragma once

#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <typeinfo>
#include <variant>

#include <perdure/described.hpp>
#include <perdure/json_write.hpp>

namespace perdure::detail {

/// The types around the one being written, and where each was written, as a JSON pointer; a type inside itself refers
/// to that place.
struct SchemaPlace {
  const SchemaPlace* outer;
  const std::type_info* type;
  std::string pointer;

  const SchemaPlace* find(const std::type_info& wanted) const {
    if (*type == wanted) return this;
    return outer == nullptr ? nullptr : outer->find(wanted);
  }
};

/// Whether anything at all is known about a payload of type T.
template <class T>
concept Shaped =
    !std::same_as<T, None> && !std::same_as<T, RawJson> && !std::same_as<T, json::value> &&
    (std::integral<T> || std::floating_point<T> || Text<T> || Optional<T> || DescribedEnum<T> || Dictionary<T> ||
     Sequence<T> || FixedArray<T> || Tuple<T> || Variant<T> || std::same_as<T, std::monostate> ||
     std::same_as<T, json::array> || std::same_as<T, json::object> || Described<T>);

/// Appends the schema of T, which stands at `pointer` of the whole; `{}`, which allows everything, where nothing is
/// known.
template <class T>
void append_schema(std::string& out, const SchemaPlace* outer, const std::string& pointer);

template <std::integral T>
void append_integer_schema(std::string& out) {
  out += "{\"type\":\"integer\",\"minimum\":" + std::to_string(std::numeric_limits<T>::min()) +
         ",\"maximum\":" + std::to_string(std::numeric_limits<T>::max()) + '}';
}

template <std::floating_point T>
void append_number_schema(std::string& out) {
  out += R"({"type":"number")";
  if constexpr (sizeof(T) < sizeof(double)) {
    out += ",\"minimum\":";
    append_number(out, -kLargestFloat);
    out += ",\"maximum\":";
    append_number(out, kLargestFloat);
  }
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
    append_schema<Member>(out, &here, here.pointer + "/properties/" + std::string(name));
    if constexpr (!Optional<Member>) {
      if (!required.empty()) required += ',';
      append_text(required, name);
    }
  });
  out += '}';
  if (!required.empty()) out += ",\"required\":[" + required + ']';
  out += '}';
}

/// Appends a schema for each of Parts, with commas.
template <class... Parts>
void append_schemas(std::string& out, const SchemaPlace& here, const std::string& keyword) {
  std::size_t at = 0;
  const auto append = [&]<class Part>() {
    if (at > 0) out += ',';
    append_schema<Part>(out, &here, here.pointer + '/' + keyword + '/' + std::to_string(at++));
  };
  (append.template operator()<Parts>(), ...);
}

template <template <class...> class List, class... Parts>
void append_tuple_schema(std::string& out, const SchemaPlace& here, const List<Parts...>*) {
  const std::string size = std::to_string(sizeof...(Parts));
  out += R"({"type":"array","minItems":)" + size + R"(,"maxItems":)" + size;
  if constexpr (sizeof...(Parts) > 0) {
    out += R"(,"items":[)";
    append_schemas<Parts...>(out, here, "items");
    out += ']';
  }
  out += '}';
}

template <class... Alternatives>
void append_variant_schema(std::string& out, const SchemaPlace& here, const std::variant<Alternatives...>*) {
  out += R"({"anyOf":[)";
  append_schemas<Alternatives...>(out, here, "anyOf");
  out += "]}";
}

template <class T>
void append_array_schema(std::string& out, const SchemaPlace& here) {
  out += R"({"type":"array","items":)";
  append_schema<typename T::value_type>(out, &here, here.pointer + "/items");
  if constexpr (FixedArray<T>) {
    const std::string size = std::to_string(std::tuple_size_v<T>);
    out += R"(,"minItems":)" + size + R"(,"maxItems":)" + size;
  }
  out += '}';
}

template <class T>
void append_schema(std::string& out, const SchemaPlace* outer, const std::string& pointer) {
  static_assert(!View<T>, "what is read must own its text: use std::string, not std::string_view or a pointer");
  const SchemaPlace here{outer, &typeid(T), pointer};
  if constexpr (Described<T>) {  // nothing else can contain itself
    if (const SchemaPlace* inside = outer == nullptr ? nullptr : outer->find(typeid(T))) {
      out += "{\"$ref\":";
      append_text(out, '#' + inside->pointer);
      out += '}';
      return;
    }
  }
  if constexpr (!Shaped<T>) {
    out += "{}";
  } else if constexpr (std::same_as<T, bool>) {
    out += R"({"type":"boolean"})";
  } else if constexpr (std::same_as<T, std::monostate>) {
    out += R"({"type":"null"})";
  } else if constexpr (std::integral<T>) {
    append_integer_schema<T>(out);
  } else if constexpr (std::floating_point<T>) {
    append_number_schema<T>(out);
  } else if constexpr (Text<T>) {
    out += R"({"type":"string"})";
  } else if constexpr (Optional<T>) {
    out += R"({"anyOf":[)";
    append_schema<typename T::value_type>(out, &here, pointer + "/anyOf/0");
    out += R"(,{"type":"null"}]})";
  } else if constexpr (DescribedEnum<T>) {
    append_enum_schema<T>(out);
  } else if constexpr (std::same_as<T, json::object>) {
    out += R"({"type":"object"})";
  } else if constexpr (std::same_as<T, json::array>) {
    out += R"({"type":"array"})";
  } else if constexpr (Tuple<T>) {
    append_tuple_schema(out, here, static_cast<const T*>(nullptr));
  } else if constexpr (Variant<T>) {
    append_variant_schema(out, here, static_cast<const T*>(nullptr));
  } else if constexpr (Dictionary<T>) {
    out += R"({"type":"object","additionalProperties":)";
    append_schema<typename T::mapped_type>(out, &here, pointer + "/additionalProperties");
    out += '}';
  } else if constexpr (Sequence<T> || FixedArray<T>) {
    append_array_schema<T>(out, here);
  } else if constexpr (Described<T>) {
    append_struct_schema<T>(out, here);
  }
}

/// The schema of a payload of type T; empty when any payload will do.
template <class T>
std::string schema_of() {
  std::string out;
  if constexpr (Shaped<T>) append_schema<T>(out, nullptr, "");
  return out;
}

}  // namespace perdure::detail
