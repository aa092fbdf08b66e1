// See expired_keys.h.
#include "store/rocks/expired_keys.h"

#include <string>
#include <utility>

#include "store/rocks/records.h"

namespace perdure::store::rocks {
namespace {

class ExpiredKeys final : public rocksdb::CompactionFilter {
 public:
  explicit ExpiredKeys(Time now) : now_(now) {}
  const char* Name() const override { return "perdure.expired_keys"; }
  bool Filter(int /*level*/, const rocksdb::Slice& /*key*/, const rocksdb::Slice& value, std::string* /*new_value*/,
              bool* /*value_changed*/) const override {
    const Result<KeyRecord> record = decode_key({value.data(), value.size()});
    return record && record->expires_at < now_;
  }

 private:
  Time now_;
};

class Factory final : public rocksdb::CompactionFilterFactory {
 public:
  explicit Factory(std::shared_ptr<const LatestTime> now) : now_(std::move(now)) {}
  const char* Name() const override { return "perdure.expired_keys"; }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& /*context*/) override {
    return std::make_unique<ExpiredKeys>(Time{Duration{now_->load(std::memory_order_relaxed)}});
  }

 private:
  std::shared_ptr<const LatestTime> now_;
};

}  // namespace

std::shared_ptr<rocksdb::CompactionFilterFactory> make_expired_keys_filter(std::shared_ptr<const LatestTime> now) {
  return std::make_shared<Factory>(std::move(now));
}

}  // namespace perdure::store::rocks
