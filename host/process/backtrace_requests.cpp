#include "host/process/backtrace_requests.h"

#include <errno.h>
#include <signal.h>

#include <array>
#include <utility>

#include "host/os/channels.h"
#include "host/os/process.h"
#include "host/process/environment.h"
#include "host/process/json_slices.h"
#include "host/process/utf8_text.h"
#include "store/model/json_text.h"

namespace perdure::process {
namespace {

constexpr std::size_t kAtOnce = 2;  // each is busy with a processor
constexpr std::size_t kMostWaiting = 4;
constexpr std::size_t kMaxAnswer = std::size_t{1} << 20;

BacktraceRequests::Taken taken_in(const std::string& answer) {
  BacktraceRequests::Taken taken;
  if (!store::check_json(answer, {kMaxAnswer, 16})) return taken;
  for_each_member(answer, [&taken](std::string_view key, std::string_view value) {
    if (key == "text") taken.text = string_of(value).value_or("");
    if (key == "core") taken.core = value;
  });
  return taken;
}

}  // namespace

// One `perdure backtrace` and what it has said so far.
class BacktraceRequests::Reader final : public Watcher, public Timed {
 public:
  Reader(BacktraceRequests& owner, Answered done) : owner_(owner), done_(std::move(done)) {}
  ~Reader() override {
    close(output_);
    close(pidfd_);
    if (process_ > 0) {
      (void)kill(process_, SIGKILL);
      os::reap(process_);
    }
  }

  bool begin(const std::vector<std::string>& arguments, const SupervisorOptions& options) {
    os::Pipe pipe;
    if (!os::open_pipe(pipe) || !os::set_nonblocking(pipe.read.get())) return false;
    os::Command command;
    command.path = options.backtrace_executable;
    command.arguments = arguments;
    command.environment = environment_of_zygotes(options);
    command.descriptors = {{pipe.write.get(), 1}};
    process_ = os::spawn(command);
    if (process_ < 0) return false;
    pidfd_ = os::open_pidfd(process_);
    output_ = std::move(pipe.read);
    return pidfd_ && owner_.events_.add(pidfd_.get(), *this, kProcess) &&
           owner_.events_.add(output_.get(), *this, kOutput);
  }

  void on_event(std::uint32_t which, std::uint32_t) override {
    read_output();
    if (which != kProcess || process_ <= 0 || !os::try_reap(process_)) return;
    process_ = 0;
    finish(std::move(answer_));
  }
  void on_deadline(Instant) override { finish({}); }

 private:
  enum : std::uint32_t { kOutput, kProcess };

  void read_output() {
    std::array<char, 16384> chunk{};
    while (output_) {
      const ssize_t got = ::read(output_.get(), chunk.data(), chunk.size());
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (got <= 0 || answer_.size() > kMaxAnswer) return close(output_);
      answer_.append(chunk.data(), static_cast<std::size_t>(got));
    }
  }

  void close(os::UniqueFd& fd) {
    if (fd) owner_.events_.remove(fd.get());
    fd.reset();
  }

  void finish(std::string answer) {
    close(output_);
    close(pidfd_);
    const Answered done = std::move(done_);
    owner_.finished(*this);
    done(std::move(answer));
  }

  BacktraceRequests& owner_;
  Answered done_;
  pid_t process_ = 0;
  os::UniqueFd output_, pidfd_;
  std::string answer_;
};

BacktraceRequests::BacktraceRequests(const SupervisorOptions& options, DescriptorEvents& events, Deadlines& deadlines)
    : options_(options), events_(events), deadlines_(deadlines) {}

BacktraceRequests::~BacktraceRequests() = default;

void BacktraceRequests::request(pid_t pid, pid_t tid, const std::optional<CoreWanted>& core, Done done) {
  std::vector<std::string> arguments{"backtrace", "--pid", std::to_string(pid), "--tid", std::to_string(tid)};
  if (core) {
    arguments.insert(arguments.end(), {"--core", core->path, "--core-size", std::to_string(core->size), "--cores-size",
                                       std::to_string(core->all), "--signal", std::to_string(core->signal)});
  }
  ask(std::move(arguments), [done = std::move(done)](const std::string& answer) { done(taken_in(answer)); });
}

void BacktraceRequests::request_stacks(pid_t pid, pid_t parent, std::function<void(std::string)> done) {
  if (waiting_.size() >= kMostWaiting) return done({});  // a crashed child cannot wait long, people can ask again
  ask({"backtrace", "--pid", std::to_string(pid), "--parent", std::to_string(parent)},
      [done = std::move(done)](const std::string& answer) {
        std::string text = to_utf8(answer);  // names of threads and functions are the task's to choose
        if (!store::check_json(text, {kMaxAnswer, 16})) text.clear();
        done(std::move(text));
      });
}

void BacktraceRequests::ask(std::vector<std::string> arguments, Answered done) {
  if (options_.backtrace_executable.empty()) return done({});
  waiting_.push_back({std::move(arguments), std::chrono::steady_clock::now(), std::move(done)});
  next();
}

void BacktraceRequests::next() {
  while (readers_.size() < kAtOnce && !waiting_.empty()) {
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    // A child does not wait in its handler for ever.
    const auto patience = options_.backtrace_timeout / 2;
    const bool late = std::chrono::steady_clock::now() - waiting.asked_at > patience;
    if (late || !begin(waiting)) waiting.done({});
  }
}

bool BacktraceRequests::begin(Waiting& waiting) {
  auto reader = std::make_unique<Reader>(*this, waiting.done);
  if (!reader->begin(waiting.arguments, options_)) return false;
  deadlines_.set(*reader, waiting.asked_at + options_.backtrace_timeout);
  readers_.emplace(reader.get(), std::move(reader));
  return true;
}

void BacktraceRequests::finished(Reader& reader) {
  auto node = readers_.extract(&reader);
  deadlines_.clear(reader);
  events_.retire(std::move(node.mapped()));
  next();
}

}  // namespace perdure::process
