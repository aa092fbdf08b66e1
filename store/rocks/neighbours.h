// Which keys of a family are written near each other, so that RocksDB looks for the place of a new entry in its
// memtable where the last one of the same neighbourhood went, instead of from the top. Runs of the same 32 ms are
// neighbours, within an index those of the same status or task: they are created, claimed and ended about when their
// neighbours are. Used by database.cpp.
//
// RocksDB keeps deleted ranges in a memtable of their own, but looks for the place of one that begins like an entry
// beside the last entry, and goes astray. So none begins like one (Batch::erase_range), and there are no neighbourhoods
// while a log is read, which an older version may have written.
#pragma once

#include <rocksdb/slice_transform.h>

#include <atomic>
#include <memory>
#include <string_view>

#include "store/rocks/keys.h"

namespace perdure::store::rocks {

/// Null for a family that has none: its keys are written too seldom, or are of too many neighbourhoods, each of which
/// costs its memtable some 300 bytes. None is used before `log_read`. Changes no order and nothing that is stored.
std::shared_ptr<const rocksdb::SliceTransform> neighbourhoods(Family family,
                                                              std::shared_ptr<const std::atomic<bool>> log_read);

/// Whether an entry with this key has a neighbourhood.
bool has_neighbourhood(Family family, std::string_view key);

}  // namespace perdure::store::rocks
