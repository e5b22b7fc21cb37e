// What the normalising layers have in common.
#pragma once

#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/layers/layer.h"
#include "compiler/support/schema.h"

namespace nnc::layers {

// A value and its mean and variance over some of its axes, which the statistics have lost.
struct Moments {
  ir::Value* centred = nullptr;  // value - mean
  ir::Value* mean = nullptr;
  ir::Value* variance = nullptr;  // mean of the squares of `centred`: two passes, so that nothing
                                  // is lost where the mean is far from zero
};

// Over `axes` (ascending) of `value`, `inverse_count` being one over the number of elements.
Moments moments_over(ir::Builder& b, ir::Value* value, const std::vector<int64_t>& axes,
                     ir::Value* inverse_count);
// The same over axes of fixed extents.
Moments moments_over(ir::Builder& b, ir::Value* value, const std::vector<int64_t>& axes);

// 1 / sqrt(variance + epsilon)
ir::Value* inverse_deviation(ir::Builder& b, ir::Value* variance, double epsilon);

// A value that has lost `axes` of `like`, repeated along them again.
ir::Value* repeat_axes(ir::Builder& b, ir::Value* reduced, const ir::Value* like,
                       const std::vector<int64_t>& axes);

// The trained factor (starts at 1) and summand (starts at 0) of the result; null where the file
// leaves them out.
ir::Value* gamma_of(LayerContext& context, const std::vector<int64_t>& shape);
ir::Value* beta_of(LayerContext& context, const std::vector<int64_t>& shape);

// normalised · gamma + beta, both spread over the trailing axes.
ir::Value* scaled_and_shifted(LayerContext& context, ir::Value* normalised,
                              const std::vector<int64_t>& shape);

// The keys epsilon, scale and center.
schema::Key epsilon_key(const std::string& by_default);
schema::Key scale_key();
schema::Key center_key();

}  // namespace nnc::layers
