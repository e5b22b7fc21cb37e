#include "compiler/layers/pictures.h"

#include <algorithm>

#include "compiler/layers/activations.h"
#include "compiler/layers/rows.h"
#include "runtime/shape.h"

namespace nnc::layers {

using schema::Key;

namespace {

// Far beyond any picture, and small enough that no arithmetic on shapes overflows.
constexpr double largest = 1 << 20;

struct Form {
  std::string noun, shape;
};

Form form_of(size_t axes) {
  switch (axes) {
    case 1: return {"a sequence", "[length, channels]"};
    case 2: return {"a picture", "[rows, columns, channels]"};
    case 3: return {"a volume", "[depth, rows, columns, channels]"};
    default: return {"a sequence, a picture or a volume", "[extents…, channels]"};
  }
}

int64_t product(const std::vector<int64_t>& numbers) { return elements(numbers); }

}  // namespace

Picture picture_input(const LayerContext& context, size_t axes) {
  ir::Value* x = context.input();
  const std::vector<int64_t> row = row_shape(x);
  const std::string& origin = context.inputs[0].origin;
  const size_t rank = axes + 1;
  if (axes == 0 ? row.size() < 2 : row.size() != rank) {
    const Form form = form_of(axes);
    std::string hint = form.shape;
    if (axes != 0 && row.size() == axes) {  // grey pictures are often stored without channels
      std::vector<int64_t> with_channel = row;
      with_channel.push_back(1);
      hint += "; put `- reshape: " + shape_text(with_channel) + "` before this layer";
    } else if (row.size() == 1) {
      hint += "; `- reshape: " + form.shape + "` makes " + form.noun + " of a vector";
    }
    throw UserError(context.span,
                    context.title() + " reads " + form.noun + ", but its input has the shape " +
                        shape_text(row),
                    hint, shape_text(row) + " (" + origin + ")");
  }
  return {x, {row.begin(), row.end() - 1}, row.back(), origin};
}

int64_t Sliding::taps() const { return product(size); }

bool Sliding::padded() const {
  const auto some = [](int64_t n) { return n != 0; };
  return std::any_of(before.begin(), before.end(), some) ||
         std::any_of(after.begin(), after.end(), some);
}

void limit_size(const LayerContext& context, const std::vector<int64_t>& row) {
  if (elements(row) <= most_elements) return;
  throw UserError(context.span, context.title() + ": its rows become too large",
                  "at most " + std::to_string(most_elements) + " numbers", shape_text(row));
}

std::vector<int64_t> placed_shape(const Picture& picture, const Sliding& sliding,
                                  const std::vector<int64_t>& more) {
  std::vector<int64_t> shape;
  for (size_t i = 0; i < sliding.axes(); ++i) shape.push_back(sliding.count(i, picture.extents[i]));
  shape.insert(shape.end(), more.begin(), more.end());
  return shape;
}

std::vector<int64_t> per_axis(const LayerContext& context, const std::string& key, size_t axes) {
  std::vector<int64_t> numbers = context.args.integers(key);
  if (numbers.size() == 1) numbers.resize(axes, numbers[0]);
  if (numbers.size() != axes) {
    throw UserError(
        context.args.span(key), context.title() + ": '" + key + "' has the wrong length",
        "one number, or one for each of " + std::to_string(axes) + " axes", shape_text(numbers));
  }
  return numbers;
}

Sides both_sides(const LayerContext& context, const std::string& key, size_t axes) {
  const Value& value = context.args.at(key);
  Sides sides;
  const auto add = [&](const Value& item) {
    const bool pair = item.is_list();
    sides.before.push_back(pair ? item.list()[0].integer() : item.integer());
    sides.after.push_back(pair ? item.list()[1].integer() : item.integer());
  };
  if (value.is_list() && value.list().size() != axes) {
    throw UserError(
        context.args.span(key), context.title() + ": '" + key + "' has the wrong length",
        "one number, or one (or [before, after]) for each of " + std::to_string(axes) + " axes",
        std::to_string(value.list().size()) + " of them");
  }
  for (size_t i = 0; i < axes; ++i) add(value.is_list() ? value.list()[i] : value);
  return sides;
}

Sliding sliding_of(const LayerContext& context, const std::string& key, size_t axes) {
  const auto numbers = [&](const std::string& name, const std::vector<int64_t>& otherwise) {
    return context.args.has(name) ? per_axis(context, name, axes) : otherwise;
  };
  Sliding s;
  const std::vector<int64_t> zeros(axes, 0), ones(axes, 1);
  s.size = per_axis(context, key, axes);
  s.stride = numbers("stride", s.size);
  s.dilation = numbers("dilation", ones);
  s.before = s.after = zeros;
  return s;
}

void pad_for(const LayerContext& context, const std::string& key, const Picture& picture,
             Sliding& sliding) {
  const Value& padding = context.args.at("padding");
  const bool same = padding.is_text() && padding.text() == "same";
  if (same) {
    for (size_t i = 0; i < sliding.axes(); ++i) {
      const int64_t stride = sliding.stride[i], extent = picture.extents[i];
      const int64_t count = (extent + stride - 1) / stride;
      const int64_t missing =
          std::max<int64_t>((count - 1) * stride + sliding.reach(i) - extent, 0);
      sliding.before[i] = missing / 2;
      sliding.after[i] = missing - missing / 2;
    }
  } else if (!padding.is_text()) {
    const Sides sides = both_sides(context, "padding", sliding.axes());
    sliding.before = sides.before;
    sliding.after = sides.after;
  }
  std::vector<int64_t> room, reach;
  bool fits = true;
  for (size_t i = 0; i < sliding.axes(); ++i) {
    room.push_back(picture.extents[i] + sliding.before[i] + sliding.after[i]);
    reach.push_back(sliding.reach(i));
    fits = fits && reach[i] <= room[i];
  }
  if (fits) {
    std::vector<int64_t> taps = sliding.size;
    taps.push_back(picture.channels);
    return limit_size(context, placed_shape(picture, sliding, taps));
  }
  const bool dilated = reach != sliding.size;
  throw UserError(
      context.args.span(key), context.title() + ": its " + key + " is larger than its input",
      "at most " + shape_text(room) + (sliding.padded() ? " with the padding" : "") +
          "; `padding: same` makes room",
      shape_text(sliding.size) +
          (dilated ? ", which dilation spreads over " + shape_text(reach) : "") + ", over " +
          shape_text(row_shape(picture.value)) + " (" + picture.origin + ")");
}

ir::Value* padded(ir::Builder& b, ir::Value* picture, const Sliding& sliding, double fill) {
  std::vector<int64_t> low(picture->type.shape.size(), 0), high = low;
  std::copy(sliding.before.begin(), sliding.before.end(), low.begin() + 1);
  std::copy(sliding.after.begin(), sliding.after.end(), high.begin() + 1);
  return b.pad(picture, low, high, fill);
}

ir::Value* windows(ir::Builder& b, ir::Value* value, const Sliding& sliding, int64_t first) {
  std::vector<int64_t> axes;
  for (size_t i = 0; i < sliding.axes(); ++i) axes.push_back(first + static_cast<int64_t>(i));
  return b.op("window", {value},
              {{"axes", axes},
               {"size", sliding.size},
               {"stride", sliding.stride},
               {"dilation", sliding.dilation}});
}

schema::Type axis_numbers(int64_t smallest) {
  const schema::Type one =
      schema::integer().at_least(static_cast<double>(smallest)).at_most(largest);
  return schema::one_of({one, schema::list_of(one).sized(1, 3)});
}

schema::Type side_numbers() {
  const schema::Type one = schema::integer().at_least(0).at_most(largest);
  return schema::one_of(
      {one, schema::list_of(schema::one_of({one, schema::list_of(one).sized(2, 2)})).sized(1, 3)});
}

Key size_key(const std::string& name, const std::string& doc) {
  return Key(name, axis_numbers(1), doc + ", one number or one for each axis").required();
}
Key stride_key() {
  return Key("stride", axis_numbers(1), "distance between neighbouring windows").by_default("1");
}
Key dilation_key() {
  return Key("dilation", axis_numbers(1), "distance between neighbouring elements of a window")
      .by_default("1");
}
Key padding_key(const std::string& doc) {
  const schema::Type one = schema::integer().at_least(0).at_most(largest);
  const schema::Type pair = schema::list_of(one).sized(2, 2);
  return Key("padding",
             schema::one_of({schema::choice({"valid", "same"}), one,
                             schema::list_of(schema::one_of({one, pair})).sized(1, 3)}),
             doc)
      .by_default("valid");
}
Key padding_key() {
  return padding_key(
      "zeros around the input: none (valid), as many as keep extent / stride, rounded up, "
      "the odd one at the end (same), or a number, a number for each axis, or [before, "
      "after] for each axis");
}
Key activation_key() {
  return Key("activation", schema::entry_of(schema::Group::activations), "applied to the result")
      .by_default("linear");
}
Key bias_key() {
  return Key("bias", schema::boolean(), "whether a number is added to each filter's result")
      .by_default("true");
}

namespace {

const ArrayValue* written_values(const Args& args, const std::string& weight) {
  const Value& init = args.at("init");
  if (!init.is_map()) return nullptr;
  for (const auto& [key, value] : init.map()) {
    if (key.text == weight && value.is_array() && !value.array().shape.empty())
      return &value.array();
  }
  return nullptr;
}

}  // namespace

ir::Value* kernel_weight(LayerContext& context, const std::string& name,
                         const std::vector<int64_t>& shape, const Fans& fans) {
  std::vector<int64_t> written{shape.back()};
  written.insert(written.end(), shape.begin(), shape.end() - 1);
  const ArrayValue* values = written_values(context.args, name);
  if (values && shape[shape.size() - 2] == 1 && values->shape.size() + 1 == written.size())
    written.pop_back();
  const bool has_channels = written.size() == shape.size();
  abi::Initial initial =
      initial_of(context.args, name, written, fans,
                 std::string("one kernel for each filter, as a picture is written") +
                     (has_channels ? ", channels last" : ""));
  if (initial.kind == abi::Initial::Kind::values) {
    const std::vector<double> by_filter = initial.values;
    const auto filters = static_cast<size_t>(shape.back());
    const size_t each = by_filter.size() / filters;
    for (size_t f = 0; f < filters; ++f)
      for (size_t i = 0; i < each; ++i) initial.values[i * filters + f] = by_filter[f * each + i];
  }
  return context.weight({.name = name, .shape = shape, .initial = initial, .decays = true});
}

ir::Value* finish(LayerContext& context, const ir::Value* kernel, ir::Value* product,
                  int64_t filters, const Fans& fans) {
  context.makes(kernel, product);
  ir::Value* value = product;
  if (context.args.boolean("bias")) {
    ir::Value* bias =
        context.weight({.name = "bias",
                        .shape = {filters},
                        .initial = initial_of(context.args, "bias", {filters}, fans)});
    value = row_binary(context.b, "add", value, bias);
  }
  return activate(context.b, value, context.args.entry("activation"));
}

}  // namespace nnc::layers
