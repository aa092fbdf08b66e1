#include "host/config/keys.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "store/model/duration.h"

namespace perdure::config {
namespace {

using store::Status;
using Words = std::array<std::string_view, 5>;

constexpr std::size_t kShortestSecret = 32;
constexpr Duration kLeastMaxDuration{5000};  // as of a task's own
constexpr Words kLevels{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 3> kFormats{"auto", "text", "json"};
constexpr std::array<std::string_view, 1> kEngines{"rocksdb"};
constexpr std::array<std::string_view, 7> kMachines{"micro",     "small-1x", "small-2x", "medium-1x",
                                                    "medium-2x", "large-1x", "large-2x"};
constexpr std::array<std::string_view, 3> kDrains{"leave", "wait", "cancel"};
constexpr std::array<std::string_view, 4> kMemoryControls{"auto", "cgroup", "watchdog", "off"};

template <auto Section, auto Member>
Slot slot(Config& config) {
  return &((config.*Section).*Member);
}

const std::array kKeys{
    Key{"host", "listen", "PERDURE_LISTEN", "--listen", Kind::kAddress, slot<&Config::host, &HostSection::listen>},
    Key{"host", "data", "PERDURE_DATA", "--data", Kind::kPath, slot<&Config::host, &HostSection::data>},
    Key{"host", "plugins", "PERDURE_PLUGINS", "--plugins", Kind::kPath, slot<&Config::host, &HostSection::plugins>},
    Key{"host", "plugins_poll", "PERDURE_PLUGINS_POLL", "", Kind::kDuration,
        slot<&Config::host, &HostSection::plugins_poll>},
    Key{"host", "concurrency", "PERDURE_CONCURRENCY", "--concurrency", Kind::kCount,
        slot<&Config::host, &HostSection::concurrency>},
    Key{"host", "drain_timeout", "PERDURE_DRAIN_TIMEOUT", "--drain-timeout", Kind::kDuration,
        slot<&Config::host, &HostSection::drain_timeout>},
    Key{"host", "drain", "PERDURE_DRAIN", "--drain", Kind::kChoice, slot<&Config::host, &HostSection::drain>, kDrains},
    Key{"host", "names", "PERDURE_NAMES", "", Kind::kNames, slot<&Config::host, &HostSection::names>},
    Key{"host", "allow_pending", "PERDURE_ALLOW_PENDING", "", Kind::kSwitch,
        slot<&Config::host, &HostSection::allow_pending>},
    Key{"host", "memory", "PERDURE_MEMORY", "--memory", Kind::kSize, slot<&Config::host, &HostSection::memory>},
    Key{"defaults", "machine", "PERDURE_DEFAULTS_MACHINE", "", Kind::kChoice,
        slot<&Config::defaults, &DefaultsSection::machine>, kMachines},
    Key{"defaults", "max_duration", "PERDURE_DEFAULTS_MAX_DURATION", "", Kind::kMaxDuration,
        slot<&Config::defaults, &DefaultsSection::max_duration>},
    Key{"retention", "completed", "PERDURE_RETENTION_COMPLETED", "", Kind::kDuration,
        slot<&Config::retention, &RetentionSection::completed>},
    Key{"retention", "completed_runs", "PERDURE_RETENTION_COMPLETED_RUNS", "", Kind::kMost,
        slot<&Config::retention, &RetentionSection::completed_runs>},
    Key{"retention", "failed", "PERDURE_RETENTION_FAILED", "", Kind::kDuration,
        slot<&Config::retention, &RetentionSection::failed>},
    Key{"retention", "failed_runs", "PERDURE_RETENTION_FAILED_RUNS", "", Kind::kMost,
        slot<&Config::retention, &RetentionSection::failed_runs>},
    Key{"retention", "crashed", "PERDURE_RETENTION_CRASHED", "", Kind::kDuration,
        slot<&Config::retention, &RetentionSection::crashed>},
    Key{"retention", "crashed_runs", "PERDURE_RETENTION_CRASHED_RUNS", "", Kind::kMost,
        slot<&Config::retention, &RetentionSection::crashed_runs>},
    Key{"retention", "timed_out", "PERDURE_RETENTION_TIMED_OUT", "", Kind::kDuration,
        slot<&Config::retention, &RetentionSection::timed_out>},
    Key{"retention", "timed_out_runs", "PERDURE_RETENTION_TIMED_OUT_RUNS", "", Kind::kMost,
        slot<&Config::retention, &RetentionSection::timed_out_runs>},
    Key{"retention", "system_failure", "PERDURE_RETENTION_SYSTEM_FAILURE", "", Kind::kDuration,
        slot<&Config::retention, &RetentionSection::system_failure>},
    Key{"retention", "system_failure_runs", "PERDURE_RETENTION_SYSTEM_FAILURE_RUNS", "", Kind::kMost,
        slot<&Config::retention, &RetentionSection::system_failure_runs>},
    Key{"retention", "canceled", "PERDURE_RETENTION_CANCELED", "", Kind::kDuration,
        slot<&Config::retention, &RetentionSection::canceled>},
    Key{"retention", "canceled_runs", "PERDURE_RETENTION_CANCELED_RUNS", "", Kind::kMost,
        slot<&Config::retention, &RetentionSection::canceled_runs>},
    Key{"retention", "expired", "PERDURE_RETENTION_EXPIRED", "", Kind::kDuration,
        slot<&Config::retention, &RetentionSection::expired>},
    Key{"retention", "tokens", "PERDURE_RETENTION_TOKENS", "", Kind::kDuration,
        slot<&Config::retention, &RetentionSection::tokens>},
    Key{"retention", "expired_runs", "PERDURE_RETENTION_EXPIRED_RUNS", "", Kind::kMost,
        slot<&Config::retention, &RetentionSection::expired_runs>},
    Key{"limits", "output", "PERDURE_LIMITS_OUTPUT", "", Kind::kSize, slot<&Config::limits, &LimitsSection::output>},
    Key{"limits", "log", "PERDURE_LIMITS_LOG", "", Kind::kSize, slot<&Config::limits, &LimitsSection::log>},
    Key{"limits", "stream", "PERDURE_LIMITS_STREAM", "", Kind::kSize, slot<&Config::limits, &LimitsSection::stream>},
    Key{"limits", "memory_control", "PERDURE_LIMITS_MEMORY_CONTROL", "", Kind::kChoice,
        slot<&Config::limits, &LimitsSection::memory_control>, kMemoryControls},
    Key{"store", "engine", "PERDURE_STORE_ENGINE", "", Kind::kChoice, slot<&Config::store, &StoreSection::engine>,
        kEngines},
    Key{"store", "reserve", "PERDURE_STORE_RESERVE", "", Kind::kSize, slot<&Config::store, &StoreSection::reserve>},
    Key{"store", "ballast", "PERDURE_STORE_BALLAST", "", Kind::kSize, slot<&Config::store, &StoreSection::ballast>},
    Key{"auth", "key", "PERDURE_AUTH_KEY", "", Kind::kSecret, slot<&Config::auth, &AuthSection::key>},
    Key{"trust", "allow_writable", "PERDURE_TRUST_ALLOW_WRITABLE", "", Kind::kSwitch,
        slot<&Config::trust, &TrustSection::allow_writable>},
    Key{"trust", "keys", "PERDURE_TRUST_KEYS", "", Kind::kKeys, slot<&Config::trust, &TrustSection::keys>},
    Key{"quarantine", "crashes", "PERDURE_QUARANTINE_CRASHES", "", Kind::kCount,
        slot<&Config::quarantine, &QuarantineSection::crashes>},
    Key{"quarantine", "window", "PERDURE_QUARANTINE_WINDOW", "", Kind::kDuration,
        slot<&Config::quarantine, &QuarantineSection::window>},
    Key{"quarantine", "pause", "PERDURE_QUARANTINE_PAUSE", "", Kind::kDuration,
        slot<&Config::quarantine, &QuarantineSection::pause>},
    Key{"quarantine", "longest_pause", "PERDURE_QUARANTINE_LONGEST_PAUSE", "", Kind::kDuration,
        slot<&Config::quarantine, &QuarantineSection::longest_pause>},
    Key{"attempts", "environment", "PERDURE_ATTEMPTS_ENVIRONMENT", "", Kind::kVariables,
        slot<&Config::attempts, &AttemptsSection::environment>},
    Key{"attempts", "user", "PERDURE_ATTEMPTS_USER", "", Kind::kText, slot<&Config::attempts, &AttemptsSection::user>},
    Key{"attempts", "stalled_after", "PERDURE_ATTEMPTS_STALLED_AFTER", "", Kind::kDuration,
        slot<&Config::attempts, &AttemptsSection::stalled_after>},
    Key{"attempts", "orphaned_after", "PERDURE_ATTEMPTS_ORPHANED_AFTER", "", Kind::kDuration,
        slot<&Config::attempts, &AttemptsSection::orphaned_after>},
    Key{"attempts", "core_dumps", "PERDURE_ATTEMPTS_CORE_DUMPS", "", Kind::kSwitch,
        slot<&Config::attempts, &AttemptsSection::core_dumps>},
    Key{"attempts", "core_size", "PERDURE_ATTEMPTS_CORE_SIZE", "", Kind::kSize,
        slot<&Config::attempts, &AttemptsSection::core_size>},
    Key{"attempts", "cores_size", "PERDURE_ATTEMPTS_CORES_SIZE", "", Kind::kSize,
        slot<&Config::attempts, &AttemptsSection::cores_size>},
    Key{"telemetry", "level", "PERDURE_LOG_LEVEL", "--log-level", Kind::kChoice,
        slot<&Config::telemetry, &TelemetrySection::level>, kLevels},
    Key{"telemetry", "format", "PERDURE_LOG_FORMAT", "--log-format", Kind::kChoice,
        slot<&Config::telemetry, &TelemetrySection::format>, kFormats},
};

Status expected(const Key& key, std::string_view got) {
  return Status::invalid("expected " + expectation(key) + ", got " + std::string(got));
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

// Bytes: a whole number, or one with a unit of 1024s (KiB, MiB, GiB) or 1000s (KB, MB, GB).
std::optional<std::uint64_t> size_in_bytes(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 7> kUnits{{{"", 1},
                                                                              {"KB", 1000},
                                                                              {"MB", 1'000'000},
                                                                              {"GB", 1'000'000'000},
                                                                              {"KiB", 1u << 10},
                                                                              {"MiB", 1u << 20},
                                                                              {"GiB", 1u << 30}}};
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = whole_number(text.substr(0, digits));
  for (const auto& [unit, bytes] : kUnits) {
    if (number && unit == text.substr(digits) && *number <= UINT64_MAX / bytes) return *number * bytes;
  }
  return std::nullopt;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    if (comma > 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

bool is_variable(std::string_view name) {
  const auto good = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && good(name[0]) && std::ranges::all_of(name, [&](char c) { return good(c) || digit(c); });
}

bool is_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto port = whole_number(text.substr(colon + 1));
  return port && *port <= 65535;
}

}  // namespace

std::span<const Key> keys() { return kKeys; }

const Key* find_key(std::string_view full_name) {
  const auto found = std::ranges::find_if(kKeys, [&](const Key& key) { return key.full_name() == full_name; });
  return found == kKeys.end() ? nullptr : &*found;
}

std::string expectation(const Key& key) {
  switch (key.kind) {
    case Kind::kText:
      return "text";
    case Kind::kSecret:
      return "a secret of at least 32 characters, without blanks";
    case Kind::kPath:
      return "a path";
    case Kind::kAddress:
      return "ADDRESS:PORT, such as \"127.0.0.1:3030\"";
    case Kind::kMost:
      return "a whole number; 0 for any number";
    case Kind::kCount:
      return "a whole number of at least 1";
    case Kind::kSize:
      return "a number of bytes of at least 1, such as 1000000 or \"10MB\"";
    case Kind::kSwitch:
      return "true or false";
    case Kind::kNames:
      return "a list of texts";
    case Kind::kVariables:
      return "a list of names of environment variables, such as [\"PATH\", \"HTTPS_PROXY\"]";
    case Kind::kKeys:
      return "a list of Ed25519 public keys (PEM texts, base64 of 32 bytes, or paths of PEM files)";
    case Kind::kDuration:
      return "a duration such as \"30s\" or \"1m30s\"";
    case Kind::kMaxDuration:
      return "0 for none, or a duration of at least 5 s such as \"5m\"";
    case Kind::kChoice: {
      std::string words;
      for (const std::string_view choice : key.choices) {
        words += (words.empty() ? "\"" : choice == key.choices.back() ? " or \"" : ", \"") + std::string(choice) + "\"";
      }
      return words;
    }
  }
  return "text";
}

Status set_from_text(const Key& key, Config& config, std::string_view text) {
  const Slot slot = key.slot(config);
  switch (key.kind) {
    case Kind::kCount: {
      const auto number = whole_number(text);
      if (!number || *number == 0) return expected(key, quoted(text));
      *std::get<std::uint64_t*>(slot) = *number;
      return Status::ok();
    }
    case Kind::kMost: {
      const auto number = whole_number(text);
      if (!number) return expected(key, quoted(text));
      *std::get<std::uint64_t*>(slot) = *number;
      return Status::ok();
    }
    case Kind::kSize: {
      const auto bytes = size_in_bytes(text);
      if (!bytes || *bytes == 0) return expected(key, quoted(text));
      *std::get<std::uint64_t*>(slot) = *bytes;
      return Status::ok();
    }
    case Kind::kSwitch:
      if (text != "true" && text != "false") return expected(key, quoted(text));
      *std::get<bool*>(slot) = text == "true";
      return Status::ok();
    case Kind::kNames:
    case Kind::kVariables:
    case Kind::kKeys:
      return set_names(key, config, split(text));
    case Kind::kDuration:
    case Kind::kMaxDuration: {
      const auto duration = store::parse_ttl(text);
      const bool short_one = duration && duration.value() > Duration::zero() && duration.value() < kLeastMaxDuration;
      if (!duration || (short_one && key.kind == Kind::kMaxDuration)) return expected(key, quoted(text));
      *std::get<Duration*>(slot) = duration.value();
      return Status::ok();
    }
    case Kind::kAddress:
      if (!is_address(text)) return expected(key, quoted(text));
      break;
    case Kind::kChoice:
      if (std::ranges::find(key.choices, text) == key.choices.end()) return expected(key, quoted(text));
      break;
    case Kind::kPath:
      if (text.empty()) return expected(key, "nothing");
      break;
    case Kind::kSecret:
      if ((!text.empty() && text.size() < kShortestSecret) || text.find_first_of(" \t\r\n") != std::string_view::npos) {
        return expected(key, "something else (not shown)");
      }
      break;
    case Kind::kText:
      break;
  }
  *std::get<std::string*>(slot) = std::string(text);
  return Status::ok();
}

Status set_from_number(const Key& key, Config& config, std::int64_t number) {
  const std::string text = std::to_string(number);
  const bool counts = key.kind == Kind::kCount || key.kind == Kind::kSize;
  const bool takes_number =
      counts || key.kind == Kind::kDuration || key.kind == Kind::kMaxDuration || key.kind == Kind::kMost;
  if (!takes_number) return expected(key, "the number " + text);
  if (number < (counts ? 1 : 0)) return expected(key, text);
  return set_from_text(key, config, text);
}

Status set_names(const Key& key, Config& config, std::vector<std::string> names) {
  for (const std::string& name : names) {
    if (key.kind == Kind::kVariables && !is_variable(name)) return expected(key, quoted(name) + " in it");
    if (key.kind == Kind::kVariables && name == "LD_LIBRARY_PATH") {
      return expected(key, "LD_LIBRARY_PATH in it, which names the plugin's own directory");
    }
    if (key.kind != Kind::kKeys) continue;
    if (name.empty()) return expected(key, "an empty text in it");
    if (name.find("PRIVATE KEY") != std::string::npos) return expected(key, "a private key in it (not shown)");
  }
  *std::get<std::vector<std::string>*>(key.slot(config)) = std::move(names);
  return Status::ok();
}

std::string show(const Key& key, Config& config) {
  const Slot slot = key.slot(config);
  if (const auto* const* on = std::get_if<bool*>(&slot)) return **on ? "true" : "false";
  if (const auto* const* names = std::get_if<std::vector<std::string>*>(&slot)) {
    std::string list = "[";
    for (const std::string& name : **names) list += (list.size() == 1 ? "" : ", ") + quoted(name);
    return list + "]";
  }
  if (const auto* const* number = std::get_if<std::uint64_t*>(&slot)) return std::to_string(**number);
  if (const auto* const* duration = std::get_if<Duration*>(&slot)) return quoted(store::format_duration(**duration));
  const std::string& text = *std::get<std::string*>(slot);
  return quoted(key.kind == Kind::kSecret && !text.empty() ? "(hidden)" : text);
}

std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace perdure::config
