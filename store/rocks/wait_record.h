// How a wait is written within the values that hold one; see records.h for how all values are. Pure functions; any
// thread.
#pragma once

#include <optional>

#include "store/model/waitpoint.h"
#include "store/rocks/codec.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

/// The id of the run or the token that is waited for.
std::optional<PackedId> pack_member(const Waitpoint& member);

void put_wait(Encoder& out, const Wait& wait);
/// Fails `in` when there is none.
Wait take_wait(Decoder& in);

}  // namespace perdure::store::rocks
