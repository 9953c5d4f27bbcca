#include "core/law/wave_sums.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/interrupt.h"

namespace cimstat::core {
namespace {

constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding
constexpr std::size_t run = 8;                                         // frequencies
constexpr std::size_t lanes = 4;                                       // nodes
/// Smaller terms (natural log) are not added but counted as errors.
constexpr double negligible = -80.0;

using Lanes = std::array<double, lanes>;

/// Sums of many terms in each lane, with what every addition loses (Knuth's two-sum: no branch, so
/// that lanes go together).
struct Sums {
  Lanes sum{};
  Lanes lost{};

  void add(const Lanes& term) {
    for (std::size_t i = 0; i < lanes; ++i) {
      const double total = sum[i] + term[i];
      const double part = total - sum[i];
      lost[i] += (sum[i] - (total - part)) + (term[i] - part);
      sum[i] = total;
    }
  }
  double total() const {
    Sums all;
    for (std::size_t i = 0; i < lanes; ++i) all.add({sum[i]});
    double lost_in_all = all.lost[0];
    for (const double part : lost) lost_in_all += part;
    return all.sum[0] + lost_in_all;
  }
};

/// Nodes side by side: each is A exp(-g u^2 + i phase u).
struct Group {
  Lanes log_amplitude{};
  Lanes weight{};
  Lanes phase{};
  Lanes decay{};  ///< g
  Lanes turn_real{};
  Lanes turn_imaginary{};
  Lanes bend{};   ///< exp(-2 g step^2)
  Lanes reach{};  ///< |X| + |mean|, for the error
};

std::vector<Group> groups_of(const WaveSums& sums, double step) {
  std::vector<Group> groups((sums.nodes.size() + lanes - 1) / lanes);
  for (std::size_t j = 0; j < sums.nodes.size(); ++j) {
    const double x = sums.nodes[j].value;
    const double shifted = x - sums.mean;
    const double noise = sums.relative_noise * x;
    Group& group = groups[j / lanes];
    const std::size_t i = j % lanes;
    // (tilt + iu) shifted + (tilt + iu)^2 (r x)^2 / 2
    group.decay[i] = 0.5 * noise * noise;
    group.log_amplitude[i] = sums.tilt * shifted + group.decay[i] * sums.tilt * sums.tilt;
    group.phase[i] = shifted + 2.0 * group.decay[i] * sums.tilt;
    group.weight[i] = sums.nodes[j].weight;
    group.turn_real[i] = std::cos(group.phase[i] * step);
    group.turn_imaginary[i] = std::sin(group.phase[i] * step);
    group.bend[i] = std::exp(-2.0 * group.decay[i] * step * step);
    group.reach[i] = std::abs(x) + std::abs(sums.mean);
  }
  return groups;
}

/// What the errors of a run's terms add up to: bound at w = tilt + iu is unit times
/// constant + linear |w| + square |w|^2, and `size` times what the multiplications have lost.
struct ErrorSums {
  double constant = 0.0;
  double linear = 0.0;
  double square = 0.0;
  double size = 0.0;
  double left_out = 0.0;
};

}  // namespace

WaveSums::Values WaveSums::at_midpoints(double step, std::size_t first, std::size_t count) const {
  Values result{std::vector<std::complex<double>>(count), std::vector<double>(count)};
  const std::vector<Group> groups = groups_of(*this, step);
  const bool noisy = relative_noise > 0.0;
  for (std::size_t start = 0; start < count; start += run) {
    stop_if_requested();
    const double u = (static_cast<double>(first + start) + 0.5) * step;
    std::array<Sums, run> real{};
    std::array<Sums, run> imaginary{};
    ErrorSums error;
    for (const Group& group : groups) {
      Lanes wave_real{};
      Lanes wave_imaginary{};
      Lanes turn_real = group.turn_real;
      Lanes turn_imaginary = group.turn_imaginary;
      for (std::size_t i = 0; i < lanes; ++i) {
        const double log_modulus = group.log_amplitude[i] - group.decay[i] * u * u;
        if (log_modulus < negligible) {
          error.left_out += 1e-34;
          continue;
        }
        const double size = group.weight[i] * std::exp(log_modulus);
        wave_real[i] = size * std::cos(group.phase[i] * u);
        wave_imaginary[i] = size * std::sin(group.phase[i] * u);
        if (noisy) {
          // exp(-g (u + step)^2) over exp(-g u^2)
          const double fall = std::exp(-group.decay[i] * step * (2.0 * u + step));
          turn_real[i] *= fall;
          turn_imaginary[i] *= fall;
        }
        error.constant += 48.0 * size;
        error.linear += 2.0 * size * group.reach[i];
        error.square += 8.0 * size * group.decay[i];
        error.size += size;
      }
      for (std::size_t k = 0; k < run; ++k) {
        real[k].add(wave_real);
        imaginary[k].add(wave_imaginary);
        for (std::size_t i = 0; i < lanes; ++i) {
          const double next = wave_real[i] * turn_real[i] - wave_imaginary[i] * turn_imaginary[i];
          wave_imaginary[i] = wave_real[i] * turn_imaginary[i] + wave_imaginary[i] * turn_real[i];
          wave_real[i] = next;
        }
        if (!noisy) continue;
        for (std::size_t i = 0; i < lanes; ++i) {
          turn_real[i] *= group.bend[i];
          turn_imaginary[i] *= group.bend[i];
        }
      }
    }
    for (std::size_t k = 0; k < std::min(run, count - start); ++k) {
      result.value[start + k] = {real[k].total(), imaginary[k].total()};
      // A turn is off by 4 units, and by 1.5 more for each one that bent it.
      const auto turns = static_cast<double>(k);
      const double lost = noisy ? turns * (7.0 + turns) : 4.0 * turns;
      const double w = std::hypot(tilt, u + turns * step);
      result.error[start + k] = error.left_out + unit * (error.constant + lost * error.size +
                                                         w * (error.linear + w * error.square));
    }
  }
  return result;
}

}  // namespace cimstat::core
