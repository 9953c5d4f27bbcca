#include "circuits/rare/rare_sum.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/shape.h"

#include "circuits/rare/cell_curve.h"
#include "circuits/rare/orbit_mixture.h"
#include "circuits/rare/sum_modes.h"

namespace cimstat::circuits {

namespace {

constexpr double widest_sd = 1.35;
constexpr double bearable_dimensions = 8.0;
constexpr double defensive_share = 0.05;
constexpr double even_share = 0.2;  // of what is not defensive, shared evenly by all modes
constexpr std::uint64_t pilot_samples = 4096;

class SumSampler {
 public:
  SumSampler(const SumFailure& failure, const RareOptions& options, Proposal proposal)
      : failure_(failure), options_(options) {
    for (const ColumnPart& part : failure.parts) curves_.emplace_back(part.law);
    modes_ = find_modes(failure, curves_);
    mixture_ =
        std::make_unique<OrbitMixture>(failure, components(proposal),
                                       proposal == Proposal::plain          ? 1.0
                                       : proposal == Proposal::single_shift ? 0.0
                                                                            : defensive_share);
    if (proposal == Proposal::modes) set_shares();
  }

  void contributions(std::uint64_t first, std::span<double> contribution) const {
    std::vector<double> z(mixture_->dimensions());
    std::vector<double> ratios(mixture_->components().size());
    for (std::size_t i = 0; i < contribution.size(); ++i) {
      contribution[i] = sample(first + i, z, ratios);
    }
  }

  std::vector<FailureMode> modes() const {
    std::vector<FailureMode> found;
    std::vector<double> ratios(mixture_->components().size());
    for (const SumMode& mode : modes_) {
      const double distance = mode.distance(failure_);
      const std::vector<double> z = point(mode);
      mixture_->log_ratios(z, ratios);
      const double near = core::normal_tail(core::Tail::upper, distance);
      const double orbit = std::exp(mode.log_orbit);
      found.push_back({.distance = distance,
                       .log_height = mode.log_height,
                       .orbit = orbit,
                       .visits = double(options_.samples) * orbit * near *
                                 std::exp(mixture_->log_ratio(ratios)),
                       .place = place(mode)});
    }
    return found;
  }

 private:
  std::vector<OrbitMixture::Component> components(Proposal proposal) const {
    std::vector<OrbitMixture::Component> list;
    if (proposal == Proposal::plain) return list;
    if (proposal == Proposal::single_shift) {
      list.push_back({.share = 1.0, .mode = modes_.front(), .spread = false});
      return list;
    }
    std::size_t variables = failure_.sum_sd > 0.0 ? 1U : 0U;
    if (failure_.offset_sd > 0.0) ++variables;
    for (const ColumnPart& part : failure_.parts) variables += part.count;
    for (const SumMode& mode : modes_) {
      std::size_t raised = 0;
      for (const PartPosition& position : mode.parts) raised += position.raised;
      list.push_back({.share = (1.0 - defensive_share) / double(modes_.size()),
                      .mode = mode,
                      .sd = inflated_sd(widest_sd, bearable_dimensions, variables),
                      .raised_sd = inflated_sd(widest_sd, bearable_dimensions, raised)});
    }
    return list;
  }

  /// Gives each mode the share of the probability that a pilot run finds in it, and a little more.
  void set_shares() {
    const std::size_t count = mixture_->components().size();
    if (count < 2) return;
    std::vector<double> mass(count, 0.0);
    std::vector<double> z(mixture_->dimensions());
    std::vector<double> ratios(count);
    for (std::uint64_t i = 0; i < pilot_samples; ++i) {
      const double w = sample(first_pilot_sample + i, z, ratios);
      const double all = mixture_->log_ratio(ratios);
      for (std::size_t k = 0; k < count; ++k) {
        mass[k] += w * mixture_->components()[k].share * std::exp(ratios[k] - all);
      }
    }
    double total = 0.0;
    for (const double value : mass) total += value;
    if (!(total > 0.0)) return;
    for (std::size_t k = 0; k < count; ++k) {
      mixture_->set_share(k, (1.0 - defensive_share) * (even_share / double(count) +
                                                        (1.0 - even_share) * mass[k] / total));
    }
  }

  double sample(std::uint64_t instance, std::span<double> z, std::span<double> ratios) const {
    core::TrialRandom random(options_.key, core::Domain::rare_event, instance,
                             failure_.first_block);
    mixture_->draw(random, uniform(random), z);
    double sum = failure_.constant;
    std::size_t next = 0;
    for (std::size_t p = 0; p < curves_.size(); ++p) {
      for (std::uint32_t i = 0; i < failure_.parts[p].count; ++i)
        sum += curves_[p].value(z[next++]);
    }
    if (failure_.sum_sd > 0.0) sum += failure_.sum_sd * z[next++];
    const double offset = failure_.offset_sd > 0.0 ? failure_.offset_sd * z[next] : 0.0;
    const double log_probability = failure_.log_probability(sum, offset);
    mixture_->log_ratios(z, ratios);
    return std::exp(log_probability - mixture_->log_ratio(ratios));
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

RareEstimate rare_sum(const SumFailure& failure, const RareOptions& options, Proposal proposal,
                      core::Threads threads, const core::Progress& progress) {
  const SumSampler sampler(failure, options, proposal);
  RareEstimate estimate;
  estimate.modes = sampler.modes();
  estimate.halves = weighted_sums(
      options.samples,
      [&](std::uint64_t first, std::span<double> contribution) {
        sampler.contributions(first, contribution);
      },
      threads, progress);
  judge(estimate);
  return estimate;
}

}  // namespace cimstat::circuits
