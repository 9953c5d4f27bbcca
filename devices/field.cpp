#include "devices/field.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/law/shape.h"

namespace cimstat::devices {

namespace {

constexpr std::uint32_t most_cells = 4096;          // of an array's side
constexpr std::uint64_t blocks_of_a_row = 1 << 14;  // two normals each; 3 of them a cell at most

/// Correlation at a distance in correlation lengths along one direction.
double correlation_along(FieldKernel kernel, double lengths) {
  return kernel == FieldKernel::exponential ? std::exp(-lengths)
                                            : std::exp(-0.5 * lengths * lengths);
}

double lengths_apart(double correlation_length, double distance) {
  if (distance == 0.0) return 0.0;
  return correlation_length > 0.0 ? distance / correlation_length : HUGE_VAL;
}

double normal(core::TrialRandom& random) {
  const double u = random.uniform();
  return u < 0.5 ? core::normal_quantile(core::Tail::lower, u)
                 : core::normal_quantile(core::Tail::upper, 1.0 - u);
}

}  // namespace

double SpatialField::correlation(std::uint32_t rows_apart, std::uint32_t columns_apart) const {
  return correlation_along(kernel, lengths_apart(correlation_length, rows_apart * row_pitch)) *
         correlation_along(kernel, lengths_apart(correlation_length, columns_apart * column_pitch));
}

double SpatialField::covariance(std::uint32_t rows_apart, std::uint32_t columns_apart) const {
  return sd * sd * correlation(rows_apart, columns_apart);
}

double SpatialField::column_mean_covariance(std::uint32_t rows, std::uint32_t columns_apart) const {
  double sum = 0.0;
  for (std::uint32_t k = rows - 1; k > 0; --k) sum += 2.0 * (rows - k) * correlation(k, 0);
  sum += rows;
  return sd * sd * correlation(0, columns_apart) * sum / (double(rows) * rows);
}

double SpatialField::mean_variance(std::span<const std::uint32_t> rows) const {
  double sum = 0.0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      sum += 2.0 * correlation(rows[i] > rows[j] ? rows[i] - rows[j] : rows[j] - rows[i], 0);
    }
  }
  const double count = static_cast<double>(rows.size());
  return sd * sd * (sum + count) / (count * count);
}

double SpatialField::variance_within_column(std::uint32_t rows) const {
  return sd * sd - column_mean_covariance(rows, 0);
}

void FieldSampler::Filter::apply(std::span<const double> from, std::span<double> to,
                                 std::size_t stride, std::uint32_t cells) const {
  if (lines.empty()) {
    to[0] = from[0];
    for (std::size_t i = 1; i < cells; ++i) {
      to[i * stride] = decay * to[(i - 1) * stride] + fresh * from[i * stride];
    }
    return;
  }
  for (std::size_t i = 0; i < cells; ++i) {
    const Line& line = lines[i];
    double sum = 0.0;
    for (std::size_t k = 0; k < line.weights.size(); ++k) {
      sum += line.weights[k] * from[(line.first + k) * stride];
    }
    to[i * stride] = sum;
  }
}

double FieldSampler::Filter::drawn_correlation(std::uint32_t cell, std::uint32_t other) const {
  if (lines.empty()) {  // what cell 0 gave to both, and the sum over what was new since
    const std::uint32_t low = std::min(cell, other);
    double variance = 1.0;
    for (std::uint32_t i = 0; i < low; ++i) variance = decay * decay * variance + fresh * fresh;
    return variance * std::pow(decay, double(std::max(cell, other) - low));
  }
  const Line& a = lines[cell];
  const Line& b = lines[other];
  double sum = 0.0;
  for (std::size_t k = 0; k < a.weights.size(); ++k) {
    const std::size_t node = a.first + k;
    if (node >= b.first && node < b.first + b.weights.size()) {
      sum += a.weights[k] * b.weights[node - b.first];
    }
  }
  return sum;
}

FieldSampler::Filter FieldSampler::autoregression(double lengths, std::uint32_t cells) {
  return {.decay = std::exp(-lengths),
          .fresh = std::sqrt(-std::expm1(-2.0 * lengths)),
          .lines = {},
          .nodes = cells};
}

FieldSampler::Filter FieldSampler::cholesky(double lengths, std::uint32_t cells) {
  // Correlations beyond this are below 1e-17.
  const auto band = static_cast<std::uint32_t>(std::min(9.0 / lengths, double(cells)));
  Filter result{.lines = {}, .nodes = cells};
  for (std::uint32_t i = 0; i < cells; ++i) {
    Line line{.first = i > band ? i - band : 0, .weights = {}};
    double rest = 1.0;
    for (std::uint32_t j = line.first; j < i; ++j) {
      double weight = correlation_along(FieldKernel::squared_exponential, (i - j) * lengths);
      const Line& before = result.lines[j];
      for (std::uint32_t m = std::max(line.first, before.first); m < j; ++m) {
        weight -= line.weights[m - line.first] * before.weights[m - before.first];
      }
      weight /= before.weights.back();
      line.weights.push_back(weight);
      rest -= weight * weight;
    }
    line.weights.push_back(std::sqrt(rest));
    result.lines.push_back(std::move(line));
  }
  return result;
}

FieldSampler::Filter FieldSampler::gaussian_weights(double lengths, std::uint32_t cells) {
  constexpr double node_spacing = 1.0 / 3.0;  // in lengths
  constexpr std::int64_t reach = 19;          // exp(-(19 / 3)^2) = 4e-18
  const double height = std::sqrt(node_spacing) * std::pow(2.0 / std::numbers::pi, 0.25);
  Filter result;
  for (std::uint32_t i = 0; i < cells; ++i) {
    const double place = i * lengths;
    const auto nearest = static_cast<std::int64_t>(std::floor(place / node_spacing + 0.5));
    Line line{.first = static_cast<std::uint32_t>(nearest), .weights = {}};  // node + reach
    for (std::int64_t node = nearest - reach; node <= nearest + reach; ++node) {
      const double t = place - double(node) * node_spacing;
      line.weights.push_back(height * std::exp(-t * t));
    }
    result.nodes = line.first + static_cast<std::uint32_t>(line.weights.size());
    result.lines.push_back(std::move(line));
  }
  return result;
}

FieldSampler::Filter FieldSampler::filter(FieldKernel kernel, double lengths, std::uint32_t cells) {
  if (kernel == FieldKernel::exponential || std::isinf(lengths)) {
    return autoregression(lengths, cells);
  }
  return lengths < 1.0 ? gaussian_weights(lengths, cells) : cholesky(lengths, cells);
}

FieldSampler::FieldSampler(const SpatialField& field, std::uint32_t rows, std::uint32_t columns)
    : field_(field), rows_(rows), columns_(columns) {
  if (rows == 0 || columns == 0 || rows > most_cells || columns > most_cells) {
    throw core::UsageError(
        core::error_line("spatial_field", fmt::format("an array of {} x {} cells", rows, columns),
                         fmt::format("1 to {} of either", most_cells), "choose a size in between"));
  }
  along_column_ =
      filter(field.kernel, lengths_apart(field.correlation_length, field.row_pitch), rows);
  along_row_ =
      filter(field.kernel, lengths_apart(field.correlation_length, field.column_pitch), columns);
}

std::vector<double> FieldSampler::draw(core::StreamKey key, std::uint64_t die) const {
  std::vector<double> nodes(along_row_.nodes);
  std::vector<double> lines(std::size_t{along_column_.nodes} * columns_);
  for (std::uint32_t row = 0; row < along_column_.nodes; ++row) {
    core::TrialRandom random(key, core::Domain::spatial_field, die, row * blocks_of_a_row);
    for (double& node : nodes) node = field_.sd * normal(random);
    along_row_.apply(nodes, std::span(lines).subspan(std::size_t{row} * columns_), 1, columns_);
  }
  std::vector<double> values(std::size_t{rows_} * columns_);
  for (std::uint32_t column = 0; column < columns_; ++column) {
    along_column_.apply(std::span(lines).subspan(column), std::span(values).subspan(column),
                        columns_, rows_);
  }
  return values;
}

double FieldSampler::drawn_covariance(std::uint32_t row, std::uint32_t column,
                                      std::uint32_t other_row, std::uint32_t other_column) const {
  return field_.sd * field_.sd * along_column_.drawn_correlation(row, other_row) *
         along_row_.drawn_correlation(column, other_column);
}

core::Section spatial_field_section() {
  using core::NumberRule;
  using core::Quantity;
  using core::Range;
  constexpr Range pitches{1e-9, 1e-3};  // [m]
  return {
      .key = "spatial_field",
      .need = core::Need::optional,
      .meaning =
          "variation of conductance that neighbouring cells share: a normal random field "
          "over the die, frozen. Its mean over a column is a common factor of the column",
      .parameters = {
          {.key = "kernel",
           .rule = core::option_rule(field_kernel_options, "exponential"),
           .meaning = "how correlation falls with distance"},
          {.key = "relative_sd",
           .rule = NumberRule{Quantity::ratio, Range{0.0, 0.5}, {}},
           .meaning = "sd of the field at each cell, relative to the conductance",
           .example = "\"3 %\""},
          {.key = "correlation_length",
           .rule = NumberRule{Quantity::length, Range{0.0, 1.0}, {}},
           .meaning = "distance over which the exponential kernel falls to 1/e, the squared one to "
                      "0.61",
           .example = "\"50 um\""},
          {.key = "row_pitch",
           .rule = NumberRule{Quantity::length, pitches, 1e-6},
           .meaning = "distance of neighbouring cells of a column",
           .example = "\"0.5 um\""},
          {.key = "column_pitch",
           .rule = NumberRule{Quantity::length, pitches, 1e-6},
           .meaning = "distance of neighbouring cells of a row",
           .example = "\"0.5 um\""}}};
}

SpatialField read_spatial_field(const core::SectionReader& section) {
  return {.kernel = core::read_option(section, "kernel", field_kernel_options),
          .sd = section.number("relative_sd"),
          .correlation_length = section.number("correlation_length"),
          .row_pitch = section.number("row_pitch"),
          .column_pitch = section.number("column_pitch")};
}

}  // namespace cimstat::devices
