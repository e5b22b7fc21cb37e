#pragma once

namespace nnc::workbench {

// Of the whole project; runs and emitted headers carry it.
constexpr const char* version = "0.1.0";

}  // namespace nnc::workbench
