#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/law/characteristic.h"
#include "core/law/law.h"

#include "circuits/exact/inversion.h"
#include "circuits/exact/sum_series.h"

namespace cimstat::circuits {

/// Distributions of (1 + s Z) S + noise, Z standard normal: sums of independent parts under a
/// common factor. The transform is an outer quadrature over Z,
///   phi(u) = phi_noise(u) E[phi_S(u (1 + s Z))],
/// by the trapezoidal rule. With step d in Z it is wrong by at most 2 sum_r exp(-(2 pi r / d - u s
/// |S|)^2 / 2), given S: d = 2 pi / (u s max|S| + zeta), exp(-zeta^2 / 2) the aimed-at error. The
/// points lie on a grid of frequencies that all u of an octave share.
class FactoredSums {
 public:
  /// As Inversion has them; noise without a bend. `factor_sd` > 0.
  FactoredSums(const std::vector<core::Law>& laws, const SumNoise& noise, double factor_sd,
               const std::vector<std::vector<std::uint32_t>>& classes, double tolerance);

  /// Why a class can't be done, where one can't.
  const std::optional<std::string>& obstacle() const { return obstacle_; }
  /// Computes what all series share. Needs obstacle() to be empty.
  void prepare();
  /// May be called from several threads after prepare(). The result depends on the laws, the noise,
  /// the factor, the tolerance and the class alone.
  SumSeries series(std::size_t class_index) const;

 private:
  struct Plan {
    double mean = 0.0;     ///< of S
    double largest = 0.0;  ///< |S| stays below this
    double low = 0.0;      ///< as in SumSeries
    double high = 0.0;
    int exponent = 0;  ///< step = 2^exponent
    std::size_t terms = 0;
    std::vector<int> grids;  ///< [octave of u from that of u_0 on]: exponent of the grid
    double error = 0.0;      ///< tails, aliases, truncation
  };
  struct Table {  ///< transforms at (i + 1/2) 2^exponent
    int exponent = 0;
    std::size_t points = 0;
    struct Entry {
      std::vector<double> log_modulus;
      std::vector<double> phase;
      std::vector<double> log_upper;  ///< of modulus + error
    };
    std::vector<Entry> laws;
  };
  struct Mixture {           ///< the weights of one u over its grid
    std::int64_t first = 0;  ///< point (first + 1/2) 2^grid; may be negative
    std::vector<double> weight;
    std::size_t points() const;  ///< of positive frequency that it needs
  };
  struct Mixtures {
    int exponent = 0;
    std::vector<int> grids;
    std::vector<Mixture> terms;
  };
  struct Points {  ///< transforms of a class's sum, not centred
    std::vector<double> real;
    std::vector<double> imaginary;
    std::vector<double> error;
  };
  class Planner;

  std::size_t octave_of(const Plan& plan, std::size_t term) const;
  Mixture mixture(const Plan& plan, std::size_t term) const;
  const std::vector<Mixture>& mixtures_of(const Plan& plan) const;
  Points points(const std::vector<std::uint32_t>& counts, double mean, int exponent,
                std::size_t count) const;
  const Table& table(int exponent) const;

  std::vector<core::Characteristic> transforms_;
  SumNoise noise_;
  double factor_sd_;
  double share_;
  double reach_;  ///< of Z
  std::vector<std::vector<std::uint32_t>> classes_;
  std::vector<Plan> plans_;
  std::vector<Table> tables_;
  std::vector<Mixtures> mixtures_;
  std::optional<std::string> obstacle_;
};

}  // namespace cimstat::circuits
