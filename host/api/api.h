// What the routes have at hand, and the routes themselves, each a coroutine that answers one exchange. By file:
// trigger.cpp, replay.cpp, reschedule.cpp, idempotency.cpp, bulk_actions.cpp, cancel.cpp, run_routes.cpp,
// run_result.cpp, span_routes.cpp, list.cpp, metadata_routes.cpp, tags.cpp, streams.cpp, logs.cpp, attempt_start.cpp,
// stack.cpp, queue_routes.cpp, schedule_routes.cpp, schedule_times.cpp, realtime/subscribe_run.cpp,
// realtime/subscribe_set.cpp, packet_routes.cpp, openapi.cpp, token_routes.cpp, waitpoint_routes.cpp, key_routes.cpp,
// variable_routes.cpp, whoami.cpp, catalog_routes.cpp, plugin_routes.cpp, host_routes.cpp. Thread: any of the server's;
// several at once when it has several threads.
#pragma once

#include "host/api/auth/key_ring.h"
#include "host/api/handling.h"
#include "host/api/packets.h"
#include "host/api/realtime/run_sets.h"
#include "host/api/server.h"
#include "host/engine/engine.h"
#include "store/model/ids.h"

namespace perdure::api {

struct Api {
  engine::Engine& engine;
  const ApiOptions& options;
  auth::KeyRing& keys;
  RunSets& sets;
  Packets& packets;
  store::Time started_at;
};

store::Time wall_clock();

// The public contract.
Handling trigger_task(Api& api, ExchangePtr exchange);
Handling retrieve_run(Api& api, ExchangePtr exchange);
Handling list_runs(Api& api, ExchangePtr exchange);
Handling cancel_run(Api& api, ExchangePtr exchange);
Handling replay_run(Api& api, ExchangePtr exchange);
Handling reschedule_run(Api& api, ExchangePtr exchange);
Handling reset_idempotency_key(Api& api, ExchangePtr exchange);
Handling create_batch(Api& api, ExchangePtr exchange);
Handling add_batch_items(Api& api, ExchangePtr exchange);
Handling show_batch(Api& api, ExchangePtr exchange);
Handling show_batch_results(Api& api, ExchangePtr exchange);
Handling begin_bulk_action(Api& api, ExchangePtr exchange);
Handling list_bulk_actions(Api& api, ExchangePtr exchange);
Handling show_bulk_action(Api& api, ExchangePtr exchange);
Handling abort_bulk_action(Api& api, ExchangePtr exchange);
Handling show_metadata(Api& api, ExchangePtr exchange);
Handling change_metadata(Api& api, ExchangePtr exchange);
Handling add_tags(Api& api, ExchangePtr exchange);
Handling show_result(Api& api, ExchangePtr exchange);
Handling show_events(Api& api, ExchangePtr exchange);
Handling show_public_trace(Api& api, ExchangePtr exchange);
Handling show_token_claims(Api& api, ExchangePtr exchange);
Handling make_public_token(Api& api, ExchangePtr exchange);
Handling prepare_upload(Api& api, ExchangePtr exchange);
Handling find_packet(Api& api, ExchangePtr exchange);
Handling find_run_packet(Api& api, ExchangePtr exchange);
Handling upload_packet(Api& api, ExchangePtr exchange);
Handling download_packet(Api& api, ExchangePtr exchange);
Handling subscribe_run(Api& api, ExchangePtr exchange);
Handling subscribe_tags(Api& api, ExchangePtr exchange);
Handling subscribe_batch(Api& api, ExchangePtr exchange);
Handling create_waitpoint(Api& api, ExchangePtr exchange);
Handling list_waitpoints(Api& api, ExchangePtr exchange);
Handling retrieve_waitpoint(Api& api, ExchangePtr exchange);
Handling complete_waitpoint(Api& api, ExchangePtr exchange);
Handling call_waitpoint_back(Api& api, ExchangePtr exchange);
Handling follow_stream(Api& api, ExchangePtr exchange);
Handling list_queues(Api& api, ExchangePtr exchange);
Handling show_queue(Api& api, ExchangePtr exchange);
Handling pause_queue(Api& api, ExchangePtr exchange);
Handling override_queue(Api& api, ExchangePtr exchange);
Handling reset_queue(Api& api, ExchangePtr exchange);
Handling list_variables(Api& api, ExchangePtr exchange);
Handling create_variable(Api& api, ExchangePtr exchange);
Handling import_variables(Api& api, ExchangePtr exchange);
Handling show_variable(Api& api, ExchangePtr exchange);
Handling update_variable(Api& api, ExchangePtr exchange);
Handling delete_variable(Api& api, ExchangePtr exchange);
Handling who_am_i(Api& api, ExchangePtr exchange);
// … of schedules
Handling list_schedules(Api& api, ExchangePtr exchange);
Handling create_schedule(Api& api, ExchangePtr exchange);
Handling retrieve_schedule(Api& api, ExchangePtr exchange);
Handling update_schedule(Api& api, ExchangePtr exchange);
Handling delete_schedule(Api& api, ExchangePtr exchange);
Handling activate_schedule(Api& api, ExchangePtr exchange);
Handling deactivate_schedule(Api& api, ExchangePtr exchange);
Handling list_timezones(Api& api, ExchangePtr exchange);

// Perdure's own.
Handling show_run(Api& api, ExchangePtr exchange);
Handling show_logs(Api& api, ExchangePtr exchange);
Handling list_children(Api& api, ExchangePtr exchange);
Handling list_streams(Api& api, ExchangePtr exchange);
Handling show_stream(Api& api, ExchangePtr exchange);
Handling show_trace(Api& api, ExchangePtr exchange);
Handling show_stack(Api& api, ExchangePtr exchange);
Handling show_start(Api& api, ExchangePtr exchange);
Handling list_queue_keys(Api& api, ExchangePtr exchange);
Handling list_tasks(Api& api, ExchangePtr exchange);
Handling show_task(Api& api, ExchangePtr exchange);
Handling list_plugins(Api& api, ExchangePtr exchange);
Handling roll_back_plugin(Api& api, ExchangePtr exchange);
Handling release_plugin(Api& api, ExchangePtr exchange);
Handling show_openapi(Api& api, ExchangePtr exchange);
Handling list_keys(Api& api, ExchangePtr exchange);
Handling create_key(Api& api, ExchangePtr exchange);
Handling revoke_key(Api& api, ExchangePtr exchange);
Handling rotate_root_key(Api& api, ExchangePtr exchange);
Handling show_status(Api& api, ExchangePtr exchange);
Handling show_health(Api& api, ExchangePtr exchange);
Handling show_readiness(Api& api, ExchangePtr exchange);
// … of schedules
Handling list_schedules_at_length(Api& api, ExchangePtr exchange);
Handling show_schedule(Api& api, ExchangePtr exchange);
Handling show_upcoming(Api& api, ExchangePtr exchange);
Handling preview_upcoming(Api& api, ExchangePtr exchange);
Handling backfill_schedule(Api& api, ExchangePtr exchange);

}  // namespace perdure::api
