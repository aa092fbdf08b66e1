#include "host/api/slot.h"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "host/api/content_coding.h"

namespace perdure::api {
namespace {

constexpr std::size_t kCongested = 256u << 10;

void put_number(std::string& out, std::size_t number, int base = 10) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  out.append(digits.data(), end.ptr);
}

void put_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

Slot::Slot(Request request, std::shared_ptr<Executor> executor, SlotOwner& owner, Manner manner)
    : Exchange(std::move(request), std::move(executor)),
      owner_(&owner),
      manner_(manner),
      body_size_(this->request().body.size()) {}

void Slot::put_head(const Response& head) {
  manner_.close = manner_.close || head.close || owner_->closes_after(*this);
  bytes_.reserve(256 + head.body.size());
  bytes_ += "HTTP/1.1 ";
  put_number(bytes_, head.status);
  bytes_ += ' ';
  bytes_.append(reason_phrase(head.status)).append("\r\n");
  put_field(bytes_, "date", owner_->date());
  put_field(bytes_, "x-request-id", request().id);
  if (!head.content_type.empty()) put_field(bytes_, "content-type", head.content_type);
  put_field(bytes_, "cache-control", "no-store");
  put_field(bytes_, "x-content-type-options", "nosniff");
  if (request().from_a_page) {
    put_field(bytes_, "access-control-allow-origin", "*");
    put_field(bytes_, "access-control-expose-headers", "*, x-trigger-jwt, x-trigger-jwt-claims");
  }
  for (const Field& field : head.headers) put_field(bytes_, field.name, field.value);
}

// A whole answer only: what is streamed is to be read as it comes.
void Slot::compress(Response& response) {
  response.headers.push_back({"vary", "accept-encoding"});
  if (!takes_gzip(request())) return;
  std::optional<std::string> shorter = owner_->gzip().compress(response.body);
  if (!shorter) return;
  response.body = std::move(*shorter);
  response.headers.push_back({"content-encoding", "gzip"});
}

void Slot::reply(Response response) {
  if (std::exchange(answered_, true)) return;
  complete_ = true;
  if (owner_ == nullptr) return;
  if (is_worth_compressing(response)) compress(response);
  put_head(response);
  if (manner_.close) put_field(bytes_, "connection", "close");
  if (response.status != 204) {
    bytes_ += "content-length: ";
    put_number(bytes_, response.body.size());
    bytes_ += "\r\n";
  }
  bytes_ += "\r\n";
  if (request().method != Method::kHead) bytes_ += response.body;
  owner_->slot_changed(bytes_.size());
}

void Slot::begin_stream(Response head) {
  if (std::exchange(answered_, true) || owner_ == nullptr) return;
  hurried_ = hurried_ || owner_->half_closed();
  manner_.close = manner_.close || manner_.http_10;  // which knows no other end of a stream
  put_head(head);
  if (manner_.close) put_field(bytes_, "connection", "close");
  if (!manner_.http_10) put_field(bytes_, "transfer-encoding", "chunked");
  bytes_ += "\r\n";
  owner_->slot_changed(bytes_.size());
  stream(head.body);
}

void Slot::stream(std::string_view piece) {
  if (owner_ == nullptr || complete_ || piece.empty() || request().method == Method::kHead) return;
  const std::size_t before = bytes_.size();
  if (!manner_.http_10) {
    put_number(bytes_, piece.size(), 16);
    bytes_ += "\r\n";
  }
  bytes_ += piece;
  if (!manner_.http_10) bytes_ += "\r\n";
  owner_->slot_changed(bytes_.size() - before);
}

void Slot::end_stream() {
  if (std::exchange(complete_, true) || owner_ == nullptr) return;
  const std::size_t before = bytes_.size();
  if (!manner_.http_10 && request().method != Method::kHead) bytes_ += "0\r\n\r\n";
  owner_->slot_changed(bytes_.size() - before);
}

bool Slot::congested() { return behind_ = bytes_.size() > kCongested; }

void Slot::preset(std::string_view bytes) {
  answered_ = complete_ = true;
  bytes_ = bytes;
}

void Slot::hurry() {
  if (std::exchange(hurried_, true)) return;
  wake();
}

void Slot::disown() {
  owner_ = nullptr;
  bytes_.clear();
  wake();
}

}  // namespace perdure::api
