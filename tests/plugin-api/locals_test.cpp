// What the functions of one attempt share by Attempt::locals.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <perdure/testing.hpp>

namespace perdure::test {
namespace {

using perdure::testing::Result;

std::vector<std::string> destroyed;

struct Connection {
  explicit Connection(std::string to = "nowhere") : address(std::move(to)) {}
  ~Connection() { destroyed.push_back("connection to " + address); }
  std::string address;
};
struct Transaction {
  explicit Transaction(Attempt& run) : connection(run.locals<Connection>()) {}
  ~Transaction() { destroyed.push_back("transaction on " + connection.address); }
  Connection& connection;
};

constexpr Task<None, std::string> sharing{
    .id = "sharing",
    .run =
        [](None, Attempt& run) {
          run.log.info("run: " + run.locals<Connection>().address);
          (void)run.locals<Transaction>(run);
          return run.locals<Connection>().address;
        },
    .middleware =
        [](Attempt& run, const Next& next) {
          run.locals<Connection>("db");
          next();
        },
    .on_complete = [](const None&, const json::value&,
                      Attempt& run) { run.log.info("complete: " + run.locals<Connection>("another").address); },
};
constexpr Task<None, int> asking_from_threads{
    .id = "asking-from-threads",
    .run =
        [](None, Attempt& run) {
          std::vector<std::thread> threads;
          std::vector<Connection*> seen(8);
          for (Connection*& each : seen) threads.emplace_back([&run, &each] { each = &run.locals<Connection>("one"); });
          for (std::thread& thread : threads) thread.join();
          int same = 0;
          for (const Connection* each : seen) same += each == seen.front() ? 1 : 0;
          return same;
        },
};

TEST(Locals, AreSharedByMiddlewareRunAndHooks) {
  destroyed.clear();
  const Result outcome = perdure::testing::run<sharing>();
  EXPECT_EQ(outcome.output<std::string>(), "db");
  EXPECT_NE(outcome.find_log("run: db"), nullptr);
  EXPECT_NE(outcome.find_log("complete: db"), nullptr);
}

TEST(Locals, EndWithTheirAttemptTheLastOneFirst) {
  destroyed.clear();
  (void)perdure::testing::run<sharing>();
  EXPECT_EQ(destroyed, (std::vector<std::string>{"transaction on db", "connection to db"}));
  (void)perdure::testing::run<sharing>();
  EXPECT_EQ(destroyed.size(), 4u);
}

TEST(Locals, AreOneForAllThreads) {
  destroyed.clear();
  EXPECT_EQ(perdure::testing::run<asking_from_threads>().output<int>(), 8);
  EXPECT_EQ(destroyed.size(), 1u);
}

}  // namespace
}  // namespace perdure::test
