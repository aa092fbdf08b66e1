// Query parameters with their types. Each gives a value, nothing when the parameter is absent, or an error sentence
// through `fault`. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/api/http.h"
#include "store/model/ids.h"

namespace perdure::api {

/// Why a parameter is refused.
struct QueryFault {
  std::string parameter;
  std::string message;
};

/// A whole number in [least, most].
std::optional<std::uint64_t> number_parameter(const Request& request, std::string_view name, std::uint64_t least,
                                              std::uint64_t most, std::optional<QueryFault>& fault);

/// "1", "true", "0", "false".
std::optional<bool> flag_parameter(const Request& request, std::string_view name, std::optional<QueryFault>& fault);

/// A duration such as "30s".
std::optional<store::Duration> duration_parameter(const Request& request, std::string_view name,
                                                  std::optional<QueryFault>& fault);

/// Epoch milliseconds, or ISO 8601.
std::optional<store::Time> time_parameter(const Request& request, std::string_view name,
                                          std::optional<QueryFault>& fault);

/// "status" of "filter[status]", "createdAt.from" of "filter[createdAt][from]"; nothing of other parameters' names.
std::optional<std::string> filter_in(std::string_view parameter);

/// The parts of a list joined by commas, without empty ones; empty when absent.
std::vector<std::string> list_parameter(const Request& request, std::string_view name);

}  // namespace perdure::api
