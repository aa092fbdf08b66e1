// What a public access token lets its bearer do: its scopes, "action:type" or "action:type:id", against what is asked
// for. Pure functions; any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::api::auth {

/// One way to name what is asked for: {"runs", "run_…"}, {"tags", "user:1"}. An empty id: all of that type.
struct Resource {
  std::string_view type;
  std::string_view id;
};

/// One scope. Views into its text.
struct Scope {
  std::string_view action;
  std::string_view type;
  std::string_view id;  // empty: all of the type
};

/// Split at the first two colons only: an id may have colons itself.
Scope parse_scope(std::string_view text);

/// Whether some scope permits `action` on `resource`: the bare scope "admin" permits all; "*" is any action, "all" any
/// type; a scope without id covers every id, one with an id never a whole type.
bool permits(const std::vector<std::string>& scopes, std::string_view action, Resource resource);

/// … on one of several names of the same thing.
bool permits_any(const std::vector<std::string>& scopes, std::string_view action, const std::vector<Resource>& names);

/// Whether some scope permits `action` on anything of one of the types: all that can be said before it is known what
/// exactly is asked for.
bool may_permit(const std::vector<std::string>& scopes, std::string_view action,
                std::initializer_list<std::string_view> types);

}  // namespace perdure::api::auth
