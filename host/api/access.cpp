#include "host/api/access.h"

#include <algorithm>
#include <string>

#include "host/api/errors.h"

namespace perdure::api {
namespace {

using auth::Right;

struct Rule {
  Access access;
  Right right;              // that a key must have
  std::string_view action;  // that a token's scope must permit; empty: tokens are not accepted
  bool by_head = false;     // … on argument, as one of `type`; otherwise the route decides, by what it finds
  std::string_view type{};
};

constexpr Rule kRules[] = {
    {Access::kRead, Right::kRead, ""},
    {Access::kTrigger, Right::kTrigger, ""},
    {Access::kAdmin, Right::kAdmin, ""},
    {Access::kTriggerTask, Right::kTrigger, "trigger", true, "tasks"},
    {Access::kTriggerBatch, Right::kTrigger, "batchTrigger", false, "tasks"},
    {Access::kReadRun, Right::kRead, "read"},
    {Access::kWriteRun, Right::kTrigger, "write"},
    {Access::kReadRuns, Right::kRead, "read"},
    {Access::kReadTags, Right::kRead, "read"},
    {Access::kReadBatch, Right::kRead, "read", true, "batch"},
    {Access::kCompleteWaitpoint, Right::kTrigger, "write", true, "waitpoints"},
};

const Rule* rule_of(Access access) {
  const auto* const found = std::ranges::find(kRules, access, &Rule::access);
  return found == std::end(kRules) ? nullptr : found;
}

std::string_view name_of(Right right) {
  return right == Right::kRead ? "read" : right == Right::kTrigger ? "trigger" : "admin";
}

// As the official client expects it: its own error type is made from these members.
Response forbidden(std::string_view sentence) {
  Response response = error_response(403, sentence);
  response.body.pop_back();
  response.body += R"(,"code":"unauthorized","param":"access_token","type":"authorization"})";
  return response;
}

Response no_scope(std::string_view action, std::string_view type, std::string_view id) {
  std::string scope = std::string(action) + ":" + std::string(type);
  if (!id.empty()) scope += ":" + std::string(id);
  return forbidden("the public access token needs the scope \"" + scope + "\"");
}

const std::vector<std::string>* scopes_of(const Request& request) {
  return request.caller && request.caller->token ? &request.caller->token->scopes : nullptr;
}

}  // namespace

bool is_for_browsers(Access access) {
  if (access == Access::kSigned) return true;
  const Rule* const rule = rule_of(access);
  return rule != nullptr && !rule->action.empty();
}

std::optional<Response> refuse_access(const Request& request, Access access) {
  if (access == Access::kOpen || access == Access::kSigned || !request.caller) return std::nullopt;
  const std::vector<std::string>* const scopes = scopes_of(request);
  const Rule* const rule = rule_of(access);
  if (scopes == nullptr) {
    if (rule == nullptr || auth::has(request.caller->rights, rule->right)) return std::nullopt;
    return forbidden("this key may not do that: it needs the scope \"" + std::string(name_of(rule->right)) + "\"");
  }
  if (!is_for_browsers(access)) {
    return error_response(401, "a public access token is not enough here: use a secret key");
  }
  if (rule->by_head) {
    if (auth::permits(*scopes, rule->action, {rule->type, request.argument})) return std::nullopt;
    // Whoever may read all runs may read those of a batch.
    if (access == Access::kReadBatch && auth::permits(*scopes, "read", auth::Resource{"runs", ""})) return std::nullopt;
    return no_scope(rule->action, rule->type, request.argument);
  }
  if (!rule->type.empty()) {
    if (auth::may_permit(*scopes, rule->action, {rule->type})) return std::nullopt;
    return no_scope(rule->action, rule->type, "");
  }
  if (auth::may_permit(*scopes, rule->action, {"runs", "tasks", "tags", "batch"})) return std::nullopt;
  return no_scope(rule->action, "runs", request.argument);
}

std::optional<Response> refuse_run(const Request& request, std::string_view action, const store::Run& run) {
  const std::vector<std::string>* const scopes = scopes_of(request);
  if (scopes == nullptr) return std::nullopt;
  std::vector<auth::Resource> names{{"runs", run.id.text()}, {"tasks", run.task.text()}};
  for (const std::string& tag : run.options.tags) names.push_back({"tags", tag});
  if (!run.batch.empty()) names.push_back({"batch", run.batch.text()});
  if (auth::permits_any(*scopes, action, names)) return std::nullopt;
  return no_scope(action, "runs", run.id.text());
}

std::optional<Response> refuse_run(const Request& request, std::string_view action, const store::Store& store,
                                   const store::RunId& run) {
  if (scopes_of(request) == nullptr) return std::nullopt;
  const store::Result<store::Run> found = store.run(run);
  return found ? refuse_run(request, action, *found) : error_response(found.status());
}

std::optional<Response> refuse_batch_trigger(const Request& request, std::string_view task) {
  const std::vector<std::string>* const scopes = scopes_of(request);
  if (scopes == nullptr || auth::permits(*scopes, "batchTrigger", {"tasks", task})) return std::nullopt;
  return no_scope("batchTrigger", "tasks", task);
}

std::optional<Response> refuse_list(const Request& request, const std::vector<store::TaskId>& tasks) {
  const std::vector<std::string>* const scopes = scopes_of(request);
  if (scopes == nullptr || auth::permits_any(*scopes, "read", {{"runs", ""}, {"tasks", ""}})) return std::nullopt;
  const auto covered = [&](const store::TaskId& task) {
    return auth::permits(*scopes, "read", auth::Resource{"tasks", task.text()});
  };
  if (!tasks.empty() && std::ranges::all_of(tasks, covered)) return std::nullopt;
  return no_scope("read", "runs", "");
}

std::optional<Response> refuse_tags(const Request& request, const std::vector<std::string>& tags) {
  const std::vector<std::string>* const scopes = scopes_of(request);
  if (scopes == nullptr) return std::nullopt;
  std::vector<auth::Resource> names{{"runs", ""}};
  for (const std::string& tag : tags) names.push_back({"tags", tag});
  if (auth::permits_any(*scopes, "read", names)) return std::nullopt;
  return no_scope("read", "tags", tags.front());
}

}  // namespace perdure::api
