// See neighbours.h.
#include "store/rocks/neighbours.h"

#include <cstddef>
#include <optional>
#include <utility>

namespace perdure::store::rocks {
namespace {

constexpr std::size_t kSharedBytes = 6;  // of a packed run id: its time but for the last 5 bits of milliseconds
constexpr std::size_t kLengthBytes = 2;  // of a text before it

// What is around the run id in a key.
struct Shape {
  bool text = false;  // with its length
  std::size_t before = 0, after = 0;
};

std::optional<Shape> shape_of(Family family) {
  switch (family) {
    case Family::kRuns:
      return Shape{};
    case Family::kPayloads:
      return Shape{.after = 1};
    case Family::kByStatus:
      return Shape{.before = 1};
    case Family::kByTask:
      return Shape{.text = true};
    default:
      return std::nullopt;
  }
}

bool fits(const Shape& shape, std::string_view key) {
  std::size_t before = shape.before;
  if (shape.text) {
    if (key.size() < kLengthBytes) return false;
    const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(key[at])); };
    before = kLengthBytes + (byte(0) << 8 | byte(1));
  }
  return key.size() == before + kPackedIdSize + shape.after;
}

class Neighbourhoods final : public rocksdb::SliceTransform {
 public:
  Neighbourhoods(const Shape& shape, std::shared_ptr<const std::atomic<bool>> log_read)
      : shape_(shape), log_read_(std::move(log_read)) {}
  const char* Name() const override { return "perdure.Neighbourhoods"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), key.size() - shape_.after - (kPackedIdSize - kSharedBytes)};
  }
  bool InDomain(const rocksdb::Slice& key) const override {
    return log_read_->load(std::memory_order_relaxed) && fits(shape_, {key.data(), key.size()});
  }

 private:
  const Shape shape_;
  const std::shared_ptr<const std::atomic<bool>> log_read_;
};

}  // namespace

std::shared_ptr<const rocksdb::SliceTransform> neighbourhoods(Family family,
                                                              std::shared_ptr<const std::atomic<bool>> log_read) {
  const std::optional<Shape> shape = shape_of(family);
  if (!shape) return nullptr;
  return std::make_shared<Neighbourhoods>(*shape, std::move(log_read));
}

bool has_neighbourhood(Family family, std::string_view key) {
  const std::optional<Shape> shape = shape_of(family);
  return shape && fits(*shape, key);
}

}  // namespace perdure::store::rocks
