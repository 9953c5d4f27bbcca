#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/config.h"

#include "circuits/converters/linearity.h"

#include "experiments/experiment.h"
#include "experiments/inference/accuracy_run.h"

/// Many converters of a configuration, one at a time: what their transfer curves look like.
namespace cimstat::experiments {

struct ConverterQuestions {
  std::uint64_t converters = 1000;
  std::uint64_t shown = 0;        ///< number of the one whose curve is drawn
  std::uint32_t active_rows = 0;  ///< whose references, where they follow them
};

inline constexpr std::array converter_quantiles{0.5, 0.9, 0.99};

/// A figure of each converter, such as its worst INL, over the converters.
struct ConverterFigure {
  Estimate mean;  ///< t interval
  double sd = 0.0;
  double largest = 0.0;
  /// At converter_quantiles; from order statistics, whatever the law. Infinite ends: too few
  /// converters to tell.
  std::array<Estimate, converter_quantiles.size()> quantiles;
};

/// Where over the codes something spreads most.
struct WidestSpread {
  std::uint32_t place = 0;          ///< code (DNL) or transition (INL)
  double sd = 0.0;                  ///< [LSB], over converters
  std::optional<double> formula{};  ///< closed form for this place, to first order
};

/// DNL and INL against one line.
struct LineView {
  ConverterFigure worst_dnl;
  ConverterFigure worst_inl;
  WidestSpread dnl;
  WidestSpread inl;
};

struct ConverterView {
  std::string name;
  ConverterQuestions questions;
  double confidence = 0.95;
  std::uint32_t codes = 0;
  double step = 0.0;  ///< in what the bit line delivers
  core::Quantity delivered = core::Quantity::current;
  std::array<LineView, 3> lines = {};  ///< by circuits::Line
  std::uint64_t with_missing_codes = 0;
  std::uint64_t with_steps_back = 0;
  std::vector<circuits::CodePiece> shown = {};  ///< transfer curve of one
  circuits::Linearity shown_linearity = {};     ///< of its end-point line
};

/// Throws UsageError for a number of active rows that the column does not have, and for converters
/// of two codes.
ConverterView view_converters(const Experiment& experiment, const ConverterQuestions& questions);

std::string converters_as_text(const ConverterView& view);
std::string converters_as_json(const ConverterView& view);

/// A row for each transition of each converter: its level, and INL and DNL of each line. Throws as
/// view_converters does.
std::string converters_as_csv(const Experiment& experiment, const ConverterQuestions& questions);

}  // namespace cimstat::experiments
