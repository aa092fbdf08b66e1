// Which C++ types stand for which kind of JSON, asked alike by reading, writing and the schema. Compile time only.
#pragma once

#include <array>
#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <perdure/json.hpp>

namespace perdure::detail {

template <class T>
concept Described = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

template <class T>
concept Text = std::convertible_to<const T&, std::string_view>;

/// A document or a part of one, as Boost.JSON has it.
template <class T>
concept Document = std::same_as<T, json::value> || std::same_as<T, json::object> || std::same_as<T, json::array>;

/// A map whose keys are text: a JSON object with free names.
template <class T>
concept Dictionary = !Document<T> && requires(T map, std::string key) {
  typename T::mapped_type;
  map.emplace(key, map.begin()->second);
  requires std::convertible_to<const typename T::key_type&, std::string_view>;
};

/// A container that grows: a JSON array.
template <class T>
concept Sequence = !Document<T> && !Dictionary<T> && !Text<T> && requires(T list, typename T::value_type element) {
  list.insert(list.end(), element);
  list.begin();
};

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
concept Optional = IsOptional<T>::value;

template <class T>
struct IsFixedArray : std::false_type {};
template <class T, std::size_t size>
struct IsFixedArray<std::array<T, size>> : std::true_type {};
/// std::array: a JSON array of as many elements.
template <class T>
concept FixedArray = IsFixedArray<T>::value;

template <class T>
struct IsTuple : std::false_type {};
template <class First, class Second>
struct IsTuple<std::pair<First, Second>> : std::true_type {};
template <class... Parts>
struct IsTuple<std::tuple<Parts...>> : std::true_type {};
/// std::pair or std::tuple: a JSON array with one element for each part.
template <class T>
concept Tuple = IsTuple<T>::value;

template <class T>
struct IsVariant : std::false_type {};
template <class... Alternatives>
struct IsVariant<std::variant<Alternatives...>> : std::true_type {};
/// std::variant: the JSON of one alternative; the first that fits when it is read. std::monostate is null.
template <class T>
concept Variant = IsVariant<T>::value;

/// The largest number that a float is read from: what the largest float is written as, which is a little above it.
constexpr double kLargestFloat = 3.4028235e38;

/// What would refer to the document it was read from, which is gone by then.
template <class T>
concept View = std::is_pointer_v<T> || std::same_as<T, std::string_view>;

/// Calls `body(name, pointer to member)` for every described member of T, those of its described bases first.
template <Described T, class Body>
void for_each_member(Body&& body) {
  using namespace boost::describe;
  boost::mp11::mp_for_each<describe_members<T, mod_public | mod_inherited>>(
      [&](auto member) { body(std::string_view(member.name), member.pointer); });
}

}  // namespace perdure::detail
