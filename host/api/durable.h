// Reads are shown only once they are durable: read first, then co_await this, then reply.
#pragma once

#include <optional>
#include <utility>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/handling.h"
#include "store/store.h"

namespace perdure::api {

/// For until_ok(): waits until all that is written in the store now is durable.
inline auto all_written(Api& api) {
  return [&api](store::DoneStatus done) { api.engine.store().synced(std::move(done)); };
}

/// The answer when what was read may yet be lost. A full disk refuses changes, but what is there can be read.
inline std::optional<Response> unless_durable(const store::Status& synced) {
  if (synced || synced.code() == store::Code::kNoSpace) return std::nullopt;
  return error_response(503, "what is stored cannot be shown safely now: " + synced.message());
}

}  // namespace perdure::api
