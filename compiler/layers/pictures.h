// What layers over pictures share. Pictures are channels last: a row is [extents…, channels], with
// one extent for a sequence, two for a picture, three for a volume.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/layers/initialisers.h"
#include "compiler/layers/layer.h"

namespace nnc::layers {

struct Picture {
  ir::Value* value = nullptr;  // [b, extents…, channels]
  std::vector<int64_t> extents;
  int64_t channels = 0;
  std::string origin;  // "output of 'conv1', line 5"
};

// The layer's input with `axes` extents (0: any number but none). UserError with a hint otherwise.
Picture picture_input(const LayerContext& context, size_t axes);

// How windows slide over a picture; one entry for each axis.
struct Sliding {
  std::vector<int64_t> size, stride, dilation;
  std::vector<int64_t> before, after;  // padding

  size_t axes() const { return size.size(); }
  // Distance from the first to behind the last element of a window.
  int64_t reach(size_t i) const { return dilation[i] * (size[i] - 1) + 1; }
  int64_t taps() const;  // elements of one window
  bool padded() const;
  // How many windows there are along axis i of this extent.
  int64_t count(size_t i, int64_t extent) const {
    return (extent + before[i] + after[i] - reach(i)) / stride[i] + 1;
  }
};

// The sizes from the argument `key` with stride and dilation (1, or for the stride the size, where
// there is no such argument), without padding.
Sliding sliding_of(const LayerContext& context, const std::string& key, size_t axes);
// Sets the padding that the argument `padding` asks for. UserError where no window fits.
void pad_for(const LayerContext& context, const std::string& key, const Picture& picture,
             Sliding& sliding);

// The picture with its padding, `fill` there.
ir::Value* padded(ir::Builder& b, ir::Value* picture, const Sliding& sliding, double fill = 0);
// The windows of an already padded value whose extents begin at dimension `first`:
// [b, E…, C] -> [b, P…, K…, C].
ir::Value* windows(ir::Builder& b, ir::Value* value, const Sliding& sliding, int64_t first = 1);

// UserError where a row of this shape would be larger than any memory.
void limit_size(const LayerContext& context, const std::vector<int64_t>& row);
// The row [P…, more…]: P are the numbers of windows over the picture.
std::vector<int64_t> placed_shape(const Picture& picture, const Sliding& sliding,
                                  const std::vector<int64_t>& more);

// One number for all axes or a list of one for each. UserError if the list has another length.
std::vector<int64_t> per_axis(const LayerContext& context, const std::string& key, size_t axes);
// The same for amounts on two sides: a number, one number per axis, or [before, after] per axis.
struct Sides {
  std::vector<int64_t> before, after;
};
Sides both_sides(const LayerContext& context, const std::string& key, size_t axes);

// --- schema and weights ---

schema::Type axis_numbers(int64_t smallest);  // 3, [3, 5]
schema::Type side_numbers();                  // 1, [1, 2], [[0, 1], [2, 2]]
schema::Key size_key(const std::string& name, const std::string& doc);
schema::Key stride_key();
schema::Key dilation_key();
schema::Key padding_key();  // valid, same or explicit; zeros
schema::Key padding_key(const std::string& doc);
schema::Key activation_key();
schema::Key bias_key();

// The kernel [K…, channels, filters] of a layer with an init_key. Values in the file stand as
// [filters][K…][channels], without the last axis if there is one channel.
ir::Value* kernel_weight(LayerContext& context, const std::string& name,
                         const std::vector<int64_t>& shape, const Fans& fans);
// What becomes of the kernel's product: adds the bias, if there is one, and applies the activation.
ir::Value* finish(LayerContext& context, const ir::Value* kernel, ir::Value* product,
                  int64_t filters, const Fans& fans);

}  // namespace nnc::layers
