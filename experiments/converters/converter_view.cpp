#include "experiments/converters/converter_view.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.h"
#include "core/interrupt.h"
#include "core/statistics/order_statistics.h"
#include "core/statistics/statistics.h"

#include "circuits/converters/converter_circuit.h"
#include "circuits/converters/mismatch_formulas.h"

namespace cimstat::experiments {

namespace {

using circuits::Comparator;
using circuits::ConverterCircuit;
using circuits::ConverterKind;
using circuits::Line;
using circuits::Linearity;

constexpr std::array lines{Line::ideal, Line::end_point, Line::best_fit};
constexpr double infinity = std::numeric_limits<double>::infinity();

ConverterCircuit circuit_of(const Experiment& experiment, const ConverterQuestions& questions) {
  const circuits::ColumnDesign& design = experiment.macro.design;
  if (questions.active_rows > design.rows) {
    throw core::UsageError(
        core::error_line("--active-rows", fmt::format("{} is out of range", questions.active_rows),
                         fmt::format("the column has {} rows", design.rows), "name fewer"));
  }
  return {design.comparator, design.ladder.at(questions.active_rows)};
}

/// What one converter is like.
struct Curve {
  std::vector<circuits::CodePiece> pieces;
  std::vector<double> transitions;
  std::array<Linearity, lines.size()> linearity;
};

Curve curve_of(const ConverterCircuit& circuit, core::StreamKey key, std::uint64_t number) {
  Curve curve;
  curve.pieces = circuit.pieces(circuits::converter(circuit, key, number));
  curve.transitions = circuits::transitions(curve.pieces, circuit.references());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    curve.linearity[i] = circuits::linearity(curve.transitions, circuit.positions(), lines[i]);
  }
  return curve;
}

ConverterFigure figure_of(std::vector<double> values, double confidence) {
  std::sort(values.begin(), values.end());
  core::Moments moments;
  for (const double value : values) moments.add(value);
  ConverterFigure figure;
  figure.sd = values.size() > 1 ? std::sqrt(moments.variance()) : 0.0;
  figure.largest = values.back();
  figure.mean = {moments.mean(), {0.0, infinity}};
  if (values.size() > 1) {
    const double half = core::student_t(confidence, static_cast<double>(values.size()) - 1.0) *
                        moments.standard_error();
    figure.mean.interval = {std::max(0.0, moments.mean() - half), moments.mean() + half};
  }
  for (std::size_t i = 0; i < converter_quantiles.size(); ++i) {
    const double level = converter_quantiles[i];
    const double place = std::ceil(level * static_cast<double>(values.size()));
    const auto rank = static_cast<std::size_t>(std::max(place, 1.0)) - 1;
    figure.quantiles[i] = {values[rank],
                           core::quantile_interval(values, level, confidence, {0.0, infinity})};
  }
  return figure;
}

/// Sums of squares at each place, and where they are largest.
class Spreads {
 public:
  void add(const std::vector<double>& values) {
    sums_.resize(values.size(), 0.0);
    squares_.resize(values.size(), 0.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      sums_[i] += values[i];
      squares_[i] += values[i] * values[i];
    }
    ++count_;
  }
  /// Places count from 1.
  WidestSpread widest() const {
    WidestSpread widest;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const double mean = sums_[i] / count_;
      const double sd = std::sqrt(std::max(0.0, squares_[i] / count_ - mean * mean));
      if (i == 0 || sd > widest.sd) widest = {static_cast<std::uint32_t>(i + 1), sd};
    }
    return widest;
  }

 private:
  std::vector<double> sums_;
  std::vector<double> squares_;
  double count_ = 0.0;
};

/// Closed forms are those of distances from where things should lie.
std::optional<double> inl_formula(const Comparator& comparator, std::uint32_t transition,
                                  std::uint32_t references, double step) {
  const circuits::ConverterMismatch& mismatch = comparator.mismatch;
  const double offset = mismatch.offset_sd / step;
  switch (comparator.kind) {
    case ConverterKind::flash:
      if (offset > 0.0) return std::nullopt;  // the order of the comparators changes
      [[fallthrough]];
    case ConverterKind::flash_lowest_zero:
      return offset > 0.0 ? std::nullopt
                          : std::optional(circuits::resistor_string_sd(mismatch.element_sd,
                                                                       transition, references + 1));
    case ConverterKind::ramp:
      return std::hypot(offset, circuits::ramp_level_sd(mismatch.element_sd, transition));
    case ConverterKind::sar: {
      const auto bits = static_cast<std::uint32_t>(std::bit_width(references));
      const bool middle = transition == 1U << (bits - 1);
      if (!middle || mismatch.split_bits > 0 || mismatch.radix < 2.0) return std::nullopt;
      return std::hypot(offset, circuits::middle_inl_sd(mismatch.element_sd, bits));
    }
    case ConverterKind::pipeline:
    case ConverterKind::cyclic:
      break;
  }
  return std::nullopt;
}

std::optional<double> dnl_formula(const Comparator& comparator, std::uint32_t code,
                                  std::uint32_t references) {
  const circuits::ConverterMismatch& mismatch = comparator.mismatch;
  if (comparator.kind == ConverterKind::ramp) return mismatch.element_sd;
  if (comparator.kind != ConverterKind::sar || mismatch.radix < 2.0) return std::nullopt;
  const auto bits = static_cast<std::uint32_t>(std::bit_width(references));
  if (code + 1 != 1U << (bits - 1)) return std::nullopt;
  return circuits::split_carry_dnl_sd(mismatch.element_sd, bits, mismatch.split_bits);
}

}  // namespace

ConverterView view_converters(const Experiment& experiment, const ConverterQuestions& questions) {
  const ConverterCircuit circuit = circuit_of(experiment, questions);
  ConverterView view{.name = experiment.name,
                     .questions = questions,
                     .confidence = experiment.table.confidence,
                     .codes = experiment.macro.design.ladder.codes,
                     .step = circuit.step(),
                     .delivered = circuits::delivered_quantity(experiment.macro.design.bit_line)};
  std::array<std::vector<double>, lines.size()> worst_dnl;
  std::array<std::vector<double>, lines.size()> worst_inl;
  std::array<Spreads, lines.size()> dnl;
  std::array<Spreads, lines.size()> inl;
  for (std::uint64_t number = 0; number < questions.converters; ++number) {
    core::stop_if_requested();
    const Curve curve = curve_of(circuit, experiment.key(), number);
    if (circuits::missing_codes(curve.pieces, circuit.references()) > 0) ++view.with_missing_codes;
    if (circuits::steps_back(curve.pieces)) ++view.with_steps_back;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      worst_dnl[i].push_back(curve.linearity[i].worst_dnl());
      worst_inl[i].push_back(curve.linearity[i].worst_inl());
      dnl[i].add(curve.linearity[i].dnl);
      inl[i].add(curve.linearity[i].inl);
    }
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    view.lines[i] = {.worst_dnl = figure_of(std::move(worst_dnl[i]), view.confidence),
                     .worst_inl = figure_of(std::move(worst_inl[i]), view.confidence),
                     .dnl = dnl[i].widest(),
                     .inl = inl[i].widest()};
  }
  const auto references = static_cast<std::uint32_t>(circuit.references());
  const Comparator& comparator = experiment.macro.design.comparator;
  LineView& ideal = view.lines[0];
  ideal.dnl.formula = dnl_formula(comparator, ideal.dnl.place, references);
  ideal.inl.formula = inl_formula(comparator, ideal.inl.place, references, view.step);
  Curve shown = curve_of(circuit, experiment.key(), questions.shown);
  view.shown = std::move(shown.pieces);
  view.shown_linearity = std::move(shown.linearity[1]);
  return view;
}

std::string converters_as_csv(const Experiment& experiment, const ConverterQuestions& questions) {
  const ConverterCircuit circuit = circuit_of(experiment, questions);
  std::string text =
      "converter,transition,ideal_lsb,level_lsb,level,inl_ideal,inl_end_point,inl_best_fit,"
      "dnl_ideal,dnl_end_point,dnl_best_fit\n";
  const double origin = experiment.macro.design.ladder.at(questions.active_rows).front();
  for (std::uint64_t number = 0; number < questions.converters; ++number) {
    core::stop_if_requested();
    const Curve curve = curve_of(circuit, experiment.key(), number);
    for (std::size_t j = 0; j < curve.transitions.size(); ++j) {
      const double level = curve.transitions[j];
      text += fmt::format("{},{},{},{},{}", number, j + 1, circuit.positions()[j], level,
                          origin + (level - 1.0) * circuit.step());
      for (const Linearity& line : curve.linearity) text += fmt::format(",{}", line.inl[j]);
      for (const Linearity& line : curve.linearity) {
        text += j < line.dnl.size() ? fmt::format(",{}", line.dnl[j]) : ",";
      }
      text += '\n';
    }
  }
  return text;
}

}  // namespace cimstat::experiments
