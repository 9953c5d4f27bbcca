#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/law/law.h"
#include "core/parallel.h"
#include "core/random/random.h"

/// Laws from samples: maximum likelihood, and whether the law describes the sample.
namespace cimstat::core {

enum class Family { normal, lognormal };

/// Values that can't occur: the law is renormalised between the ends. Both are known, not fitted.
struct Cut {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool cuts() const;
};

struct FittedParameter {
  std::string_view name;  ///< "mean", "sd", "median", "sigma"; those of the parent where cut
  double value = 0.0;
  double standard_error = 0.0;  ///< from the information matrix
};

struct ShapeFit {
  Family family = Family::normal;
  Cut cut;
  Shape shape;
  std::array<FittedParameter, 2> parameters;
  double log_likelihood = 0.0;  ///< of the values, whatever the family: comparable
  std::size_t count = 0;

  double aic() const;  ///< 2 k - 2 ln L (Akaike 1974)
  double bic() const;  ///< k ln n - 2 ln L (Schwarz 1978)
};

struct ShapeFitResult {
  std::optional<ShapeFit> fit;
  std::string obstacle;  ///< why there is none
};

/// The member of the family that makes the values likeliest. Values lie between the cut's ends.
ShapeFitResult fit_shape(std::span<const double> values, Family family, const Cut& cut = {});

/// Anderson and Darling (1952): A^2 = -n - sum (2 i - 1) / n (ln F(x_i) + ln(1 - F(x_{n+1-i}))).
/// `sorted` is ascending.
double anderson_darling(std::span<const double> sorted, const ShapeFit& fit);

struct GoodnessOfFit {
  double statistic = 0.0;  ///< A^2
  double p_value = 1.0;    ///< P(A^2 of a sample of the fitted law, fitted again, is as large)
  std::uint64_t replicates = 0;
};

/// Parametric bootstrap: samples of the fitted law (of the size of the sample, at most 2,048: A^2
/// hardly depends on it), each fitted again, since a fitted law lies nearer to its sample than the
/// true one (Stute, Gonzalez Manteiga and Presedo Quindimil, Metrika 40, 1993, 243). Random words:
/// (key, Domain::bootstrap, instance = replicate). p is (1 + how many reach A^2) / (1 +
/// replicates).
GoodnessOfFit goodness_of_fit(std::span<const double> sorted, const ShapeFit& fit, StreamKey key,
                              std::uint64_t replicates, Threads threads);

}  // namespace cimstat::core
