// See index_cursor.h.
#include "store/rocks/index_cursor.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace perdure::store::rocks {

UnionCursor::UnionCursor(const Database& db, Family family, const std::vector<std::string>& prefixes,
                         Direction direction)
    : direction_(direction) {
  for (const std::string& prefix : prefixes) sources_.push_back({db.scan(family, prefix), prefix.size()});
}

std::optional<PackedId> UnionCursor::seek(PackedId from) {
  std::optional<PackedId> best;
  const ShortKey rest = run_key(from);
  for (Source& source : sources_) {
    if (direction_ == Direction::kNewer) {
      source.scan.seek(rest);
    } else {
      source.scan.seek_back(rest);
    }
    if (!source.scan.valid()) continue;
    const std::optional<PackedId> id = run_in_key(source.scan.key(), source.prefix_size);
    if (!id) continue;
    const bool closer = !best || (direction_ == Direction::kNewer ? *id < *best : *id > *best);
    if (closer) best = id;
  }
  return best;
}

Status UnionCursor::status() const {
  for (const Source& source : sources_) {
    if (Status read = source.scan.status(); !read) return read;
  }
  return Status::ok();
}

std::optional<PackedId> IndexCursor::seek(PackedId& from, std::size_t& looks) {
  std::size_t agreed = 0;
  for (std::size_t i = 0; agreed < conditions_.size(); i = (i + 1) % conditions_.size()) {
    if (looks == 0) return std::nullopt;
    looks -= std::min(looks, conditions_[i].size());
    const std::optional<PackedId> id = conditions_[i].seek(from);
    if (!id) {
      looks = std::max<std::size_t>(looks, 1);  // they were enough
      return std::nullopt;
    }
    agreed = *id == from ? agreed + 1 : 1;
    from = *id;
  }
  return from;
}

Status IndexCursor::status() const {
  for (const UnionCursor& condition : conditions_) {
    if (Status read = condition.status(); !read) return read;
  }
  return Status::ok();
}

std::optional<PackedId> beside(PackedId id, Direction direction) {
  if (direction == Direction::kNewer) {
    if (++id.low == 0 && ++id.high == 0) return std::nullopt;
  } else {
    if (id.low-- == 0 && id.high-- == 0) return std::nullopt;
  }
  return id;
}

}  // namespace perdure::store::rocks
