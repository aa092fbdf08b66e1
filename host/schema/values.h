// JSON values as JSON Schema sees them: 1 and 1.0 are the same number, the order of members means nothing. And how they
// are shown to people. Pure functions; any thread.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "host/schema/work.h"

namespace perdure::schema {

/// Below, at or above 0: `a` is less than, equal to or greater than `b`. Exact, whatever way each is kept.
int compare_numbers(const boost::json::value& a, const boost::json::value& b);
/// A number without a fraction.
bool is_integer(const boost::json::value& value);

/// False too when `work` ran out. At most as deep as the shallower one.
bool equal(const boost::json::value& a, const boost::json::value& b, Work& work);
/// The same for equal values.
std::size_t hash(const boost::json::value& value, Work& work);

/// Short values as their JSON text, others as "an array", "an object", "a string of 200 characters".
std::string shown(const boost::json::value& value);
/// A member's name or an index as a part of a JSON pointer.
std::string escaped(std::string_view part);

}  // namespace perdure::schema
