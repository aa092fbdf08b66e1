// The targets: each takes any bytes, gives them to a part of the product that reads what comes from outside, and claims
// what must hold then (claim.h). Each is in the file of its name; entry.cpp joins one to libFuzzer, corpus_test.cpp all
// of them to the kept corpus.
#pragma once

#include <array>
#include <string_view>

namespace perdure::fuzz {

void access_tokens(std::string_view bytes);
void attempt_words(std::string_view bytes);
void configuration(std::string_view bytes);
void cron(std::string_view bytes);
void durations(std::string_view bytes);
void frames(std::string_view bytes);
void http_bodies(std::string_view bytes);
void http_request(std::string_view bytes);
void http_routes(std::string_view bytes);
void json(std::string_view bytes);
void schema(std::string_view bytes);
void store_values(std::string_view bytes);
void zone_files(std::string_view bytes);

struct Target {
  const char* name;  // also of its folder in corpus/
  void (*run)(std::string_view bytes);
};
inline constexpr std::array kTargets{
    Target{"access_tokens", access_tokens},
    Target{"attempt_words", attempt_words},
    Target{"configuration", configuration},
    Target{"cron", cron},
    Target{"durations", durations},
    Target{"frames", frames},
    Target{"http_bodies", http_bodies},
    Target{"http_request", http_request},
    Target{"http_routes", http_routes},
    Target{"json", json},
    Target{"schema", schema},
    Target{"store_values", store_values},
    Target{"zone_files", zone_files},
};

}  // namespace perdure::fuzz
