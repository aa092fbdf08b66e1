#include "host/cli/serve_host.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <filesystem>
#include <future>
#include <memory>
#include <ostream>
#include <thread>

#include "host/api/server.h"
#include "host/api/waitpoint_json.h"
#include "host/cli/descriptor_shares.h"
#include "host/cli/executables.h"
#include "host/cli/root_key.h"
#include "host/cli/serve_confinement.h"
#include "host/cli/serve_plugins.h"
#include "host/engine/asio_core.h"
#include "host/engine/core_engine.h"
#include "host/process/supervisor.h"
#include "host/telemetry/log.h"
#include "store/rocks/rocks.h"

namespace perdure::cli {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using store::Result;
using store::Status;
using telemetry::log;

constexpr std::chrono::seconds kStartAgain(1);        // after the store refused to start
constexpr std::chrono::seconds kLastCompletions(10);  // of the store, waited for at the end

std::string listen_host(const std::string& listen) { return listen.substr(0, listen.rfind(':')); }

bool is_loopback(const std::string& listen) {
  std::string host = listen_host(listen);
  if (host == "localhost") return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  error_code failed;
  const auto address = asio::ip::make_address(host, failed);
  return !failed && address.is_loopback();
}

void log_store_line(store::rocks::LogSinkLevel level, const std::string& line) {
  using enum store::rocks::LogSinkLevel;
  switch (level) {
    case kDebug:
      return log().debug("store: {}", line);
    case kInfo:
      return log().info("store: {}", line);
    case kWarn:
      return log().warn("store: {}", line);
    case kError:
      return log().error("store: {}", line);
  }
}

Result<std::unique_ptr<store::Store>> open_store(const config::Config& config, bool repair) {
  store::RocksOptions options;
  options.directory = config.host.data;
  options.log = log_store_line;
  options.space.reserve_bytes = config.store.reserve;
  options.space.ballast_bytes = config.store.ballast;
  options.accept_loss = repair;
  return store::open_rocks(std::move(options));
}

// Made for the owner alone; one that is there already is left as it is.
Status make_directory(const std::filesystem::path& path) {
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed)) return Status::ok();
  std::filesystem::create_directories(path.parent_path(), failed);
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return Status::ok();
  return Status::io("cannot make the directory " + path.string() + ": " + std::generic_category().message(errno));
}

// Where clients reach the host, as far as it knows: by the first name that it answers to, else by its own address.
std::string base_url(const config::HostSection& host, std::uint16_t port) {
  const std::string address = host.listen.substr(0, host.listen.rfind(':'));
  return "http://" + (host.names.empty() ? address : host.names.front()) + ":" + std::to_string(port);
}

engine::AttemptDefaults attempt_defaults(const config::Config& config) {
  engine::AttemptDefaults defaults;
  defaults.machine = config.defaults.machine;
  if (config.defaults.max_duration > store::Duration::zero()) defaults.max_duration = config.defaults.max_duration;
  return defaults;
}

engine::RetentionOptions retention_of(const config::RetentionSection& kept) {
  engine::RetentionOptions options;
  options.of(store::RunStatus::kCompleted) = {kept.completed, kept.completed_runs};
  options.of(store::RunStatus::kFailed) = {kept.failed, kept.failed_runs};
  options.of(store::RunStatus::kCrashed) = {kept.crashed, kept.crashed_runs};
  options.of(store::RunStatus::kTimedOut) = {kept.timed_out, kept.timed_out_runs};
  options.of(store::RunStatus::kSystemFailure) = {kept.system_failure, kept.system_failure_runs};
  options.of(store::RunStatus::kCanceled) = {kept.canceled, kept.canceled_runs};
  options.of(store::RunStatus::kExpired) = {kept.expired, kept.expired_runs};
  options.tokens = kept.tokens;
  return options;
}

class Host {
 public:
  Host(const config::Config& config, Console& console, std::unique_ptr<store::Store> store,
       process::SupervisorOptions supervisor, std::vector<process::SurvivingZygote> survivors,
       catalog::VersionRegister versions, catalog::TrustedKeys keys, std::shared_ptr<engine::Variables> variables)
      : config_(config),
        console_(console),
        store_(std::move(store)),
        core_(io_),
        supervisor_(io_, std::move(supervisor), std::move(survivors)),
        engine_(core_, *store_, supervisor_, engine_options(config, std::move(variables))),
        plugins_(io_, config, supervisor_, *store_, engine_, std::move(versions), std::move(keys)),
        signals_(io_, SIGTERM, SIGINT),
        timer_(io_) {}

  ~Host() {
    server_.reset();
    // The engine may go once the store has nothing left to tell it.
    const auto told = std::make_shared<std::promise<void>>();
    store_->synced([told](const Status&) { told->set_value(); });
    if (told->get_future().wait_for(kLastCompletions) != std::future_status::ready) {
      log().error("the store did not finish what it had begun");
    }
  }

  int run(const std::string& key) {
    key_ = key;
    const process::MemoryInForce& memory = supervisor_.memory_in_force();
    if (config_.limits.memory_control == "cgroup" && memory.mechanism == process::MemoryMechanism::kNone) {
      return fail(Status::unavailable("memory_control in [limits] is \"cgroup\", but " + memory.why_not_better +
                                      "; set it to \"auto\" to have the host watch its attempts itself"));
    }
    log().info("memory of attempts: {}", process::memory_in_force_in_words(memory));
    auto server =
        api::Server::start({.listen = config_.host.listen,
                            .key = key,
                            .keys_file = config_.host.data + "/keys",
                            .secret_file = config_.auth.key.empty() ? config_.host.data + "/secret" : std::string(),
                            .host_names = config_.host.names,
                            .allow_pending = config_.host.allow_pending,
                            .plugins = std::filesystem::absolute(config_.host.plugins).string(),
                            .memory_mechanism = std::string(process::mechanism_name(memory.mechanism)),
                            .memory_in_words = process::memory_in_force_in_words(memory),
                            .version = PERDURE_VERSION,
                            .limits = {.connections = descriptors().connections}},
                           engine_);
    if (!server) return fail(server.status());
    server_ = std::move(server.value());
    await_signal();
    engine_.stacks_from(supervisor_);
    plugins_.start([this](const Status& loaded) {
      if (loaded) return start_engine();
      exit_status_ = fail(loaded);
      finish();
    });
    io_.run();
    if (stopper_.joinable()) stopper_.join();
    return exit_status_;
  }

 private:
  engine::EngineOptions engine_options(const config::Config& config, std::shared_ptr<engine::Variables> variables) {
    return {.concurrency = static_cast<std::size_t>(config.host.concurrency),
            .processes = descriptors().processes,
            .plugin_config = config.plugins,
            .variables = std::move(variables),
            .allow_pending = config.host.allow_pending,
            .stream_limit = config.limits.stream,
            .quarantine = {.crashes = static_cast<std::uint32_t>(config.quarantine.crashes),
                           .window = config.quarantine.window,
                           .pause = config.quarantine.pause,
                           .longest_pause = config.quarantine.longest_pause},
            .defaults = attempt_defaults(config),
            .retention = retention_of(config.retention),
            .memory = config.host.memory,
            .token_url =
                [this](const store::TokenId& token) {
                  return api::callback_url_by_key(base_url(config_.host, server_ ? server_->port() : 0), token, key_);
                },
            .warn = [](const std::string& message) { log().warn("{}", message); },
            .quarantined = [this](const catalog::Held& task, bool held) { plugins_.quarantined(task, held); },
            .version_free = [this](const store::VersionId& version) { plugins_.version_free(version); }};
  }

  [[nodiscard]] DescriptorShares descriptors() const {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);  // the supervisor has raised it
    return share_descriptors(limit.rlim_cur, config_.host.concurrency);
  }

  static int fail(const Status& status) {
    log().error("{}", status.message());
    return kFailed;
  }

  void start_engine() {
    engine_.start([this](const Status& started) {
      if (started) return ready();
      log().error("cannot go on with the stored runs yet: {}", started.message());
      timer_.expires_after(kStartAgain);
      timer_.async_wait([this](const error_code& cancelled) {
        if (!cancelled && !stopping_) start_engine();
      });
    });
  }

  void ready() {
    if (stopping_) return;
    const std::string url = "http://" + listen_host(config_.host.listen) + ":" + std::to_string(server_->port());
    console_.out << "perdure is ready at " << url << std::endl;
    log().info("ready at {}: {} tasks, at most {} attempts at once, data in {}", url, engine_.catalog()->tasks.size(),
               config_.host.concurrency, config_.host.data);
    ::sd_notify(0, "READY=1");
  }

  void await_signal() {
    signals_.async_wait([this](const error_code& cancelled, int) {
      if (cancelled) return;
      if (!stopping_) {
        await_signal();
        drain();
      } else {
        log().warn("told to stop a second time: ending at once");
        finish();
      }
    });
  }

  void drain() {
    stopping_ = true;
    ::sd_notify(0, "STOPPING=1");
    const auto executing = engine_.status().executing;
    const bool waits = config_.host.drain == "wait";
    if (executing > 0 && waits) {
      log().info("stopping: waiting for what executes ({}); a second signal ends it at once", executing);
    } else if (executing > 0) {
      log().info("stopping: what executes ({}) has {} s to end; a second signal ends it at once", executing,
                 std::chrono::duration_cast<std::chrono::seconds>(config_.host.drain_timeout).count());
    }
    if (!waits) {
      timer_.expires_after(config_.host.drain_timeout);
      timer_.async_wait([this](const error_code& cancelled) {
        if (!cancelled) out_of_patience();
      });
    }
    engine_.drain([this] { finish(); });
  }

  void out_of_patience() {
    leaves_ = config_.host.drain == "leave";
    if (leaves_) supervisor_.leave_attempts();
    finish();
  }

  // The server is stopped by a thread of its own, because its last answers may need the core.
  void finish() {
    if (stopper_.joinable()) return;
    timer_.cancel();
    const auto cut_off = engine_.status().executing;
    if (cut_off > 0 && leaves_) {
      log().info("{} attempts go on without this host, for {} s at most; the next one takes them over", cut_off,
                 std::chrono::duration_cast<std::chrono::seconds>(config_.attempts.orphaned_after).count());
      exit_status_ = kLeftRunning;
    } else if (cut_off > 0) {
      log().warn("{} attempts were cut off; their runs are queued again at the next start", cut_off);
      exit_status_ = kFailed;
    }
    stopper_ = std::thread([this] {
      server_->stop();
      io_.stop();
    });
  }

  const config::Config& config_;
  std::string key_;  // the root key, once it runs
  Console& console_;
  const std::unique_ptr<store::Store> store_;
  asio::io_context io_{1};
  engine::AsioCore core_;
  process::Supervisor supervisor_;
  engine::CoreEngine engine_;
  ServePlugins plugins_;
  std::unique_ptr<api::Server> server_;
  asio::signal_set signals_;
  asio::steady_timer timer_;
  std::thread stopper_;
  bool stopping_ = false;
  bool leaves_ = false;  // attempts to the next host
  int exit_status_ = kDone;
};

}  // namespace

int serve_host(const config::Config& config, bool repair, Console& console) {
  std::signal(SIGPIPE, SIG_IGN);  // a client that went away is an error of one write
  // The allocator would learn to keep large buffers, such as answers, instead of giving them back.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 16 << 20);
  const auto refuse = [](const Status& status, int exit_status) {
    log().error("{}", status.message());
    return exit_status;
  };
  if (!is_loopback(config.host.listen) && config.auth.key.empty()) {
    return refuse(Status::invalid("other machines can reach " + config.host.listen +
                                  ", and no key is configured: set PERDURE_AUTH_KEY or key in [auth] to a secret of at "
                                  "least 32 characters, or listen on 127.0.0.1"),
                  kWrongUsage);
  }
  const auto zygote = zygote_executable();
  if (!zygote) return refuse(zygote.status(), kFailed);
  const auto own = own_executable();
  if (!own) return refuse(own.status(), kFailed);

  auto keys = catalog::TrustedKeys::read(config.trust.keys);
  if (!keys) return refuse(keys.status(), kWrongUsage);

  if (const Status made = make_directory(config.host.data); !made) return refuse(made, kFailed);
  auto store = open_store(config, repair);
  if (!store) {
    return refuse(store.status(), store.status().code() == store::Code::kCorruption ? kStoreDamaged : kFailed);
  }
  auto key = config.auth.key.empty() ? root_key(config.host.data) : Result<std::string>(config.auth.key);
  if (!key) return refuse(key.status(), kFailed);
  auto variables = engine::Variables::open(config.host.data + "/variables");
  if (!variables) return refuse(variables.status(), kFailed);
  const std::string cache = config.host.data + "/plugins";
  if (const Status made = make_directory(cache); !made) return refuse(made, kFailed);

  auto versions = catalog::VersionRegister::open(cache);
  if (!versions) return refuse(versions.status(), kFailed);
  if (!versions->damage()) log().warn("{}", versions->damage().message());

  process::SupervisorOptions supervisor;
  supervisor.zygote_executable = zygote.value();
  supervisor.backtrace_executable = own.value();
  supervisor.output_limit = config.limits.output;
  supervisor.log_limit = config.limits.log;
  if (const Status confined = confine_attempts(config, supervisor); !confined) {
    return refuse(confined, confined.code() == store::Code::kInvalid ? kWrongUsage : kFailed);
  }
  supervisor.memory_control = process::memory_control_named(config.limits.memory_control);
  supervisor.warn = [](const std::string& message) { log().warn("{}", message); };
  auto survivors = process::find_surviving_zygotes(supervisor.handover, supervisor.warn);
  return Host(config, console, std::move(store.value()), std::move(supervisor), std::move(survivors),
              std::move(versions.value()), std::move(keys.value()), std::move(variables.value()))
      .run(key.value());
}

}  // namespace perdure::cli
