// Which keys of a family are written near each other, so that RocksDB looks for the place of a new entry in its
// memtable where the last one of the same neighbourhood went, instead of from the top. Runs of the same 32 ms are
// neighbours, within an index those of the same status or task: they are created, claimed and ended about when their
// neighbours are. Used by database.cpp.
//
// Only for families of which no range is deleted that begins like a key: RocksDB would look for the range's place, in a
// memtable of its own, beside the last entry. That is why the runs themselves have none (see retention.cpp).
#pragma once

#include <rocksdb/slice_transform.h>

#include <memory>

#include "store/rocks/keys.h"

namespace perdure::store::rocks {

/// Null for a family that has none: also because its keys are written too seldom, or are of too many neighbourhoods,
/// each of which costs its memtable some 300 bytes. Changes no order and nothing that is stored.
std::shared_ptr<const rocksdb::SliceTransform> neighbourhoods(Family family);

}  // namespace perdure::store::rocks
