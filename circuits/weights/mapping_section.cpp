#include "circuits/weights/mapping_section.h"

namespace cimstat::circuits {

core::Section mapping_section() {
  constexpr std::uint64_t most_weight_bits = 16;
  return {.key = "mapping",
          .need = core::Need::optional,
          .meaning = "how weights lie on cells, and inputs on word lines",
          .parameters = {
              {.key = "weights",
               .rule = core::option_rule(weight_forms, "single"),
               .meaning = "which cells a weight has in a row"},
              {.key = "input_steps",
               .rule = core::CountRule{2, row_state_limit + 1, 2, {}},
               .meaning = "voltages of a word line, evenly spaced from 0: 2 for bits, 4 for slices "
                          "of two bits, 2^b for a converter of b bits; a row of input 0 is "
                          "unselected",
               .example = "4"},
              {.key = "subtraction",
               .rule = core::option_rule(subtractions, {}),
               .meaning = "what of two columns is subtracted",
               .example = "\"digital\"",
               .absent = "currents"},
              {.key = "weight_bits",
               .rule = core::CountRule{1, most_weight_bits, std::nullopt, {}},
               .meaning = "bits of a whole weight, of which a column holds a slice: a multiple of "
                          "the bits of a cell",
               .example = "8",
               .absent = "the table's MAC values are those of one slice, whatever the weight"}}};
}

Mapping read_mapping(const core::SectionReader& section) {
  Mapping mapping{.form = core::read_option(section, "weights", weight_forms),
                  .input_steps = static_cast<std::uint32_t>(section.count("input_steps"))};
  if (section.has("subtraction")) {
    mapping.subtraction = core::read_option(section, "subtraction", subtractions);
  }
  if (section.has("weight_bits")) {
    mapping.weight_bits = static_cast<std::uint32_t>(section.count("weight_bits"));
  }
  return mapping;
}

}  // namespace cimstat::circuits
