#include "tests/bench/cases.h"

#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "tests/bench/clock.h"
#include "tests/bench/http_client.h"
#include "tests/bench/limits/commits.h"
#include "tests/bench/limits/engine.h"
#include "tests/bench/process.h"

namespace perdure::bench {
namespace {

// The shapes of the bare engine. The host's own default is 8 executing attempts on small machines.
constexpr Shape kFork4{.in_flight = 4};
constexpr Shape kFork8{.in_flight = 8};
constexpr Shape kReused{.in_flight = 4, .spares = 4, .runs_per_child = 1'000'000};
constexpr long kReusedFactor = 3;  // a reused child is so much faster that it needs more runs for a steady figure
constexpr int kLatencySamples = 1000;
constexpr int kManyConnections = 64;

// Requests/s answered with a constant, `depth` under way on each connection.
Samples constant_http(const Settings& settings) {
  const unsigned short port = free_port();
  const pid_t server = spawn({settings.own_executable, "--serve-constant", std::to_string(port)});
  while (!Connection(port).connected()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const std::string request = request_text("POST", "/", "tr_prod_constant", R"({"payload":)" + payload_200() + "}");
  const auto rate = [&](int connections, int depth) {
    const Load load{.connections = connections, .depth = depth, .seconds = settings.seconds};
    const LoadResult result = press(port, request, load);
    return static_cast<double>(result.answers) / result.seconds;
  };
  const Samples samples{{"http.1", rate(8, 1)}, {"http.16", rate(8, 16)}, {"http.64", rate(kManyConnections, 1)}};
  stop(server);
  return samples;
}

// One sync and one forked exchange, p50 each: what an idle host's latency is held against. And their p99, for what the
// machine itself adds to the slowest.
Samples idle_limit(const Settings& settings) {
  const std::vector<double> syncs = disk_syncs(settings.dir, settings.seconds / 4);
  const std::vector<double> exchanges = exchange_latencies(settings.zygote, kLatencySamples);
  const double sync = median(syncs), exchange = median(exchanges);
  return {{"sync", sync},
          {"exchange.latency", exchange},
          {"idle.limit", sync + exchange},
          {"idle.limit.p99", percentile(syncs, 0.99) + percentile(exchanges, 0.99)}};
}

}  // namespace

std::vector<Case> cases(const Settings& s) {
  const auto end_to_end = [s](const std::string& key, const std::string& task, long runs) {
    return [s, key, task, runs] {
      Product product(s.product, s.dir);
      return Samples{{key, product.end_to_end(task, runs)}};
    };
  };
  const auto engine = [s](const std::string& key, const Shape& shape, long runs) {
    return [s, key, shape, runs] { return Samples{{key, bare_engine(s.zygote, shape, s.dir, runs)}}; };
  };
  return {
      {"fork", {[s] {
         const std::string rate = output_of({s.zygote.executable, "fork", std::to_string(s.seconds)});
         return Samples{{"fork", std::atof(rate.c_str())}};
       }}},
      {"zygote", {[s] {
         return Samples{{"exchange", bare_exchange(s.zygote, kFork8, s.runs / 2)}};
       }}},
      {"rocks",
       {[s] {
          return Samples{{"commit.1", synced_commits(s.dir, s.seconds, 1, 1)}};
        },
        [s] {
          return Samples{{"commit.64", synced_commits(s.dir, s.seconds, 1, 64)}};
        }}},
      {"engine", {engine("engine.fork4", kFork4, s.runs)}},
      {"http",
       {[s] { return constant_http(s); },
        [s] {
          Product product(s.product, s.dir);
          return Samples{{"retrieve", product.trigger_and_retrieve("echo", s.seconds, kManyConnections)}};
        }}},
      {"e2e", {end_to_end("e2e", "echo", s.runs), engine("engine.fork8", kFork8, s.runs)}},
      {"recycle",
       {end_to_end("recycle", "echo-recycled", s.runs * kReusedFactor),
        engine("engine.reused", kReused, s.runs * kReusedFactor)}},
      {"latency",
       {[s] {
          Product product(s.product, s.dir);
          sync();  // what was written before is not what the disk shall be busy with
          const std::vector<double> each = product.latency("echo", kLatencySamples);
          return Samples{{"idle.p50", percentile(each, 0.5)}, {"idle.p99", percentile(each, 0.99)}};
        },
        [s] {
          sync();
          return idle_limit(s);
        }}},
      {"enqueue",
       {[s] {
          Product product(s.product, s.dir);
          const double alone = product.enqueue("echo", s.seconds, 1);
          return Samples{{"enqueue.1", alone}, {"enqueue.16", product.enqueue("echo", s.seconds, 16)}};
        },
        [s] {
          return Samples{{"commit.8", synced_commits(s.dir, s.seconds, 8, 1)}};
        }}},
      {"batch",
       {[s] {
          Product product(s.product, s.dir);
          return Samples{{"batch", product.batch_trigger("echo", s.seconds, 1000)}};
        },
        [s] {
          return Samples{{"commit.1000", synced_commits(s.dir, s.seconds, 2, 1000)}};
        }}},
  };
}

std::vector<Row> rows() {
  constexpr auto kMs = Unit::kMilliseconds;
  return {
      {"fork", "limit: fork + exit + wait, 5 MB process"},
      {"exchange", "limit: bare zygote exchange, 8 in flight"},
      {"commit.1", "limit: RocksDB synced commits, 1 thread"},
      {"commit.8", "limit: RocksDB synced commits, 8 threads"},
      {"commit.64", "limit: RocksDB synced commits, 64 runs a batch"},
      {"commit.1000", "limit: RocksDB synced commits, 2 threads, 1,000 runs a batch"},
      {"engine.fork4", "limit: bare engine, fork per run, 4 in flight"},
      {"engine.fork8", "limit: bare engine, fork per run, 8 in flight"},
      {"engine.reused", "limit: bare engine, reused children"},
      {"http.1", "limit: HTTP server answering a constant, 8 connections"},
      {"http.16", "limit: the same, 16 requests deep"},
      {"http.64", "limit: the same, 64 connections"},
      {"sync", "limit: append 2 KB + fdatasync, p50", kMs},
      {"exchange.latency", "limit: one forked exchange, idle, p50", kMs},
      {"idle.limit.p99", "limit: these two, p99 each", kMs},
      {"e2e", "end to end, fresh process per attempt", Unit::kPerSecond, "engine.fork8", 0.80},
      {"recycle", "end to end, recycle_after = 1000", Unit::kPerSecond, "engine.reused", 0.70},
      {"recycle", "the same, against the fresh-process figure", Unit::kPerSecond, "e2e", 5.0},
      {"idle.p50", "idle: trigger to output read back, p50 (one sync + one fork)", kMs, "idle.limit", 2.0},
      {"idle.p99", "idle: trigger to output read back, p99", kMs, "idle.limit", 5.0},
      {"enqueue.1", "enqueue only, 8 connections", Unit::kPerSecond, "commit.8", 0.60},
      {"enqueue.16", "enqueue only, 8 connections, 16 deep (of constant HTTP)", Unit::kPerSecond, "http.16", 0},
      {"retrieve", "HTTP trigger + retrieve, 64 connections (of constant HTTP)", Unit::kPerSecond, "http.64", 0},
      {"batch", "batch trigger of 1,000, over HTTP (at least 40,000/s)", Unit::kPerSecond, "commit.1000", 0},
  };
}

}  // namespace perdure::bench
