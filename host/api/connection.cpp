#include "host/api/connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <chrono>
#include <span>
#include <utility>
#include <variant>

#include "host/api/errors.h"

namespace perdure::api {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::size_t kMostInput = Worker::kReadSize;  // bytes received and not yet taken: more than the largest head
constexpr std::size_t kMostUnwritten = 1u << 20;       // bytes of answers; no more requests are taken beyond it
constexpr std::size_t kLargeAnswer = 64u << 10;        // bytes, of which a client gets only one at a time
constexpr std::size_t kFirstWindow = 16;               // requests at once before any answer has told how large they are
constexpr std::size_t kMostUnderWay = 16u << 20;       // bytes of request bodies, likewise
constexpr std::size_t kMostForgotten = 64u << 10;  // bytes of a refused request that are read for the connection's sake
constexpr std::size_t kKeptCapacity = 64u << 10;
constexpr std::size_t kKeptInput = 1u << 10;
constexpr std::chrono::seconds kLinger{2};

// The client's own id for the request, if it can be repeated in a header.
bool is_plain_id(const std::string& id) {
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

std::uint64_t network_of(const asio::ip::tcp::socket& socket) {
  error_code error;
  const asio::ip::address address = socket.remote_endpoint(error).address();
  if (error) return 0;
  if (address.is_v4()) return address.to_v4().to_uint();
  const auto bytes = address.to_v6().to_bytes();
  std::uint64_t network = 0;
  for (std::size_t i = 0; i < sizeof(network); ++i) network = network << 8 | bytes[i];
  return network;
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, std::shared_ptr<Worker> worker)
    : socket_(std::move(socket)),
      worker_(std::move(worker)),
      network_(network_of(socket_)),
      parser_(worker_->limits().head,
              [&limits = worker_->limits()](const std::vector<std::string>& path) {
                return Router::takes_items(path) ? limits.batch_body : limits.body;
              }),
      window_(std::min(kFirstWindow, worker_->limits().pipelined)),
      progress_(steady_clock::now()) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

void Connection::pump() {
  if (closed_ || pumping_) return;
  const std::shared_ptr<Connection> self = shared_from_this();
  pumping_ = true;
  // What is written makes room for more requests, which may be answered at once.
  do {
    gather();
  } while (write() && take_requests());
  pumping_ = false;
  if (closed_) return;
  const bool all_written = slots_.empty() && out_.empty();
  if (all_written && (last_taken_ || end_of_input_)) {
    error_code ignored;
    const bool more_may_come =
        !end_of_input_ && (parser_.begun() || in_begin_ < in_.size() || socket_.available(ignored) > 0);
    if (more_may_come) {
      linger();
    } else {
      close();
    }
    return;
  }
  read();
}

bool Connection::closes_after(const Slot& slot) const { return last_taken_ && slots_.back().get() == &slot; }

void Connection::slot_changed(std::size_t more) {
  bytes_ready_ += more;
  if (!pumping_) worker_->pump_later(shared_from_this());
}

bool Connection::may_take() const {
  return !last_taken_ && slots_.size() < window_ && bytes_under_way_ < kMostUnderWay &&
         out_.size() - out_begin_ + bytes_ready_ < kMostUnwritten;
}

// True when a request was taken, so that there may be something to write.
bool Connection::take_requests() {
  bool taken = false;
  while (may_take() && in_begin_ < in_.size()) {
    std::string_view bytes = std::string_view(in_).substr(in_begin_);
    const bool begins = !parser_.begun();
    if (begins) request_deadline_ = steady_clock::now() + worker_->limits().head_time;
    const RequestParser::Progress progress = parser_.feed(bytes);
    in_begin_ = in_.size() - bytes.size();
    switch (progress) {
      case RequestParser::Progress::kMore:
        if (in_.size() - in_begin_ < kMostInput) return taken;
        refuse(error_response(431, "the request's chunk header or trailer is too large"));
        return true;
      case RequestParser::Progress::kFailed:
        refuse(parser_.failure());
        return true;
      case RequestParser::Progress::kHead:
        admit();
        taken = taken || !slots_.empty();
        if (last_taken_ || parser_.has_body()) break;
        [[fallthrough]];
      case RequestParser::Progress::kDone: {
        if (progress == RequestParser::Progress::kHead && parser_.feed(bytes) != RequestParser::Progress::kDone) break;
        const bool close = !parser_.keep_alive() || finishing_;
        last_taken_ = last_taken_ || close;
        add_slot(std::move(parser_.request()), route_, std::move(refusal_));
        taken = true;
        break;
      }
    }
  }
  return taken;
}

// The head is there: what can be refused is refused before the body is read.
void Connection::admit() {
  used_ = true;
  Request& request = parser_.request();
  const std::string* const id = request.header("x-request-id");
  request.id = id != nullptr && is_plain_id(*id) ? *id : worker_->new_request_id();
  request.network = network_;
  std::variant<Route, Response> admitted = worker_->router().admit(request);
  const std::size_t length = parser_.content_length();
  if (parser_.has_body()) {
    request_deadline_ = steady_clock::now() + worker_->limits().body_time +
                        std::chrono::seconds((length > 0 ? length : parser_.body_limit()) >> 16);
  }
  if (Route* const route = std::get_if<Route>(&admitted)) {
    route_ = *route;
    if (parser_.has_body() && parser_.expects_continue() && in_begin_ == in_.size()) say_continue();
    return;
  }
  route_.reset();
  refusal_ = std::move(std::get<Response>(admitted));
  if (!parser_.has_body()) return;
  const bool worth_reading = length > 0 && length <= kMostForgotten && !parser_.expects_continue();
  if (worth_reading) {
    parser_.discard_body();
  } else {
    refusal_.close = true;
    last_taken_ = true;
    add_slot(std::move(request), std::nullopt, std::move(refusal_));
  }
}

// What came is no request, and where the next would begin is unknown.
void Connection::refuse(Response response) {
  last_taken_ = true;
  response.close = true;
  Request request;
  request.id = worker_->new_request_id();
  request.from_a_page = parser_.head() != nullptr && worker_->router().is_from_a_page(*parser_.head());
  add_slot(std::move(request), std::nullopt, std::move(response));
}

void Connection::add_slot(Request request, std::optional<Route> route, Response refusal) {
  const bool understood = route.has_value() || !refusal.close;
  const Slot::Manner manner{.http_10 = understood && parser_.is_http_10(), .close = last_taken_};
  auto slot = std::make_shared<Slot>(std::move(request), worker_, *this, manner);
  slots_.push_back(slot);
  bytes_under_way_ += slot->body_size();
  if (route) {
    worker_->router().answer(*route, std::move(slot));
  } else {
    slot->reply(std::move(refusal));
  }
}

void Connection::say_continue() {
  auto slot = std::make_shared<Slot>(Request{}, worker_, *this, Slot::Manner{});
  slot->preset("HTTP/1.1 100 Continue\r\n\r\n");
  bytes_ready_ += slot->bytes().size();
  slots_.push_back(std::move(slot));
}

// Moves what is ready, in order, to out_.
void Connection::gather() {
  while (!slots_.empty() && out_.size() - out_begin_ < kMostUnwritten) {
    Slot& front = *slots_.front();
    std::string& bytes = front.bytes();
    const Limits& limits = worker_->limits();
    const std::size_t size = bytes.size();
    const auto time = std::chrono::milliseconds(size * 1000 / limits.slowest_write);
    bytes_ready_ -= size;
    if (size >= kLargeAnswer) {
      window_ = 1;
    } else if (front.complete()) {
      window_ = std::min(2 * window_, limits.pipelined);
    }
    if (out_.empty()) {
      out_.swap(bytes);
      if (!out_.empty()) {
        progress_ = steady_clock::now();
        write_deadline_ = progress_ + limits.write_time + time;
      }
    } else {
      out_ += bytes;
      write_deadline_ += time;
    }
    bytes.clear();
    if (!front.complete()) return;
    bytes_under_way_ -= front.body_size();
    const bool closes = front.closes();
    front.disown();
    slots_.pop_front();
    if (closes) {
      last_taken_ = true;
      for (const std::shared_ptr<Slot>& slot : slots_) slot->disown();
      slots_.clear();
      bytes_under_way_ = bytes_ready_ = 0;
    }
  }
}

// Writes what there is as far as the socket takes it. False when it takes no more for now.
bool Connection::write() {
  if (writing_) return false;
  while (out_begin_ < out_.size()) {
    error_code error;
    const std::size_t written =
        socket_.write_some(asio::buffer(out_.data() + out_begin_, out_.size() - out_begin_), error);
    if (error == asio::error::would_block) {
      writing_ = true;
      socket_.async_wait(asio::ip::tcp::socket::wait_write, [self = shared_from_this()](const error_code& failed) {
        self->writing_ = false;
        if (failed) return self->close();
        self->pump();
      });
      return false;
    }
    if (error) {
      close();
      return false;
    }
    out_begin_ += written;
    progress_ = steady_clock::now();
    if (out_begin_ == out_.size()) {
      out_begin_ = 0;
      out_.clear();
      gather();
    }
  }
  if (out_.capacity() > kKeptCapacity) out_.shrink_to_fit();
  if (!slots_.empty()) slots_.front()->taken();
  return true;
}

void Connection::read() {
  if (reading_ || end_of_input_ || !may_take()) return;
  in_.erase(0, std::exchange(in_begin_, 0));
  if (in_.size() == kMostInput) return;
  if (in_.empty() && in_.capacity() > kKeptInput) in_.shrink_to_fit();
  await_input();
}

// Waits until there is something to read, and only then for a place to read it to: thousands of connections may wait.
void Connection::await_input() {
  reading_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](const error_code& error) {
    self->reading_ = false;
    if (self->closed_) return;
    if (error) return self->close();
    self->on_input();
  });
}

void Connection::on_input() {
  if (lingering_) {
    const std::span<char> place = worker_->read_place();
    error_code error;
    socket_.read_some(asio::buffer(place.data(), place.size()), error);
    if (error && error != asio::error::would_block) return close();
    return await_input();
  }
  if (!receive()) return;
  if (in_begin_ == in_.size() && !end_of_input_) return await_input();
  pump();
}

// Takes in what has arrived, if anything. False when that ended the connection.
bool Connection::receive() {
  const std::span<char> place = worker_->read_place();
  error_code error;
  const std::size_t size = socket_.read_some(asio::buffer(place.data(), kMostInput - in_.size()), error);
  if (error == asio::error::would_block) return true;
  if (error == asio::error::eof) {
    end_of_input_ = true;
    for (const std::shared_ptr<Slot>& slot : slots_) {
      if (slot->streaming() || slot->held()) slot->hurry();
    }
  } else if (error) {
    close();
    return false;
  }
  in_.append(place.data(), size);
  return true;
}

SteadyTime Connection::deadline() const {
  const Limits& limits = worker_->limits();
  if (lingering_) return progress_ + kLinger;
  if (!out_.empty()) return std::min(progress_ + limits.write_time, write_deadline_);
  if (parser_.begun() && may_take()) return request_deadline_;
  if (!slots_.empty()) return SteadyTime::max();
  return progress_ + (used_ ? limits.idle_time : std::min(limits.idle_time, limits.head_time));
}

SteadyTime Connection::idle_since() const {
  const bool idle = slots_.empty() && out_.empty() && in_begin_ == in_.size() && !parser_.begun() && !lingering_;
  error_code ignored;
  return idle && socket_.available(ignored) == 0 ? progress_ : SteadyTime::max();
}

void Connection::time_out() {
  // It may be the host that was slow: what has arrived meanwhile counts.
  if (!lingering_ && !end_of_input_ && out_.empty() && may_take()) {
    in_.erase(0, std::exchange(in_begin_, 0));
    if (!receive()) return;
    pump();
    if (closed_ || lingering_ || deadline() > steady_clock::now()) return;
  }
  if (!out_.empty()) {  // nor is the kernel to keep what the client does not take
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  }
  if (lingering_ || !out_.empty() || !parser_.begun()) return close();
  refuse(error_response(408, "the request did not arrive in time"));
}

void Connection::begin_stop() {
  for (const std::shared_ptr<Slot>& slot : slots_) slot->hurry();
  if (!lingering_ && !end_of_input_ && !last_taken_) {
    in_.erase(0, std::exchange(in_begin_, 0));
    if (!receive()) return;
    pump();
    if (closed_) return;
  }
  // A client that goes on and on ends with the request whose first bytes are here.
  finishing_ = parser_.begun() && !end_of_input_;
  last_taken_ = last_taken_ || !finishing_;
  pump();
}

// The last answer is written. A client that is still sending would lose it if the socket were closed under it.
void Connection::linger() {
  if (!std::exchange(lingering_, true)) {
    progress_ = steady_clock::now();
    error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
  if (!reading_) await_input();
}

void Connection::close() {
  if (std::exchange(closed_, true)) return;
  const std::shared_ptr<Connection> self = shared_from_this();
  for (const std::shared_ptr<Slot>& slot : slots_) slot->disown();
  slots_.clear();
  error_code ignored;
  socket_.close(ignored);
  worker_->remove(self);
}

}  // namespace perdure::api
