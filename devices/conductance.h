#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/config/option.h"
#include "core/config/parameter.h"
#include "core/config/section_reader.h"
#include "core/law/law.h"

/// The spread of a conductance as a table of the configuration states it.
namespace cimstat::devices {

/// A lognormal or normal given by mean and sd, or by median and sigma: the commonest error in
/// published tables is one taken for the other (mean = median exp(sigma^2/2)). Both are kept.
struct Spread {
  double median = 0.0;
  double sigma = 0.0;  ///< of the natural logarithm; sd / mean for a normal
  double mean = 0.0;
  double sd = 0.0;
};

/// lognormal: sigma^2 = ln(1 + (sd/mean)^2), median = mean exp(-sigma^2/2).
Spread lognormal_from_mean(double mean, double sd);
Spread lognormal_from_median(double median, double sigma);

/// What becomes of cells beyond `low` and `high`.
enum class Beyond { cut_off, clamped };

inline constexpr core::Option<Beyond> beyond_options[] = {
    {Beyond::cut_off, {"cut_off", "there are none: the law in between is renormalised"}},
    {Beyond::clamped, {"clamped", "they lie at low and high, where their share piles up"}}};

/// The section of a conductance [S]: `distribution` picks the law, each with its own parameters.
core::Section conductance_section(std::string_view key, core::Need need, std::string_view meaning);

/// Reads a section made by conductance_section. Throws UsageError.
core::Shape read_conductance(const core::SectionReader& law);

/// The line that warns of a law that reaches negative conductances, where more than one cell in 1e9
/// has one; `law` is where it was read from.
std::optional<std::string> negative_warning(const core::SectionReader& law,
                                            const core::Shape& conductance);

/// "lognormal: median 40 uS, sigma 0.05 (mean 40.05 uS, sd 2.003 uS)": both ways to say it.
std::string describe(const core::Shape& conductance);

}  // namespace cimstat::devices
