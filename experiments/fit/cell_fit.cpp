#include "experiments/fit/cell_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/text_table.h"
#include "core/statistics/statistics.h"

namespace cimstat::experiments {

namespace {

using core::Quantity;

constexpr std::size_t row_limit = 10'000'000;
constexpr std::size_t fewest_cells = 8;
// As [cell.lrs] takes them.
constexpr double smallest_conductance = 1e-15;
constexpr double largest_conductance = 1e3;

double conductance(const core::TextTable& table, const core::TextField& field,
                   const CellColumns& columns) {
  const double number = table.number(field);
  const double value = number * columns.unit.factor;
  if (columns.unit.quantity == Quantity::resistance && !(number > 0.0)) {
    table.fail(field, fmt::format("{} {} is no resistance of a cell", number, columns.unit.name),
               "a positive one is needed", "check it, or leave the row out");
  }
  const double result = columns.unit.quantity == Quantity::resistance ? 1.0 / value
                        : columns.unit.quantity == Quantity::current
                            ? value / columns.read_voltage.value()
                            : value;
  const double size = std::abs(result);
  if (result != 0.0 && !(size >= smallest_conductance && size <= largest_conductance)) {
    table.fail(field, fmt::format("{} {} is no conductance of a cell", number, columns.unit.name),
               fmt::format("{:.4g} S; {:g} to {:g} S are possible", result, smallest_conductance,
                           largest_conductance),
               "check --unit");
  }
  return result;
}

void refuse(const MeasuredCells& cells, std::string_view problem, std::string_view why,
            std::string_view remedy) {
  throw core::UsageError(
      core::error_line(fmt::format("--{} {}", cells.level, cells.column), problem, why, remedy));
}

void check_cells(const MeasuredCells& cells, const core::Cut& cut,
                 const std::vector<double>& sorted) {
  if (sorted.size() < fewest_cells) {
    refuse(cells, fmt::format("{} cells are too few to fit a law", sorted.size()),
           fmt::format("{} are the least", fewest_cells), "measure more");
  }
  const auto below = std::lower_bound(sorted.begin(), sorted.end(), cut.low) - sorted.begin();
  const auto above = sorted.end() - std::upper_bound(sorted.begin(), sorted.end(), cut.high);
  if (below + above > 0) {
    refuse(
        cells,
        fmt::format("{} of {} cells lie outside of --low and --high", below + above, sorted.size()),
        "the law is cut off there, so that none could", "widen them, or leave the rows out");
  }
}

}  // namespace

std::vector<MeasuredCells> read_cells(const std::filesystem::path& file,
                                      const CellColumns& columns) {
  if (columns.unit.quantity == Quantity::current && !columns.read_voltage) {
    throw core::UsageError(core::error_line("--unit " + columns.unit.name, "is a unit of currents",
                                            "conductances are fitted",
                                            "give --read-voltage as well"));
  }
  core::TextTable table(file);
  std::vector<MeasuredCells> result;
  std::vector<std::size_t> places;
  for (const auto& [level, column] :
       {std::pair("lrs", &columns.lrs), std::pair("hrs", &columns.hrs)}) {
    if (column->empty()) continue;
    places.push_back(table.column(*column, fmt::format("--{} {}", level, *column)));
    result.push_back({.level = level, .column = *column, .conductance = {}});
  }
  for (auto row = table.next(); !row.empty(); row = table.next()) {
    for (std::size_t i = 0; i < places.size(); ++i) {
      std::vector<double>& values = result[i].conductance;
      if (values.size() == row_limit) {
        table.fail(row[places[i]], "the table is too long",
                   fmt::format("more than {} rows", row_limit), "fit a part of it");
      }
      values.push_back(conductance(table, row[places[i]], columns));
    }
  }
  return result;
}

core::Empirical empirical_of(const std::vector<double>& sorted) {
  constexpr std::size_t all = 1024;
  constexpr std::size_t tail = 128;
  core::Empirical law;
  const std::size_t n = sorted.size();
  const auto take = [&](std::size_t rank) {
    law.value.push_back(sorted[rank]);
    law.probability.push_back(static_cast<double>(rank) / static_cast<double>(n - 1));
  };
  if (n <= all) {
    for (std::size_t rank = 0; rank < n; ++rank) take(rank);
    return law;
  }
  for (std::size_t rank = 0; rank < tail; ++rank) take(rank);
  constexpr std::size_t middle = all - 2 * tail;
  for (std::size_t i = 0; i < middle; ++i) take(tail + (n - 2 * tail) * i / middle);
  for (std::size_t rank = n - tail; rank < n; ++rank) take(rank);
  return law;
}

CellFit fit_cells(const MeasuredCells& cells, const CellFitOptions& options,
                  core::Threads threads) {
  std::vector<double> sorted = cells.conductance;
  std::sort(sorted.begin(), sorted.end());
  check_cells(cells, options.cut, sorted);
  core::Moments moments;
  for (const double value : sorted) moments.add(value);
  CellFit fit{.level = cells.level,
              .column = cells.column,
              .cells = sorted.size(),
              .mean = moments.mean(),
              .sd = std::sqrt(moments.variance()),
              .smallest = sorted.front(),
              .largest = sorted.back(),
              .candidates = {},
              .chosen = {},
              .empirical = {}};
  double best = std::numeric_limits<double>::infinity();
  for (const core::Family family : {core::Family::normal, core::Family::lognormal}) {
    CandidateFit candidate{
        .family = family, .result = core::fit_shape(sorted, family, options.cut), .goodness = {}};
    if (const auto& found = candidate.result.fit) {
      candidate.goodness = core::goodness_of_fit(sorted, *found, {.seed = options.seed},
                                                 options.replicates, threads);
      const bool wanted =
          options.law == LawChoice::best ||
          (options.law == LawChoice::normal && family == core::Family::normal) ||
          (options.law == LawChoice::lognormal && family == core::Family::lognormal);
      if (wanted && found->aic() < best) {
        best = found->aic();
        fit.chosen = fit.candidates.size();
      }
    }
    fit.candidates.push_back(std::move(candidate));
  }
  if (options.law != LawChoice::empirical && !fit.chosen) {
    const auto& asked = fit.candidates[options.law == LawChoice::lognormal ? 1 : 0];
    refuse(cells, "no such law fits", asked.result.obstacle, "use --law empirical");
  }
  if (options.law == LawChoice::empirical) {
    if (sorted.front() < 0.0) {
      refuse(cells, "an empirical law can't be made of negative conductances",
             fmt::format("the smallest is {:.4g} S", sorted.front()),
             "check the offset of the measurement");
    }
    fit.empirical = empirical_of(sorted);
  }
  return fit;
}

}  // namespace cimstat::experiments
