// See history_checker.h.
#include "tests/store-rocks/history_checker.h"

#include <algorithm>
#include <optional>

#include "store/model/transitions.h"

namespace perdure::store {
namespace {

std::string quote(RunStatus status) { return std::string(status_name(status)); }

std::optional<RunEvent> event_named(const std::string& name) {
  for (std::size_t i = 0; i < kRunEventCount; ++i) {
    if (event_name(static_cast<RunEvent>(i)) == name) return static_cast<RunEvent>(i);
  }
  return std::nullopt;
}

}  // namespace

struct HistoryChecker::Findings {
  std::vector<std::string> wrong;
  void add(const std::string& about, const std::string& what) { wrong.push_back(about + ": " + what); }

  // Every page of the filter, newest first.
  std::vector<Run> pages(const Store& store, RunFilter filter, const std::string& what) {
    std::vector<Run> runs;
    filter.limit = 100;
    for (;;) {
      Result<RunPage> page = store.list(filter);
      if (!page) {
        add(what, "cannot be listed: " + page.status().message());
        return runs;
      }
      runs.insert(runs.end(), page->runs.begin(), page->runs.end());
      if (!page->more_after) return runs;
      if (page->runs.empty()) {
        add(what, "an empty page promises more");
        return runs;
      }
      filter.after = page->runs.back().id;
    }
  }

  void check_attempts(const Store& store, const Run& run) {
    const Result<std::vector<Attempt>> attempts = store.attempts(run.id);
    if (!attempts) return add(run.id.text(), "attempts cannot be read: " + attempts.status().message());
    if (attempts->size() != run.attempts) {
      add(run.id.text(),
          "has " + std::to_string(attempts->size()) + " attempts, counts " + std::to_string(run.attempts));
    }
    std::uint32_t number = 0, losses = 0;
    for (const Attempt& attempt : *attempts) {
      const std::string what = run.id.text() + " attempt " + std::to_string(attempt.number);
      if (attempt.number != ++number) add(what, "its number should be " + std::to_string(number));
      const bool newest = number == attempts->size();
      const bool executes = attempt.status == AttemptStatus::kExecuting;
      const bool under_way = run.status == RunStatus::kExecuting || run.status == RunStatus::kWaiting;
      if (executes != (newest && under_way)) {
        add(what, std::string(executes ? "executes" : "has ended") + " while its run is " + quote(run.status));
      }
      if (executes == attempt.ended_at.has_value()) add(what, "its end and its status disagree");
      if (attempt.status == AttemptStatus::kLost) ++losses;
      if (attempt.status == AttemptStatus::kSucceeded && !(newest && run.status == RunStatus::kCompleted)) {
        add(what, "succeeded, but its run is " + quote(run.status));
      }
    }
    if (losses != run.host_losses) add(run.id.text(), "counts another number of lost attempts than it has");
    const bool has_output = store.output(run.id).is_ok();
    if (has_output != (run.status == RunStatus::kCompleted)) add(run.id.text(), "its output and its status disagree");
    if (!store.payload(run.id)) add(run.id.text(), "has no payload");
  }

  void check_timeline(const Store& store, const Run& run) {
    const Result<std::vector<TimelineEvent>> timeline = store.timeline(run.id);
    if (!timeline) return add(run.id.text(), "timeline cannot be read: " + timeline.status().message());
    std::uint32_t sequence = 0;
    std::optional<RunStatus> status;
    for (const TimelineEvent& event : *timeline) {
      const std::string what = run.id.text() + " event " + std::to_string(event.sequence) + " " + event.name;
      if (event.sequence != ++sequence) add(what, "its sequence should be " + std::to_string(sequence));
      if (status && is_final(*status)) add(what, "comes after the run became " + quote(*status));
      if (const std::optional<RunEvent> kind = event_named(event.name); kind && status) {
        if (transition(*status, *kind) != event.status) {
          add(what, "does not lead from " + quote(*status) + " to " + quote(event.status));
        }
      }
      status = event.status;
    }
    if (status && *status != run.status) add(run.id.text(), "its timeline ends in another status than it has");
  }

  void check_index(const Store& store, const std::vector<Run>& expected, const RunFilter& filter,
                   const std::string& what) {
    if (pages(store, filter, what) != expected) add(what, "lists other runs than are stored");
  }
};

void HistoryChecker::note_created(const RunId& run) {
  std::lock_guard lock(mutex_);
  created_.insert(run);
}

void HistoryChecker::note_refused(const RunId& run) {
  std::lock_guard lock(mutex_);
  refused_.insert(run);
}

void HistoryChecker::note_ended(const RunId& run, std::uint32_t attempt, bool success, RunStatus after) {
  std::lock_guard lock(mutex_);
  const auto [known, first] = ended_.emplace(std::pair(run, attempt), success);
  if (!first && known->second != success) {
    contradictions_.push_back(run.text() + " attempt " + std::to_string(attempt) +
                              ": was told to have ended both ways");
  }
  if (is_final(after)) finals_.emplace(run, after);
}

void HistoryChecker::note_status(const RunId& run, RunStatus status) {
  std::lock_guard lock(mutex_);
  const auto known = finals_.find(run);
  if (known != finals_.end() && known->second != status) {
    contradictions_.push_back(run.text() + ": was " + quote(known->second) + ", then shown " + quote(status));
  }
  if (is_final(status)) finals_.emplace(run, status);
}

std::size_t HistoryChecker::created() const {
  std::lock_guard lock(mutex_);
  return created_.size();
}

void HistoryChecker::check_told(const Store& store, Findings& findings) const {
  for (const RunId& run : created_) {
    if (!store.run(run)) findings.add(run.text(), "was acknowledged and is gone");
  }
  for (const RunId& run : refused_) {
    if (store.run(run)) findings.add(run.text(), "was refused and is there");
  }
  for (const auto& [run, status] : finals_) {
    const Result<Run> stored = store.run(run);
    if (!stored) {
      findings.add(run.text(), "was final and is gone");
    } else if (stored->status != status) {
      findings.add(run.text(), "was " + quote(status) + " and is " + quote(stored->status));
    }
  }
  for (const auto& [which, success] : ended_) {
    const auto& [run, number] = which;
    const std::string what = run.text() + " attempt " + std::to_string(number);
    const Result<std::vector<Attempt>> attempts = store.attempts(run);
    if (!attempts || attempts->size() < number) {
      findings.add(what, "had ended and is gone");
    } else if (((*attempts)[number - 1].status == AttemptStatus::kSucceeded) != success) {
      findings.add(what, "had ended another way");
    }
  }
}

std::vector<std::string> HistoryChecker::check(const Store& store) const {
  std::lock_guard lock(mutex_);
  Findings findings;
  findings.wrong = contradictions_;
  check_told(store, findings);

  const std::vector<Run> all = findings.pages(store, {}, "all runs");
  std::map<RunStatus, std::vector<Run>> by_status;
  std::map<TaskId, std::vector<Run>> by_task;
  std::map<std::string, std::vector<Run>> by_tag;
  std::map<VersionId, std::uint64_t> locked;
  for (const Run& run : all) {
    findings.check_attempts(store, run);
    findings.check_timeline(store, run);
    by_status[run.status].push_back(run);
    by_task[run.task].push_back(run);
    for (const std::string& tag : run.options.tags) by_tag[tag].push_back(run);
    if (!is_final(run.status) && !run.version.empty()) ++locked[run.version];
  }
  if (store.locked_versions() != locked) findings.add("locked_versions()", "counts other runs than there are");
  std::map<RunStatus, std::uint64_t> counts = store.counts();
  for (std::size_t i = 1; i <= kRunStatusCount; ++i) {
    const auto status = static_cast<RunStatus>(i);
    RunFilter filter;
    filter.statuses = {status};
    findings.check_index(store, by_status[status], filter, quote(status));
    if (counts[status] != by_status[status].size()) {
      findings.add(quote(status), "counts " + std::to_string(counts[status]) + " runs, there are " +
                                      std::to_string(by_status[status].size()));
    }
  }
  for (const auto& [task, runs] : by_task) {
    RunFilter filter;
    filter.tasks = {task};
    findings.check_index(store, runs, filter, "task " + task.text());
  }
  for (const auto& [tag, runs] : by_tag) {
    RunFilter filter;
    filter.tags = {tag};
    findings.check_index(store, runs, filter, "tag " + tag);
  }
  return findings.wrong;
}

}  // namespace perdure::store
