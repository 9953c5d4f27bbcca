#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

/// Converters with mismatch by plain loops, from the charge on each capacitor. They share nothing
/// with the circuits. Positions are in steps: code c reaches from c to c + 1.
namespace cimstat::tests {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// Standard normal numbers, as a circuit takes them.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : random_(seed) {}
  std::vector<float> operator()(std::size_t count) {
    std::vector<float> draws;
    for (std::size_t i = 0; i < count; ++i) draws.push_back(static_cast<float>(normal_(random_)));
    return draws;
  }
  double operator()() { return normal_(random_); }

 private:
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
};

/// Pipelined or cyclic: one stage, or one for each bit but the last.
struct Stages {
  struct Stage {
    double first;   ///< C_1, around the amplifier
    double second;  ///< C_2, driven
    double low;     ///< thresholds, in half ranges
    double high;
  };
  int bits = 0;
  int highest = 0;  ///< code
  double gain = infinity;
  std::vector<Stage> built{};
  double last = 0.0;  ///< the last comparator's threshold, in half ranges
  double half_range() const { return std::ldexp(1.0, bits - 1); }
};

struct Spreads {
  double elements = 0.0;
  double offsets = 0.0;  ///< in steps
};

/// `like` says all but the elements; `count` stages are built.
inline Stages stages_of(const Stages& like, std::span<const float> draws, Spreads spreads,
                        std::size_t count) {
  Stages result = like;
  const double offset = spreads.offsets / like.half_range();
  std::size_t next = 0;
  const auto draw = [&] { return static_cast<double>(draws[next++]); };
  for (std::size_t i = 0; i < count; ++i) {
    Stages::Stage& stage = result.built.emplace_back();
    stage.first = 1.0 + spreads.elements * draw();
    stage.second = 1.0 + spreads.elements * draw();
  }
  for (Stages::Stage& stage : result.built) {
    stage.low = -0.25 + (offset > 0.0 ? offset * draw() : 0.0);
    stage.high = 0.25 + (offset > 0.0 ? offset * draw() : 0.0);
  }
  if (offset > 0.0) result.last = offset * draw();
  return result;
}

/// `noise` of each decision in steps; two for each stage and the last one.
inline int convert(const Stages& stages, double position, std::span<const double> noise) {
  const double half_range = stages.half_range();
  double v = position / half_range - 1.0;
  double reached = 0.0;  // what the digits say of the input
  double weight = 0.5;
  for (int i = 0; i < stages.bits - 1; ++i, weight *= 0.5) {
    const auto& stage = stages.built[stages.built.size() == 1 ? 0 : std::size_t(i)];
    int digit = -1;
    if (v + noise[std::size_t(2 * i)] / half_range >= stage.low) ++digit;
    if (v + noise[std::size_t(2 * i + 1)] / half_range >= stage.high) ++digit;
    // Both capacitors sample v. Then C_1 closes around the amplifier and C_2 is driven to the
    // digit; the amplifier's input stands at -out / gain, and the charge on it is kept:
    // (C_1 + C_2) v = C_1 (out + out / gain) + C_2 (digit + out / gain).
    const double charge = (stage.first + stage.second) * v;
    v = (charge - stage.second * digit) /
        (stage.first + (stage.first + stage.second) / stages.gain);
    reached += weight * digit;
  }
  const bool upper = v + noise.back() / half_range >= stages.last;
  const double code = half_range * (1.0 + reached) - (upper ? 0.0 : 1.0);
  return std::clamp(static_cast<int>(std::lround(code)), 0, stages.highest);
}

/// A search with overlapping weights against capacitors of so many units, and one that closes the
/// array.
struct Search {
  std::vector<int> weights{};
  std::vector<double> capacitors{};
  double closing = 1.0;
  double offset = 0.0;
};

inline Search search_of(const std::vector<int>& weights, std::span<const float> draws,
                        Spreads spreads) {
  Search search{.weights = weights};
  for (std::size_t k = 0; k < weights.size(); ++k) {
    // As many unit capacitors: their variances add up.
    search.capacitors.push_back(weights[k] +
                                spreads.elements * std::sqrt(weights[k]) * double(draws[k]));
  }
  search.closing += spreads.elements * double(draws[weights.size()]);
  if (spreads.offsets > 0.0) search.offset = spreads.offsets * double(draws.back());
  return search;
}

inline int convert(const Search& search, int highest, double position,
                   std::span<const double> noise) {
  double all = search.closing;
  int units = 1;
  for (const double c : search.capacitors) all += c;
  for (const int weight : search.weights) units += weight;
  int kept = 0;
  double kept_capacitance = 0.0;
  for (std::size_t k = 0; k < search.weights.size(); ++k) {
    int rest = 0;
    for (std::size_t i = k + 1; i < search.weights.size(); ++i) rest += search.weights[i];
    const int tried = kept + search.weights[k];
    if (tried > highest) continue;
    const double level = units * (kept_capacitance + search.capacitors[k]) / all;
    // Without this weight the others reach to kept + rest + 1, with it they begin at `tried`.
    const double to_the_middle = 0.5 * (kept + rest + 1 - tried);
    if (position + noise[k] >= level + to_the_middle + search.offset) {
      kept = tried;
      kept_capacitance += search.capacitors[k];
    }
  }
  return kept;
}

}  // namespace cimstat::tests
