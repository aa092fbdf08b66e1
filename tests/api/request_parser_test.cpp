// Bytes to requests, without a connection: what is found wrong by feeding it pieces of one's own choice.
#include "host/api/request_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace perdure::api {
namespace {

using Progress = RequestParser::Progress;

// Found by fuzzing: one that came in two pieces was taken for a request without a first line.
TEST(RequestParser, StrayLineEndsBetweenRequestsMayComeInPieces) {
  RequestParser parser(1024, [](const std::vector<std::string>&) { return std::size_t{1024}; });
  std::string_view bytes = "\r";
  EXPECT_EQ(parser.feed(bytes), Progress::kMore);
  bytes = "\r\n\r";
  EXPECT_EQ(parser.feed(bytes), Progress::kMore);
  EXPECT_EQ(bytes, "\r") << "what is not taken comes again, with more behind it";
  bytes = "\r\nGET /healthz HTTP/1.0\r\n\r\n";
  ASSERT_EQ(parser.feed(bytes), Progress::kHead);
  EXPECT_EQ(parser.request().target, "/healthz");
}

}  // namespace
}  // namespace perdure::api
