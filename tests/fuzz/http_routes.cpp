// Target: whole requests, answered by the routes with a reference store behind them. Input: requests, each a line
// "METHOD TARGET" and a body that ends with a line "---". In a request $E is the id of a run that executes, $D that of
// one that is done, $I the "id" in the answer before, $U the path of the address in it.
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "host/api/api.h"
#include "host/api/json_members.h"
#include "host/api/router.h"
#include "host/api/target.h"
#include "tests/api/fake_engine.h"
#include "tests/fuzz/answer.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

constexpr std::string_view kKey = "tr_dev_fuzzed";
constexpr std::size_t kMostRequests = 6;
constexpr std::size_t kMostAnswer = std::size_t{8} << 20;

// The thread of the requests. Deadlines pass when nothing else is left to do.
class Thread final : public api::Executor {
 public:
  void post(std::coroutine_handle<> handle) override {
    {
      const std::lock_guard lock(mutex_);
      if (!ended_) {
        posted_.push_back(handle);
        changed_.notify_one();
        return;
      }
    }
    handle.destroy();
  }
  void notify_at(api::SteadyTime when, std::weak_ptr<api::Signal> signal) override {
    deadlines_.emplace(when, std::move(signal));
  }

  // Resumes what is posted until `done` says so.
  template <class Done>
  void run_until(const Done& done) {
    while (!done()) {
      std::unique_lock lock(mutex_);
      constexpr std::chrono::milliseconds kQuiet{20};  // a store in memory has answered by then, or in the next round
      const bool posted = changed_.wait_for(lock, kQuiet, [this] { return !posted_.empty(); });
      std::deque<std::coroutine_handle<>> handles;
      handles.swap(posted_);
      lock.unlock();
      for (const std::coroutine_handle<> handle : handles) handle.resume();
      if (posted || deadlines_.empty()) continue;
      const std::shared_ptr<api::Signal> due = deadlines_.begin()->second.lock();
      deadlines_.erase(deadlines_.begin());
      if (due) due->notify();
    }
  }
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    for (const std::coroutine_handle<> handle : posted_) handle.destroy();
    posted_.clear();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::coroutine_handle<>> posted_;  // by mutex_
  bool ended_ = false;                          // by mutex_
  std::multimap<api::SteadyTime, std::weak_ptr<api::Signal>> deadlines_;
};

// A request whose client is in a hurry: what would be held is answered at once.
class Asked final : public api::Exchange {
 public:
  using Exchange::Exchange;
  void reply(api::Response response) override {
    if (answered_) return;
    answered_ = complete_ = true;
    answer_ = std::move(response);
  }
  [[nodiscard]] bool answered() const override { return answered_; }
  void begin_stream(api::Response head) override {
    answered_ = true;
    answer_ = std::move(head);
    answer_.content_type += " as a stream";  // whose pieces are not one JSON text
  }
  void stream(std::string_view piece) override { answer_.body += piece; }
  void end_stream() override { complete_ = true; }
  [[nodiscard]] bool congested() override { return false; }
  [[nodiscard]] bool hurried() const override { return true; }

  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] const api::Response& answer() const { return answer_; }

 private:
  api::Response answer_;
  bool answered_ = false;
  bool complete_ = false;
};

class Host {
 public:
  ~Host() { thread_->end(); }

  void ask(std::string_view line, std::string_view body) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos) return;
    api::Request request;
    request.method = method(line.substr(0, space));
    request.target = filled_in(line.substr(space + 1));
    request.body = filled_in(body);
    request.id = "req";
    request.headers = {{"host", "127.0.0.1:3030"}, {"authorization", "Bearer " + std::string(kKey)}};
    if (!request.target.starts_with('/') || !api::take_apart(request.target, request.path, request.query)) return;

    auto admitted = router_.admit(request);
    if (const auto* refusal = std::get_if<api::Response>(&admitted)) return claim_answer(*refusal);
    const auto asked = std::make_shared<Asked>(std::move(request), thread_);
    router_.answer(std::get<api::Route>(admitted), asked);
    thread_->run_until([&] { return asked->complete(); });
    claim_answer(asked->answer());
    claim(asked->answer().body.size() <= kMostAnswer, "an answer to a small request is bounded");
    note(asked->answer());
  }

 private:
  static api::Method method(std::string_view name) {
    for (const api::Method each : {api::Method::kGet, api::Method::kHead, api::Method::kPost, api::Method::kPut,
                                   api::Method::kDelete, api::Method::kOptions}) {
      if (api::method_name(each) == name) return each;
    }
    return api::Method::kOther;
  }

  std::string filled_in(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char what = text[i] == '$' && i + 1 < text.size() ? text[i + 1] : '\0';
      if (what == 'E') out += executing();
      if (what == 'D') out += done();
      if (what == 'I') out += id_;
      if (what == 'U') out += address_;
      if (what == 'E' || what == 'D' || what == 'I' || what == 'U') {
        ++i;
      } else {
        out += text[i];
      }
    }
    return out;
  }

  std::string executing() {
    if (executing_.empty()) {
      const store::RunId run = engine_.make_run();
      (void)begun();
      engine_.log(run, "hello");
      engine_.append(run, "words", R"("hello")");
      executing_ = run.text();
    }
    return executing_;
  }
  std::string done() {
    if (done_.empty()) {
      done_ = engine_.make_run().text();
      if (const auto claimed = begun()) engine_.succeed(*claimed, R"({"sum":3})");
    }
    return done_;
  }
  // Nothing when a request before has paused the queue.
  std::optional<store::Claim> begun() {
    try {
      return engine_.claim();
    } catch (const std::out_of_range&) {
      return std::nullopt;
    }
  }

  // What later requests may name.
  void note(const api::Response& answer) {
    if (!store::check_json(answer.body, {kMostAnswer, 512})) return;
    const auto members = api::json_members(answer.body);
    if (!members) return;
    const auto text = [&](std::string_view name) {
      const auto value = api::find_member(*members, name);
      return value ? api::json_string(*value).value_or("") : std::string();
    };
    if (const std::string id = text("id"); !id.empty()) id_ = id;
    for (const char* const name : {"url", "presignedUrl"}) {
      const std::string url = text(name);
      const auto path = url.find('/', std::string("http://").size());
      if (path != std::string::npos) address_ = url.substr(path);
    }
  }

  const std::shared_ptr<Thread> thread_ = std::make_shared<Thread>();
  api::FakeEngine engine_;
  api::ApiOptions options_;
  api::auth::KeyRing keys_{std::string(kKey)};
  api::RunSets sets_{engine_};
  api::Packets packets_;
  api::Api api_{engine_, options_, keys_, sets_, packets_, api::wall_clock()};
  const api::Router router_{api_};
  std::string executing_, done_, id_ = "none", address_ = "/none";
};

}  // namespace

void http_routes(std::string_view bytes) {
  Host host;
  Input input(bytes);
  for (std::size_t i = 0; i < kMostRequests && !input.rest().empty(); ++i) {
    const std::string_view line = input.line();
    const std::string_view body = input.rest().substr(0, input.rest().find("\n---\n"));
    host.ask(line, body);
    for (std::size_t taken = 0; taken <= body.size() && !input.rest().empty();) taken += input.line().size() + 1;
    if (input.rest().starts_with("---\n")) (void)input.line();
  }
}

}  // namespace perdure::fuzz
