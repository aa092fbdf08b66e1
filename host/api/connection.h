// One client's connection: reads ahead, hands requests to their routes as they arrive, and writes the answers in the
// order of the requests. Each request has a slot in that order; a slot is an Exchange.
// Thread: its worker's, everything.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "host/api/exchange.h"
#include "host/api/http.h"
#include "host/api/request_parser.h"
#include "host/api/router.h"
#include "host/api/slot.h"
#include "host/api/worker.h"

namespace perdure::api {

class Connection final : public std::enable_shared_from_this<Connection>, public SlotOwner {
 public:
  Connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<Worker> worker);

  /// Does what can be done now: takes requests, writes answers, reads on.
  void pump();

  /// When it will have been too slow; SteadyTime::max() while the host is the one that is waited for.
  [[nodiscard]] SteadyTime deadline() const;
  /// Since when it has neither a request nor an answer under way; SteadyTime::max() when it has.
  [[nodiscard]] SteadyTime idle_since() const;
  /// It was too slow: tells it so where that makes sense, and closes.
  void time_out();
  /// Answers what has arrived, and what has begun to once it has; hurries what is open, and closes after that.
  void begin_stop();
  void close();

 private:
  void slot_changed(std::size_t more) override;
  std::string_view date() override { return worker_->date(); }
  GzipWriter& gzip() override { return worker_->gzip(); }
  [[nodiscard]] bool closes_after(const Slot& slot) const override;
  [[nodiscard]] bool half_closed() const override { return end_of_input_; }

  bool take_requests();
  void admit();
  void refuse(Response response);
  void add_slot(Request request, std::optional<Route> route, Response refusal);
  void say_continue();
  [[nodiscard]] bool may_take() const;
  void gather();
  bool write();
  void read();
  void await_input();
  void on_input();
  bool receive();
  void linger();

  boost::asio::ip::tcp::socket socket_;
  const std::shared_ptr<Worker> worker_;
  const std::uint64_t network_;  // of the client, as Request has it
  RequestParser parser_;

  std::string
      in_;  // received and, from in_begin_ on, not yet taken; a connection that waits has none, and no room for it
  std::size_t in_begin_ = 0;
  std::optional<Route> route_;  // of the request whose body is being read
  Response refusal_;            // … or why it has none
  SteadyTime request_deadline_{};
  bool used_ = false;  // a request has come

  std::deque<std::shared_ptr<Slot>> slots_;
  std::size_t bytes_under_way_ = 0;  // of the slots' request bodies
  std::size_t bytes_ready_ = 0;      // of the slots' answers
  std::size_t window_;               // slots at once: fewer where answers are large

  std::string out_;
  std::size_t out_begin_ = 0;
  SteadyTime progress_{};        // when the client last took something, or had nothing to take
  SteadyTime write_deadline_{};  // of out_: when a client that takes no less than it must has taken all of it

  bool pumping_ = false;
  bool reading_ = false;
  bool writing_ = false;  // waiting until the socket takes more
  bool end_of_input_ = false;
  bool last_taken_ = false;  // no more requests; close after the open answers
  bool finishing_ = false;   // the request that has begun to arrive is the last one
  bool lingering_ = false;
  bool closed_ = false;
};

}  // namespace perdure::api
