// See durable_mark.h.
#include "store/rocks/durable_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace perdure::store::rocks {
namespace {
constexpr std::uint64_t kSeal = 0x7065726475726531;  // xor of the two numbers in the file
constexpr std::chrono::seconds kSyncEvery{1};
}  // namespace

DurableMark::DurableMark(const std::string& path)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  std::array<std::uint64_t, 2> stored{};
  if (descriptor_ >= 0 && ::pread(descriptor_, stored.data(), sizeof stored, 0) == sizeof stored &&
      (stored[0] ^ stored[1]) == kSeal) {
    value_ = stored[0];
  }
}

DurableMark::~DurableMark() {
  if (descriptor_ < 0) return;
  ::fdatasync(descriptor_);
  ::close(descriptor_);
}

void DurableMark::advance(std::uint64_t sequence) {
  if (!value_ || sequence > *value_) put(sequence);
}

void DurableMark::reset() { put(0); }

void DurableMark::put(std::uint64_t value) {
  value_ = value;
  if (descriptor_ < 0) return;
  const std::array<std::uint64_t, 2> stored{value, value ^ kSeal};
  if (::pwrite(descriptor_, stored.data(), sizeof stored, 0) != sizeof stored) return;  // it lags
  const auto now = std::chrono::steady_clock::now();
  if (now - synced_ < kSyncEvery) return;
  synced_ = now;
  ::fdatasync(descriptor_);
}

}  // namespace perdure::store::rocks
