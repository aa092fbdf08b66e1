// What a test gives an attempt: everything a host would know and the attempt may ask for. Values, written as designated
// initializers; what is left out is a first attempt of a run that nobody cancels.
#pragma once

#include <perdure/plugin.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <perdure/errors.hpp>
#include <perdure/json.hpp>
#include <perdure/json_write.hpp>

namespace perdure::testing {

/// One durable call of a run, as it is recorded. Result::steps holds those of an attempt, in order; given as
/// Options::recorded they are what a later attempt of the run finds.
struct Step {
  std::string kind;  // the service: "memo", "trigger", "wait_for", "token_wait", ... (memo_get and memo_put are one)
  std::string key;   // the memo's name, the task's id ("a,b" in a batch), the token's id; empty for the others
  std::string json;  // what the call gave; empty for waits
  perdure_status status = PERDURE_OK;
  bool replayed = false;  // not done by this attempt, but found recorded
};

/// The record of a step that an earlier attempt has done: Options::recorded = {memo("charge", 42)}.
inline Step memo(std::string name, const json::value& result) {
  return {"memo", std::move(name), to_json(result), PERDURE_OK, false};
}

/// Stands for a task that the tested one triggers and waits for: is given the payload, returns the output. What it
/// throws fails the child; a perdure::Error with its name and details.
using Child = std::function<json::value(const json::value& payload)>;

struct Options {
  int attempt = 1;  // its number, from 1
  int replay = 0;   // how often the function was entered again after an eviction
  std::string run_id = "run_1";
  json::object config{};            // [plugins.NAME] of perdure.toml
  json::object context{};           // these members replace those of the usual context
  json::object metadata{};          // of the run, to start with
  std::vector<std::string> tags{};  // of the run, to start with
  bool has_parent = false;          // else the run is its own parent and root, as far as metadata goes
  std::vector<Step> recorded{};     // by earlier attempts
  std::optional<Instant> now{};     // the time at the start; waits move it on. The real one
  bool evict_waits = false;         // a wait that is not recorded ends the attempt as suspended
  bool cancelled = false;           // from the start
  std::optional<std::chrono::milliseconds> cancel_after{};  // cancelled after so much real time
  std::function<void()> cancel_when{};  // cancelled when this returns, which it must; called on a thread of its own
  bool cancel_descriptor = true;        // whether cancel_fd is answered; code must do without
  std::uint64_t output_limit = std::uint64_t{10} << 20;  // bytes

  /// Tasks by id that can be waited for: trigger_and_wait and batch_trigger_and_wait of any other are NOT_FOUND. What
  /// is only triggered need not be here.
  std::map<std::string, Child, std::less<>> children{};
  /// What tokens are completed with, by id. The tokens that a run creates are called token_1, token_2, ...; one that is
  /// not here and not completed by the run itself times out.
  std::map<std::string, json::value, std::less<>> tokens{};
};

}  // namespace perdure::testing
