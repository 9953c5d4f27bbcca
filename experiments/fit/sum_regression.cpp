#include "experiments/fit/sum_regression.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include <Eigen/Dense>

#include "core/error.h"
#include "core/statistics/statistics.h"

namespace cimstat::experiments {

namespace {

using Vector = Eigen::Vector3d;
using Matrix = Eigen::Matrix3d;
using Active = std::array<bool, 3>;

struct Row {
  Vector counts;  ///< LRS cells, HRS cells, 1
  PowerSums sums;
  double n = 0.0;
  double variance = 1.0;  ///< of one current, as fitted
};

/// The inverse on the active parameters, 0 elsewhere.
Matrix inverse(const Matrix& matrix, const Active& active) {
  Matrix padded = matrix;
  for (int i = 0; i < 3; ++i) {
    if (active[static_cast<std::size_t>(i)]) continue;
    padded.row(i).setZero();
    padded.col(i).setZero();
    padded(i, i) = 1.0;
  }
  Matrix result = padded.inverse();
  for (int i = 0; i < 3; ++i) {
    if (!active[static_cast<std::size_t>(i)]) result(i, i) = 0.0;
  }
  return result;
}

/// How many of the parameters the groups' counts tell apart.
Eigen::Index rank_of(const SumGroups& groups, const Active& active) {
  Matrix gram = Matrix::Zero();
  for (const auto& [key, sums] : groups) {
    Vector counts(key.first, key.second, 1.0);
    for (int i = 0; i < 3; ++i) {
      if (!active[static_cast<std::size_t>(i)]) counts(i) = 0.0;
    }
    gram += counts * counts.transpose();
  }
  Vector scale;
  for (int i = 0; i < 3; ++i) scale(i) = gram(i, i) > 0.0 ? 1.0 / std::sqrt(gram(i, i)) : 0.0;
  const Matrix scaled = scale.asDiagonal() * gram * scale.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(scaled, Eigen::EigenvaluesOnly);
  return (solver.eigenvalues().array() > 1e-9).count();
}

Eigen::Index number_of(const Active& active) {
  return std::count(active.begin(), active.end(), true);
}

Active active_means(const SumModel& model) {
  return {true, true, model.constant == Constant::fitted};
}

Active active_variances(const SumModel& model) {
  return {true, true, !model.noise_variance.has_value()};
}

class Regression {
 public:
  Regression(const SumGroups& groups, const SumModel& model)
      : mean_active_(active_means(model)), variance_active_(active_variances(model)) {
    double largest = 0.0;
    for (const auto& [key, sums] : groups) largest = std::max(largest, std::abs(sums.mean()));
    // Variances near 1, so that nothing depends on the unit.
    double square = 0.0;
    for (const auto& [key, sums] : groups) {
      rows_.push_back({.counts = Vector(key.first, key.second, 1.0),
                       .sums = sums,
                       .n = static_cast<double>(sums.count())});
      total_ += rows_.back().n;
    }
    solve_means();
    for (const Row& row : rows_) square += row.sums.about(row.counts.dot(mean_), 2);
    noise_ = model.noise_variance.value_or(0.0);
    unit_ = square / total_ + noise_;
    exact_ = !(unit_ > 1e-26 * largest * largest);
    if (exact_) return;
    start();
    settle();
  }

  SumFit result() const;

 private:
  void solve_means() {
    Matrix information = Matrix::Zero();
    Vector right = Vector::Zero();
    for (const Row& row : rows_) {
      const double weight = row.n / row.variance;
      information += weight * row.counts * row.counts.transpose();
      right += weight * row.sums.mean() * row.counts;
    }
    mean_covariance_ = inverse(information, mean_active_);
    mean_ = mean_covariance_ * right;
  }

  void start() {
    free_ = variance_active_;
    Vector average = Vector::Zero();
    for (const Row& row : rows_) average += row.n / total_ * row.counts;
    variance_ = Vector(0.0, 0.0, noise_);
    const double parts = static_cast<double>(number_of(variance_active_));
    for (int i = 0; i < 3; ++i) {
      if (variance_active_[static_cast<std::size_t>(i)] && average(i) > 0.0) {
        variance_(i) = unit_ / parts / average(i);
      }
    }
    set_variances();
  }

  void set_variances() {
    for (Row& row : rows_) row.variance = std::max(row.counts.dot(variance_), 1e-12 * unit_);
  }

  /// Score and information of the variances.
  void derive() {
    score_ = Vector::Zero();
    information_ = Matrix::Zero();
    for (const Row& row : rows_) {
      const double v = row.variance;
      const double leverage = row.counts.dot(mean_covariance_ * row.counts);
      const double square = row.sums.about(row.counts.dot(mean_), 2) + row.n * leverage;
      score_ += 0.5 * (square / v - row.n) / v * row.counts;
      information_ += 0.5 * row.n / (v * v) * row.counts * row.counts.transpose();
    }
  }

  /// Of the variances as they stand, the means at their best: what is maximised.
  double restricted_likelihood() {
    set_variances();
    solve_means();
    double sum = 0.0;
    Matrix information = Matrix::Zero();
    for (const Row& row : rows_) {
      const double v = row.variance;
      sum -= 0.5 * (row.n * std::log(v / unit_) + row.sums.about(row.counts.dot(mean_), 2) / v);
      information += row.n * unit_ / v * row.counts * row.counts.transpose();
    }
    for (int i = 0; i < 3; ++i) {
      if (mean_active_[static_cast<std::size_t>(i)]) continue;
      information.row(i).setZero();
      information.col(i).setZero();
      information(i, i) = 1.0;
    }
    return sum - 0.5 * std::log(information.determinant());
  }

  /// Fisher scoring, each step shortened until the likelihood rises; what would become negative
  /// stays at 0 as long as the likelihood falls from there.
  void settle() {
    constexpr int most_rounds = 1000;
    double likelihood = restricted_likelihood();
    for (int round = 0; round < most_rounds; ++round) {
      derive();
      for (int i = 0; i < 3; ++i) {
        const auto place = static_cast<std::size_t>(i);
        free_[place] = variance_active_[place] && (variance_(i) > 0.0 || score_(i) > 0.0);
      }
      Vector step = inverse(information_, free_) * score_;
      const Vector from = variance_;
      double moved = 0.0;
      bool better = false;
      for (double length = 1.0; length > 1e-6 && !better; length *= 0.5) {
        moved = 0.0;
        for (int i = 0; i < 3; ++i) {
          if (!free_[static_cast<std::size_t>(i)]) continue;
          variance_(i) = std::max(from(i) + length * step(i), 0.0);
          moved = std::max(moved, std::abs(variance_(i) - from(i)) * typical_count(i) / unit_);
        }
        const double there = restricted_likelihood();
        better = there > likelihood;
        if (better) likelihood = there;
      }
      if (!better) variance_ = from;  // as far as doubles go
      if (!better || moved < 1e-9) {
        set_variances();
        solve_means();
        derive();
        return;
      }
    }
    throw core::DataError(core::error_line("fit", "the variances do not settle", {},
                                           "measure vectors that differ more in their counts"));
  }

  double typical_count(int i) const {
    double sum = 0.0;
    for (const Row& row : rows_) sum += row.n / total_ * row.counts(i);
    return sum;
  }

  std::vector<Row> rows_;
  Active mean_active_;
  Active variance_active_;
  Active free_{};
  double total_ = 0.0;
  double unit_ = 1.0;
  double noise_ = 0.0;
  bool exact_ = false;  ///< no residuals at all
  Vector mean_ = Vector::Zero();
  Matrix mean_covariance_ = Matrix::Zero();
  Vector variance_ = Vector::Zero();
  Vector score_ = Vector::Zero();
  Matrix information_ = Matrix::Zero();
};

ChiSquare chi_square(double statistic, double degrees) {
  if (!(degrees >= 1.0)) return {};
  return {statistic, degrees, core::chi_square_tail(statistic, degrees)};
}

SumFit Regression::result() const {
  SumFit fit;
  fit.vectors = static_cast<std::uint64_t>(total_);
  fit.groups = rows_.size();
  Matrix mean_middle = Matrix::Zero();
  Matrix variance_middle = Matrix::Zero();
  double means = 0.0;
  double third = 0.0;
  double fourth = 0.0;
  for (const Row& row : rows_) {
    if (exact_) break;
    const double v = row.variance;
    const double centre = row.counts.dot(mean_);
    const double square = row.sums.about(centre, 2);
    const double quartic = row.sums.about(centre, 4);
    const Matrix outer = row.counts * row.counts.transpose();
    mean_middle += square / (v * v) * outer;
    const double scores = quartic - 2.0 * v * square + row.n * v * v;
    variance_middle += 0.25 * scores / (v * v * v * v) * outer;
    means += row.n * (row.sums.mean() - centre) * (row.sums.mean() - centre) / v;
    third += row.sums.about(centre, 3) / (v * std::sqrt(v));
    fourth += quartic / (v * v);
    fit.log_likelihood -= 0.5 * (row.n * std::log(2.0 * std::numbers::pi * v) + square / v);
  }
  const Matrix variance_covariance = exact_ ? Matrix(Matrix::Zero()) : inverse(information_, free_);
  const Matrix covariance = exact_ ? Matrix(Matrix::Zero()) : mean_covariance_;
  const Matrix robust_means = covariance * mean_middle * covariance;
  const Matrix robust_variances = variance_covariance * variance_middle * variance_covariance;
  const auto mean = [&](int i) {
    return FittedValue{mean_(i), std::sqrt(covariance(i, i)), std::sqrt(robust_means(i, i))};
  };
  const auto variance = [&](int i) {
    return FittedValue{variance_(i), std::sqrt(variance_covariance(i, i)),
                       std::sqrt(robust_variances(i, i))};
  };
  fit.lrs_mean = mean(0);
  fit.hrs_mean = mean(1);
  if (mean_active_[2]) fit.constant = mean(2);
  fit.lrs_variance = variance(0);
  fit.hrs_variance = variance(1);
  if (variance_active_[2]) fit.noise_variance = variance(2);
  if (exact_) return fit;
  fit.skewness = third / total_;
  fit.excess_kurtosis = fourth / total_ - 3.0;
  fit.means = chi_square(
      means, static_cast<double>(rows_.size()) - static_cast<double>(number_of(mean_active_)));
  double spreads = 0.0;
  double used = -static_cast<double>(number_of(variance_active_));
  constexpr double fewest = 10.0;  // vectors of a group whose variance is near enough to normal
  for (const Row& row : rows_) {
    if (row.n < fewest) continue;
    const double seen = row.sums.about(row.sums.mean(), 2) / (row.n - 1.0);
    // No law has less than -2; a given noise far above what is seen looks as if it had.
    const double excess = std::max(fit.excess_kurtosis, -2.0);
    const double relative = (excess + 2.0 * row.n / (row.n - 1.0)) / row.n;
    const double apart = seen / row.variance - 1.0;
    spreads += apart * apart / relative;
    used += 1.0;
  }
  fit.spreads = chi_square(spreads, used);
  return fit;
}

}  // namespace

std::optional<Unidentified> unidentified(const SumGroups& groups, const SumModel& model) {
  const Active means = active_means(model);
  if (rank_of(groups, means) < number_of(means)) {
    return Unidentified{model.constant == Constant::fitted
                            ? "LRS, HRS and the constant current are always mixed in the same way"
                            : "LRS and HRS are always mixed in the same way",
                        "measure vectors with other numbers of LRS and of HRS cells"};
  }
  const Active variances = active_variances(model);
  if (rank_of(groups, variances) < number_of(variances)) {
    return Unidentified{
        "the spread of cells and the noise of a read can't be told apart, as with always the same "
        "number of active rows",
        "measure other numbers of active rows, or give --noise-sd (0 to count all as cells)"};
  }
  std::uint64_t vectors = 0;
  for (const auto& [key, sums] : groups) vectors += sums.count();
  constexpr std::uint64_t fewest = 16;
  if (vectors < fewest) {
    return Unidentified{"there are only " + std::to_string(vectors) + " vectors",
                        "measure 16 or more"};
  }
  return std::nullopt;
}

SumFit fit_sums(const SumGroups& groups, const SumModel& model) {
  return Regression(groups, model).result();
}

}  // namespace cimstat::experiments
