// The reference engine, as one of the engines that the suite runs against.
#include "store/memory/memory_store.h"
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

class MemoryFactory final : public EngineFactory {
 public:
  std::unique_ptr<Store> create() override {
    MemoryOptions options;
    options.fault = [this](std::string_view) { return failing_ ? Status::io("told to fail") : Status::ok(); };
    auto store = std::make_unique<MemoryStore>(std::move(options));
    store_ = store.get();
    return store;
  }

  // What a host finds when it comes back to the store is all in the object: it is handed on, and serves again.
  [[nodiscard]] bool can_reopen() const override { return true; }
  std::unique_ptr<Store> reopen(std::unique_ptr<Store> store) override {
    store_->serve_again();
    return store;
  }

  [[nodiscard]] bool can_fail_writes() const override { return true; }
  void fail_writes() override { failing_ = true; }
  void heal() override {
    failing_ = false;
    store_->serve_again();
  }

 private:
  MemoryStore* store_ = nullptr;
  bool failing_ = false;
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance,
                         testing::Values(Engine{"memory", [] { return std::make_unique<MemoryFactory>(); }}),
                         engine_name);

}  // namespace
}  // namespace perdure::store::conformance
