#include "tests/bench/product.h"

#include <sys/wait.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "tests/bench/clock.h"
#include "tests/bench/limits/exchange.h"
#include "tests/bench/process.h"

namespace perdure::bench {
namespace {

using std::chrono::milliseconds;

// The string value of `name` in a JSON document; empty when there is none. Good enough for ids and statuses.
std::string text_of(const std::string& json, const std::string& name) {
  const auto at = json.find("\"" + name + "\":\"");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 4;
  return json.substr(begin, json.find('"', begin) - begin);
}

}  // namespace

Product::Product(const ProductFiles& files, const std::string& dir)
    : Product(files, dir + "/product", dir + "/product/data") {}

Product Product::on(const ProductFiles& files, const std::string& dir, const std::string& data) {
  return Product(files, dir + "/product", data);
}

Product::Product(const ProductFiles& files, std::string dir, const std::string& data)
    : dir_(std::move(dir)), port_(free_port()) {
  std::filesystem::remove_all(dir_);
  std::filesystem::create_directories(dir_);
  const auto start = std::chrono::steady_clock::now();
  pid_ = spawn({files.perdure, "serve", "--plugins", files.plugins, "--data", data, "--listen",
                "127.0.0.1:" + std::to_string(port_), "--drain", "cancel", "--drain-timeout", "1s"},
               {.output = dir_ + "/host.log"});
  for (;;) {
    Connection connection(port_);
    if (connection.connected() && connection.ask(request_text("GET", "/readyz", "")).status == 200) break;
    if (waitpid(pid_, nullptr, WNOHANG) != 0) give_up("the host ended before it was ready");
    if (seconds_since(start) > 60) give_up("the host was not ready after 60 s");
    std::this_thread::sleep_for(milliseconds(10));
  }
  starting_ = seconds_since(start);
  std::ifstream(data + "/secret") >> key_;
}

Product::~Product() {
  stop(pid_);
  std::filesystem::remove_all(dir_);
}

double Product::end_to_end(const std::string& task, long runs) {
  Connection status(port_);
  const long before = told(status, "completed");
  const LoadResult load = press(port_, trigger_text(task, ""), {.connections = 8, .depth = 16, .requests = runs});
  await_told("completed", before + runs);
  return static_cast<double>(runs) / seconds_since(load.started);
}

void Product::await_told(const std::string& name, long wanted, double patience) {
  Connection status(port_);
  long reached = -1;
  auto progress = std::chrono::steady_clock::now();
  for (;;) {
    const long now = told(status, name);
    if (now >= wanted) return;
    if (now != reached) progress = std::chrono::steady_clock::now();
    reached = now;
    if (seconds_since(progress) > patience) {
      give_up("only " + std::to_string(reached) + " of " + std::to_string(wanted) + " runs are " + name);
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
}

void Product::let_wait(const std::string& task, long runs, const std::string& payload) {
  press(port_, request_text("POST", "/api/v1/tasks/" + task + "/trigger", key_, R"({"payload":)" + payload + "}"),
        {.connections = 8, .depth = 16, .requests = runs});
  await_told("WAITING", runs);
}

std::string Product::make_token() {
  Connection connection(port_);
  const Answer made = connection.ask(request_text("POST", "/api/v1/waitpoints/tokens", key_, R"({"timeout":"24h"})"));
  const std::string id = text_of(made.body, "id");
  if (made.status != 200 || id.empty()) give_up("making a token answered " + made.body);
  return id;
}

void Product::complete_token(const std::string& id) {
  Connection connection(port_);
  const Answer done = connection.ask(
      request_text("POST", "/api/v1/waitpoints/tokens/" + id + "/complete", key_, R"({"data":"\"done\""})"));
  if (done.status != 200) give_up("completing a token answered " + done.body);
}

void Product::await_completed(long runs, milliseconds waits) {
  await_told("completed", runs, kPatience + static_cast<double>(waits.count()) / 1000);
}

namespace {

// The number behind `name` in a file of /proc, in KB there; 0 when there is none.
double kilobytes(const std::string& file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(name, 0) == 0) return std::atof(line.c_str() + name.size());
  }
  return 0;
}

}  // namespace

// Attempts are the children of the host's children.
Product::Attempts Product::attempts() const {
  Attempts found;
  double bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string of = entry.path().string();
    std::string name;
    std::ifstream(of + "/comm") >> name;
    if (name != "perdure-attempt") continue;
    const auto parent = static_cast<pid_t>(kilobytes(of + "/status", "PPid:"));
    const auto host = static_cast<pid_t>(kilobytes("/proc/" + std::to_string(parent) + "/status", "PPid:"));
    if (host != pid_) continue;
    ++found.count;
    bytes += 1024 * (kilobytes(of + "/smaps_rollup", "Private_Dirty:") + kilobytes(of + "/status", "VmPTE:"));
  }
  if (found.count > 0) found.bytes = bytes / static_cast<double>(found.count);
  return found;
}

std::vector<double> Product::latency(const std::string& task, int samples) {
  Connection connection(port_);
  const std::string trigger = trigger_text(task, "");
  std::vector<double> each;
  constexpr int kWarmUp = 20;
  for (int i = 0; i < samples + kWarmUp; ++i) {
    std::this_thread::sleep_for(milliseconds(3));  // idle between two runs
    const auto start = std::chrono::steady_clock::now();
    const Answer created = connection.ask(trigger);
    const std::string id = text_of(created.body, "id");
    if (created.status != 200 || id.empty()) give_up("triggering " + task + " answered " + created.body);
    const Answer run = connection.ask(request_text("GET", "/perdure/v1/runs/" + id + "?wait=30s", key_));
    const double took = seconds_since(start);
    if (run.status != 200 || text_of(run.body, "status") != "COMPLETED" || run.body.find("xxx") == std::string::npos) {
      give_up("a run of " + task + " did not complete with its output: " + run.body);
    }
    if (i >= kWarmUp) each.push_back(took);
  }
  return each;
}

double Product::enqueue(const std::string& task, double seconds, int depth) {
  const LoadResult load = press(port_, trigger_text(task, R"(,"options":{"delay":"1h"})"),
                                {.connections = 8, .depth = depth, .seconds = seconds});
  return static_cast<double>(load.answers) / load.seconds;
}

double Product::trigger_and_retrieve(const std::string& task, double seconds, int connections) {
  const auto next = [this](std::string_view body) {
    constexpr std::string_view kTriggered = R"({"id":"run_)";  // a document has more before its end
    const bool triggered = body.size() < 100 && body.starts_with(kTriggered);
    return triggered ? request_text("GET", "/api/v3/runs/" + text_of(std::string(body), "id"), key_) : std::string();
  };
  const LoadResult load = press(port_, trigger_text(task, R"(,"options":{"delay":"1h"})"),
                                {.connections = connections, .seconds = seconds, .next = next});
  return static_cast<double>(load.answers) / load.seconds;
}

double Product::batch_trigger(const std::string& task, double seconds, int size) {
  std::string items;
  for (int i = 0; i < size; ++i) {
    items += R"({"index":)" + std::to_string(i) + R"(,"task":")" + task +
             R"(","payload":"{\"json\":{\"n\":1}}","options":{"payloadType":"application/super+json","delay":"1h"}})" +
             "\n";
  }
  const std::string create =
      request_text("POST", "/api/v3/batches", key_, R"({"runCount":)" + std::to_string(size) + "}");
  std::atomic<long> batches{0};
  const auto start = std::chrono::steady_clock::now();
  const auto send = [&] {
    Connection connection(port_);
    while (seconds_since(start) < seconds) {
      const std::string id = text_of(connection.ask(create).body, "id");
      std::string request = request_text("POST", "/api/v3/batches/" + id + "/items", key_, items);
      constexpr std::string_view kJson = "application/json";
      request.replace(request.find(kJson), kJson.size(), "application/x-ndjson");
      const Answer sealed = connection.ask(request);
      if (sealed.body.find("\"sealed\":true") == std::string::npos) give_up("a batch was answered " + sealed.body);
      ++batches;
    }
  };
  std::thread other(send);
  send();
  other.join();
  return static_cast<double>(batches * size) / seconds_since(start);
}

double Product::memory() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::atof(line.c_str() + 6) * 1024;
  }
  give_up("/proc does not tell the host's memory");
}

std::vector<double> Product::first_page(const std::string& filter, int samples) {
  Connection connection(port_);
  const std::string request = request_text("GET", "/api/v1/runs?page%5Bsize%5D=25&" + filter, key_);
  std::vector<double> each;
  for (int i = 0; i < samples; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const Answer page = connection.ask(request);
    each.push_back(seconds_since(start));
    if (page.status != 200 || text_of(page.body, "id").empty()) give_up("listing " + filter + " answered " + page.body);
  }
  return each;
}

long Product::told(Connection& connection, const std::string& name) const {
  const Answer status = connection.ask(request_text("GET", "/perdure/v1/status", key_));
  const std::string wanted = "\"" + name + "\":";
  const auto at = status.body.find(wanted);
  if (status.status != 200 || at == std::string::npos) give_up("/perdure/v1/status answered " + status.body);
  return std::atol(status.body.c_str() + at + wanted.size());
}

std::string Product::trigger_text(const std::string& task, const std::string& options) const {
  return request_text("POST", "/api/v1/tasks/" + task + "/trigger", key_,
                      R"({"payload":)" + payload_200() + options + "}");
}

void Product::give_up(const std::string& what) const {
  std::fprintf(stderr, "perdure-bench: %s\nThe host's last words:\n", what.c_str());
  std::ifstream log(dir_ + "/host.log");
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) lines.push_back(std::move(line));
  for (std::size_t i = lines.size() > 20 ? lines.size() - 20 : 0; i < lines.size(); ++i) {
    std::fprintf(stderr, "  %s\n", lines[i].c_str());
  }
  stop(pid_);
  std::exit(1);
}

}  // namespace perdure::bench
