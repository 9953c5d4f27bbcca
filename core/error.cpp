#include "core/error.h"

#include "core/utf8.h"

namespace cimstat::core {

std::string error_line(std::string_view place, std::string_view problem, std::string_view why,
                       std::string_view remedy) {
  std::string line(place);
  line.append(": ").append(problem);
  if (!why.empty()) line.append(" (").append(why).append(")");
  if (!remedy.empty()) line.append("; ").append(remedy);
  return one_line(line);
}

}  // namespace cimstat::core
