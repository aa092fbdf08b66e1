// Where libFuzzer enters the target that PERDURE_FUZZ_TARGET names.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  perdure::fuzz::PERDURE_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
