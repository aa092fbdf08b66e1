// What the host is told to do, from perdure.toml, the environment (PERDURE_…) and flags, in rising order of precedence.
// Config is the plain result; load() makes one and remembers where every value came from. Which keys exist is one
// table, in keys.cpp. Values; any thread, except that load() reads the environment.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::config {

using store::Duration;

struct HostSection {
  std::string listen = "127.0.0.1:3030";  // ADDRESS:PORT, IPv6 as [::1]:PORT; port 0: any free one
  std::string data;                       // the data directory
  std::string plugins;                    // where people drop plugins
  Duration plugins_poll{0};               // how often to look for changes there; 0: the system tells of them (inotify)
  std::uint64_t concurrency = 8;          // attempts executing at once
  Duration drain_timeout{30000};          // how long attempts may go on after SIGTERM, …
  std::string drain = "leave";            // … and then: leave (to the next host), cancel; wait: for ever
  std::vector<std::string> names;         // by which clients may address it, besides loopback names and addresses
  bool allow_pending = false;             // accept triggers of tasks that no plugin offers
  std::uint64_t memory = 8u << 20;        // bytes for all attempts together; what the machine or its cgroup has
};

struct DefaultsSection {
  std::string machine = "small-1x";  // of tasks that name none: a preset
  Duration max_duration{0};          // of an attempt, where neither task nor trigger say; 0: none
};

struct LimitsSection {
  std::uint64_t output = 10u << 20;  // bytes of a run's output
  std::uint64_t log = 1'000'000;     // bytes that an attempt may log, and may print
  std::uint64_t stream = 64u << 20;  // bytes that the streams of one run may have
  /// What keeps attempts within the memory of their machines: cgroup, watchdog, off; auto: the best that can be had.
  std::string memory_control = "auto";
};

struct StoreSection {
  std::string engine = "rocksdb";
  std::uint64_t reserve = 256u << 20;  // bytes that stay free on the disk: new runs are refused below (or below 5 %)
  std::uint64_t ballast = 32u << 20;   // bytes of the reserve that a file holds
};

struct AuthSection {
  std::string key;  // the root key; empty: the one in the data directory's `secret`
};

struct TrustSection {
  bool allow_writable = false;    // load plugins that others than root and the host's user may replace
  std::vector<std::string> keys;  // Ed25519 public keys, see key_form.h; any: only signed plugins are loaded
};

struct QuarantineSection {
  std::uint64_t crashes = 20;  // attempts of a task that crash in a row, within `window`: its version is held
  Duration window{60'000};     // 0: no number of crashes is held against a version
  Duration pause{10'000};      // before the first probe; doubled after each that fails
  Duration longest_pause{600'000};
};

/// How long finished runs are kept, by their status: since they ended (0: for ever), and the newest so many (0: all).
struct RetentionSection {
  static constexpr Duration kDay = std::chrono::hours(24);
  Duration completed{30 * kDay};
  Duration failed{90 * kDay};
  Duration crashed{90 * kDay};
  Duration timed_out{90 * kDay};
  Duration system_failure{90 * kDay};
  Duration canceled{30 * kDay};
  Duration expired{30 * kDay};
  Duration tokens{30 * kDay};  // waitpoint tokens that are completed or timed out
  std::uint64_t completed_runs = 0, failed_runs = 0, crashed_runs = 0, timed_out_runs = 0, system_failure_runs = 0,
                canceled_runs = 0, expired_runs = 0;
};

struct AttemptsSection {
  std::vector<std::string> environment{"PATH",   "HOME",         "LANG",          "LC_ALL",       "TZ",
                                       "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"};
  std::string user;                                   // whom they run as; empty: the host's own user
  Duration stalled_after{300'000};                    // how long they may give no sign of life before they are ended
  Duration orphaned_after{600'000};                   // how long they go on without a host before they are ended
  bool core_dumps = false;                            // crashes may leave them, as the host's own limit allows
  std::uint64_t core_size = std::uint64_t{1} << 30;   // bytes of a core file that a task asks for (diagnostics)
  std::uint64_t cores_size = std::uint64_t{4} << 30;  // bytes of all of these; the oldest give way
};

struct TelemetrySection {
  std::string level = "info";   // trace, debug, info, warn, error
  std::string format = "auto";  // text, json; auto: text on a terminal
};

struct Config {
  HostSection host;
  DefaultsSection defaults;
  RetentionSection retention;
  LimitsSection limits;
  StoreSection store;
  AuthSection auth;
  TrustSection trust;
  QuarantineSection quarantine;
  AttemptsSection attempts;
  TelemetrySection telemetry;
  /// [plugins.NAME] by NAME: a JSON object with every ${VARIABLE} replaced by that environment variable.
  std::map<std::string, std::string> plugins;
};

/// A value given on the command line.
struct Flag {
  std::string key;  // "host.listen"
  std::string text;
};

/// Looks an environment variable up.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

struct Sources {
  std::optional<std::string> file;  // perdure.toml; absent: none is read
  Environment environment;          // empty: no variables
  std::vector<Flag> flags;
};

struct Loaded {
  Config config;
  /// Where each key's value came from: "default", "perdure.toml:3", "PERDURE_DATA", "--data".
  std::map<std::string, std::string> origins;
  /// The effective configuration as TOML, each value with its origin as a comment. Secrets are not shown: [auth] key is
  /// hidden, and plugin tables keep their ${VARIABLE} references.
  std::string shown;
};

/// Reads the sources. kInvalid: everything that is wrong, one sentence a line, each naming file and line, variable or
/// flag, what was expected, and for an unknown key the nearest known one. kIo: the file cannot be read.
store::Result<Loaded> load(const Sources& sources);

/// The process's own environment.
std::optional<std::string> process_environment(const std::string& name);

/// Names in `names` (of environment variables) that begin with PERDURE_ but mean nothing to any part of Perdure: one
/// sentence for each, with the nearest known one.
std::vector<std::string> unknown_variables(const std::vector<std::string>& names);

}  // namespace perdure::config
