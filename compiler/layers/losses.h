// Losses: one number per row from a prediction and a target.
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "compiler/layers/compare.h"

namespace nnc::layers {

struct LossDef {
  schema::Entry entry;
  // One number per row: [b].
  std::function<ir::Value*(const CompareContext&)> build;
  // What each number of the target may be: outside of it the loss has no least value.
  std::optional<std::pair<double, double>> target_range = {};
  bool pair = true;  // of a prediction and a target; else it looks its values up itself
};

const std::vector<LossDef>& loss_table();
const LossDef* find_loss(const std::string& name);  // null if unknown

}  // namespace nnc::layers
