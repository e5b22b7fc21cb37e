// The layers by family, one file each: the parts of layer_table().
#pragma once

#include <vector>

#include "compiler/layers/layer.h"

namespace nnc::layers {

std::vector<LayerDef> dense_layers();       // dense.cpp
std::vector<LayerDef> activation_layers();  // activation_layer.cpp
std::vector<LayerDef> shape_layers();       // shape.cpp: flatten, reshape
std::vector<LayerDef> merge_layers();       // merge.cpp: add, multiply, concat
std::vector<LayerDef> random_layers();      // dropout.cpp
std::vector<LayerDef> formula_layers();     // expr.cpp

}  // namespace nnc::layers
