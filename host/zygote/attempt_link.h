// The attempt's end of its link to the host, as one process uses it: the main thread takes frames in order, whoever
// asks the host something gets the answer to that, and a cancel is seen by whoever looks first. There is no reading
// thread until one is needed, because starting and ending a thread costs a short attempt a fifth of its time:
// is_cancelled() looks into the socket itself, of several threads that wait for frames one reads for all, and the
// zygote sends the heartbeats of a silent child. A thread starts when the task wants a descriptor to poll, or
// heartbeats more often than the zygote looks.
//
// A host that dies is not noticed here: what is said to it waits in the socket for the next one. That one knows nothing
// of what the first had read, so what has no answer is sent once more when it asks for that.
#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/protocol/frame.h"

namespace perdure::zygote {

class AttemptLink {
 public:
  explicit AttemptLink(int socket) : socket_(socket) {}
  AttemptLink(const AttemptLink&) = delete;
  AttemptLink& operator=(const AttemptLink&) = delete;

  /// Sends a frame, waiting while the host is slow. False when the host is gone. [any thread]
  bool send(const protocol::Outgoing& frame);

  /// The next frame that is neither a cancel nor an answer; blocks. False when the host is gone or talks nonsense.
  /// [main thread]
  bool receive(protocol::Incoming& frame);

  /// Asks the host, and waits for its answer. False when the host is gone, or this process was given another attempt
  /// meanwhile. [any thread]
  bool ask(protocol::RequestKind kind, std::string_view json, std::string_view raw, protocol::Incoming& reply);

  /// Something that was asked of the host. It is asked again of another one until the object goes; what is asked with
  /// stays where it is meanwhile.
  class Question {
   public:
    Question() = default;
    Question(const Question&) = delete;
    Question& operator=(const Question&) = delete;
    ~Question();

   private:
    friend class AttemptLink;
    protocol::Outgoing request_;
    AttemptLink* link_ = nullptr;
    Question* next_ = nullptr;
  };
  enum class Waited : std::uint8_t { kAnswered, kCancelled, kGone };
  /// Asks the host for something that takes long, and waits for its answer, or a cancel. [any thread]
  Waited ask_long(Question& question, protocol::RequestKind kind, std::string_view json, protocol::Incoming& reply);
  /// Waits for another answer to it. [any thread]
  Waited wait_on(const Question& question, protocol::Incoming& reply);

  /// Sends an attempt's outcome, of which the texts stay where they are until kConfirm has come. [main thread]
  bool send_outcome(const protocol::Outgoing& outcome);

  /// A kJudge that was answered: another host has to hear of it, too, before it hears of the outcome. [main thread]
  void remember_judgement(std::string json, std::string raw);

  /// A request that was answered, and of which another host has to hear again so that it holds. Until the outcome is
  /// confirmed. [any thread]
  void remember_promise(protocol::RequestKind kind, std::string json, std::string raw);

  /// Whether a cancel has come, as of at most a millisecond ago. 0: no; 1: canceled; 2: timed out. Does not block, and
  /// costs a system call at most once a millisecond. [any thread]
  std::uint32_t cancelled();

  /// Whether the host's end is closed, as far as is known. [any thread]
  bool host_gone() const { return gone_.load(std::memory_order_relaxed); }

  /// A descriptor that becomes readable when the attempt is cancelled and stays so; -1 with errno set when there can be
  /// none. Starts the reading thread. [any thread]
  int cancel_descriptor();

  /// Calls handler(argument), once and on a thread of its own, when the attempt is cancelled; not when it is out of
  /// time or the host stops. False when there can be no thread. Starts the reading thread. [main thread]
  bool when_cancelled(void (*handler)(void*), void* argument);
  /// Returns when the handler does not execute; it may still be called later. [main thread]
  void await_handler();
  /// The handler is not called any more, and does not execute. [main thread]
  void end_when_cancelled();
  /// {"reason":text} as the host said it with the cancel; empty when it said nothing. [any thread]
  std::string cancel_reason();

  /// Sends a heartbeat every `interval` from a thread of its own. [main thread]
  void beat_every(std::chrono::milliseconds interval);

  /// Makes its buffer, for children to inherit. [main thread]
  void prepare() { receiver_.reserve(); }
  /// Touches what a run will touch. [main thread]
  void warm();

 private:
  struct Promise {
    protocol::RequestKind kind;
    std::string json, raw;
  };
  bool put(Question& question, protocol::RequestKind kind, std::string_view json, std::string_view raw);
  void forget(Question& question);
  [[nodiscard]] bool is_awaited(std::uint64_t request) const;
  [[nodiscard]] bool is_answered(std::uint64_t request) const;
  void send_again(std::uint64_t host);

  bool await(std::unique_lock<std::mutex>& lock, protocol::Incoming& frame, std::uint64_t request,
             bool until_cancelled = false);
  bool take_kept(protocol::Incoming& frame, std::uint64_t request);
  void drain();
  bool take_note(const protocol::Incoming& frame);
  void keep(protocol::Incoming&& frame);
  void start_handler();
  bool start_reader();
  static void* reader_main(void* self);
  void read_and_beat();

  const int socket_;
  std::atomic<std::uint32_t> cancelled_{0};
  std::atomic<bool> gone_{false};
  std::atomic<int> cancel_fd_{-1};
  std::atomic<bool> reader_{false};
  std::atomic<std::int64_t> look_again_{0};  // on the steady clock
  std::atomic<std::int64_t> beat_ms_{0};     // 0: the zygote sees to it

  std::mutex mutex_;      // guards what follows
  bool reading_ = false;  // a thread blocks in the socket, with the mutex free: it alone uses the receiver
  protocol::Receiver receiver_;
  protocol::Incoming scratch_;
  std::deque<protocol::Incoming>* kept_ = nullptr;  // frames that were read for another; made when there is one
  std::uint64_t next_request_ = 1;
  std::uint64_t first_request_ = 1;  // of the attempt that executes; nobody answers those before it
  Question* questions_ = nullptr;    // without an answer, ascending
  std::optional<protocol::Outgoing> unconfirmed_;
  std::unique_ptr<std::pair<std::string, std::string>> judged_;  // json and raw
  std::unique_ptr<std::vector<Promise>> promised_;
  std::condition_variable arrived_;
  void (*handler_)(void*) = nullptr;  // of when_cancelled()
  void* handler_argument_ = nullptr;
  std::optional<pthread_t> handling_;  // its thread
  std::string reason_;
};

}  // namespace perdure::zygote
