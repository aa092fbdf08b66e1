// Names for the tasks of the behaviours plugin and the path of fixture plugins.
#pragma once

#include <cstdint>
#include <string>

#include "tests/zygote/plugins/behaviours.h"

namespace perdure::zygote::test {

namespace task {
enum : std::uint32_t {
#define PERDURE_BEHAVIOUR(name) name,
  PERDURE_BEHAVIOURS(PERDURE_BEHAVIOUR)
#undef PERDURE_BEHAVIOUR
};
}  // namespace task

inline std::string fixture(const std::string& name) { return PERDURE_ZYGOTE_PLUGINS + name + ".so"; }

}  // namespace perdure::zygote::test
