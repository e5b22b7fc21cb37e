// What the tables of losses share.
#pragma once

#include <string>
#include <vector>

#include "compiler/layers/losses.h"

namespace nnc::layers {

// Folds the elements of a row into one number, by the argument `elements`.
ir::Value* fold_elements(const CompareContext& context, ir::Value* loss);

// `elements`, with what it is if the file does not say.
schema::Key elements_key(const std::string& otherwise = "mean");
// A prediction in one of these forms, its target, and `elements`.
std::vector<schema::Key> loss_keys(const std::vector<std::string>& forms);

// […, C]: 1 for the class that an index names, else the weights of the classes as they are.
ir::Value* class_weights(ir::Builder& b, const Classes& classes);

std::vector<LossDef> focal_losses();
std::vector<LossDef> hinge_losses();
std::vector<LossDef> divergence_losses();

}  // namespace nnc::layers
