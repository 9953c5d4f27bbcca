#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/file/json.h"
#include "core/statistics/statistics.h"
#include "core/utf8.h"

#include "experiments/converters/converter_view.h"
#include "experiments/counted.h"

namespace cimstat::experiments {

namespace {

using core::Json;

constexpr std::array<std::string_view, 3> line_names{"ideal", "end-point", "best-fit"};
constexpr std::array<std::string_view, 3> line_keys{"ideal", "end_point", "best_fit"};

// Of the picture, in characters.
constexpr std::size_t picture_width = 64;
constexpr std::size_t picture_height = 16;

std::string number(double value) { return fmt::format("{:.3g}", value); }

std::string with_interval(const Estimate& estimate) {
  return fmt::format(
      "{} [{}, {}]", number(estimate.value), number(estimate.interval.lower),
      std::isfinite(estimate.interval.upper) ? number(estimate.interval.upper) : "?");
}

std::string figure_row(std::string_view line, std::string_view what,
                       const ConverterFigure& figure) {
  return fmt::format("{:<10} {:<10} {:>22} {:>8} {:>22} {:>22} {:>22} {:>8}\n", line, what,
                     with_interval(figure.mean), number(figure.sd),
                     with_interval(figure.quantiles[0]), with_interval(figure.quantiles[1]),
                     with_interval(figure.quantiles[2]), number(figure.largest));
}

std::string spread_text(std::string_view what, std::string_view place, const WidestSpread& widest) {
  std::string text = fmt::format("{} spreads most at {} {}: sd {} LSB", what, place, widest.place,
                                 number(widest.sd));
  if (widest.formula) text += fmt::format(" (to first order {})", number(*widest.formula));
  return text + '\n';
}

std::uint32_t code_at(const std::vector<circuits::CodePiece>& pieces, double position) {
  auto above =
      std::upper_bound(pieces.begin(), pieces.end(), position,
                       [](double x, const circuits::CodePiece& piece) { return x < piece.from; });
  return (above - 1)->code;
}

/// Code over input: '.' the ideal converter, '*' the one at hand, where they differ.
std::string picture_of(const ConverterView& view) {
  std::vector<std::string> rows(picture_height, std::string(picture_width, ' '));
  const double codes = view.codes;
  const auto row_of = [&](double code) {
    return static_cast<std::size_t>((code + 0.5) / codes * picture_height);
  };
  for (std::size_t i = 0; i < picture_width; ++i) {
    const double position = (static_cast<double>(i) + 0.5) / picture_width * codes;
    rows[row_of(std::floor(position))][i] = '.';
    rows[row_of(code_at(view.shown, position))][i] = '*';
  }
  std::string text;
  for (std::size_t row = picture_height; row-- > 0;) {
    const std::size_t end = rows[row].find_last_not_of(' ') + 1;
    const std::string label = row + 1 == picture_height ? fmt::format("{}", view.codes - 1)
                              : row == 0                ? "0"
                                                        : "";
    text += fmt::format("{:>6} |{}\n", label, rows[row].substr(0, end));
  }
  text += fmt::format("  code +{}\n", std::string(picture_width, '-'));
  return text + fmt::format("{:>8}{:>{}} LSB\n", 0, view.codes, picture_width - 1);
}

Json json_of(const Estimate& estimate) {
  return Json::array({estimate.value, estimate.interval.lower, estimate.interval.upper});
}

Json json_of(const ConverterFigure& figure) {
  Json quantiles = Json::array();
  for (std::size_t i = 0; i < converter_quantiles.size(); ++i) {
    quantiles.push_back(
        {{"level", converter_quantiles[i]}, {"value", json_of(figure.quantiles[i])}});
  }
  return {{"mean", json_of(figure.mean)},
          {"sd", figure.sd},
          {"quantiles", quantiles},
          {"largest", figure.largest}};
}

Json json_of(const WidestSpread& widest) {
  Json json{{"place", widest.place}, {"sd", widest.sd}};
  if (widest.formula) json["first_order_sd"] = *widest.formula;
  return json;
}

Estimate share_of(std::uint64_t count, const ConverterView& view) {
  const std::uint64_t all = view.questions.converters;
  return {static_cast<double>(count) / static_cast<double>(all),
          core::clopper_pearson(count, all, view.confidence)};
}

std::string share_text(std::uint64_t count, const ConverterView& view) {
  const Estimate share = share_of(count, view);
  return fmt::format("{} of {} ({} [{}, {}])", count, view.questions.converters,
                     number(share.value), number(share.interval.lower),
                     number(share.interval.upper));
}

}  // namespace

std::string converters_as_text(const ConverterView& view) {
  std::string text = fmt::format("{}: {}, {} codes, 1 LSB = {}\n\n", core::one_line(view.name),
                                 counted(view.questions.converters, "converter"), view.codes,
                                 core::format_quantity(view.step, view.delivered));
  text += fmt::format("{:<10} {:<10} {:>22} {:>8} {:>22} {:>22} {:>22} {:>8}\n", "line", "worst",
                      fmt::format("mean [{:g} %]", 100.0 * view.confidence), "sd", "median", "90 %",
                      "99 %", "largest");
  for (std::size_t i = 0; i < view.lines.size(); ++i) {
    text += figure_row(line_names[i], "|DNL|", view.lines[i].worst_dnl);
    text += figure_row("", "|INL|", view.lines[i].worst_inl);
  }
  text +=
      "\nIn LSB. worst: over the codes of a converter. ideal: against where references should lie; "
      "end-point: the line\nthrough the first and last transition; best-fit: least squares. "
      "Quantiles over converters, from order statistics.\n\n";
  text += spread_text("DNL", "code", view.lines[0].dnl);
  text += spread_text("INL", "transition", view.lines[0].inl);
  text += fmt::format("missing codes: {}\n", share_text(view.with_missing_codes, view));
  text += fmt::format("steps back: {}\n", share_text(view.with_steps_back, view));
  text += fmt::format("\nconverter {} (end-point: worst |DNL| {}, |INL| {} LSB); . ideal\n",
                      view.questions.shown, number(view.shown_linearity.worst_dnl()),
                      number(view.shown_linearity.worst_inl()));
  return text + picture_of(view);
}

std::string converters_as_json(const ConverterView& view) {
  Json lines = Json::object();
  for (std::size_t i = 0; i < view.lines.size(); ++i) {
    const LineView& line = view.lines[i];
    lines[std::string(line_keys[i])] = {{"worst_dnl", json_of(line.worst_dnl)},
                                        {"worst_inl", json_of(line.worst_inl)},
                                        {"widest_dnl", json_of(line.dnl)},
                                        {"widest_inl", json_of(line.inl)}};
  }
  Json curve = Json::array();
  for (const circuits::CodePiece& piece : view.shown) {
    curve.push_back({{"from", piece.from}, {"code", piece.code}});  // the first from is null
  }
  return core::json_text({{"name", view.name},
                          {"converters", view.questions.converters},
                          {"confidence", view.confidence},
                          {"codes", view.codes},
                          {"step", view.step},
                          {"lines", lines},
                          {"missing_codes", json_of(share_of(view.with_missing_codes, view))},
                          {"steps_back", json_of(share_of(view.with_steps_back, view))},
                          {"shown",
                           {{"converter", view.questions.shown},
                            {"curve", curve},
                            {"dnl_end_point", view.shown_linearity.dnl},
                            {"inl_end_point", view.shown_linearity.inl}}}});
}

}  // namespace cimstat::experiments
