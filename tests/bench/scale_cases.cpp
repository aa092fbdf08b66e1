// What becomes of the speed when very many runs are stored: claiming, timers, starting, listing, memory.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/cases.h"
#include "tests/bench/clock.h"
#include "tests/bench/filled_store.h"
#include "tests/bench/process.h"

namespace perdure::bench {
namespace {

constexpr long kFew = 1000;    // runs in the store that the others are held against
constexpr long kClaims = 500;  // of a round; the median of some counts
constexpr int kRounds = 5;
constexpr long kTimers = 10'000;
constexpr int kPages = 200;
constexpr double kRequired = 1 / 1.2;  // of the speed with few: at most 1.2 times the time

// A store that is filled when it is first needed, and stays.
class Kept {
 public:
  Kept(std::string dir, long runs, long keys) : dir_(std::move(dir)), runs_(runs), keys_(keys) {}

  double claims() {
    if (store_ == nullptr) {
      store_ = std::make_unique<FilledStore>(dir_);
      store_->add_queued(FilledStore::kTask, "null", runs_, keys_);
      store_->settle();
      store_->claim(kClaims);  // what is read for the first time is not what is measured
    }
    std::vector<double> rates;
    for (int i = 0; i < kRounds; ++i) {
      store_->add_queued(FilledStore::kTask, "null", kClaims, keys_);
      store_->settle();
      rates.push_back(store_->claim(kClaims));
    }
    return median(rates);
  }

 private:
  std::string dir_;
  long runs_, keys_;
  std::unique_ptr<FilledStore> store_;
};

double timers(const Settings& s) {
  const std::string dir = s.dir + "/timers";
  std::filesystem::remove_all(dir);
  FilledStore store(dir);
  const store::Time due =
      std::chrono::time_point_cast<store::Duration>(std::chrono::system_clock::now()) + std::chrono::hours(1);
  store.add_delayed(std::min(kTimers, s.many), due);
  store.settle();
  return store.wake(due);
}

// Fills `dir` once, which is then a data directory for hosts.
template <class Fill>
std::string data_of(const std::string& dir, Fill fill) {
  if (!std::filesystem::exists(dir)) {
    FilledStore store(dir);
    fill(store);
    store.settle();
  }
  return dir;
}

double page(Product& product, const std::string& filter) { return median(product.first_page(filter, kPages)); }

Samples with_finished(const Settings& s) {
  const std::string data = data_of(s.dir + "/finished", [&](FilledStore& store) { store.add_finished(s.many); });
  double start = 0, memory = 0;
  {
    const Product empty(s.product, s.dir);
    start = empty.starting();
    memory = empty.memory();
  }
  Product product = Product::on(s.product, s.dir, data);
  const std::string by_task = std::string("filter%5BtaskIdentifier%5D=") + FilledStore::kTask;
  return {
      {"start.none", start},
      {"start.more", product.starting() - start},
      {"memory.idle", memory},
      {"list.status", page(product, "filter%5Bstatus%5D=FAILED")},
      {"list.task", page(product, by_task)},
      {"list.tag", page(product, std::string("filter%5Btag%5D=") + FilledStore::kRareTag)},
      {"list.both", page(product, "filter%5Bstatus%5D=FAILED&filter%5Btag%5D=" + std::string(FilledStore::kRareTag))}};
}

Samples with_queued(const Settings& s) {
  const std::string data = data_of(
      s.dir + "/queued", [&](FilledStore& store) { store.add_queued("sleep", R"({"ms":3600000})", s.many, 1); });
  Product product = Product::on(s.product, s.dir, data);
  return {{"memory.queued", product.memory()}};
}

// As many as are wanted, or as the host has descriptors for.
long may_wait(long wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const long most = static_cast<long>(std::min<rlim_t>(limit.rlim_max / 25, 1'000'000));
  if (most < wanted) {
    std::cerr << "waiting: " << most << " runs, not " << wanted << ": a process may have only " << limit.rlim_max
              << " descriptors here" << std::endl;
  }
  return std::min(most, wanted);
}

// Runs that wait in processes all go on in the end, all at once.
Samples with_waiting(const Settings& s) {
  const long runs = may_wait(std::max(s.many / 100, 1L));
  Product product(s.product, s.dir);
  const double before = product.memory();
  const std::string token = product.make_token();
  product.let_wait("wait-token", runs, R"({"token":")" + token + R"("})");
  const Product::Attempts waiting = product.attempts();
  if (waiting.count != runs) die("looking for the processes of " + std::to_string(runs) + " runs that wait");
  const double memory = (product.memory() - before) / static_cast<double>(runs);
  product.complete_token(token);
  product.await_completed(runs);
  return {{"waiting.attempt", waiting.bytes}, {"waiting.host", memory}};
}

// Runs that wait without a process all go on in the end.
Samples with_evicted(const Settings& s) {
  const long runs = std::max(s.many / 10, 1L);
  Product product(s.product, s.dir);
  const double before = product.memory();
  const std::chrono::milliseconds wait(2000 + runs);
  product.let_wait("wait-without-process", runs, R"({"ms":)" + std::to_string(wait.count()) + "}");
  const auto start = std::chrono::steady_clock::now();
  while (product.attempts().count > 0) {
    if (seconds_since(start) > 30) die("waiting for processes to leave");
  }
  const double memory = (product.memory() - before) / static_cast<double>(runs);
  product.await_completed(runs, wait);
  return {{"evicted.host", memory}};
}

}  // namespace

std::vector<Case> scale_cases(const Settings& s) {
  const auto few = std::make_shared<Kept>(s.dir + "/few", kFew, 1);
  const auto many = std::make_shared<Kept>(s.dir + "/many", s.many, 1);
  const long keys = std::max(s.many / 10, 1L);
  const auto keyed = std::make_shared<Kept>(s.dir + "/keyed", std::max(keys, kFew), keys);
  const auto claims = [](const std::string& key, const std::shared_ptr<Kept>& kept) {
    return [key, kept] { return Samples{{key, kept->claims()}}; };
  };
  return {
      {"claim", {claims("claim.few", few), claims("claim.many", many), claims("claim.keys", keyed)}},
      {"timers", {[s] {
         return Samples{{"timers", timers(s)}};
       }}},
      {"finished", {[s] { return with_finished(s); }}},
      {"queued", {[s] { return with_queued(s); }}},
      {"waiting", {[s] { return with_waiting(s); }}},
      {"evicted", {[s] { return with_evicted(s); }}},
  };
}

std::vector<Row> scale_rows() {
  constexpr auto kMs = Unit::kMilliseconds;
  return {
      {"claim.few", "claims with 1,000 queued"},
      {"claim.many", "claims with 1,000,000 queued", Unit::kPerSecond, "claim.few", kRequired},
      {"claim.keys", "claims with 100,000 concurrency keys", Unit::kPerSecond, "claim.few", kRequired},
      {"timers", "10,000 timers due in one second, fired (of 64 runs a batch)", Unit::kPerSecond, "commit.64"},
      {"start.none", "start of a host with no run stored", kMs},
      {"start.more", "… how much longer with 1,000,000 finished ones", kMs, {}, 0, 1},
      {"list.status", "first page of 1,000,000 finished runs, by status", kMs, {}, 0, 0.005},
      {"list.task", "… by task", kMs, {}, 0, 0.005},
      {"list.tag", "… by tag", kMs, {}, 0, 0.005},
      {"list.both", "… by status and tag", kMs, {}, 0, 0.005},
      {"memory.idle", "memory of an idle host", Unit::kMegabytes, {}, 0, 40e6},
      {"memory.queued", "memory of a host with 1,000,000 queued", Unit::kMegabytes, {}, 0, 400e6},
      {"waiting.attempt",
       "memory of a waiting attempt, of up to 10,000 (private and page tables)",
       Unit::kKilobytes,
       {},
       0,
       300e3},
      {"waiting.host", "… and what the host has for it", Unit::kKilobytes},
      {"evicted.host", "what the host has for a run that waits without a process, of 100,000", Unit::kKilobytes},
  };
}

}  // namespace perdure::bench
