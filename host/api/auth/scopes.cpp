#include "host/api/auth/scopes.h"

#include <algorithm>

namespace perdure::api::auth {
namespace {

constexpr std::string_view kAdmin = "admin";

std::string_view cut_at_colon(std::string_view& rest) {
  const auto colon = rest.find(':');
  const std::string_view part = rest.substr(0, colon);
  rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  return part;
}

bool acts(const Scope& scope, std::string_view action) { return scope.action == action || scope.action == "*"; }
bool covers_type(const Scope& scope, std::string_view type) { return scope.type == type || scope.type == "all"; }

}  // namespace

Scope parse_scope(std::string_view text) {
  Scope scope;
  scope.action = cut_at_colon(text);
  scope.type = cut_at_colon(text);
  scope.id = text;
  return scope;
}

bool permits(const std::vector<std::string>& scopes, std::string_view action, Resource resource) {
  return std::ranges::any_of(scopes, [&](const std::string& text) {
    if (text == kAdmin) return true;
    const Scope scope = parse_scope(text);
    return acts(scope, action) && covers_type(scope, resource.type) && (scope.id.empty() || scope.id == resource.id);
  });
}

bool permits_any(const std::vector<std::string>& scopes, std::string_view action, const std::vector<Resource>& names) {
  return std::ranges::any_of(names, [&](const Resource& name) { return permits(scopes, action, name); });
}

bool may_permit(const std::vector<std::string>& scopes, std::string_view action,
                std::initializer_list<std::string_view> types) {
  return std::ranges::any_of(scopes, [&](const std::string& text) {
    if (text == kAdmin) return true;
    const Scope scope = parse_scope(text);
    return acts(scope, action) &&
           std::ranges::any_of(types, [&](std::string_view type) { return covers_type(scope, type); });
  });
}

}  // namespace perdure::api::auth
