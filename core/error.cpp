#include "core/error.h"

#include "core/utf8.h"

namespace cimstat::core {

std::string error_line(std::string_view place, std::string_view problem, std::string_view why,
                       std::string_view remedy) {
  // Whoever quotes a file or a path cuts it to what tells most; this bounds what was forgotten.
  constexpr std::size_t longest_part = 1024;
  std::string line = excerpt(place, longest_part) + ": " + excerpt(problem, longest_part);
  if (!why.empty()) line += " (" + excerpt(why, longest_part) + ")";
  if (!remedy.empty()) line += "; " + excerpt(remedy, longest_part);
  return one_line(line);
}

}  // namespace cimstat::core
