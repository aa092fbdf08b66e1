// Pages of tokens by filter. See rocks_store.h and index_cursor.h.
#include <algorithm>
#include <utility>

#include "store/rocks/index_cursor.h"
#include "store/rocks/index_page.h"
#include "store/rocks/rocks_store.h"
#include "store/rocks/token_record.h"

namespace perdure::store::rocks {
namespace {

// As of a page of runs: see list.cpp.
constexpr std::size_t kMostLooks = 4000;
constexpr std::size_t kTokenRead = 2;

// The tokens that a filter lets through, in one direction.
class Matches {
 public:
  Matches(const Database& db, const TokenFilter& filter, Direction direction)
      : db_(db), filter_(filter), direction_(direction) {
    std::vector<std::string> prefixes;
    for (const TokenStatus status : filter.statuses) prefixes.push_back(token_status_prefix(status));
    add(prefixes);
    for (const std::string& tag : filter.tags) prefixes.push_back(token_prefix(TokenPart::kTag, tag));
    add(prefixes);
    if (!filter.idempotency_key.empty()) {
      prefixes.push_back(token_prefix(TokenPart::kKey, filter.idempotency_key));
    }
    add(prefixes);
    if (!any_) prefixes.push_back(token_prefix(TokenPart::kRecord));
    add(prefixes);
    if (filter.from) first_ = first_id_of(*filter.from);
    if (filter.to) last_ = last_id_of(*filter.to);
    if (filter.id.empty()) return;
    const std::optional<PackedId> id = pack(filter.id);
    first_ = std::max(first_, id.value_or(kLastId));  // one that is no id is nobody's
    last_ = std::min(last_, id.value_or(PackedId{}));
  }

  /// Up to `limit` matching tokens at or beyond `from`.
  Result<Found<Token>> take(std::optional<PackedId> from, std::size_t limit) {
    Found<Token> found;
    std::size_t looks = kMostLooks;
    if (from) from = direction_ == Direction::kOlder ? std::min(*from, last_) : std::max(*from, first_);
    while (from && found.things.size() < limit) {
      const std::optional<PackedId> id = looks == 0 ? std::nullopt : cursor_.seek(*from, looks);
      if (!id && looks == 0) found.stopped_at = from;
      if (!id || *id < first_ || *id > last_) break;
      from = beside(*id, direction_);
      looks -= std::min(looks, kTokenRead);
      std::string bytes;
      const Status got = db_.get(Family::kTokens, token_key(token_prefix(TokenPart::kRecord), *id), bytes);
      if (got.code() == Code::kNotFound) continue;
      if (!got) return got;
      Result<Token> token = decode_token(*id, bytes, db_.ahead());
      if (!token) return token.status();
      // The indexes are read at slightly different moments: only the token itself says what holds.
      if (lets_through(filter_, *token)) found.things.push_back(std::move(*token));
    }
    if (Status read = cursor_.status(); !read) return read;
    return found;
  }

 private:
  void add(std::vector<std::string>& prefixes) {
    if (prefixes.empty()) return;
    cursor_.add(UnionCursor(db_, Family::kTokens, prefixes, direction_));
    any_ = true;
    prefixes.clear();
  }

  const Database& db_;
  const TokenFilter& filter_;
  IndexCursor cursor_;
  Direction direction_;
  bool any_ = false;
  PackedId first_{}, last_ = kLastId;  // of the filter's time, and of the one it names
};

}  // namespace

Result<TokenPage> RocksStore::tokens(const TokenFilter& filter) const {
  for (const TokenId& cursor : {filter.after, filter.before}) {
    if (!cursor.empty() && !pack(cursor)) {
      return Status::invalid("\"" + cursor.text() + "\" is no cursor; use the id of a token on the page before");
    }
  }
  return with_database([&](const Database& db) -> Result<TokenPage> {
    const auto take = [&](Direction direction, std::optional<PackedId> from, std::size_t limit) {
      return Matches(db, filter, direction).take(from, limit);
    };
    Result<IndexPage<Token>> found = read_page<Token>(pack(filter.after), pack(filter.before), filter.limit, take);
    if (!found) return found.status();
    TokenPage page;
    page.tokens = std::move(found->things);
    page.more_after = found->older.more;
    page.more_before = found->newer.more;
    if (found->older.cursor) page.after = unpack_token(*found->older.cursor);
    if (found->newer.cursor) page.before = unpack_token(*found->newer.cursor);
    return page;
  });
}

}  // namespace perdure::store::rocks
