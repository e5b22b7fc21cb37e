// Local response normalisation.
#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

// [c, c] of zeros, with ones where two channels are at most size/2 apart.
ir::Value* neighbours(LayerContext& context, int64_t channels, int64_t size) {
  ir::Builder& b = context.b;
  const ir::Shape shape = ir::fixed_shape({channels, channels});
  ir::Value* distance =
      b.unary("abs", b.sub(b.iota(shape, 1, context.dtype), b.iota(shape, 0, context.dtype)));
  ir::Value* most = b.constant_like(static_cast<double>(size / 2), distance);
  return b.cast(b.compare("ge", most, distance), context.dtype);
}

// base^-beta of positive numbers. Roots are a few instructions and right to two roundings, a power
// is hundreds: for the beta that everybody uses, and the ones that roots say as well.
ir::Value* negative_power(ir::Builder& b, ir::Value* base, double beta) {
  if (beta == 1) return b.unary("reciprocal", base);
  if (beta == 0.5) return b.unary("rsqrt", base);
  if (beta != 0.75) return b.binary("pow", base, b.constant_like(-beta, base));
  ir::Value* root = b.unary("sqrt", base);
  return b.unary("reciprocal", b.mul(root, b.unary("sqrt", root)));
}

// The sum over neighbouring channels is a product with a band of ones: it runs, forwards and
// backwards, at the speed of products, and its order is that of the channels.
ir::Value* build_local_response_norm(LayerContext& context) {
  ir::Builder& b = context.b;
  ir::Value* x = context.input();
  const std::vector<int64_t> row = row_shape(x);
  if (row.empty()) {
    throw UserError(context.span, context.title() + " needs channels",
                    "numbers with an axis of channels, the last one",
                    "one number per row (" + context.inputs[0].origin + ")");
  }
  const int64_t last = x->type.rank() - 1;
  const int64_t size = context.args.integer("size");
  if (size % 2 == 0) {
    throw UserError(context.args.span("size"),
                    context.title() + ": a channel stands in the middle of those that are summed",
                    "an odd size", std::to_string(size));
  }
  ir::Value* band = neighbours(context, row.back(), size);
  ir::Value* sum = b.contract(b.mul(x, x), band, {last}, {0});
  ir::Value* base = b.add(b.mul(sum, context.args.number("alpha")), context.args.number("k"));
  return b.mul(x, negative_power(b, base, context.args.number("beta")));
}

}  // namespace

std::vector<LayerDef> response_norm_layers() {
  return {
      {Entry{.name = "local_response_norm",
             .doc = "Each channel is divided by what it and its neighbours at the same pixel "
                    "make together: any shape -> the same shape, y_i = x_i / (k + alpha · Σ "
                    "x_j²)^beta, the sum over the `size` channels around i (fewer at the "
                    "ends).",
             .source = "Krizhevsky, Sutskever, Hinton, ImageNet classification with deep "
                       "convolutional neural networks, NIPS 2012, 3.3",
             .example = "- local_response_norm: {size: 5}",
             .principal = "size",
             .keys = {Key("size", schema::integer().at_least(1),
                          "how many channels are summed: an odd number")
                          .by_default("5"),
                      Key("k", schema::number().above(0), "the constant").by_default("2"),
                      Key("alpha", schema::number().at_least(0), "factor of the sum")
                          .by_default("1e-4"),
                      Key("beta", schema::number().at_least(0), "the power").by_default("0.75")}},
       build_local_response_norm}};
}

}  // namespace nnc::layers
