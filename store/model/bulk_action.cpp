#include "store/model/bulk_action.h"

namespace perdure::store {

std::string_view bulk_kind_name(BulkKind kind) { return kind == BulkKind::kCancel ? "CANCEL" : "REPLAY"; }

std::string_view bulk_status_name(BulkStatus status) {
  switch (status) {
    case BulkStatus::kPending:
      return "PENDING";
    case BulkStatus::kCompleted:
      return "COMPLETED";
    case BulkStatus::kAborted:
      return "ABORTED";
  }
  return "PENDING";
}

}  // namespace perdure::store
