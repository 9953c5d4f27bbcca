#include "circuits/rare/rare_sum.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/law/shape.h"

#include "circuits/rare/cell_curve.h"
#include "circuits/rare/orbit_mixture.h"
#include "circuits/rare/sum_modes.h"

namespace cimstat::circuits {

namespace {

constexpr double widest_sd = 1.35;
constexpr double widest_ridge = 2.5;  // sd that the curvature at a mode may ask for
constexpr double inflation = 2.5;  // of the second moment, bearable; that of 8 variables of this sd

class SumSampler {
 public:
  SumSampler(const SumFailure& failure, const RareOptions& options, Proposal proposal)
      : failure_(failure), options_(options) {
    for (const ColumnPart& part : failure.parts) curves_.emplace_back(part.law);
    modes_ = find_modes(failure, curves_);
    std::vector<OrbitMixture::Component> list = components(proposal);
    std::vector<double> shares = mixture_shares(std::vector<double>(list.size() + 1, 0.0));
    if (proposal == Proposal::single_shift) shares = {0.0, 1.0};
    mixture_ = std::make_unique<OrbitMixture>(failure, std::move(list), std::move(shares));
    if (proposal == Proposal::modes) set_shares();
  }

  /// `first` is a multiple of 64.
  void contributions(std::uint64_t first, std::span<double> contribution) const {
    std::vector<double> ratios(mixture_->components().size());
    for_each_sample(first, contribution.size(), ratios,
                    [&](std::size_t i, double w) { contribution[i] = w; });
  }

  std::vector<FailureMode> modes(std::uint64_t samples) const {
    std::vector<FailureMode> found;
    // What counts is where the components are, not how wide: in many variables a slightly wider
    // one is thin everywhere, and none the worse for it.
    const OrbitMixture mixture = mixture_->with_unit_sd();
    std::vector<double> ratios(mixture.components().size());
    for (const SumMode& mode : modes_) {
      const double distance = mode.distance(failure_);
      const std::vector<double> z = point(mode);
      mixture.log_ratios(z, ratios);
      const double near = core::normal_tail(core::Tail::upper, distance);
      const double orbit = std::exp(mode.log_orbit);
      found.push_back(
          {.distance = distance,
           .log_height = mode.log_height,
           .orbit = orbit,
           .visits = double(samples) * orbit * near * std::exp(mixture.log_ratio(ratios)),
           .place = place(mode)});
    }
    return found;
  }

 private:
  std::vector<OrbitMixture::Component> components(Proposal proposal) const {
    std::vector<OrbitMixture::Component> list;
    if (proposal == Proposal::plain) return list;
    if (proposal == Proposal::single_shift) {
      list.push_back({.mode = modes_.front(), .spread = false});
      return list;
    }
    for (const SumMode& mode : modes_) list.push_back({.mode = widened(mode)});
    for (const SumMode& mode : outliers()) list.push_back({.mode = mode});
    return list;
  }

  /// The modes without raised cells, one cell raised by a little: where one heavy-tailed cell among
  /// many can carry the failure, but least often enough that this is a ridge and no mode of its
  /// own.
  std::vector<SumMode> outliers() const {
    const double sign = failure_.side == core::Tail::upper ? 1.0 : -1.0;
    std::vector<SumMode> list;
    for (const SumMode& mode : modes_) {
      const auto is_raised = [](const PartPosition& position) { return position.raised > 0; };
      if (std::any_of(mode.parts.begin(), mode.parts.end(), is_raised)) continue;
      for (std::size_t p = 0; p < mode.parts.size(); ++p) {
        const bool has_mode = std::any_of(modes_.begin(), modes_.end(), [p](const SumMode& other) {
          return other.parts[p].raised == 1;
        });
        const double bend = sign * curves_[p].relative_curvature(mode.parts[p].low);
        if (has_mode || failure_.parts[p].count < 2 || !(bend > 0.0)) continue;
        for (const double rise : {1.5, 3.0}) {  // sd
          SumMode raised = widened(mode);
          raised.parts[p].raised = 1;
          raised.parts[p].high = raised.parts[p].low + sign * rise;
          raised.parts[p].high_sd = widest_sd;
          list.push_back(std::move(raised));
        }
      }
    }
    return list;
  }

  /// Gives each component the share of the probability that a pilot run finds in it.
  void set_shares() {
    std::vector<double> mass(mixture_->shares().size(), 0.0);
    std::vector<double> ratios(mixture_->components().size());
    for_each_sample(first_pilot_sample, pilot_samples, ratios, [&](std::size_t, double w) {
      add_masses(mixture_->shares(), ratios, w, mass);
    });
    mixture_->set_shares(mixture_shares(mass));
  }

  /// The mode with the widths of a proposal. Raised cells are held where they are by the rest, and
  /// keep their sd of 1. The others spread as the curvature at the mode says, 1 / (1 - z X'' / X')
  /// in variance, and at least as much as so many variables bear.
  SumMode widened(SumMode mode) const {
    std::size_t variables = failure_.sum_sd > 0.0 ? 1U : 0U;
    if (failure_.offset_sd > 0.0) ++variables;
    for (const ColumnPart& part : failure_.parts) variables += part.count;
    const double least = inflated_sd(widest_sd, inflation, variables);
    mode.normal_sd = least;
    for (std::size_t p = 0; p < mode.parts.size(); ++p) {
      PartPosition& position = mode.parts[p];
      const double bend = position.low * curves_[p].relative_curvature(position.low);
      const double spread = bend < 1.0 ? 1.0 / std::sqrt(1.0 - bend) : widest_sd;
      // A flat stretch of a curve has no curvature to speak of.
      position.low_sd = std::isfinite(spread) ? std::clamp(spread, least, widest_ridge) : least;
    }
    return mode;
  }

  /// Calls use(i, w) for each sample first + i, its components' log ratios in `ratios`.
  template <class Use>
  void for_each_sample(std::uint64_t first, std::size_t count, std::span<double> ratios,
                       Use&& use) const {
    std::vector<double> z(mixture_->dimensions());
    SampleTile tile(options_.key, failure_.first_block, mixture_->uniforms(), z.size());
    for (std::size_t i = 0; i < count; ++i) {
      if (i % core::tile_trials == 0) tile.fill(first + i);
      mixture_->draw(tile, i % core::tile_trials, z);
      mixture_->log_ratios(z, ratios);
      use(i, std::exp(log_probability(z) - mixture_->log_ratio(ratios)));
    }
  }

  double log_probability(std::span<const double> z) const {
    double sum = failure_.constant;
    std::size_t next = 0;
    for (std::size_t p = 0; p < curves_.size(); ++p) {
      for (std::uint32_t i = 0; i < failure_.parts[p].count; ++i) {
        sum += curves_[p].value(z[next++]);
      }
    }
    if (failure_.sum_sd > 0.0) sum += failure_.sum_sd * z[next++];
    const double offset = failure_.offset_sd > 0.0 ? failure_.offset_sd * z[next] : 0.0;
    return failure_.log_probability(sum, offset);
  }

  std::vector<double> point(const SumMode& mode) const {
    std::vector<double> z;
    for (std::size_t p = 0; p < mode.parts.size(); ++p) {
      const PartPosition& position = mode.parts[p];
      for (std::uint32_t i = 0; i < failure_.parts[p].count; ++i) {
        z.push_back(i < position.raised ? position.high : position.low);
      }
    }
    if (failure_.sum_sd > 0.0) z.push_back(mode.sum_z);
    if (failure_.offset_sd > 0.0) z.push_back(mode.offset_z);
    return z;
  }

  std::string place(const SumMode& mode) const {
    std::string text;
    for (std::size_t p = 0; p < mode.parts.size(); ++p) {
      const PartPosition& position = mode.parts[p];
      if (!text.empty()) text += ", ";
      const std::uint32_t count = failure_.parts[p].count;
      if (position.raised > 0) {
        text += fmt::format("{} of {} cells at {:.1f} sd, the others at {:.1f} sd", position.raised,
                            count, position.high, position.low);
      } else {
        text += fmt::format("{} cells at {:.1f} sd", count, position.low);
      }
    }
    return text.empty() ? "the normal parts" : text;
  }

  const SumFailure& failure_;
  RareOptions options_;
  std::vector<CellCurve> curves_;
  std::vector<SumMode> modes_;
  std::unique_ptr<OrbitMixture> mixture_;
};

}  // namespace

std::vector<FailureMode> failure_modes(const SumFailure& failure, const RareOptions& options,
                                       Proposal proposal) {
  return SumSampler(failure, options, proposal).modes(options.samples);
}

RareEstimate rare_sum(const SumFailure& failure, const RareOptions& options, Proposal proposal,
                      core::Threads threads, const core::Progress& progress) {
  const SumSampler sampler(failure, options, proposal);
  RareEstimate estimate = weighted_sums(
      options,
      [&](std::uint64_t first, std::span<double> contribution) {
        sampler.contributions(first, contribution);
      },
      threads, progress);
  estimate.modes = sampler.modes(estimate.sums().n);
  judge(estimate);
  return estimate;
}

}  // namespace cimstat::circuits
