// A real Supervisor with real zygotes in the test's own process, driven until something is told. Every wait has a
// deadline and says what was awaited. Single-threaded.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/process/supervisor.h"

namespace perdure::process::test {

inline constexpr std::chrono::seconds kPatience{30};

/// What an observer was told of one attempt.
struct Told {
  int started = 0, results = 0, released = 0;
  std::int32_t pid = 0;
  AttemptResult result;
  std::vector<store::LogEntry> logs;
  std::vector<AttemptRequest> requests;
  std::vector<HookSpan> hooks;
  std::vector<Provisional> judged;
  bool out_of_order = false;  // told anything that may not come then

  [[nodiscard]] std::string line(std::size_t index) const { return index < logs.size() ? logs[index].message : ""; }
  [[nodiscard]] store::FailureKind kind() const {
    return result.failure ? result.failure->kind : static_cast<store::FailureKind>(0);
  }
};

class Supervised : public AttemptObserver {
 public:
  /// `survivors`: who outlived a host before this one.
  explicit Supervised(const std::function<void(SupervisorOptions&)>& adjust = {},
                      const std::function<std::vector<SurvivingZygote>()>& survivors = {});
  ~Supervised() override;

  /// Loads a fixture plugin; the sentence of its refusal, empty when it is loaded.
  std::string load(const std::string& path);
  /// Loads the behaviours fixture as the version that start() uses.
  void load_behaviours();

  /// Starts an attempt of a task of the loaded plugin.
  AttemptHandle start(const std::string& task, const std::string& payload = "null",
                      const std::function<void(AttemptSpec&)>& adjust = {});
  /// Starts, and waits until the attempt is released.
  Told& run(const std::string& task, const std::string& payload = "null",
            const std::function<void(AttemptSpec&)>& adjust = {});

  Told& of(AttemptHandle attempt) { return told_[attempt]; }
  /// Runs the event loop until `condition` holds; false, and a failed test, when it does not in time.
  bool until(const std::function<bool()>& condition, const std::string& what);
  Told& released(AttemptHandle attempt);
  /// The attempt has logged a line.
  void logged(AttemptHandle attempt);

  void on_started(AttemptHandle attempt, std::int32_t pid) override;
  void on_log(AttemptHandle attempt, store::LogEntry entry) override;
  void on_request(AttemptHandle attempt, AttemptRequest request) override;
  void on_hook(AttemptHandle attempt, HookSpan span) override;
  Judgement judge(AttemptHandle attempt, Provisional end) override;
  void on_result(AttemptHandle attempt, AttemptResult result) override;
  void on_released(AttemptHandle attempt) override;

  boost::asio::io_context io;
  SupervisorOptions options;
  std::unique_ptr<Supervisor> supervisor;
  store::VersionId version{std::string(64, 'a')};
  Manifest manifest;
  bool confirms = true;  // every result at once
  bool answers = true;   // every request at once, by what came with it
  bool retries = false;  // what judge() answers of a failure

 private:
  AttemptHandle next_ = 1;
  std::map<AttemptHandle, Told> told_;
};

/// The path of a fixture plugin of this folder.
std::string fixture(const std::string& name);

/// Whether a process is there and not a zombie.
bool is_alive(std::int32_t pid);
/// Open descriptors of this process.
std::size_t descriptor_count();

}  // namespace perdure::process::test
