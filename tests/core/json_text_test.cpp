#include "core/json_text.h"

#include <cmath>

#include <gtest/gtest.h>

namespace cimstat::core {
namespace {

TEST(JsonText, EscapesWhatRfc8259Asks) {
  EXPECT_EQ(json_string("a\"b\\c\n\x01 \xc3\xa9"), "\"a\\\"b\\\\c\\u000a\\u0001 \xc3\xa9\"");
  EXPECT_EQ(json_string("\xff"), "\"\\ufffd\"");
}

TEST(JsonText, WritesNumbersThatReadBackAndNullForOthers) {
  EXPECT_EQ(json_number(0.1), "0.1");
  EXPECT_EQ(json_number(std::nan("")), "null");
  EXPECT_EQ(json_number(INFINITY), "null");
}

TEST(JsonText, NestsObjectsOnLinesOfTheirOwn) {
  JsonObject inner;
  inner.add("x", 1.5).add_flag("f", true);
  JsonArray items;
  items.add(inner).add(inner);
  const double values[] = {1.0, 2.0};
  JsonObject object;
  object.add("name", "n").add("items", items).add("values", JsonArray(values)).add_null("none");
  EXPECT_EQ(object.text(),
            "{\n  \"name\": \"n\",\n  \"items\": [\n    {\n      \"x\": 1.5,\n      \"f\": true\n"
            "    },\n    {\n      \"x\": 1.5,\n      \"f\": true\n    }\n  ],\n"
            "  \"values\": [1, 2],\n  \"none\": null\n}");
  EXPECT_EQ(JsonObject().text(), "{}");
  EXPECT_EQ(JsonArray().text(), "[]");
}

}  // namespace
}  // namespace cimstat::core
