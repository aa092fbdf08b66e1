// The embedded engine, as one of the engines that the conformance suite runs against.
#include <memory>

#include "tests/store-rocks/fault_file_system.h"
#include "tests/store-rocks/harness.h"
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

class RocksFactory final : public EngineFactory {
 public:
  RocksFactory() { options_.file_system = disk_; }

  std::unique_ptr<Store> create() override { return rocks::open_or_die(options_); }

  [[nodiscard]] bool can_reopen() const override { return true; }
  std::unique_ptr<Store> reopen(std::unique_ptr<Store> store) override {
    store.reset();
    return create();
  }

  [[nodiscard]] bool can_lose_power() const override { return true; }
  std::unique_ptr<Store> lose_power(std::unique_ptr<Store> store) override {
    disk_->cut_power();
    store.reset();
    disk_->lose_unsynced(1);
    return create();
  }

  [[nodiscard]] bool can_fail_writes() const override { return true; }
  void fail_writes() override { disk_->fail_from(1); }
  void heal() override { disk_->heal(); }

 private:
  rocks::TempDirectory directory_;
  std::shared_ptr<rocks::FaultFileSystem> disk_ = std::make_shared<rocks::FaultFileSystem>();
  RocksOptions options_ = rocks::options_for(directory_.path());
};

INSTANTIATE_TEST_SUITE_P(Rocks, StoreConformance,
                         testing::Values(Engine{"rocks", [] { return std::make_unique<RocksFactory>(); }}),
                         engine_name);

}  // namespace
}  // namespace perdure::store::conformance
