#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/report/sweep_view.h"

/// The pictures of a sweep, each as HTML: a first choice of quantity, axes and slice, and what the
/// script needs to show others.
namespace cimstat::experiments::report {

/// The name of the numbers that all pictures show.
inline constexpr std::string_view sweep_numbers = "sweep";

/// A quantity over two listed axes as a heat map; "" for fewer than two of several values.
std::string sweep_map_figure(const SweepView& view);
/// A quantity over one listed axis with its intervals, a curve for each value of another; "" where
/// no listed axis has several values.
std::string sweep_curve_figure(const SweepView& view);
/// A quantity over each sampled axis; "" where there is none.
std::string sweep_scatter_figure(const SweepView& view);
/// How strongly a quantity goes with each sampled axis: rank correlations over all samples of the
/// record; "" where there is none with numbers.
std::string sweep_sensitivity_figure(const SweepView& view, const SweepRecord& record);

// ---- what the pictures share

/// What is shown: a quantity, and the index along each dimension that no axis of the picture takes.
struct SweepChoice {
  std::size_t scalar = 0;
  std::vector<std::size_t> indices;
};
/// A quantity that changes from point to point, in the middle of all listed axes.
SweepChoice first_choice(const SweepView& view);
/// Axes whose dimension has several values, those of most values first, numbers before words.
std::vector<std::size_t> varying_listed_axes(const SweepView& view);
std::vector<std::size_t> sampled_axes(const SweepView& view);

struct SelectOption {
  std::string value;
  std::string text;
};
std::string select_control(std::string_view id, std::string_view role, std::string_view label,
                           const std::vector<SelectOption>& options, std::string_view chosen);
std::string quantity_control(const SweepView& view, std::string_view figure,
                             const SweepChoice& choice);
/// One for each dimension of several values; those in `taken` are hidden, and the script shows them
/// when the picture gives them up.
std::string slice_controls(const SweepView& view, std::string_view figure,
                           const SweepChoice& choice, const std::vector<std::size_t>& taken);
/// "mean misread probability (misread_mean) at corner = typical"; `taken` are dimensions that the
/// picture shows.
std::string slice_text(const SweepView& view, const SweepChoice& choice,
                       const std::vector<std::size_t>& taken);
/// Controls, the line that says what is shown, and the picture.
std::string sweep_frame(std::string_view figure, std::string_view controls, std::string_view slice,
                        std::string_view picture);

}  // namespace cimstat::experiments::report
