#include "circuits/columns/column_converters.h"

#include <algorithm>
#include <limits>

namespace cimstat::circuits {

std::uint64_t converter_of(std::uint64_t column, std::uint64_t columns_of_a_die,
                           std::uint32_t columns_per_converter) {
  const std::uint64_t of_a_die =
      (columns_of_a_die + columns_per_converter - 1) / columns_per_converter;
  return column / columns_of_a_die * of_a_die + column % columns_of_a_die / columns_per_converter;
}

ColumnConverters::ColumnConverters(const ColumnDesign& design, std::span<const ColumnClass> classes,
                                   const PoolOptions& options)
    : options_(options), columns_per_converter_(design.comparator.mismatch.columns_per_converter) {
  for (const ColumnClass& column_class : classes) {
    const std::uint32_t n = design.ladder.follows_active_rows ? column_class.active_rows : 0;
    auto run = std::find_if(runs_.begin(), runs_.end(),
                            [&](const Run& known) { return known.active_rows == n; });
    if (run == runs_.end()) {
      const auto references = design.ladder.at(n);
      runs_.push_back({n, ConverterCircuit(design.comparator, references), references.front()});
      run = runs_.end() - 1;
    }
    classes_.push_back({.run = static_cast<std::size_t>(run - runs_.begin()),
                        .ideal_code = design.ladder.ideal_code(mac_value(design, column_class)),
                        .mean = mean_current(design, column_class)});
  }
}

std::vector<WrongStretches> ColumnConverters::of(std::uint64_t column) const {
  const std::uint64_t number =
      converter_of(column, options_.columns_of_a_die, columns_per_converter_);
  std::vector<std::vector<CodePiece>> pieces;
  for (const Run& run : runs_) {
    pieces.push_back(run.circuit.pieces(converter(run.circuit, options_.key, number)));
  }
  std::vector<WrongStretches> stretches;
  for (const Class& one : classes_) {
    const Run& run = runs_[one.run];
    const auto current = [&](double position) {
      return run.first_reference + (position - 1.0) * run.circuit.step() - one.mean;
    };
    WrongStretches wrong;
    const std::vector<CodePiece>& curve = pieces[one.run];
    for (std::size_t i = 0; i < curve.size(); ++i) {
      if (curve[i].code == one.ideal_code) continue;
      std::vector<CurrentStretch>& side =
          curve[i].code < one.ideal_code ? wrong.below : wrong.above;
      const double from = current(curve[i].from);
      const double to = i + 1 < curve.size() ? current(curve[i + 1].from)
                                             : std::numeric_limits<double>::infinity();
      if (!side.empty() && side.back().to == from) {
        side.back().to = to;
      } else {
        side.push_back({from, to});
      }
    }
    stretches.push_back(std::move(wrong));
  }
  return stretches;
}

}  // namespace cimstat::circuits
