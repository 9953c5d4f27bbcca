#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/report/markup.h"
#include "experiments/report/page.h"
#include "tests/experiments/report_samples.h"

namespace cimstat::experiments {
namespace {

TEST(ReportMarkup, EscapesMarkupControlCharactersAndBadBytes) {
  EXPECT_EQ(report::escaped("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(report::escaped(std::string_view("a\0b\x1b\x7f\xff"
                                             "\xe2\x82",
                                             8)),
            "a\uFFFD"
            "b\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(report::escaped("6 k\u03a9\n"), "6 k\u03a9\n");
}

TEST(ReportMarkup, WritesNumbersForReaders) {
  EXPECT_EQ(report::number_text(0.0), "0");
  EXPECT_EQ(report::number_text(-27.94), "\u221227.9");
  EXPECT_EQ(report::number_text(0.5), "0.5");
  EXPECT_EQ(report::number_text(123456.0), "123456");
  EXPECT_EQ(report::number_text(3.2e-5), "3.2 × 10⁻⁵");
  EXPECT_EQ(report::number_text(1e-12), "10⁻¹²");
  EXPECT_EQ(report::number_text(-2.5e7), "\u22122.5 × 10⁷");
  EXPECT_EQ(report::number_text(kNone), "–");
  EXPECT_EQ(report::percent_text(0.87314, 2), "87.31 %");
  EXPECT_EQ(report::power_of_ten(-10), "10⁻¹⁰");
  EXPECT_EQ(report::pixels(12.34), "12.3");
  EXPECT_EQ(report::pixels(12.0), "12");
  EXPECT_EQ(report::pixels(-0.01), "0");
}

TEST(ReportMarkup, ChoosesTheUnitThatReadsBest) {
  EXPECT_EQ(report::unit_for(300e-6).name, "µA");
  EXPECT_EQ(report::unit_for(-4e-3).name, "mA");
  EXPECT_EQ(report::unit_for(20e-9).name, "nA");
  EXPECT_EQ(report::unit_for(0.0).name, "pA");
}

TEST(ReportMarkup, WritesIntervalsWithAsManyDigitsAsTellTheirEndsApart) {
  using report::interval_text;
  EXPECT_EQ(interval_text({0, 0.1, 0.05, 0.2, MisreadBasis::sampled}), "0.05 to 0.2");
  EXPECT_EQ(interval_text({0, 0.15, 0.1523, 0.1531, MisreadBasis::sampled}), "0.1523 to 0.1531");
}

TEST(ReportMarkup, SaysWhatAMisreadRateRestsOn) {
  using report::misread_text;
  EXPECT_EQ(misread_text({0, 0.0, 0.0, 3.7e-9, MisreadBasis::none_seen}),
            "none seen (below 3.7 × 10⁻⁹)");
  EXPECT_EQ(misread_text({0, 3.2e-5, 2.9e-5, 3.5e-5, MisreadBasis::sampled}),
            "3.2 × 10⁻⁵ (2.9 × 10⁻⁵ to 3.5 × 10⁻⁵)");
  EXPECT_EQ(misread_text({0, 0.25, 0.25 - 2e-13, 0.25 + 2e-13, MisreadBasis::computed}),
            "0.25 (± 2 × 10⁻¹³)");
  EXPECT_EQ(misread_text({0, 1e-12, 1e-12, 1e-12, MisreadBasis::computed}), "10⁻¹² (exact)");
  EXPECT_EQ(misread_text({0, 1e-20, 0.0, 2e-13, MisreadBasis::computed}),
            "not above 2 × 10⁻¹³ (error bound)");
}

}  // namespace
}  // namespace cimstat::experiments
