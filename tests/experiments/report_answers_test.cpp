#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/experiments/report_samples.h"

namespace cimstat::experiments {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Three labels, 10 images each; two layers, the second one without noise.
NetworkAnswers answers() {
  NetworkAnswers answers;
  answers.classes = 3;
  answers.exact = {10, 0, 0, 1, 9, 0, 0, 0, 10};
  answers.sampled = {16, 4, 0, 3, 17, 0, 0, 0, 20};
  answers.layers = {{.name = "conv1",
                     .partial_sums = 640,
                     .snr = {12.34, 12.1, 12.58},
                     .network_snr = {9.87, 9.5, 10.24},
                     .first_code = 0.25,
                     .last_code = 0.015,
                     .beyond = 0.004,
                     .codes = {0.25, 0.7, 0.035, 0.015}},
                    {.name = "classes",
                     .partial_sums = 12,
                     .snr = {infinity, infinity, infinity},
                     .network_snr = {20.0, -infinity, infinity},
                     .first_code = 0.5,
                     .last_code = 0.0,
                     .beyond = 0.0,
                     .codes = {0.5, 0.5, 0.0, 0.0}}};
  answers.costs = {{"conv1", {-0.031, -0.04, -0.022}, {0.028, 0.02, 0.036}},
                   {"classes", {0.0, -0.001, 0.001}, {0.001, -0.002, 0.004}}};
  return answers;
}

ReportInput with_answers() {
  ReportInput input;
  input.accuracy = {condition("alone", 0.883)};
  input.accuracy.front().answers = answers();
  return input;
}

/// The table below a picture.
std::string numbers_of(const std::string& page, const std::string& name) {
  const std::size_t from = page.find("id=\"csv-" + name + "\"");
  if (from == page.npos) return "";
  return page.substr(from, page.find("</script>", from) - from);
}

TEST(ReportOfAnswers, MapsTheAnswersToEachLabel) {
  const std::string page = render_report(with_answers());
  EXPECT_THAT(page, HasSubstr("<section class=\"answers\""));
  EXPECT_THAT(page, HasSubstr("data-text=\"label {y} is taken for {x}\""));
  EXPECT_THAT(numbers_of(page, "answers-sampled-0"), HasSubstr("\n0,1,4,0.2\n"));
  EXPECT_THAT(numbers_of(page, "answers-sampled-0"), Not(HasSubstr("\n0,2,")));
  EXPECT_THAT(numbers_of(page, "answers-exact-0"), HasSubstr("\n1,0,1,0.1\n"));
}

TEST(ReportOfAnswers, ShowsWhatLayersMakeOfTheirSums) {
  const std::string page = render_report(with_answers());
  EXPECT_THAT(page, HasSubstr("<section class=\"layers\""));
  EXPECT_THAT(page, HasSubstr("conv1, by itself: 12.34 dB (12.10 to 12.58)"));
  EXPECT_THAT(page, HasSubstr("conv1, in the network: 9.87 dB (9.50 to 10.24)"));
  EXPECT_THAT(page, HasSubstr("as the last 1.5 %"));
  EXPECT_THAT(page, Not(HasSubstr("classes, by itself"))) << "without noise there is no dot";
  EXPECT_THAT(page, HasSubstr("classes, in the network: 20.00 dB<")) << "of one image: no interval";
  EXPECT_THAT(numbers_of(page, "layers-0"),
              HasSubstr("\nconv1,640,12.34,12.1,12.58,9.87,9.5,10.24,0.25,0.015,0.004\n"));
  EXPECT_THAT(numbers_of(page, "layers-0"), HasSubstr("\nclasses,12,,,,20,,,0.5,0,0\n"));
  EXPECT_THAT(numbers_of(page, "codes-0"), HasSubstr("\n0,conv1,1,0.7\n"));
  EXPECT_THAT(numbers_of(page, "codes-0"), HasSubstr("\n-1,classes,0,0.5\n"));
}

TEST(ReportOfAnswers, RanksWhatLayersCost) {
  const std::string page = render_report(with_answers());
  const std::size_t first = page.find("conv1, alone on columns: -3.10 points (-4.00 to -2.20)");
  const std::size_t second = page.find("classes, alone on columns: +0.00 points (-0.10 to +0.10)");
  EXPECT_NE(second, page.npos);
  EXPECT_LT(first, second);
  EXPECT_THAT(page, HasSubstr("conv1, spared: +2.80 points (+2.00 to +3.60)"));
  EXPECT_THAT(numbers_of(page, "costs-0"),
              HasSubstr("\nconv1,-0.031,-0.04,-0.022,0.028,0.02,0.036\n"));
}

TEST(ReportOfAnswers, DrawsWellFormedPicturesAlsoOfManyClassesAndCodes) {
  ReportInput input = with_answers();
  input.accuracy.push_back(condition("</h3><b>&", 0.5));
  NetworkAnswers& many = input.accuracy.back().answers;
  many.classes = 100;
  many.exact.assign(10'000, 1);
  many.sampled.assign(10'000, 3);
  many.layers = {answers().layers[0]};
  many.layers[0].name = "a_name_of_a_layer_that_has_no_room_beside_its_picture";
  many.layers[0].codes.assign(1000, 1e-3);
  const std::string page = render_report(input);
  EXPECT_EQ(fault_of(body_of(page)), "");
  for (const std::string& picture : pictures_of(page)) {
    EXPECT_EQ(fault_of(picture), "");
    EXPECT_THAT(picture, Not(HasSubstr("nan")));
    EXPECT_THAT(picture, Not(HasSubstr("inf")));
  }
  // 1000 codes are shown eight by eight.
  EXPECT_THAT(numbers_of(page, "codes-1"), HasSubstr(",8,0.008\n"));
}

TEST(ReportOfAnswers, LeavesOutWhatWasNotAskedFor) {
  ReportInput input = with_answers();
  input.accuracy.front().answers.layers.clear();
  EXPECT_THAT(render_report(input), HasSubstr("<h3>Sensitivity</h3>"));
  EXPECT_THAT(render_report(input), Not(HasSubstr("<h3>Codes</h3>")));
  input.accuracy.front().answers.costs.clear();
  EXPECT_THAT(render_report(input), Not(HasSubstr("<section class=\"layers\"")));
  input.accuracy.front().answers = {};
  EXPECT_THAT(render_report(input), Not(HasSubstr("<section class=\"answers\"")));
}

}  // namespace
}  // namespace cimstat::experiments
