#include "host/schema/schema.h"

#include <boost/json.hpp>
#include <new>
#include <utility>
#include <vector>

#include "host/schema/compiler.h"
#include "host/schema/evaluation.h"
#include "store/model/json_text.h"

namespace perdure::schema {
namespace {

namespace json = boost::json;

constexpr store::JsonLimits kSchemaLimits{std::size_t{1} << 20, 64};
constexpr std::uint64_t kStepsPerByte = 320;
constexpr std::size_t kOnStack = 8192;  // bytes of a parsed payload that need no memory of their own

json::parse_options options_for(const store::JsonLimits& limits) {
  json::parse_options options;
  options.max_depth = limits.depth + 1;
  return options;
}

}  // namespace

struct Schema::Parts {
  std::vector<Node> nodes;
};

Schema::Schema(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Schema::~Schema() = default;

store::Result<std::shared_ptr<const Schema>> Schema::compile(std::string_view text) {
  if (const store::Status is_json = store::check_json(text, kSchemaLimits, "payloadSchema"); !is_json) return is_json;
  try {
    json::error_code failed;
    const json::value document =
        json::parse(json::string_view(text.data(), text.size()), failed, {}, options_for(kSchemaLimits));
    if (failed) return store::Status::invalid("payloadSchema cannot be read: " + failed.message());
    store::Result<std::vector<Node>> nodes = Compiler(document).compile();
    if (!nodes) return nodes.status();
    auto parts = std::make_unique<Parts>();
    parts->nodes = std::move(*nodes);
    return std::shared_ptr<const Schema>(new Schema(std::move(parts)));
  } catch (const std::bad_alloc&) {
    return store::Status::invalid("payloadSchema needs more memory than there is");
  }
}

std::optional<Fault> Schema::check(std::string_view text, std::uint64_t most_steps) const {
  try {
    unsigned char buffer[kOnStack];
    json::monotonic_resource memory(buffer);
    json::error_code failed;
    const json::value payload =
        json::parse(json::string_view(text.data(), text.size()), failed, &memory, options_for(store::kPayloadLimits));
    if (failed) return Fault{"", "is no JSON: " + failed.message()};
    if (most_steps == kMostSteps) most_steps += kStepsPerByte * text.size();
    Evaluation evaluation(parts_->nodes, most_steps, false);
    if (evaluation.fits(payload)) return std::nullopt;
    if (evaluation.is_over()) return evaluation.fault();
    Evaluation again(parts_->nodes, most_steps, true);
    (void)again.fits(payload);
    return again.fault();
  } catch (const std::bad_alloc&) {
    return Fault{"", "needs more memory to be checked than there is"};
  }
}

}  // namespace perdure::schema
