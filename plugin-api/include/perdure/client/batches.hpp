// Up to 1,000 runs triggered together, and what comes of each. Part of Client; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <perdure/batch.hpp>
#include <perdure/client/channel.hpp>
#include <perdure/client/handle.hpp>
#include <perdure/client/run.hpp>
#include <perdure/client/trigger_body.hpp>
#include <perdure/client/triggers.hpp>

namespace perdure::client {

struct BatchOptions {
  std::string idempotency_key{};                  // the batch that was made with it is the answer
  std::optional<milliseconds> idempotency_ttl{};  // 30 days
};

/// A batch as its host tells of it.
struct BatchState {
  std::string id;
  std::string status;  // "PENDING", "PROCESSING", "COMPLETED", "PARTIAL_FAILED", "ABORTED"
  std::uint32_t run_count = 0;
  std::vector<RunHandle> runs{};  // in the order of the items; without an id where the item made no run
  std::vector<RefusedItem> refused{};
};

namespace detail {

constexpr std::size_t kMostLines = std::size_t{16} << 20;  // bytes of items in one request

inline BatchState read_batch(const json::object& object) {
  BatchState batch;
  batch.id = required<std::string>(object, "id");
  batch.status = required<std::string>(object, "status");
  batch.run_count = required<std::uint32_t>(object, "runCount");
  const auto processing = required<json::object>(object, "processing");
  const auto refused = optional<std::vector<json::object>>(processing, "errors");
  for (const json::object& each : refused.value_or(std::vector<json::object>())) {
    batch.refused.push_back({required<std::uint32_t>(each, "index"),
                             optional<std::string>(each, "taskIdentifier").value_or(""),
                             optional<std::string>(each, "error").value_or("it was refused")});
  }
  // The runs are listed without gaps, which the refused items would have left.
  const auto ids = required<std::vector<std::string>>(object, "runs");
  std::ranges::sort(batch.refused, {}, &RefusedItem::index);
  const std::size_t count = ids.size() + batch.refused.size();
  if (count > batch.run_count || (!batch.refused.empty() && batch.refused.back().index >= count)) {
    throw JsonError("runs and processing.errors are more than runCount, or of other items");
  }
  auto refusal = batch.refused.begin();
  auto id = ids.begin();
  for (std::size_t index = 0; index < count; ++index) {
    const bool none = refusal != batch.refused.end() && refusal->index == index;
    if (none) ++refusal;
    batch.runs.push_back({none || id == ids.end() ? std::string() : *id++});
  }
  return batch;
}

/// The items as lines of JSON, each request's worth of them a text of its own.
inline std::vector<std::string> batch_lines(const std::vector<BatchItem>& items) {
  std::vector<std::string> texts(1);
  for (std::size_t index = 0; index < items.size(); ++index) {
    const BatchItem& item = items[index];
    std::string head = R"("index":)" + std::to_string(index) + R"(,"task":)" + to_json(item.task_id) + ",";
    const std::string line = trigger_body(head, item.payload, http_options(item.options)) + "\n";
    if (!texts.back().empty() && texts.back().size() + line.size() > kMostLines) texts.emplace_back();
    texts.back() += line;
  }
  return texts;
}

}  // namespace detail

class Batches {
 public:
  explicit Batches(std::shared_ptr<const detail::Channel> channel) : channel_(std::move(channel)) {}

  /// client.batch({perdure::item("hello", Greeting{"Ada"}), perdure::item(charge, {.cents = 3}, {.delay = 5min})}):
  /// runs of several tasks, which come to be together. Items that cannot be, of unknown tasks for instance, are in the
  /// result's `refused`. Throws Invalid and the others.
  template <class Out = json::value>
  Batch<Out> batch(const std::vector<BatchItem>& items, const BatchOptions& options = {}) const {
    return made<Out>(items, options);
  }
  /// client.batch("hello", std::vector<Greeting>{…}): of one task.
  template <class Out = json::value, class In>
  Batch<Out> batch(std::string_view task_id, const std::vector<In>& payloads, const TriggerOptions& each = {},
                   const BatchOptions& options = {}) const {
    std::vector<BatchItem> items;
    items.reserve(payloads.size());
    for (const In& payload : payloads) items.push_back(item(task_id, payload, each));
    return made<Out>(items, options);
  }
  template <class In, class Out>
  Batch<typename Task<In, Out>::Output> batch(const Task<In, Out>& task,
                                              const std::vector<std::type_identity_t<In>>& payloads,
                                              const TriggerOptions& each = {}, const BatchOptions& options = {}) const {
    return batch<typename Task<In, Out>::Output>(task.id.text, payloads, each, options);
  }

  /// Waits until all runs of the batch are finished, as Client::wait() does: how each ended, in the order of the items.
  template <class Out>
  BatchResult<Out> wait(const Batch<Out>& batch, const WaitOptions& options = {}) const {
    const auto deadline = detail::deadline_of(options);
    BatchResult<Out> results;
    for (std::size_t index = 0; index < batch.runs.size(); ++index) {
      const std::string& id = batch.runs[index].id;
      if (id.empty()) {
        results.push_back(RunResult<Out>(refusal_of(batch, index)));
        continue;
      }
      try {
        results.push_back(detail::await_finished(*channel_, id, options.stop, deadline).template result<Out>());
      } catch (const NotFound&) {
        results.push_back(RunResult<Out>(RunError{"RUN_GONE", "the run is not kept any more", "", id, {}}));
      }
    }
    return results;
  }

  /// How far a batch is.
  BatchState retrieve_batch(std::string_view batch_id) const {
    const std::string doing = "retrieving batch " + std::string(batch_id);
    const detail::HttpResponse response =
        channel_->ask({.doing = doing, .path = "/api/v2/batches/" + detail::escaped(batch_id)});
    return detail::Channel::understood(doing, response.status,
                                       [&] { return detail::read_batch(from_json<json::object>(response.body)); });
  }

 private:
  template <class Out>
  static RunError refusal_of(const Batch<Out>& batch, std::size_t index) {
    RunError error{"TRIGGER_FAILED", "the item made no run", "", "", {}};
    for (const RefusedItem& each : batch.refused) {
      if (each.index == index) error.message = each.message;
    }
    return error;
  }

  template <class Out>
  Batch<Out> made(const std::vector<BatchItem>& items, const BatchOptions& options) const {
    const std::vector<std::string> lines = detail::batch_lines(items);  // before anything is asked for
    json::object wanted{{"runCount", items.size()}};
    if (!options.idempotency_key.empty()) wanted["idempotencyKey"] = options.idempotency_key;
    if (options.idempotency_ttl) wanted["idempotencyKeyTTL"] = detail::seconds_of(options.idempotency_ttl->count());
    const detail::Call call{.doing = "making a batch of " + std::to_string(items.size()),
                            .method = "POST",
                            .path = "/api/v3/batches",
                            .body = to_json(wanted)};
    const json::object created = channel_->ask_object(call);
    Batch<Out> batch = detail::Channel::understood(call.doing, 202, [&] {
      return Batch<Out>{.id = detail::required<std::string>(created, "id"),
                        .cached = detail::required<bool>(created, "isCached")};
    });
    if (!batch.cached) send(batch.id, lines);
    BatchState state = retrieve_batch(batch.id);
    batch.runs = std::move(state.runs);
    batch.refused = std::move(state.refused);
    return batch;
  }

  // Items that come twice count once, so every try sends them whole.
  void send(const std::string& id, const std::vector<std::string>& lines) const {
    bool sealed = false;
    const std::string doing = "sending the items of batch " + id;
    for (const std::string& each : lines) {
      const json::object answer = channel_->ask_object({.doing = doing,
                                                        .method = "POST",
                                                        .path = "/api/v3/batches/" + detail::escaped(id) + "/items",
                                                        .body = each,
                                                        .content_type = "application/x-ndjson"});
      sealed = detail::optional<bool>(answer, "sealed").value_or(false);
    }
    if (!sealed) throw AnswerInvalid(doing + ": the host has got them all and does not call the batch complete", 200);
  }

  std::shared_ptr<const detail::Channel> channel_;
};

}  // namespace perdure::client
