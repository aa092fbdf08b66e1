// A page of what an index finds, newest first, and the cursors of the pages beside it. Pure; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "store/model/status.h"
#include "store/rocks/index_cursor.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

inline constexpr PackedId kLastId{UINT64_MAX, UINT64_MAX};
inline constexpr std::size_t kMostListed = 100;

/// What was found in one direction.
template <class Thing>
struct Found {
  std::vector<Thing> things;
  std::optional<PackedId> stopped_at;  // not looked at any more; nothing: all were
};

/// What is beside a page.
struct PageSide {
  bool more = false;               // there may be things
  std::optional<PackedId> cursor;  // to go on from; an empty page may have one in its direction only
};

template <class Thing>
struct IndexPage {
  std::vector<Thing> things;  // newest first
  PageSide older, newer;
};

/// Reads the page of things older than `after`, or newer than `before`, or of the newest; things have an `id`.
/// `take(direction, from, limit)` finds up to `limit` at or beyond `from`, as a Result<Found<Thing>>; `from` may be
/// nothing, when the ids are at their end.
template <class Thing, class Take>
Result<IndexPage<Thing>> read_page(std::optional<PackedId> after, std::optional<PackedId> before, std::size_t limit,
                                   Take take) {
  limit = std::clamp<std::size_t>(limit, 1, kMostListed);
  const bool backwards = !after && before;
  const Direction way = backwards ? Direction::kNewer : Direction::kOlder;
  const Direction back = backwards ? Direction::kOlder : Direction::kNewer;
  const std::optional<PackedId> cursor = backwards ? before : after;
  Result<Found<Thing>> found = take(way, cursor ? beside(*cursor, way) : kLastId, limit + 1);
  if (!found) return found.status();
  IndexPage<Thing> page;
  page.things = std::move(found->things);
  PageSide& further = backwards ? page.newer : page.older;
  PageSide& behind = backwards ? page.older : page.newer;
  if (page.things.size() > limit) {
    page.things.pop_back();
    further = {true, pack(page.things.back().id)};
  } else if (found->stopped_at) {  // the one before it was the last that was looked at
    further = {true, beside(*found->stopped_at, back).value_or(kLastId)};
  }

  // Behind the page: whatever matches on the other side of its first thing, or of the cursor when it is empty.
  if (cursor) {
    const std::optional<PackedId> first = page.things.empty() ? std::nullopt : pack(page.things.front().id);
    Result<Found<Thing>> there = take(back, first ? beside(*first, back) : cursor, 1);
    if (!there) return there.status();
    if (!there->things.empty() || there->stopped_at) behind = {true, first};
  }
  if (backwards) std::ranges::reverse(page.things);
  return page;
}

}  // namespace perdure::store::rocks
