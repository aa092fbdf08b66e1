#include "store/rocks/waited_for.h"

#include <string>

#include "store/rocks/records.h"
#include "store/rocks/token_record.h"
#include "store/rocks/wait_record.h"

namespace perdure::store::rocks {

Result<bool> is_over(const Database& db, const Waitpoint& member) {
  const std::optional<PackedId> id = pack_member(member);
  if (!id) return member.kind != WaitpointKind::kTime;
  const bool is_run = member.kind == WaitpointKind::kRun;
  std::string bytes;
  const Status got = is_run ? db.get(Family::kRuns, run_key(*id), bytes)
                            : db.get(Family::kTokens, token_key(token_prefix(TokenPart::kRecord), *id), bytes);
  if (got.code() == Code::kNotFound) return true;
  if (!got) return got;
  if (is_run) {
    const Result<RunRecord> record = decode_run(*id, bytes);
    return record ? Result<bool>(is_final(record->run.status)) : record.status();
  }
  const Result<Token> token = decode_token(*id, bytes, db.ahead());
  return token ? Result<bool>(token->status != TokenStatus::kWaiting) : token.status();
}

}  // namespace perdure::store::rocks
