// Walks run ids that satisfy several conditions at once, in id order, without reading runs that do not: each condition
// is a union of index prefixes (any of these statuses), and the cursors of all conditions leap to one another's ids.
// One thread; reads the database it was made with.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/model/status.h"
#include "store/rocks/database.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

enum class Direction : std::uint8_t { kNewer, kOlder };

/// The ids under any of several prefixes of one family.
class UnionCursor {
 public:
  UnionCursor(const Database& db, Family family, const std::vector<std::string>& prefixes, Direction direction);
  /// The first id at or beyond `from` in this cursor's direction.
  std::optional<PackedId> seek(PackedId from);
  [[nodiscard]] Status status() const;
  /// How many prefixes there are.
  [[nodiscard]] std::size_t size() const { return sources_.size(); }

 private:
  struct Source {
    Scan scan;
    std::size_t prefix_size;
  };
  std::vector<Source> sources_;
  Direction direction_;
};

/// The ids that every one of the unions has.
class IndexCursor {
 public:
  void add(UnionCursor condition) { conditions_.push_back(std::move(condition)); }
  /// The first id at or beyond `from`; nothing: there is none, or `looks` were not enough, and then `from` is where to
  /// go on. Each look into an index takes one off `looks`. Needs at least one condition.
  std::optional<PackedId> seek(PackedId& from, std::size_t& looks);
  [[nodiscard]] Status status() const;

 private:
  std::vector<UnionCursor> conditions_;
};

/// The id next to `id` in the direction; nothing at the end of all ids.
std::optional<PackedId> beside(PackedId id, Direction direction);

}  // namespace perdure::store::rocks
