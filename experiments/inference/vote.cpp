#include "experiments/inference/vote.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>
#include <vector>

namespace cimstat::experiments {
namespace {

using Row = std::vector<double>;
/// A polynomial in z, of degree most_votes at the most.
using Series = std::array<double, most_votes + 1>;

double factorial(std::uint32_t n) {
  double result = 1.0;
  for (std::uint32_t i = 2; i <= n; ++i) result *= i;
  return result;
}

Series one() {
  Series result{};
  result[0] = 1.0;
  return result;
}

/// `series` times the exponential series of p z up to its term number `terms`, up to z^degree.
Series times_exponential(const Series& series, double p, std::uint32_t terms,
                         std::uint32_t degree) {
  Series result{};
  double term = 1.0;
  for (std::uint32_t i = 0; i <= std::min(terms, degree); ++i) {
    if (i > 0) term *= p / i;
    if (term == 0.0) break;
    for (std::uint32_t n = i; n <= degree; ++n) result[n] += term * series[n - i];
  }
  return result;
}

Row mode_row(const Row& row, std::uint32_t votes) {
  const std::size_t codes = row.size();
  Row result(codes, 0.0);
  std::vector<Series> above(codes + 1);
  for (std::uint32_t t = 1; t <= votes; ++t) {
    const std::uint32_t degree = votes - t;
    above[codes] = one();
    for (std::size_t c = codes; c-- > 0;) {
      above[c] = times_exponential(above[c + 1], row[c], t, degree);
    }
    Series below = one();
    for (std::size_t c = 0; c < codes; ++c) {
      double both = 0.0;
      for (std::uint32_t n = 0; n <= degree; ++n) both += below[n] * above[c + 1][degree - n];
      double own = factorial(votes) / factorial(t);
      for (std::uint32_t i = 0; i < t; ++i) own *= row[c];
      result[c] += own * both;
      below = times_exponential(below, row[c], t - 1, degree);
    }
  }
  return result;
}

Row median_row(const Row& row, std::uint32_t votes) {
  const std::size_t codes = row.size();
  const std::uint32_t place = (votes + 1) / 2;
  std::vector<double> above(codes + 1, 0.0);
  for (std::size_t c = codes; c-- > 0;) above[c] = above[c + 1] + row[c];
  const auto powers = [&](double base) {
    Series result = one();
    for (std::uint32_t i = 1; i <= votes; ++i) result[i] = result[i - 1] * base / i;
    return result;
  };
  Row result(codes, 0.0);
  double below = 0.0;
  for (std::size_t c = 0; c < codes; ++c) {
    const Series less = powers(below);
    const Series same = powers(row[c]);
    const Series more = powers(above[c + 1]);
    double sum = 0.0;
    for (std::uint32_t a = 0; a < place; ++a) {
      for (std::uint32_t b = place - a; a + b <= votes; ++b) {
        sum += less[a] * same[b] * more[votes - a - b];
      }
    }
    result[c] = factorial(votes) * sum;
    below += row[c];
  }
  return result;
}

Row sum_row(const Row& row, std::uint32_t votes) {
  Row result{1.0};
  for (std::uint32_t vote = 0; vote < votes; ++vote) {
    Row longer(result.size() + row.size() - 1, 0.0);
    for (std::size_t i = 0; i < result.size(); ++i) {
      if (result[i] == 0.0) continue;
      for (std::size_t c = 0; c < row.size(); ++c) longer[i + c] += result[i] * row[c];
    }
    result = std::move(longer);
  }
  return result;
}

circuits::ErrorTable without_rows(const circuits::ErrorTable& table) {
  circuits::ErrorTable result;
  result.classes = table.classes;
  result.state_values = table.state_values;
  result.codes = table.codes;
  result.code_step = table.code_step;
  result.code_origin = table.code_origin;
  return result;
}

}  // namespace

std::uint32_t voted_code(std::span<std::uint32_t> codes, VoteRule rule) {
  assert(!codes.empty() && codes.size() <= most_votes);
  if (rule == VoteRule::mean) return std::accumulate(codes.begin(), codes.end(), 0U);
  std::sort(codes.begin(), codes.end());
  if (rule == VoteRule::median) return codes[(codes.size() - 1) / 2];
  std::uint32_t winner = codes[0];
  std::size_t most = 0;
  for (std::size_t first = 0; first < codes.size();) {
    std::size_t end = first;
    while (end < codes.size() && codes[end] == codes[first]) ++end;
    if (end - first > most) {
      most = end - first;
      winner = codes[first];
    }
    first = end;
  }
  return winner;
}

circuits::ErrorTable voted_table(const circuits::ErrorTable& table, std::uint32_t votes,
                                 VoteRule rule) {
  assert(votes >= 1 && votes <= most_votes);
  circuits::ErrorTable result = without_rows(table);
  if (rule == VoteRule::mean) {
    result.codes = votes * (table.codes - 1) + 1;
    result.code_step = table.code_step / votes;
  }
  result.probability.reserve(table.size() * result.codes);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const Row row(table.row(i), table.row(i) + table.codes);
    const Row voted = rule == VoteRule::mode     ? mode_row(row, votes)
                      : rule == VoteRule::median ? median_row(row, votes)
                                                 : sum_row(row, votes);
    result.probability.insert(result.probability.end(), voted.begin(), voted.end());
  }
  return result;
}

circuits::ErrorTable faultless_table(const circuits::ErrorTable& table) {
  circuits::ErrorTable result = without_rows(table);
  result.probability.assign(table.probability.size(), 0.0);
  for (std::size_t i = 0; i < table.size(); ++i) {
    result.probability[i * table.codes + table.ideal_code[i]] = 1.0;
  }
  return result;
}

}  // namespace cimstat::experiments
