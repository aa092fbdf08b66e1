#include "store/model/nearest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace perdure::store {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(from[i - 1]) == lower(to[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known, std::size_t most) {
  constexpr std::size_t kEnough = 256;  // of a name; what follows cannot make it nearer to a known one
  const std::string_view beginning = name.substr(0, kEnough);
  std::string_view nearest;
  std::size_t least = SIZE_MAX;
  for (const std::string_view each : known) {
    const std::size_t distance = edit_distance(beginning, each);
    if (distance < least && distance <= most) {
      least = distance;
      nearest = each;
    }
  }
  return nearest;
}

}  // namespace perdure::store
