// The core thread as it is in the host: whatever thread runs the io_context, and the system's clocks.
#pragma once

#include <boost/asio/io_context.hpp>

#include "host/engine/core.h"

namespace perdure::engine {

class AsioCore final : public Core {
 public:
  /// `io` is run by one thread and outlives this.
  explicit AsioCore(boost::asio::io_context& io) : io_(io) {}

  [[nodiscard]] store::Time now() const override;
  void run(std::function<void()> work) override;
  void post(std::function<void()> work) override;
  std::unique_ptr<Timer> timer(std::function<void()> fire) override;

 private:
  boost::asio::io_context& io_;
};

}  // namespace perdure::engine
