// See neighbours.h.
#include "store/rocks/neighbours.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace perdure::store::rocks {
namespace {

constexpr std::size_t kSharedBytes = 6;  // of a packed run id: its time but for the last 5 bits of milliseconds

// Of keys that have a run id behind some bytes, and after it others.
class Neighbourhoods final : public rocksdb::SliceTransform {
 public:
  /// `before` nothing: a text with its length.
  Neighbourhoods(std::optional<std::size_t> before, std::size_t after) : before_(before), after_(after) {}
  const char* Name() const override { return "perdure.Neighbourhoods"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), key.size() - after_ - (kPackedIdSize - kSharedBytes)};
  }
  bool InDomain(const rocksdb::Slice& key) const override { return key.size() == before(key) + kPackedIdSize + after_; }

 private:
  [[nodiscard]] std::size_t before(const rocksdb::Slice& key) const {
    constexpr std::size_t kLength = 2;
    if (before_) return *before_;
    if (key.size() < kLength) return 0;
    return kLength +
           (static_cast<std::size_t>(static_cast<unsigned char>(key[0])) << 8 | static_cast<unsigned char>(key[1]));
  }

  const std::optional<std::size_t> before_;
  const std::size_t after_;
};

}  // namespace

std::shared_ptr<const rocksdb::SliceTransform> neighbourhoods(Family family) {
  switch (family) {
    case Family::kPayloads:
      return std::make_shared<Neighbourhoods>(0, 1);
    case Family::kByStatus:
      return std::make_shared<Neighbourhoods>(1, 0);
    case Family::kByTask:
      return std::make_shared<Neighbourhoods>(std::nullopt, 0);
    default:
      return nullptr;
  }
}

}  // namespace perdure::store::rocks
