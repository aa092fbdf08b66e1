// A request's place in the order of its connection's answers, and the bytes of its answer.
// Thread: the worker's. Outlives its connection when a route is not done with it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "host/api/exchange.h"
#include "host/api/gzip.h"

namespace perdure::api {

class Slot;

/// A slot's view of its connection.
class SlotOwner {
 public:
  virtual ~SlotOwner() = default;
  /// The slot's bytes are so many more, or it is complete.
  virtual void slot_changed(std::size_t more) = 0;
  virtual std::string_view date() = 0;
  /// What compresses answers; of the thread.
  virtual GzipWriter& gzip() = 0;
  /// The connection closes after this one.
  [[nodiscard]] virtual bool closes_after(const Slot& slot) const = 0;
  /// The client has closed its half. It may still want answers, but nobody half-closes to read a stream.
  [[nodiscard]] virtual bool half_closed() const = 0;
};

class Slot final : public Exchange {
 public:
  struct Manner {
    bool http_10 = false;
    bool close = false;  // as the client asked, or because it cannot be understood further
  };
  Slot(Request request, std::shared_ptr<Executor> executor, SlotOwner& owner, Manner manner);

  void reply(Response response) override;
  [[nodiscard]] bool answered() const override { return answered_; }
  void begin_stream(Response head) override;
  void stream(std::string_view piece) override;
  void end_stream() override;
  [[nodiscard]] bool congested() override;
  [[nodiscard]] bool hurried() const override { return hurried_ || owner_ == nullptr; }

  // For the connection.
  /// Bytes on the wire as they are, complete: an interim answer.
  void preset(std::string_view bytes);
  [[nodiscard]] std::string& bytes() { return bytes_; }
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] bool closes() const { return manner_.close; }
  [[nodiscard]] bool streaming() const { return answered_ && !complete_; }
  [[nodiscard]] std::size_t body_size() const { return body_size_; }
  void hurry();
  /// All of bytes() so far has been written.
  void taken() {
    if (std::exchange(behind_, false)) wake();
  }
  void disown();

 private:
  void compress(Response& response);
  void put_head(const Response& head);

  SlotOwner* owner_;
  Manner manner_;
  const std::size_t body_size_;
  std::string bytes_;
  bool answered_ = false;
  bool complete_ = false;
  bool hurried_ = false;
  bool behind_ = false;  // congested() was told so
};

}  // namespace perdure::api
