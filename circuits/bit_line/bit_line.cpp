#include "circuits/bit_line/bit_line.h"

#include <array>

namespace cimstat::circuits {

std::string_view name_of(const BitLine& line) {
  constexpr std::array<std::string_view, std::variant_size_v<BitLine>> names = {
      "ideal", "discharge", "compression", "wire_resistance", "charge_sharing", "asim"};
  return names[line.index()];
}

core::Quantity delivered_quantity(const BitLine& line) {
  const bool is_current = is_ideal(line) || std::holds_alternative<Compression>(line) ||
                          std::holds_alternative<WireResistance>(line);
  return is_current ? core::Quantity::current : core::Quantity::voltage;
}

}  // namespace cimstat::circuits
