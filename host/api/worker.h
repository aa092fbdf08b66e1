// One thread of the server with its io_context and the connections that live on it. What other threads post is drained
// in one go, and what the drained coroutines answered is then written in one go per connection. Threads: everything on
// its own thread but post(), begin_stop(), adopt() and join().
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <coroutine>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <vector>

#include "host/api/executor.h"
#include "host/api/gzip.h"
#include "host/api/router.h"
#include "host/api/server.h"

namespace perdure::api {

class Connection;

class Worker final : public Executor, public std::enable_shared_from_this<Worker> {
 public:
  Worker(const Router& router, const Limits& limits, std::atomic<std::size_t>& connections);
  ~Worker() override;

  void start();
  /// [any thread] Asks for the end: no new requests, open answers may finish within limits.stop_time.
  void begin_stop();
  /// [any thread but its own] Waits for the end.
  void join();

  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  /// [any thread] Takes over an accepted socket of context(), which counts as a connection. One beyond the limit gets
  /// the place of an idle one, or is turned away.
  void adopt(boost::asio::ip::tcp::socket socket, bool beyond_limit);

  void post(std::coroutine_handle<> handle) override;
  void notify_at(SteadyTime when, std::weak_ptr<Signal> signal) override;

  // For its connections.
  static constexpr std::size_t kReadSize = 32u << 10;
  /// Where a connection reads to before it looks at what it got.
  [[nodiscard]] std::span<char> read_place() { return read_place_; }
  [[nodiscard]] const Router& router() const { return router_; }
  [[nodiscard]] const Limits& limits() const { return limits_; }
  /// Pumps the connection when what happens now is over.
  void pump_later(std::shared_ptr<Connection> connection) { dirty_.push_back(std::move(connection)); }
  void remove(const std::shared_ptr<Connection>& connection);
  /// The Date header's value.
  [[nodiscard]] std::string_view date();
  [[nodiscard]] GzipWriter& gzip() { return gzip_; }
  [[nodiscard]] std::string new_request_id();

 private:
  bool make_room();
  void drain();
  void pump_dirty();
  void arm_timer();
  void sweep();
  void arm_sweep();
  void stop_now();

  const Router& router_;
  const Limits limits_;
  std::atomic<std::size_t>& connection_count_;

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_.get_executor()};
  std::thread thread_;

  std::mutex inbox_lock_;
  std::vector<std::coroutine_handle<>> inbox_;  // by inbox_lock_
  bool drain_posted_ = false;                   // by inbox_lock_
  bool ended_ = false;                          // by inbox_lock_

  std::array<char, kReadSize> read_place_;
  std::vector<std::coroutine_handle<>> draining_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> dirty_;
  std::multimap<SteadyTime, std::weak_ptr<Signal>> timers_;
  boost::asio::steady_timer timer_{context_};
  boost::asio::steady_timer sweep_timer_{context_};
  boost::asio::steady_timer stop_timer_{context_};
  SteadyTime no_room_until_{};  // when to look for idle connections again
  bool sweeping_ = false;
  bool stopping_ = false;
  GzipWriter gzip_;
  std::string date_;
  std::int64_t date_second_ = -1;
  std::uint64_t request_number_;
};

}  // namespace perdure::api
