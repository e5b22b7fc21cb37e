#include "compiler/layers/initialisers.h"

#include <cmath>

#include "compiler/layers/rows.h"
#include "compiler/support/diagnostics.h"

namespace nnc::layers {

using abi::Initial;
using schema::Entry;
using schema::Key;

namespace {

Initial start(Initial::Kind kind, double a, double b) {
  Initial initial;
  initial.kind = kind;
  initial.a = a;
  initial.b = b;
  return initial;
}
Initial constant(double value) { return start(Initial::Kind::constant, value, 0); }
Initial uniform(double low, double high) { return start(Initial::Kind::uniform, low, high); }
Initial normal(double mean, double deviation) {
  return start(Initial::Kind::normal, mean, deviation);
}

// Uniform numbers of variance v lie within ±√(3v).
Initial uniform_of(double variance) {
  const double limit = std::sqrt(3 * variance);
  return uniform(-limit, limit);
}

constexpr const char* glorot_source =
    "Glorot, Bengio, Understanding the difficulty of training deep networks, AISTATS 2010";
constexpr const char* he_source = "He et al., Delving deep into rectifiers, ICCV 2015";
constexpr const char* lecun_source = "LeCun et al., Efficient backprop, 1998";

double glorot(const Fans& f) { return 2 / (f.in + f.out); }
double he(const Fans& f) { return 2 / f.in; }
double lecun(const Fans& f) { return 1 / f.in; }

// A uniform and a normal initialiser of the same variance.
void add_pair(std::vector<InitialiserDef>& table, const std::string& name, const std::string& what,
              const std::string& source, double (*variance)(const Fans&)) {
  table.push_back({Entry{.name = name + "_uniform",
                         .doc = "Uniform in ±√(3·variance), variance " + what + ".",
                         .source = source,
                         .example = "- dense: {units: 64, init: " + name + "_uniform}"},
                   [variance](const Args&, const Fans& f) { return uniform_of(variance(f)); }});
  table.push_back(
      {Entry{.name = name + "_normal",
             .doc = "Normal with mean 0, variance " + what + ".",
             .source = source,
             .example = "- dense: {units: 64, init: " + name + "_normal}"},
       [variance](const Args&, const Fans& f) { return normal(0, std::sqrt(variance(f))); }});
}

std::vector<InitialiserDef> constant_initialisers() {
  return {
      {Entry{.name = "zeros",
             .doc = "Every weight is 0.",
             .example = "- dense: {units: 10, init: zeros}"},
       [](const Args&, const Fans&) { return constant(0); }},
      {Entry{.name = "ones",
             .doc = "Every weight is 1.",
             .example = "- dense: {units: 1, bias: false, init: ones}"},
       [](const Args&, const Fans&) { return constant(1); }},
      {Entry{.name = "constant",
             .doc = "Every weight is the same number. A bare number means this.",
             .example = "- dense: {units: 1, init: {constant: 0.5}}",
             .principal = "value",
             .keys = {Key("value", schema::number(), "the number").required()}},
       [](const Args& args, const Fans&) { return constant(args.number("value")); }},
  };
}

std::vector<InitialiserDef> random_initialisers() {
  return {
      {Entry{.name = "orthogonal",
             .doc = "A random orthogonal matrix [all axes but the last, last axis], times a gain: "
                    "its rows, or its columns where there are fewer, are orthogonal and of "
                    "length `gain`. The time grows with the square of the smaller side.",
             .source = "Saxe, McClelland, Ganguli, Exact solutions to the nonlinear dynamics of "
                       "learning in deep linear neural networks, ICLR 2014",
             .example = "- dense: {units: 64, init: orthogonal}",
             .principal = "gain",
             .keys =
                 {Key("gain", schema::number(), "length of the rows or columns").by_default("1")}},
       [](const Args& args, const Fans&) {
         return start(Initial::Kind::orthogonal, args.number("gain"), 0);
       }},
      {Entry{.name = "lsuv",
             .doc = "Orthogonal, then scaled so that what the kernel makes of up to 256 training "
                    "rows has variance 1, layer after layer, before training starts. Normalisation "
                    "by batches between them works with its running statistics, as in prediction.",
             .source = "Mishkin, Matas, All you need is a good init, ICLR 2016",
             .example = "- dense: {units: 64, activation: relu, init: lsuv}"},
       [](const Args&, const Fans&) {
         Initial initial = start(Initial::Kind::orthogonal, 1, 0);
         initial.unit_variance = true;
         return initial;
       }},
      {Entry{.name = "uniform",
             .doc = "Uniform between low and high.",
             .example = "- dense: {units: 8, init: {uniform: {low: -0.1, high: 0.1}}}",
             .keys = {Key("low", schema::number(), "smallest").by_default("-0.05"),
                      Key("high", schema::number(), "largest").by_default("0.05")}},
       [](const Args& args, const Fans&) {
         const double low = args.number("low");
         const double high = args.number("high");
         if (low > high) {
           throw UserError(args.span("high"), "uniform: low is above high", "low <= high");
         }
         return uniform(low, high);
       }},
      {Entry{.name = "normal",
             .doc = "Normal with the given mean and standard deviation.",
             .example = "- dense: {units: 2, init: {normal: {mean: 0.75, stddev: 0.01}}}",
             .keys = {Key("mean", schema::number(), "mean").by_default("0"),
                      Key("stddev", schema::number().at_least(0), "standard deviation")
                          .by_default("0.05")}},
       [](const Args& args, const Fans&) {
         return normal(args.number("mean"), args.number("stddev"));
       }},
  };
}

Initial from_array(const Value& value, const std::string& weight, const std::vector<int64_t>& shape,
                   const std::string& order) {
  const ArrayValue& array = value.array();
  if (array.shape.empty()) return constant(array.numbers.at(0));
  if (array.shape != shape) {
    throw UserError(value.span, "the values of '" + weight + "' have the wrong shape",
                    shape_text(shape) + (order.empty() ? "" : ": " + order),
                    shape_text(array.shape));
  }
  Initial initial = start(Initial::Kind::values, 0, 0);
  initial.values = array.numbers;
  return initial;
}

Initial from_value(const Value& value, const std::string& weight, const std::vector<int64_t>& shape,
                   const Fans& fans, const std::string& order) {
  if (value.is_array()) return from_array(value, weight, shape, order);
  if (value.is_number()) return constant(value.number());
  const EntryValue& choice = value.entry();
  for (const InitialiserDef& def : initialiser_table()) {
    static const Args none;
    if (def.entry.name == choice.kind.text) {
      return def.build(choice.args ? *choice.args : none, fans);
    }
  }
  throw InternalError("initialiser " + choice.kind.text + " passed the schema");
}

}  // namespace

const std::vector<InitialiserDef>& initialiser_table() {
  static const std::vector<InitialiserDef> table = [] {
    std::vector<InitialiserDef> all;
    add_pair(all, "glorot", "2 / (fan_in + fan_out)", glorot_source, glorot);
    add_pair(all, "he", "2 / fan_in", he_source, he);
    add_pair(all, "lecun", "1 / fan_in", lecun_source, lecun);
    for (auto part : {constant_initialisers, random_initialisers})
      for (InitialiserDef& def : part()) all.push_back(std::move(def));
    return all;
  }();
  return table;
}

Key init_key(const std::string& default_kernel) {
  const schema::Type way =
      schema::one_of({schema::entry_of(schema::Group::initialisers, "constant"), schema::array()});
  const schema::Type each = schema::record(
      {Key("kernel", way, "start of the kernel: an initialiser, a number or the values"),
       Key("bias", way, "start of the bias; 0 if not given")});
  return Key("init",
             schema::one_of({each, schema::entry_of(schema::Group::initialisers, "constant")}),
             "how the kernel starts, or {kernel: …, bias: …}, where values can be written out: "
             "[inputs, units] of a dense layer; of a convolution a kernel for each filter, "
             "[filters, "
             "rows, columns, channels], without channels if there is one")
      .by_default(default_kernel);
}

Initial initial_of(const Args& args, const std::string& weight, const std::vector<int64_t>& shape,
                   const Fans& fans, const std::string& order) {
  const Value& init = args.at("init");
  const bool is_kernel = weight != "bias";
  if (init.is_map()) {
    for (const auto& [key, value] : init.map()) {
      if (key.text == weight) return from_value(value, weight, shape, fans, order);
    }
    return is_kernel ? uniform_of(glorot(fans)) : constant(0);
  }
  return is_kernel ? from_value(init, weight, shape, fans, order) : constant(0);
}

Initial initial_of_parameter(const Value& init, const std::string& name,
                             const std::vector<int64_t>& shape) {
  const double outputs = shape.size() > 1 ? static_cast<double>(shape.back()) : 1;
  const Fans fans{static_cast<double>(elements(shape)) / outputs, outputs};
  const Initial initial = from_value(init, name, shape, fans, {});
  if (initial.unit_variance) {
    throw UserError(init.span, "only a layer can start by what it makes of its rows",
                    "another initialiser for '" + name + "', such as orthogonal");
  }
  if (initial.kind == Initial::Kind::orthogonal && shape.size() < 2) {
    throw UserError(init.span, "orthogonal rows need at least two axes",
                    "a shape such as [784, 128]", shape_text(shape));
  }
  return initial;
}

}  // namespace nnc::layers
