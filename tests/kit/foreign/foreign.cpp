// Tasks in which the C++ library matters: strings and containers through Boost.JSON, and every kind of exception. Built
// by compilers and for libraries that are not the host's.
#include <perdure/task.hpp>

#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

struct Words {
  std::vector<std::string> words;
};
struct Counted {
  std::map<std::string, int> counts;
  std::string library;
};
BOOST_DESCRIBE_STRUCT(Words, (), (words))
BOOST_DESCRIBE_STRUCT(Counted, (), (counts, library))

constexpr const char* kLibrary =
#ifdef _LIBCPP_VERSION
    "libc++";
#elif _GLIBCXX_USE_CXX11_ABI
    "libstdc++";
#else
    "libstdc++, its older strings";
#endif

constexpr perdure::Task<Words, Counted> count{
    .id = FOREIGN_NAME ":count",
    .run =
        [](Words in, perdure::Attempt& run) {
          Counted out{{}, kLibrary};
          for (const std::string& word : in.words) ++out.counts[word];
          run.log.info("counted", {{"words", in.words.size()}});
          return out;
        },
};

struct OwnError : std::logic_error {
  using std::logic_error::logic_error;
};

// Throws what is asked for; a frame with a destructor is unwound on the way.
struct Unwound {
  perdure::Attempt& run;
  ~Unwound() { run.log.info("unwound"); }
};

constexpr perdure::Task<std::string> throws{
    .id = FOREIGN_NAME ":throws",
    .retry = {.max_attempts = 1},
    .run = [](std::string what, perdure::Attempt& run) -> perdure::None {
      const Unwound unwound{run};
      if (what == "runtime_error") throw std::runtime_error("a message that is longer than any string keeps in itself");
      if (what == "system_error") throw std::system_error(std::make_error_code(std::errc::timed_out), "late");
      if (what == "out_of_range") (void)std::vector<int>().at(1);
      if (what == "own") throw OwnError("of the plugin's own type");
      if (what == "abort") throw perdure::Abort("no more");
      if (what == "error") throw perdure::Error("CardDeclined", "no money", {{"cents", 5}});
      if (what == "int") throw 5;
      if (what == "bad_alloc") throw std::bad_alloc();
      throw perdure::Abort("unknown: " + what);
    },
};

}  // namespace

PERDURE_PLUGIN(FOREIGN_NAME, "1.0.0", count, throws)
