// See durable_mark.h.
#include "store/rocks/durable_mark.h"

#include <fcntl.h>
#include <unistd.h>

namespace perdure::store::rocks {
namespace {
constexpr std::uint64_t kSeal = 0x7065726475726531;
struct Stored {
  std::uint64_t value, doubtful, check;  // check: the xor of the others and kSeal
};
constexpr std::chrono::seconds kSyncEvery{1};
}  // namespace

DurableMark::DurableMark(const std::string& path)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  Stored stored{};
  if (descriptor_ < 0 || ::pread(descriptor_, &stored, sizeof stored, 0) != sizeof stored) return;
  if ((stored.value ^ stored.doubtful ^ kSeal) != stored.check) return;
  value_ = stored.value;
  doubtful_ = stored.doubtful != 0;
}

DurableMark::~DurableMark() {
  if (descriptor_ < 0) return;
  ::fdatasync(descriptor_);
  ::close(descriptor_);
}

void DurableMark::advance(std::uint64_t sequence) {
  if (value_ && sequence <= *value_) return;
  value_ = sequence;
  put();
}

void DurableMark::reset() {
  value_ = 0;
  doubtful_ = false;
  put();
}

void DurableMark::set_doubtful(bool doubtful) {
  if (doubtful_ == doubtful) return;
  doubtful_ = doubtful;
  put();
}

void DurableMark::put() {
  if (descriptor_ < 0) return;
  const std::uint64_t value = value_.value_or(0), doubtful = doubtful_ ? 1 : 0;
  const Stored stored{value, doubtful, value ^ doubtful ^ kSeal};
  if (::pwrite(descriptor_, &stored, sizeof stored, 0) != sizeof stored) return;  // it lags
  const auto now = std::chrono::steady_clock::now();
  if (now - synced_ < kSyncEvery) return;
  synced_ = now;
  ::fdatasync(descriptor_);
}

}  // namespace perdure::store::rocks
