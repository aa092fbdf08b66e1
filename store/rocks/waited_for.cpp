#include "store/rocks/waited_for.h"

#include <string>

#include "store/rocks/records.h"

namespace perdure::store::rocks {

Result<bool> is_over(const Database& db, const Waitpoint& member) {
  if (member.kind != WaitpointKind::kRun) return false;
  const std::optional<PackedId> id = pack(member.run);
  if (!id) return true;
  std::string bytes;
  const Status got = db.get(Family::kRuns, run_key(*id), bytes);
  if (got.code() == Code::kNotFound) return true;
  if (!got) return got;
  const Result<RunRecord> record = decode_run(*id, bytes);
  if (!record) return record.status();
  return is_final(record->run.status);
}

}  // namespace perdure::store::rocks
