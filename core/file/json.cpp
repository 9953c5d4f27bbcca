#include "core/file/json.h"

#include <nlohmann/json.hpp>

namespace cimstat::core {

std::string json_text(const Json& json) {
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + '\n';
}

}  // namespace cimstat::core
