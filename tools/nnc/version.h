#pragma once

namespace nnc::tool {

// Of the whole project; runs and emitted headers carry it.
constexpr const char* version = "0.1.0";

}  // namespace nnc::tool
