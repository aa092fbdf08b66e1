// Target: JSON Schema and its patterns. Input: a schema, a line end followed by a zero byte, a payload.
#include "host/schema/schema.h"

#include <string>

#include "host/schema/pattern.h"
#include "host/schema/work.h"
#include "store/model/json_text.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

constexpr std::uint64_t kSteps = 200'000;

bool same(const std::optional<schema::Fault>& a, const std::optional<schema::Fault>& b) {
  return a.has_value() == b.has_value() && (!a || (a->pointer == b->pointer && a->what == b->what));
}

void try_pattern(std::string_view text, std::string_view subject) {
  const store::Result<schema::Pattern> pattern = schema::Pattern::compile(text);
  if (!pattern) {
    claim(!pattern.status().message().empty(), "a refusal of a pattern says why");
    return;
  }
  schema::Work work(kSteps);
  const bool first = pattern->is_in(subject, work);
  schema::Work again(kSteps);
  claim(pattern->is_in(subject, again) == first, "a pattern matches the same twice");
}

}  // namespace

void schema(std::string_view bytes) {
  using std::string_view_literals::operator""sv;
  const std::size_t split = bytes.find("\n\0"sv);
  const std::string_view text = bytes.substr(0, split);
  const std::string_view payload = split == std::string_view::npos ? "null" : bytes.substr(split + 2);
  if (store::check_json('"' + std::string(text.substr(0, text.find('"'))) + '"', {})) {
    try_pattern(text.substr(0, text.find('"')), payload);
  }
  const store::Result<std::shared_ptr<const schema::Schema>> compiled = schema::Schema::compile(text);
  if (!compiled) {
    claim(compiled.status().code() == store::Code::kInvalid, "what is no schema is refused as kInvalid");
    claim(!compiled.status().message().empty(), "a refusal of a schema says why");
    return;
  }
  const std::optional<schema::Fault> fault = compiled.value()->check(payload, kSteps);
  claim(same(fault, compiled.value()->check(payload, kSteps)), "a check comes to the same twice");
  if (!store::check_json(payload, store::kPayloadLimits)) claim(fault.has_value(), "what is no JSON fits no schema");
  if (fault) {
    claim(fault->pointer.empty() || fault->pointer.front() == '/', "a fault is where a JSON pointer leads");
    claim(!fault->what.empty(), "a fault says what is wrong");
  }
}

}  // namespace perdure::fuzz
