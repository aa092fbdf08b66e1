#include "tests/process/supervised.h"

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace perdure::process::test {

Supervised::Supervised(const std::function<void(SupervisorOptions&)>& adjust,
                       const std::function<std::vector<SurvivingZygote>()>& survivors) {
  options.zygote_executable = std::string(PERDURE_TEST_BIN_DIR) + "/perdure-zygote";
  if (adjust) adjust(options);
  supervisor = std::make_unique<Supervisor>(io, options, survivors ? survivors() : std::vector<SurvivingZygote>());
}

Supervised::~Supervised() {
  supervisor.reset();
  for (const auto& [handle, told] : told_) {
    EXPECT_FALSE(told.out_of_order) << "attempt " << handle;
    EXPECT_LE(told.results, 1) << "attempt " << handle;
    EXPECT_LE(told.released, 1) << "attempt " << handle;
  }
}

std::string Supervised::load(const std::string& path) {
  bool loaded = false;
  std::string refusal;
  supervisor->load(version, path, std::filesystem::path(path).parent_path(), [&](store::Result<Manifest> result) {
    loaded = true;
    if (result) {
      manifest = std::move(result).value();
    } else {
      refusal = result.status().message();
    }
  });
  EXPECT_FALSE(loaded) << "load() calls back from within";
  until([&] { return loaded; }, "the plugin to be loaded or refused");
  return refusal;
}

void Supervised::load_behaviours() { ASSERT_EQ(load(fixture("behaviours")), ""); }

AttemptHandle Supervised::start(const std::string& task, const std::string& payload,
                                const std::function<void(AttemptSpec&)>& adjust) {
  AttemptSpec spec;
  spec.handle = next_++;
  spec.run = store::RunId("run_0000000000000000000000000");
  spec.task = store::TaskId(task);
  spec.version = version;
  spec.payload = payload;
  spec.context = "{}";
  if (adjust) adjust(spec);
  const AttemptHandle handle = spec.handle;
  supervisor->start(std::move(spec), *this);
  EXPECT_EQ(told_[handle].started + told_[handle].results, 0) << "start() calls back from within";
  return handle;
}

Told& Supervised::run(const std::string& task, const std::string& payload,
                      const std::function<void(AttemptSpec&)>& adjust) {
  return released(start(task, payload, adjust));
}

Told& Supervised::released(AttemptHandle attempt) {
  until([&] { return told_[attempt].released > 0; }, "the attempt to be released");
  return told_[attempt];
}

void Supervised::logged(AttemptHandle attempt) {
  until([&] { return !told_[attempt].logs.empty(); }, "a log line of the attempt");
}

bool Supervised::until(const std::function<bool()>& condition, const std::string& what) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "waited in vain for " << what;
      return false;
    }
    io.restart();
    io.run_one_for(std::chrono::milliseconds(100));
  }
  return true;
}

void Supervised::on_started(AttemptHandle attempt, std::int32_t pid) {
  Told& told = told_[attempt];
  told.out_of_order = told.out_of_order || told.started > 0 || !told.logs.empty() || told.results > 0;
  told.started++;
  told.pid = pid;
}

void Supervised::on_log(AttemptHandle attempt, store::LogEntry entry) {
  Told& told = told_[attempt];
  told.out_of_order = told.out_of_order || told.started == 0 || told.results > 0;
  told.logs.push_back(std::move(entry));
}

void Supervised::on_request(AttemptHandle attempt, AttemptRequest request) {
  Told& told = told_[attempt];
  told.out_of_order = told.out_of_order || told.started == 0 || told.results > 0;
  told.requests.push_back(request);
  if (answers) {
    const std::uint64_t id = request.id;
    supervisor->reply(attempt, id, {{}, std::move(request.json), std::move(request.raw)});
  }
}

void Supervised::on_hook(AttemptHandle attempt, HookSpan span) {
  Told& told = told_[attempt];
  told.out_of_order = told.out_of_order || told.started == 0 || told.results > 0;
  told.hooks.push_back(std::move(span));
}

Judgement Supervised::judge(AttemptHandle attempt, Provisional end) {
  Told& told = told_[attempt];
  told.out_of_order = told.out_of_order || told.started == 0 || told.results > 0;
  Judgement judgement;
  judgement.retry = R"({"maxAttempts":3})";
  judgement.failure = end.replaced ? end.replaced : end.result.failure;
  judgement.is_final = !judgement.failure || !retries;
  if (!judgement.is_final) judgement.retry_at = store::Time(std::chrono::milliseconds(4'102'444'800'000));
  told.judged.push_back(std::move(end));
  return judgement;
}

void Supervised::on_result(AttemptHandle attempt, AttemptResult result) {
  Told& told = told_[attempt];
  told.out_of_order = told.out_of_order || told.released > 0;
  told.results++;
  told.result = std::move(result);
  if (confirms) supervisor->confirm(attempt);
}

void Supervised::on_released(AttemptHandle attempt) {
  Told& told = told_[attempt];
  told.out_of_order = told.out_of_order || told.results != 1;
  told.released++;
}

std::string fixture(const std::string& name) { return PERDURE_PROCESS_PLUGINS + name + ".so"; }

bool is_alive(std::int32_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);  // nothing when the process goes meanwhile
  const std::size_t at = stat.rfind(") ");
  return at != std::string::npos && at + 2 < stat.size() && stat[at + 2] != 'Z' && stat[at + 2] != 'X';
}

std::size_t descriptor_count() {
  const std::filesystem::directory_iterator list("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(list), end(list)));
}

}  // namespace perdure::process::test
