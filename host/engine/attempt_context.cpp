#include "host/engine/attempt_context.h"

#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <string_view>

namespace perdure::engine {

namespace {

// Written by hand: this is on every attempt's way, and a document object would cost more than the whole text.
void add_text(std::string& out, std::string_view text) {
  out += boost::json::serialize(boost::json::string_view(text));
}

std::string number(double value) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

std::string milliseconds(store::Time time) { return std::to_string(time.time_since_epoch().count()); }

}  // namespace

void show_metadata_as_it_is(const store::Store& store, store::Claim& claim) {
  if (!claim.run.metadata_changed) return;
  if (store::Result<std::string> metadata = store.metadata(claim.run.id)) {
    claim.run.options.metadata = std::move(*metadata);
  }
}

std::string attempt_context(const store::Claim& claim, const catalog::Task& task, const store::Machine& machine) {
  const store::Run& run = claim.run;
  std::string out;
  out.reserve(384);
  out += R"({"run":{"id":)";
  add_text(out, run.id.text());
  out += R"(,"createdAt":)" + milliseconds(run.created_at);
  out += R"(,"tags":[)";
  for (std::size_t i = 0; i < run.options.tags.size(); ++i) {
    if (i > 0) out += ',';
    add_text(out, run.options.tags[i]);
  }
  out += R"(],"isTest":)";
  out += run.options.is_test ? "true" : "false";
  if (!run.options.idempotency_key.empty()) {
    out += R"(,"idempotencyKey":)";
    add_text(out, run.options.idempotency_key);
  }
  if (!run.parent.empty()) {
    out += R"(,"parentId":)";
    add_text(out, run.parent.text());
    out += R"(,"rootId":)";
    add_text(out, run.root.text());
    out += R"(,"depth":)" + std::to_string(run.depth);
  }
  out += R"(},"attempt":{"number":)" + std::to_string(claim.attempt.number);
  out += R"(,"startedAt":)" + milliseconds(claim.attempt.started_at);
  out += R"(},"task":{"id":)";
  add_text(out, run.task.text());
  out += R"(},"queue":{"name":)";
  add_text(out, run.queue.text());
  out += '}';
  if (!run.concurrency_key.empty()) {
    out += R"(,"concurrencyKey":)";
    add_text(out, run.concurrency_key);
  }
  out += R"(,"machine":{)";
  if (!machine.name.empty()) {
    out += R"("name":)";
    add_text(out, machine.name);
    out += ',';
  }
  out += R"("cpu":)" + number(machine.cpu) + R"(,"memory":)" + std::to_string(machine.memory);
  out += R"(},"plugin":{"name":)";
  add_text(out, task.plugin);
  out += R"(,"version":)";
  add_text(out, claim.attempt.version.text());
  out += R"(},"metadata":)";
  out += run.options.metadata.empty() ? std::string_view("{}") : std::string_view(run.options.metadata);
  out += '}';
  return out;
}

}  // namespace perdure::engine
