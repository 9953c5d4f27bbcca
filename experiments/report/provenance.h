#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "experiments/report/page.h"
#include "experiments/report/report.h"

namespace cimstat::experiments::report {

/// The end of the page: where the figures come from, how to cite them, the configuration.
std::vector<Section> provenance_sections(const ReportInput& input);

/// What one would write in a paper. `program` is a source text, "cimstat 0.1.0 (<revision>)".
std::string citation_text(std::string_view program, std::string_view content_hash,
                          std::string_view content_of = "error table");
std::string citation_bibtex(std::string_view program, std::string_view content_hash,
                            std::string_view content_of = "error table");

}  // namespace cimstat::experiments::report
