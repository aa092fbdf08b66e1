#include "host/api/content_coding.h"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace perdure::api {
namespace {

constexpr std::size_t kLeast = 1u << 10;  // it would not save a packet
constexpr std::size_t kMost = 2u << 20;

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool same(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, {}, [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
}

// The part of `rest` before `mark`, which goes from it with the mark.
std::string_view cut(std::string_view& rest, char mark) {
  const auto end = std::min(rest.find(mark), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(part);
}

// Whether the parameters of a coding have a weight of zero: "not this one".
bool is_refused(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view value = cut(parameters, ';');
    if (same(cut(value, '='), "q")) return value.find_first_not_of("0. \t") == std::string_view::npos;
  }
  return false;
}

bool is_gzip(std::string_view name) { return same(name, "gzip") || same(name, "x-gzip"); }

}  // namespace

ContentCoding content_coding_of(const Request& request) {
  ContentCoding coding = ContentCoding::kIdentity;
  for (const Field& header : request.headers) {
    if (header.name != "content-encoding") continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::string_view name = cut(rest, ',');
      if (name.empty() || same(name, "identity")) continue;
      // Nothing is compressed twice, but to get past a limit.
      coding = is_gzip(name) && coding == ContentCoding::kIdentity ? ContentCoding::kGzip : ContentCoding::kOther;
    }
  }
  return coding;
}

bool takes_gzip(const Request& request) {
  std::optional<bool> named;
  bool any = false;
  for (const Field& header : request.headers) {
    if (header.name != "accept-encoding") continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      std::string_view parameters = cut(rest, ',');
      const std::string_view name = cut(parameters, ';');
      const bool taken = !is_refused(parameters);
      if (is_gzip(name)) named = taken || named.value_or(false);
      if (name == "*") any = taken;
    }
  }
  return named.value_or(any);
}

bool is_worth_compressing(const Response& response) {
  if (response.body.size() < kLeast || response.body.size() > kMost) return false;
  std::string_view rest = response.content_type;
  const std::string_view type = cut(rest, ';');
  return type.starts_with("text/") || type == "application/json" || type.ends_with("+json");
}

}  // namespace perdure::api
