// The durable services of an attempt under test: steps, children, waits and tokens, recorded in memory. Time does not
// pass in a wait: the attempt's clock is moved on. Attempt's thread.
#pragma once

#include <perdure/plugin.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <perdure/testing/session.hpp>

namespace perdure::testing::detail {

inline Session& session_of(const perdure_attempt* attempt) { return *static_cast<Session*>(attempt->host); }

const perdure_services& services();

/// Calls on_wait, `body`, and on_resume when the wait ended here.
template <class Body>
perdure_status around_wait(const perdure_attempt* attempt, std::string_view type, std::string_view id, Body&& body) {
  Session& session = session_of(attempt);
  const bool replayed = session.recorded() != nullptr;
  const std::string event = to_json(json::object{{"wait", {{"type", type}, {"id", id}}}});
  const auto tell = [&](perdure_task_fn perdure_hooks::*hook, const char* name) {
    for (const perdure_hooks& hooks : session.entry.hooks) {
      if (hooks.*hook == nullptr || !session.on_attempt_thread()) continue;
      session.result.hooks.emplace_back(name);
      const Said said = session.call(services(), hooks.user, event, hooks.*hook);
      if (said.error) session.ignore(name, *said.error);
    }
  };
  if (!replayed) tell(&perdure_hooks::on_wait, "on_wait");
  const perdure_status status = body();
  if (status != PERDURE_SUSPENDED && status != PERDURE_CANCELLED) {
    const bool last = session.recorded() == nullptr;
    // In the process that comes after an eviction, the wait that ended it is the last one recorded.
    if (!replayed || (last && session.options.replay > 0)) tell(&perdure_hooks::on_resume, "on_resume");
  }
  return status;
}

inline perdure_status memo_get(const perdure_attempt* attempt, perdure_str key, perdure_str* json) {
  Session& session = session_of(attempt);
  if (key.len == 0 || key.len > 256) return fail(PERDURE_INVALID, "a step's name must have 1 to 256 bytes");
  if (session.recorded() != nullptr) return session.durable("memo", view(key), json, false, [](auto&) { return 0; });
  if (!session.on_attempt_thread()) return fail(PERDURE_INVALID, "memo_get is for the attempt's thread");
  session.memo_asked = view(key);
  session.memo_open = true;
  return fail(PERDURE_NOT_FOUND, "no step \"" + session.memo_asked + "\" is recorded");
}

inline perdure_status memo_put(const perdure_attempt* attempt, perdure_str key, perdure_str json) {
  Session& session = session_of(attempt);
  if (!session.memo_open || session.memo_asked != view(key)) {
    return fail(PERDURE_INVALID,
                "memo_put of \"" + std::string(view(key)) + "\", which memo_get has not just asked for");
  }
  if (json.len == 0 || !value_of(json)) return fail(PERDURE_INVALID, "the step's result is not JSON");
  const perdure_status status = session.durable("memo", view(key), nullptr, false, [&](std::string& out) {
    out = view(json);
    return perdure_status{PERDURE_OK};
  });
  session.memo_open = false;
  return status;
}

/// PERDURE_OK when `trigger` can be triggered.
inline perdure_status check(const perdure_trigger* trigger) {
  if (trigger == nullptr || !PERDURE_HAS(trigger, task_id)) {
    return fail(PERDURE_INVALID, "perdure_trigger.struct_size is not set to sizeof(perdure_trigger)");
  }
  const std::string id(view(trigger->task_id));
  if (id.empty()) return fail(PERDURE_NOT_FOUND, "a trigger without a task id");
  if (PERDURE_HAS(trigger, payload) && !value_of(trigger->payload)) {
    return fail(PERDURE_INVALID, "the payload for \"" + id + "\" is not JSON");
  }
  if (PERDURE_HAS(trigger, options) && trigger->options.len != 0) {
    const auto options = value_of(trigger->options);
    if (!options || !options->is_object()) {
      return fail(PERDURE_INVALID, "the options of the trigger of \"" + id + "\" are no JSON object");
    }
  }
  return PERDURE_OK;
}

/// Remembers the new run and gives its id.
inline std::string add_child(Session& session, const perdure_trigger& trigger, bool waited) {
  Triggered child{
      "child_" + std::to_string(++session.triggered), std::string(view(trigger.task_id)), nullptr, {}, waited};
  if (PERDURE_HAS(&trigger, payload)) child.payload = *value_of(trigger.payload);
  if (PERDURE_HAS(&trigger, options) && trigger.options.len != 0) {
    child.options = value_of(trigger.options)->get_object();
  }
  session.result.children.push_back(child);
  return child.run_id;
}

/// What became of a child that is waited for: {"ok", "runId", "output" or "error"}. Its task is known.
inline json::object end_of(Session& session, const std::string& run_id, std::string_view task_id,
                           const json::value& payload) {
  json::object error;
  try {
    const json::value output = session.options.children.find(task_id)->second(payload);
    return {{"ok", true}, {"runId", run_id}, {"output", output}};
  } catch (const Error& e) {
    error = error_json({e.name(), e.what(), e.details(), {}});
  } catch (const std::exception& e) {
    error = error_json({perdure::detail::type_name(typeid(e)), e.what(), nullptr, {}});
  }
  error["status"] = "FAILED";
  error["runId"] = run_id;
  return {{"ok", false}, {"runId", run_id}, {"error", error}};
}

inline json::object finish_child(Session& session, const perdure_trigger& trigger) {
  const std::string run_id = add_child(session, trigger, true);
  const json::value payload = session.result.children.back().payload;
  return end_of(session, run_id, view(trigger.task_id), payload);
}

inline perdure_status check_waited(const Session& session, const perdure_trigger& trigger) {
  const std::string id(view(trigger.task_id));
  if (session.options.children.contains(id)) return PERDURE_OK;
  return fail(PERDURE_NOT_FOUND, "no task \"" + id + "\" in this test: name it in Options::children");
}

inline perdure_status trigger(const perdure_attempt* attempt, const perdure_trigger* trigger, perdure_str* run_id) {
  if (const perdure_status status = check(trigger); status != PERDURE_OK) return status;
  Session& session = session_of(attempt);
  if (session.recorded() != nullptr) ++session.triggered;
  return session.durable("trigger", view(trigger->task_id), run_id, false, [&](std::string& out) {
    out = add_child(session, *trigger, false);
    return perdure_status{PERDURE_OK};
  });
}

inline perdure_status trigger_and_wait(const perdure_attempt* attempt, const perdure_trigger* trigger,
                                       perdure_str* json) {
  if (const perdure_status status = check(trigger); status != PERDURE_OK) return status;
  Session& session = session_of(attempt);
  if (session.recorded() != nullptr) {
    ++session.triggered;
  } else if (const perdure_status status = check_waited(session, *trigger); status != PERDURE_OK) {
    return status;
  }
  return around_wait(attempt, "run", "child_" + std::to_string(session.triggered + 1), [&] {
    return session.durable("trigger_and_wait", view(trigger->task_id), json, true, [&](std::string& out) {
      const json::object child = finish_child(session, *trigger);
      const bool ok = child.at("ok").get_bool();
      out = to_json(child.at(ok ? "output" : "error"));
      return perdure_status{ok ? PERDURE_OK : PERDURE_CHILD_FAILED};
    });
  });
}

/// Checks a batch and joins its task ids with commas.
inline perdure_status check_batch(const perdure_trigger* const* triggers, std::uint64_t count, std::string& key) {
  if (count == 0 || count > 1000) return fail(PERDURE_INVALID, "a batch has 1 to 1,000 triggers");
  for (std::uint64_t i = 0; i < count; ++i) {
    if (const perdure_status status = check(triggers[i]); status != PERDURE_OK) return status;
    if (i > 0) key += ',';
    key += view(triggers[i]->task_id);
  }
  return PERDURE_OK;
}

inline perdure_status batch_trigger(const perdure_attempt* attempt, const perdure_trigger* const* triggers,
                                    std::uint64_t count, perdure_str* json) {
  std::string key;
  if (const perdure_status status = check_batch(triggers, count, key); status != PERDURE_OK) return status;
  Session& session = session_of(attempt);
  if (session.recorded() != nullptr) session.triggered += static_cast<int>(count);
  return session.durable("batch_trigger", key, json, false, [&](std::string& out) {
    json::array runs;
    for (std::uint64_t i = 0; i < count; ++i) runs.emplace_back(add_child(session, *triggers[i], false));
    out = to_json(json::object{{"id", "batch_" + std::to_string(session.result.steps.size() + 1)}, {"runs", runs}});
    return perdure_status{PERDURE_OK};
  });
}

inline perdure_status batch_trigger_and_wait(const perdure_attempt* attempt, const perdure_trigger* const* triggers,
                                             std::uint64_t count, perdure_str* json) {
  std::string key;
  if (const perdure_status status = check_batch(triggers, count, key); status != PERDURE_OK) return status;
  Session& session = session_of(attempt);
  if (session.recorded() != nullptr) {
    session.triggered += static_cast<int>(count);
  } else {
    for (std::uint64_t i = 0; i < count; ++i) {
      if (const perdure_status status = check_waited(session, *triggers[i]); status != PERDURE_OK) return status;
    }
  }
  return around_wait(attempt, "batch", "batch_" + std::to_string(session.result.steps.size() + 1), [&] {
    return session.durable("batch_trigger_and_wait", key, json, true, [&](std::string& out) {
      json::array ends;
      for (std::uint64_t i = 0; i < count; ++i) ends.emplace_back(finish_child(session, *triggers[i]));
      out = to_json(ends);
      return perdure_status{PERDURE_OK};
    });
  });
}

inline perdure_status wait_until(const perdure_attempt* attempt, std::int64_t unix_ms) {
  Session& session = session_of(attempt);
  const Instant until{std::chrono::milliseconds(unix_ms)};
  return around_wait(attempt, "time", std::to_string(unix_ms), [&] {
    return session.durable("wait_until", {}, nullptr, true, [&](std::string&) {
      session.result.now = std::max(session.result.now, until);
      return perdure_status{PERDURE_OK};
    });
  });
}

inline perdure_status wait_for(const perdure_attempt* attempt, std::int64_t duration_ms) {
  Session& session = session_of(attempt);
  return around_wait(attempt, "duration", std::to_string(duration_ms), [&] {
    return session.durable("wait_for", {}, nullptr, true, [&](std::string&) {
      session.result.now += std::chrono::milliseconds(std::max<std::int64_t>(duration_ms, 0));
      return perdure_status{PERDURE_OK};
    });
  });
}

inline perdure_status token_create(const perdure_attempt* attempt, perdure_str options, perdure_str* json) {
  Session& session = session_of(attempt);
  const auto given = options.len == 0 ? json::value(json::object()) : value_of(options);
  if (!given || !given->is_object()) return fail(PERDURE_INVALID, "the options of a token are no JSON object");
  if (!session.on_attempt_thread()) return fail(PERDURE_INVALID, "token_create is for the attempt's thread");
  const std::string id = "token_" + std::to_string(++session.created);
  std::int64_t timeout = 600'000;
  if (const json::value* ms = given->get_object().if_contains("timeoutMs"); ms != nullptr && ms->is_int64()) {
    timeout = ms->get_int64();
  }
  session.token_timeouts[id] = std::chrono::milliseconds(timeout);
  return session.durable("token_create", {}, json, false, [&](std::string& out) {
    out = to_json(json::object{{"id", id}, {"url", "http://127.0.0.1/tokens/" + id}});
    return perdure_status{PERDURE_OK};
  });
}

/// What the token was completed with, by the test or by the attempt; null when it was not.
inline const json::value* completed(const Session& session, std::string_view id) {
  for (const auto* tokens : {&session.options.tokens, &session.result.tokens}) {
    if (const auto found = tokens->find(id); found != tokens->end()) return &found->second;
  }
  return nullptr;
}

inline perdure_status token_wait(const perdure_attempt* attempt, perdure_str token_id, perdure_str* json) {
  Session& session = session_of(attempt);
  const std::string id(view(token_id));
  return around_wait(attempt, "token", id, [&] {
    return session.durable("token_wait", id, json, true, [&](std::string& out) {
      if (const json::value* const value = completed(session, id)) {
        out = to_json(*value);
        return perdure_status{PERDURE_OK};
      }
      const auto timeout = session.token_timeouts.find(id);
      if (timeout == session.token_timeouts.end()) return fail(PERDURE_NOT_FOUND, "no token \"" + id + "\"");
      session.result.now += timeout->second;
      return fail(PERDURE_TIMED_OUT, "the token \"" + id + "\" was not completed in time");
    });
  });
}

inline perdure_status token_complete(const perdure_attempt* attempt, perdure_str token_id, perdure_str json) {
  Session& session = session_of(attempt);
  const std::string id(view(token_id));
  const auto value = value_of(json);
  if (!value) return fail(PERDURE_INVALID, "what the token \"" + id + "\" is completed with is not JSON");
  const bool is_complete = completed(session, id) != nullptr;
  if (session.recorded() != nullptr && !is_complete) session.result.tokens[id] = *value;
  return session.durable("token_complete", id, nullptr, false, [&](std::string&) {
    if (!is_complete && !session.token_timeouts.contains(id)) return fail(PERDURE_NOT_FOUND, "no token \"" + id + "\"");
    if (!is_complete) session.result.tokens[id] = *value;
    return perdure_status{PERDURE_OK};
  });
}

/// What comes of one of several things that are waited for; null when it never does.
inline json::value came_of(Session& session, const json::object& member) {
  const auto text = [&member](const char* name) {
    const json::value* const value = member.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  if (const std::string token = text("token"); !token.empty()) {
    const json::value* const value = completed(session, token);
    return value == nullptr ? json::value() : json::value(json::object{{"ok", true}, {"output", *value}});
  }
  if (const std::string run = text("run"); !run.empty()) {
    const auto child = std::ranges::find(session.result.children, run, &Triggered::run_id);
    if (child == session.result.children.end() || !session.options.children.contains(child->task)) return nullptr;
    const json::value payload = child->payload;
    return end_of(session, run, child->task, payload);
  }
  const json::value* const length = member.if_contains("ms");
  const json::value* const time = member.if_contains("until");
  if (length != nullptr) session.result.now += std::chrono::milliseconds(length->to_number<std::int64_t>());
  if (time != nullptr) {
    session.result.now =
        std::max(session.result.now, Instant(std::chrono::milliseconds(time->to_number<std::int64_t>())));
  }
  return json::object{{"ok", true}, {"output", nullptr}};
}

/// Of several, the first in their order that comes is the first of all.
inline perdure_status wait_many(const perdure_attempt* attempt, perdure_str what, perdure_str* answer) {
  Session& session = session_of(attempt);
  const auto asked = value_of(what);
  const json::value* const list = asked && asked->is_object() ? asked->get_object().if_contains("for") : nullptr;
  if (list == nullptr || !list->is_array())
    return fail(PERDURE_INVALID, "what is waited for is {\"mode\",\"for\":[…]}");
  const json::value* const mode = asked->get_object().if_contains("mode");
  const bool any = mode != nullptr && *mode == "any";
  return around_wait(attempt, "many", any ? "any" : "all", [&] {
    return session.durable("wait_many", any ? "any" : "all", answer, true, [&](std::string& out) {
      json::array all;
      bool one_came = false;
      for (const json::value& each : list->get_array()) {
        json::value came = any && one_came ? json::value() : came_of(session, each.as_object());
        one_came = one_came || !came.is_null();
        if (came.is_null() && !any) return fail(PERDURE_INVALID, "nothing in this test ever ends " + to_json(each));
        all.push_back(std::move(came));
      }
      if (!one_came) return fail(PERDURE_INVALID, "nothing in this test ever ends this wait");
      out = to_json(all);
      return perdure_status{PERDURE_OK};
    });
  });
}

}  // namespace perdure::testing::detail
