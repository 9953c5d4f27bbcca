#include "tests/circuits/rare/rare_cases.h"

#include <cmath>
#include <numbers>

#include "tests/circuits/rare/tail_oracle.h"

namespace cimstat::tests {

namespace {

using circuits::ColumnDesign;
using circuits::NoiseShape;
using core::Law;
using core::Tail;

ColumnDesign column(std::uint32_t rows, Law lrs, Law hrs, double noise_sd,
                    NoiseShape shape = NoiseShape::gaussian) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = std::move(lrs);
  design.hrs = std::move(hrs);
  design.sense.noise_sd = noise_sd;
  design.sense.noise_shape = shape;
  design.ladder.codes = rows + 1;
  for (std::uint32_t k = 0; k < rows; ++k) {
    design.ladder.references.push_back(
        0.5 * (mean_current(design, {k, rows}) + mean_current(design, {k + 1, rows})));
  }
  return design;
}

/// The tail beyond the reference above the class, or `reference`.
RareCase upper(std::string name, ColumnDesign design, std::uint32_t k,
               const std::vector<OracleCells>& cells, const OracleGrid& grid, const Function& noise,
               double reference = 0.0) {
  const double r = reference > 0.0 ? reference : design.ladder.references[k];
  const std::uint32_t rows = design.rows;
  const double p = expectation_over_sum(cells, grid, [&](long double s) { return noise(r - s); });
  return {std::move(name), std::move(design), {{k, rows}, Tail::upper, r}, p};
}

RareCase lower(std::string name, ColumnDesign design, std::uint32_t k,
               const std::vector<OracleCells>& cells, const OracleGrid& grid, const Function& noise,
               double reference) {
  const std::uint32_t rows = design.rows;
  const double p =
      expectation_over_sum(cells, grid, [&](long double s) { return noise(s - reference); });
  return {std::move(name), std::move(design), {{k, rows}, Tail::lower, reference}, p};
}

/// Normal cells that are sampled one by one, because their law is cut off 11 sd out.
Law cut_normal(double mean, double sd) {
  return Law({{.base = core::TruncatedNormal{mean, sd, mean - 11.0 * sd, mean + 11.0 * sd}}});
}

RareCase normal_case() {
  const ColumnDesign design = column(16, cut_normal(50.0, 1.5), cut_normal(5.0, 0.5), 2.0);
  const double sd = std::sqrt(8 * 1.5 * 1.5 + 8 * 0.5 * 0.5 + 2.0 * 2.0);
  const double r = 8 * 55.0 + 7.0 * sd;
  return {"normal, 16 rows, 7 sd",
          design,
          {{8, 16}, Tail::upper, r},
          0.5 * std::erfc(7.0 / std::numbers::sqrt2)};
}

/// One integral over the normal sum, in steps that are exact to rounding.
RareCase normal_logistic_case() {
  ColumnDesign design =
      column(8, Law::normal(60.0, 1.0), Law::normal(4.0, 0.4), 1.0, NoiseShape::logistic);
  design.sense.offset_sd = 0.7;
  const double sd = std::sqrt(3 * 1.0 + 5 * 0.16 + 0.49);
  const double mean = 3 * 60.0 + 5 * 4.0;
  const double r = mean + 16.0;
  const Function noise = logistic_tail_of(1.0);
  long double sum = 0.0L;
  for (int i = -1200; i <= 1200; ++i) {
    const long double z = i / 100.0L;
    sum += std::exp(-z * z / 2) * noise(r - mean - sd * z);
  }
  const long double p = sum / 100.0L / std::sqrt(2 * std::numbers::pi_v<long double>);
  return {"normal cells and offset, logistic noise",
          design,
          {{3, 8}, Tail::upper, r},
          static_cast<double>(p)};
}

std::vector<RareCase> make_cases() {
  const Law lrs_a = Law::normal(60.0, 1.0);
  const Law hrs_a = Law::lognormal(3.0, 0.3);
  const Function hrs_a_density = lognormal_density_of(3.0, 0.3);
  const Function lrs_a_density = normal_density_of(60.0, 1.0);
  const ColumnDesign a = column(4, lrs_a, hrs_a, 3.0);
  const ColumnDesign a_logistic = column(4, lrs_a, hrs_a, 1.2, NoiseShape::logistic);
  const ColumnDesign b = column(8, Law::normal(97.0, 6.2), Law::lognormal(5.3, 0.62), 4.9);
  const OracleGrid grid_a{.step = 0.01L, .log2_points = 15, .tilt = 0.4L, .cut = 70.0L};
  const OracleGrid grid_a2{.step = 0.01L, .log2_points = 16, .tilt = 0.2L, .cut = 100.0L};
  const OracleGrid grid_b{.step = 0.02L, .log2_points = 17, .cut = 1200.0L};
  const Function gaussian_a = normal_tail_of(3.0);
  const Function logistic_a = logistic_tail_of(1.2);
  const std::vector<OracleCells> four{{hrs_a_density, 4}};
  const std::vector<OracleCells> two{{lrs_a_density, 2}, {hrs_a_density, 2}};

  std::vector<RareCase> cases;
  cases.push_back(upper("A, class 0", a, 0, four, grid_a, gaussian_a));
  cases.push_back(upper("A, class 2", a, 2, two, grid_a2, gaussian_a));
  cases.push_back(upper("A', class 0", a_logistic, 0, four, grid_a, logistic_a));
  cases.push_back(upper("A', class 2", a_logistic, 2, two, grid_a2, logistic_a));
  cases.push_back(upper("B, class 0", b, 0, {{lognormal_density_of(5.3, 0.62), 8}}, grid_b,
                        normal_tail_of(4.9)));
  cases.push_back(upper("A, class 0, at 49", a, 0, four, grid_a, gaussian_a, 49.0));
  cases.push_back(upper("B, class 0, at 300", b, 0, {{lognormal_density_of(5.3, 0.62), 8}}, grid_b,
                        normal_tail_of(4.9), 300.0));
  cases.push_back(upper("B, class 0, at 185", b, 0, {{lognormal_density_of(5.3, 0.62), 8}}, grid_b,
                        normal_tail_of(4.9), 185.0));
  cases.push_back(normal_case());
  cases.push_back(normal_logistic_case());

  const ColumnDesign lognormal =
      column(8, Law::lognormal(40.0, 0.1), Law::lognormal(2.0, 0.5), 2.0);
  const std::vector<OracleCells> lognormal_cells{{lognormal_density_of(40.0, 0.1), 6},
                                                 {lognormal_density_of(2.0, 0.5), 2}};
  cases.push_back(lower("lognormal, 8 rows, lower tail", lognormal, 6, lognormal_cells,
                        {.step = 0.02L, .log2_points = 15, .tilt = -0.2L, .cut = 110.0L},
                        normal_tail_of(2.0), 190.0));
  cases.push_back(upper(
      "lognormal, 32 rows", column(32, Law::lognormal(40.0, 0.05), Law::lognormal(2.0, 0.4), 3.0),
      12, {{lognormal_density_of(40.0, 0.05), 12}, {lognormal_density_of(2.0, 0.4), 20}},
      {.step = 0.02L, .log2_points = 16, .tilt = 0.05L, .cut = 150.0L}, normal_tail_of(3.0),
      580.0));
  cases.push_back(upper(
      "lognormal, 4 rows, no noise", column(4, lrs_a, hrs_a, 0.0), 0, four,
      {.step = 0.001L, .log2_points = 18, .tilt = 0.4L, .cut = 60.0L},
      // Half a failure where a point of the grid meets the reference.
      [](long double x) { return std::abs(x) < 1e-9L ? 0.5L
                                 : x < 0.0L          ? 1.0L
                                                     : 0.0L; }, 34.0));
  return cases;
}

}  // namespace

const std::vector<RareCase>& rare_cases() {
  static const std::vector<RareCase> cases = make_cases();
  return cases;
}

}  // namespace cimstat::tests
