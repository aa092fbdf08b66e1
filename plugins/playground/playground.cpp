// The tasks people try things with: one that greets, one that gives back what it gets, some that wait, fail and crash
// on request, and some that show what a run tells while it executes.
#include <perdure/task.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

// ---- hello-world: {"name"} -> {"message"}

struct Greeting {
  std::string name;
};
struct Message {
  std::string message;
};
BOOST_DESCRIBE_STRUCT(Greeting, (), (name))
BOOST_DESCRIBE_STRUCT(Message, (), (message))

constexpr perdure::Task<Greeting, Message> hello_world{
    .id = "hello-world",
    .description = "Greets whoever is named",
    .run =
        [](Greeting in, perdure::Attempt& run) {
          run.log.info("greeting", {{"name", in.name}});
          return Message{"Hello, " + in.name + "!"};
        },
};

// ---- echo: anything -> the same

perdure::RawJson give_back(perdure::RawJson payload, perdure::Attempt&) { return payload; }

constexpr perdure::Task<perdure::RawJson, perdure::RawJson> echo{
    .id = "echo",
    .description = "Gives back its payload",
    .run = give_back,
};

constexpr perdure::Task<perdure::RawJson, perdure::RawJson> echo_recycled{
    .id = "echo-recycled",
    .description = "Gives back its payload, from a process that serves a thousand attempts",
    .recycle_after = 1000,
    .run = give_back,
};

// ---- sleep: {"ms"} -> {"slept"}

struct Nap {
  std::uint32_t ms = 0;
};
struct Slept {
  std::uint32_t slept = 0;
};
BOOST_DESCRIBE_STRUCT(Nap, (), (ms))
BOOST_DESCRIBE_STRUCT(Slept, (), (slept))

constexpr perdure::Task<Nap, Slept> sleep_a_while{
    .id = "sleep",
    .description = "Sleeps in its process, and wakes when it is cancelled",
    .run =
        [](Nap in, perdure::Attempt& run) {
          run.sleep_for(std::chrono::milliseconds(in.ms));
          return Slept{in.ms};
        },
};

// ---- fail: always an error

constexpr perdure::Retry kQuick{.min_timeout = 100ms, .max_timeout = 2s};

constexpr perdure::Task<> fail{
    .id = "fail",
    .description = "Fails every attempt",
    .retry = kQuick,
    .run = [](perdure::None, perdure::Attempt&) -> perdure::None { throw perdure::Error("FixtureError", "boom"); },
};

// ---- flaky: {"failures":n} -> {"attempt":k}, the first n attempts fail

struct Failures {
  int failures = 0;
};
struct Survived {
  int attempt = 0;
};
BOOST_DESCRIBE_STRUCT(Failures, (), (failures))
BOOST_DESCRIBE_STRUCT(Survived, (), (attempt))

constexpr perdure::Task<Failures, Survived> flaky{
    .id = "flaky",
    .description = "Fails its first attempts, then succeeds",
    .retry = kQuick,
    .run =
        [](Failures in, perdure::Attempt& run) {
          if (run.number() <= in.failures) {
            throw perdure::Error("FlakyError", "attempt " + std::to_string(run.number()) + " fails, as asked");
          }
          return Survived{run.number()};
        },
};

// ---- crash: {"signal"?, "attempts"?} -> {"attempt"}, every attempt dies, or the first ones

struct Crash {
  std::optional<std::string> signal;
  std::optional<int> attempts;
};
BOOST_DESCRIBE_STRUCT(Crash, (), (signal, attempts))

int signal_named(std::string_view name) {
  constexpr std::pair<std::string_view, int> kSignals[] = {
      {"SIGSEGV", SIGSEGV}, {"SIGABRT", SIGABRT}, {"SIGBUS", SIGBUS},   {"SIGFPE", SIGFPE},
      {"SIGILL", SIGILL},   {"SIGTRAP", SIGTRAP}, {"SIGSYS", SIGSYS},   {"SIGKILL", SIGKILL},
      {"SIGTERM", SIGTERM}, {"SIGPIPE", SIGPIPE}, {"SIGQUIT", SIGQUIT}, {"SIGUSR1", SIGUSR1},
  };
  for (const auto& [known, number] : kSignals) {
    if (known == name) return number;
  }
  throw perdure::Abort("no signal is called \"" + std::string(name) + "\"; try SIGSEGV, SIGABRT or SIGFPE");
}

// A function of its own, so that it has a frame with this name in the backtrace.
__attribute__((noinline, no_sanitize("undefined", "address"))) void crash_task_dereferences_null() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

constexpr perdure::Task<Crash, Survived> crash{
    .id = "crash",
    .description = "Crashes its process: by a null dereference, or by the signal named",
    .retry = kQuick,
    .run =
        [](Crash in, perdure::Attempt& run) {
          if (in.attempts && run.number() > *in.attempts) return Survived{run.number()};
          if (in.signal) {
            std::raise(signal_named(*in.signal));
          } else {
            crash_task_dereferences_null();
          }
          return Survived{run.number()};
        },
};

// ---- count: {"to", "ms"?} -> {"counted"}, and tells how far it is: in its metadata, and line by line in a stream

struct Count {
  std::uint32_t to = 0;
  std::optional<std::uint32_t> ms;
};
struct Counted {
  std::uint32_t counted = 0;
};
BOOST_DESCRIBE_STRUCT(Count, (), (to, ms))
BOOST_DESCRIBE_STRUCT(Counted, (), (counted))

constexpr perdure::Task<Count, Counted> count{
    .id = "count",
    .description = "Counts, and tells how far it is in its metadata and in the stream \"lines\"",
    .run =
        [](Count in, perdure::Attempt& run) {
          run.metadata.set("total", in.to);
          run.metadata.set("counted", 0);
          const perdure::Stream lines = run.stream("lines");
          for (std::uint32_t i = 1; i <= in.to; ++i) {
            run.metadata.increment("counted");
            lines.append(std::to_string(i) + " of " + std::to_string(in.to) + "\n");
            run.sleep_for(std::chrono::milliseconds(in.ms.value_or(0)));
          }
          return Counted{in.to};
        },
};

// ---- family: {"children"} -> {"ids"}, triggers so many children; each enters itself into the family's metadata

struct Member {
  std::uint32_t number = 0;
};
struct Family {
  std::uint32_t children = 0;
};
struct Members {
  std::vector<std::string> ids;
};
BOOST_DESCRIBE_STRUCT(Member, (), (number))
BOOST_DESCRIBE_STRUCT(Family, (), (children))
BOOST_DESCRIBE_STRUCT(Members, (), (ids))

constexpr perdure::Task<Member> family_member{
    .id = "family-member",
    .description = "Enters its number into the metadata of the run at the root of its family",
    .retry = kQuick,
    .run =
        [](Member in, perdure::Attempt& run) {
          run.metadata.root().append("members", in.number);
          run.metadata.root().increment("present");
          return perdure::None{};
        },
};

constexpr perdure::Task<Family, Members> family{
    .id = "family",
    .description = "Triggers children that enter themselves into its metadata",
    .retry = kQuick,
    .run =
        [](Family in, perdure::Attempt& run) {
          Members members;
          for (std::uint32_t i = 0; i < in.children; ++i) {
            members.ids.push_back(run.trigger(family_member, {.number = i}, {.tags = {"family"}}).id);
          }
          return members;
        },
};

// ---- wait, wait-without-process: {"ms"} -> {"waited"}

struct Waited {
  std::uint32_t waited = 0;
};
BOOST_DESCRIBE_STRUCT(Waited, (), (waited))

Waited wait_as_asked(Nap in, perdure::Attempt& run) {
  run.wait_for(std::chrono::milliseconds(in.ms));
  return Waited{in.ms};
}

constexpr perdure::Task<Nap, Waited> wait{
    .id = "wait",
    .description = "Waits without a slot; its process stays",
    .run = wait_as_asked,
};

constexpr perdure::Task<Nap, Waited> wait_without_process{
    .id = "wait-without-process",
    .description = "Waits without a slot, and without a process too",
    .evict_waits_after = 0ms,
    .run = wait_as_asked,
};

// ---- fan-out: {"children", "on_success"?, "fails"?} -> {"ids"}, triggers so many children in one batch

struct FanOut {
  std::uint32_t children = 0;
  bool on_success = false;
  bool fails = false;
  std::optional<std::uint32_t> ms{};  // that it sleeps before its end
};
BOOST_DESCRIBE_STRUCT(FanOut, (), (children, on_success, fails, ms))

constexpr perdure::Task<FanOut, Members> fan_out{
    .id = "fan-out",
    .description = "Triggers children in one batch, at once or with its own success, and may fail after that",
    .retry = kQuick,
    .run =
        [](FanOut in, perdure::Attempt& run) {
          std::vector<Member> numbers;
          for (std::uint32_t i = 0; i < in.children; ++i) numbers.push_back({.number = i});
          const perdure::BatchHandle batch = run.batch_trigger(
              family_member, numbers, {.when = in.on_success ? perdure::When::kOnSuccess : perdure::When::kNow});
          if (in.ms) {
            run.metadata.set("triggered", batch.id);
            run.sleep_for(std::chrono::milliseconds(*in.ms));
          }
          if (in.fails) throw std::runtime_error("asked to fail, after " + batch.id);
          Members members;
          for (const perdure::RunHandle& each : batch.runs) members.ids.push_back(each.id);
          return members;
        },
};

// ---- gather: n -> the outputs of n echoes of 0, 1, … in order

struct Gather {
  std::uint32_t children = 0;
  std::uint32_t failing = 0;   // more children, which fail
  std::uint32_t sleeping = 0;  // … and that sleep for an hour
  int failures = 0;            // attempts that fail when they have gathered
};
struct Gathered {
  std::vector<std::uint32_t> outputs;
  std::vector<std::string> errors;
};
BOOST_DESCRIBE_STRUCT(Gather, (), (children, failing, sleeping, failures))
BOOST_DESCRIBE_STRUCT(Gathered, (), (outputs, errors))

constexpr perdure::Task<Gather, Gathered> gather{
    .id = "gather",
    .description = "Triggers echoes in one batch, waits for all of them and gives back what came of each",
    .retry = kQuick,
    .run =
        [](Gather in, perdure::Attempt& run) {
          std::vector<perdure::BatchItem> items;
          for (std::uint32_t i = 0; i < in.children; ++i) items.push_back(perdure::item("echo", i));
          for (std::uint32_t i = 0; i < in.failing; ++i) {
            items.push_back(perdure::item("fail", perdure::None{}, {.max_attempts = 1}));
          }
          for (std::uint32_t i = 0; i < in.sleeping; ++i) {
            items.push_back(perdure::item("sleep", perdure::json::value{{"ms", 3'600'000}}));
          }
          Gathered gathered;
          for (const auto& each : run.batch_trigger_and_wait(items)) {
            if (each.ok()) {
              gathered.outputs.push_back(each.value().to_number<std::uint32_t>());
            } else {
              gathered.errors.push_back(each.error().name);
            }
          }
          if (run.number() <= in.failures) throw std::runtime_error("asked to fail, having gathered");
          return gathered;
        },
};

// ---- parent: anything -> {"child"}, the output of an echo of it

struct OfChild {
  perdure::RawJson child;
};
BOOST_DESCRIBE_STRUCT(OfChild, (), (child))

constexpr perdure::Task<perdure::RawJson, OfChild> parent{
    .id = "parent",
    .description = "Triggers an echo of its payload, waits for it and gives back what came",
    .retry = kQuick,
    .run = [](perdure::RawJson payload,
              perdure::Attempt& run) { return OfChild{run.trigger_and_wait(echo, payload).unwrap()}; },
};

// ---- wait-token: {"token"} -> what the token is completed with

struct Awaited {
  std::string token;
};
BOOST_DESCRIBE_STRUCT(Awaited, (), (token))

constexpr perdure::Task<Awaited, perdure::RawJson> wait_token{
    .id = "wait-token",
    .description = "Waits for a waitpoint token and gives what it is completed with; one that times out fails the run",
    .retry = {.max_attempts = 1},
    .run = [](Awaited in, perdure::Attempt& run) { return run.wait_for_token<perdure::RawJson>(in.token).unwrap(); },
};

}  // namespace

PERDURE_PLUGIN("playground", "1.0.0", hello_world, echo, echo_recycled, sleep_a_while, fail, flaky, crash, count,
               family, family_member, wait, wait_without_process, fan_out, gather, parent, wait_token)
