// How a wait is written within the values that hold one; see records.h for how all values are. Pure functions; any
// thread.
#pragma once

#include "store/model/waitpoint.h"
#include "store/rocks/codec.h"

namespace perdure::store::rocks {

void put_wait(Encoder& out, const Wait& wait);
/// Fails `in` when there is none.
Wait take_wait(Decoder& in);

}  // namespace perdure::store::rocks
