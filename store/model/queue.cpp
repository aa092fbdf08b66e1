#include "store/model/queue.h"

#include <algorithm>
#include <string_view>

namespace perdure::store {
namespace {

constexpr std::string_view kOwn = "task/";

template <class T, class Choose>
std::optional<T> either(const std::optional<T>& a, const std::optional<T>& b, Choose choose) {
  if (!a || !b) return a ? a : b;
  return choose(*a, *b);
}

}  // namespace

RateLimit stricter(const RateLimit& a, const RateLimit& b) {
  const auto per_millisecond = [](const RateLimit& rate) {
    return static_cast<long double>(rate.limit) / static_cast<long double>(rate.period.count());
  };
  const long double first = per_millisecond(a), second = per_millisecond(b);
  if (first != second) return first < second ? a : b;
  return a.limit <= b.limit ? a : b;
}

QueueLimits stricter(const QueueLimits& a, const QueueLimits& b) {
  return {either(a.concurrency, b.concurrency, [](std::size_t x, std::size_t y) { return std::min(x, y); }),
          either(a.rate, b.rate, [](const RateLimit& x, const RateLimit& y) { return stricter(x, y); })};
}

std::optional<std::size_t> QueueSettings::base() const {
  return declared && declared->concurrency ? declared->concurrency : triggered;
}

QueueName own_queue(const TaskId& task) { return QueueName(std::string(kOwn) + task.text()); }

std::optional<TaskId> owner_of(const QueueName& queue) {
  if (!queue.text().starts_with(kOwn)) return std::nullopt;
  return TaskId(queue.text().substr(kOwn.size()));
}

}  // namespace perdure::store
