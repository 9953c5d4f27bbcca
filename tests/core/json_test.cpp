#include "core/file/json.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include <gtest/gtest.h>

namespace cimstat::core {
namespace {

TEST(Json, EscapesWhatRfc8259AsksAndWhatIsNoPlainAscii) {
  EXPECT_EQ(json_text("a\"b\\c\n\x01 \xc3\xa9\x7f\xf0\x9f\x98\x80"),
            "\"a\\\"b\\\\c\\n\\u0001 \\u00e9\\u007f\\ud83d\\ude00\"\n");
}

TEST(Json, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(json_text("a\xff"), "\"a\\ufffd\"\n");
  EXPECT_EQ(json_text({{"\xff", std::string_view("\xc3")}}), "{\n  \"\\ufffd\": \"\\ufffd\"\n}\n");
}

TEST(Json, WritesNumbersThatReadBackAndNullForOthers) {
  EXPECT_EQ(json_text(0.1), "0.1\n");
  EXPECT_EQ(json_text(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615\n");
  EXPECT_EQ(json_text(std::nan("")), "null\n");
  EXPECT_EQ(json_text(INFINITY), "null\n");
  EXPECT_EQ(json_text(-INFINITY), "null\n");
  for (const double value : {1.0 / 3.0, 2.548510068443501e-05, 5e-324, -0.0, 1e16, 123456.0,
                             std::numeric_limits<double>::max(), 2.2250738585072011e-308}) {
    const std::string text = json_text(value);
    double back = 0.0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    EXPECT_EQ(back, value) << text;
    EXPECT_EQ(std::signbit(back), std::signbit(value)) << text;
  }
}

TEST(Json, KeepsTheOrderOfMembers) {
  Json object{{"z", true}, {"a", nullptr}};
  object["m"] = Json::array({1, 2});
  object["b"] = Json::object();
  EXPECT_EQ(json_text(object),
            "{\n  \"z\": true,\n  \"a\": null,\n  \"m\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}\n");
}

}  // namespace
}  // namespace cimstat::core
