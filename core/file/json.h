#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

/// JSON (RFC 8259). Who builds or reads a document includes <nlohmann/json.hpp>, in a source.
namespace cimstat::core {

/// Members keep the order in which they were added. Numbers print in digits that read back the
/// same; those that are not finite as null.
using Json = nlohmann::ordered_json;

/// A document with its newline: indented by 2, in ASCII (a terminal obeys some characters beyond);
/// what is not UTF-8 becomes U+FFFD.
std::string json_text(const Json& json);

}  // namespace cimstat::core
