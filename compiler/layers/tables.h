// The layers by family, one file each: the parts of layer_table().
#pragma once

#include <vector>

#include "compiler/layers/layer.h"

namespace nnc::layers {

std::vector<LayerDef> dense_layers();          // dense.cpp
std::vector<LayerDef> activation_layers();     // activation_layer.cpp: and prelu
std::vector<LayerDef> shape_layers();          // shape.cpp: flatten, reshape
std::vector<LayerDef> conv_layers();           // conv.cpp
std::vector<LayerDef> pool_layers();           // pool.cpp
std::vector<LayerDef> resize_layers();         // resize.cpp: upsample, zero_padding, cropping
std::vector<LayerDef> merge_layers();          // merge.cpp: add, multiply, concat
std::vector<LayerDef> random_layers();         // dropout.cpp
std::vector<LayerDef> noise_layers();          // noise.cpp: spatial dropout, gaussian noise
std::vector<LayerDef> batch_norm_layers();     // batch_norm.cpp
std::vector<LayerDef> row_norm_layers();       // row_norm.cpp: layer_norm, rms_norm, group_norm
std::vector<LayerDef> response_norm_layers();  // response_norm.cpp
std::vector<LayerDef> formula_layers();        // expr.cpp
std::vector<LayerDef> composite_layers();      // composites.cpp: block, repeat, residual

}  // namespace nnc::layers
