// The HTTP server under load and abuse at once: 64 clients trigger, retrieve and await runs as fast as they get
// answers, while others do all that clients should not. The ones feel nothing of the others, and nothing of either
// stays. PERDURE_LOAD_SECONDS: how long (20); longer where not each kind of misbehaviour has been dealt with by then.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/holdings.h"
#include "tests/e2e/host_process.h"
#include "tests/soak/bad_clients.h"
#include "tests/soak/steady_clients.h"

namespace perdure::soak {
namespace {

namespace fs = std::filesystem;
using e2e::HostProcess;
using e2e::Http;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kConnections = 64;
constexpr std::chrono::seconds kLongest{300};
// Descriptors of the host, of which 300 are for connections: few, so that they can be used up.
constexpr const char* kDescriptors = "--nofile=1620";
constexpr std::size_t kIdle = 300;
// Of the host's memory, in kB. The store has up to 64 MB in memtables, which fill up with what is triggered and are
// written out in turn, and up to 32 MB in its cache: how much of that is in use when the load begins, and when it ends,
// is chance. Beyond that nothing may grow: a kilobyte left behind by each request would be more than all of it.
constexpr long kMostGrowth = (64L + 32L) << 10;
// Table files of the store, and another zygote with its children.
constexpr std::size_t kOtherDescriptors = 64;

std::chrono::seconds duration() {
  const char* const given = std::getenv("PERDURE_LOAD_SECONDS");
  return std::chrono::seconds(given != nullptr ? std::atol(given) : 20);
}

bool ends_within(pid_t process, std::chrono::milliseconds time) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  pollfd ended{fd, POLLIN, 0};
  const bool ends = ::poll(&ended, 1, static_cast<int>(time.count())) != 0;
  ::close(fd);
  return ends;
}

// Its TCP sockets, by the kernel's numbers for them: the one that listens, and its clients'.
std::size_t connections_of(pid_t process) {
  const fs::path root = "/proc/" + std::to_string(process);
  std::set<std::string> tcp;
  std::ifstream table(root / "net" / "tcp");
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 10; ++i) fields >> field;
    tcp.insert("socket:[" + field + "]");
  }
  std::size_t count = 0;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(root / "fd", gone)) {
    count += tcp.contains(fs::read_symlink(entry.path(), gone).string()) ? 1 : 0;
  }
  return count;
}

// Samples of the host's memory, in kB; the highest of a quarter.
long peak(const std::vector<long>& samples, std::size_t quarter) {
  const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() * quarter / 4);
  const auto end = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() * (quarter + 1) / 4);
  return *std::max_element(begin, end);
}

TEST(Soak, SixtyFourClientsAreServedRightWhileOthersMisbehaveAndNothingStays) {
  HostProcess host({.within = {"prlimit", kDescriptors}});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto port = static_cast<std::uint16_t>(std::stoi(host.url().substr(host.url().rfind(':') + 1)));
  const std::string large = e2e::trigger(http, "echo", "\"" + std::string(1u << 20, 'x') + "\"");
  (void)e2e::await_run(http, large);
  const std::size_t connections = connections_of(host.pid());
  ASSERT_EQ(connections, 2u);
  const std::size_t descriptors = e2e::holdings(host.pid()).descriptors;

  SteadyClients steady(port, host.key(), kConnections);
  BadClients bad(port, host.key(), large, kIdle);
  std::vector<long> memory;
  const Clock::time_point begin = Clock::now();
  while (steady.content() && (Clock::now() - begin < duration() || !bad.all_done())) {
    ASSERT_LT(Clock::now() - begin, kLongest) << "not each kind of misbehaviour has been dealt with";
    memory.push_back(e2e::holdings(host.pid()).memory);
    ASSERT_FALSE(ends_within(host.pid(), std::chrono::milliseconds(250))) << host.log();
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const Steadiness good = steady.end();
  const std::vector<Treatment> treatments = bad.end();

  for (const std::string& wrong : good.wrong) ADD_FAILURE() << wrong;
  ASSERT_GT(good.runs.size(), kConnections);
  for (const Treatment& each : treatments) {
    std::printf("%-40s %6ld as expected, %5ld turned away, %6ld ms at most\n", each.kind.c_str(), each.as_expected,
                each.turned_away, static_cast<long>(each.longest.count()));
    EXPECT_GT(each.as_expected, 0) << each.kind;
    for (const std::string& wrong : each.wrong) ADD_FAILURE() << each.kind << ": " << wrong;
  }
  ASSERT_GE(memory.size(), 8u);
  std::printf("%zu runs, %ld requests, %.0f requests/s, slowest answer %ld ms; memory %ld MB, then %ld MB\n",
              good.runs.size(), good.requests, static_cast<double>(good.requests) / seconds,
              static_cast<long>(good.slowest.count()), peak(memory, 0) >> 10, peak(memory, 3) >> 10);
#if !defined(PERDURE_SANITIZE_ADDRESS_UNDEFINED) && !defined(PERDURE_SANITIZE_THREAD)
  EXPECT_LE(peak(memory, 3), peak(memory, 0) + kMostGrowth);
#endif

  // Every acknowledged run is there, completed; and there is no other that has been executed.
  const auto status = http.get("/perdure/v1/status").json();
  EXPECT_EQ(status.at("runs").at("COMPLETED").to_number<std::size_t>(), good.runs.size() + 1);
  EXPECT_EQ(status.at("runs").at("FAILED").to_number<std::size_t>(), 0u);
  for (std::size_t i = 0; i < good.runs.size(); i += 1 + good.runs.size() / 500) {
    EXPECT_EQ(http.get("/perdure/v1/runs/" + good.runs[i]).json().at("status").as_string(), "COMPLETED");
  }
  // All clients are gone but this one.
  const Clock::time_point until = Clock::now() + std::chrono::seconds(60);
  while (connections_of(host.pid()) > connections && Clock::now() < until) (void)http.get("/healthz");
  EXPECT_EQ(connections_of(host.pid()), connections);
  EXPECT_LE(e2e::holdings(host.pid()).descriptors, descriptors + kOtherDescriptors);
  EXPECT_EQ(host.stop(), 0) << host.log();
}

}  // namespace
}  // namespace perdure::soak
