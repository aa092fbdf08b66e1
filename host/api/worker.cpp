#include "host/api/worker.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <random>
#include <utility>

#include "host/api/connection.h"
#include "host/api/errors.h"
#include "host/api/signal.h"

namespace perdure::api {
namespace {

constexpr std::chrono::milliseconds kNoRoom{100};  // so that who is turned away costs no search each

// What has arrived is taken in first: closing a socket with unread bytes may take the answer from the client.
void turn_away(boost::asio::ip::tcp::socket& socket) {
  const std::string body = error_response(503, "too many connections; try again in some time").body;
  const std::string answer =
      "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-type: "
      "application/json\r\ncontent-length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  boost::system::error_code error;
  socket.non_blocking(true, error);
  socket.write_some(boost::asio::buffer(answer), error);
  socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send, error);
  std::array<char, 4096> forgotten;  // NOLINT: only written to
  for (int i = 0; i < 16 && !error; ++i) socket.read_some(boost::asio::buffer(forgotten), error);
}

}  // namespace

Worker::Worker(const Router& router, const Limits& limits, std::atomic<std::size_t>& connections)
    : router_(router), limits_(limits), connection_count_(connections) {
  std::random_device random;
  request_number_ = (static_cast<std::uint64_t>(random()) << 32) | random();
}

Worker::~Worker() = default;

void Worker::start() {
  thread_ = std::thread([this] {
    context_.run();
    std::vector<std::coroutine_handle<>> left;
    {
      std::lock_guard lock(inbox_lock_);
      ended_ = true;
      left.swap(inbox_);
    }
    for (const std::coroutine_handle<> handle : left) handle.destroy();
  });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::post(std::coroutine_handle<> handle) {
  {
    std::unique_lock lock(inbox_lock_);
    if (ended_) {
      lock.unlock();
      handle.destroy();
      return;
    }
    inbox_.push_back(handle);
    if (std::exchange(drain_posted_, true)) return;
  }
  boost::asio::post(context_, [this] { drain(); });
}

void Worker::drain() {
  {
    std::lock_guard lock(inbox_lock_);
    draining_.swap(inbox_);
    drain_posted_ = false;
  }
  for (const std::coroutine_handle<> handle : draining_) handle.resume();
  draining_.clear();
  pump_dirty();
}

void Worker::pump_dirty() {
  std::vector<std::shared_ptr<Connection>> dirty;
  while (!dirty_.empty()) {
    dirty.clear();
    dirty.swap(dirty_);
    for (const std::shared_ptr<Connection>& connection : dirty) connection->pump();
  }
  dirty_ = std::move(dirty);  // its memory is used again
  dirty_.clear();
}

void Worker::notify_at(SteadyTime when, std::weak_ptr<Signal> signal) {
  if (when == SteadyTime::max() || !guard_.owns_work()) return;
  const auto at = timers_.emplace(when, std::move(signal));
  if (at == timers_.begin()) arm_timer();
}

void Worker::arm_timer() {
  if (timers_.empty()) return;
  timer_.expires_at(timers_.begin()->first);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    const SteadyTime now = std::chrono::steady_clock::now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
      if (const std::shared_ptr<Signal> signal = timers_.begin()->second.lock()) signal->notify();
      timers_.erase(timers_.begin());
    }
    arm_timer();
  });
}

// Closes a connection that has been idle for long enough, of any client's.
bool Worker::make_room() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now < no_room_until_) return false;
  for (const std::shared_ptr<Connection>& connection : connections_) {
    const SteadyTime idle_since = connection->idle_since();
    if (idle_since == SteadyTime::max() || idle_since + limits_.idle_kept > now) continue;
    const std::shared_ptr<Connection> idle = connection;
    idle->close();
    return true;
  }
  no_room_until_ = now + kNoRoom;
  return false;
}

void Worker::adopt(boost::asio::ip::tcp::socket socket, bool beyond_limit) {
  boost::asio::post(context_, [this, beyond_limit, socket = std::move(socket)]() mutable {
    if (beyond_limit && !make_room()) {
      --connection_count_;
      return turn_away(socket);
    }
    if (stopping_) {
      --connection_count_;
      return;
    }
    auto connection = std::make_shared<Connection>(std::move(socket), shared_from_this());
    connections_.insert(connection);
    connection->pump();
    if (!std::exchange(sweeping_, true)) arm_sweep();
  });
}

void Worker::remove(const std::shared_ptr<Connection>& connection) {
  if (connections_.erase(connection) == 0) return;
  --connection_count_;
  if (stopping_ && connections_.empty()) stop_now();
}

// Time limits are looked at now and then rather than kept exactly: a timer per read and write costs more than it gives.
void Worker::arm_sweep() {
  const auto shortest = std::min({limits_.head_time, limits_.body_time, limits_.idle_time, limits_.write_time}) / 4;
  sweep_timer_.expires_after(std::clamp(shortest, std::chrono::milliseconds(10), std::chrono::milliseconds(1000)));
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) sweep();
  });
}

void Worker::sweep() {
  const SteadyTime now = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<Connection>> late;
  for (const std::shared_ptr<Connection>& connection : connections_) {
    if (connection->deadline() <= now) late.push_back(connection);
  }
  for (const std::shared_ptr<Connection>& connection : late) connection->time_out();
  pump_dirty();
  if (connections_.empty()) {
    sweeping_ = false;
  } else {
    arm_sweep();
  }
}

void Worker::begin_stop() {
  boost::asio::post(context_, [this] {
    if (std::exchange(stopping_, true)) return;
    if (connections_.empty()) return stop_now();
    stop_timer_.expires_after(limits_.stop_time);
    stop_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) stop_now();
    });
    const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
    for (const std::shared_ptr<Connection>& connection : all) connection->begin_stop();
  });
}

void Worker::stop_now() {
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
  for (const std::shared_ptr<Connection>& connection : all) connection->close();
  timer_.cancel();
  sweep_timer_.cancel();
  stop_timer_.cancel();
  timers_.clear();
  guard_.reset();  // the loop ends when the handlers of what was cancelled have let go of their connections
}

std::string_view Worker::date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 64> text{};
    date_.assign(text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
  }
  return date_;
}

// Distinct within the process by counting, between processes by chance: the count goes through a 64-bit mixing
// permutation (splitmix64) from a random start.
std::string Worker::new_request_id() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::uint64_t z = request_number_ += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  std::string id = "req_";
  for (int shift = 60; shift >= 0; shift -= 4) id += kHex[(z >> shift) & 15];
  return id;
}

}  // namespace perdure::api
