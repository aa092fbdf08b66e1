// What the conformance suite needs of an engine: a way to make stores of it and, where the engine can, to close and
// open them again, to lose the power under them and to let their writes fail. One thread.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "store/store.h"

namespace perdure::store::conformance {

class EngineFactory {
 public:
  virtual ~EngineFactory() = default;

  /// An empty store. Called once, before anything else.
  virtual std::unique_ptr<Store> create() = 0;

  /// Whether reopen() does something.
  [[nodiscard]] virtual bool can_reopen() const { return false; }
  /// Closes the store in good order and opens it again.
  virtual std::unique_ptr<Store> reopen(std::unique_ptr<Store> store) { return store; }

  /// Whether lose_power() does something.
  [[nodiscard]] virtual bool can_lose_power() const { return false; }
  /// Ends the store, forgets what was not durable, and opens what is left.
  virtual std::unique_ptr<Store> lose_power(std::unique_ptr<Store> store) { return store; }

  /// Whether fail_writes() does something.
  [[nodiscard]] virtual bool can_fail_writes() const { return false; }
  /// Lets every write fail until heal().
  virtual void fail_writes() {}
  virtual void heal() {}
};

/// One engine to be tested: INSTANTIATE_TEST_SUITE_P(Rocks, StoreConformance, testing::Values(Engine{"rocks", make}),
/// engine_name).
struct Engine {
  std::string name;  // letters and digits
  std::function<std::unique_ptr<EngineFactory>()> make;

  friend std::ostream& operator<<(std::ostream& out, const Engine& engine) { return out << engine.name; }
};

}  // namespace perdure::store::conformance
