// The catalogue is the reference that users read: every entry is documented and its example loads.
#include <doctest/doctest.h>

#include <set>
#include <sstream>

#include "compiler/layers/catalogue.h"
#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

std::string indented(const std::string& text, int spaces) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    result += std::string(static_cast<size_t>(spaces), ' ') + line + "\n";
  }
  return result;
}

// A model with all the values that the examples name; the layers of `layers` follow the value x.
std::string with(const std::string& layers, std::string loss, const std::string& metrics,
                 const std::string& train) {
  if (loss.empty()) loss = "loss: {mean_squared_error: {prediction: y_hat, target: y}}";
  return "nnc: 1\nblocks: {res: {inputs: [v], layers: [{dense: 4}]}}\n"
         "data:\n  train: {npy: {v: v.npy, x: x.npy, y: y.npy, label: l.npy}}\n"
         "  fields: {label: {classes: 10}}\n"
         "model:\n  inputs: [v, x]\n  layers:\n"
         "    - dense: 1\n      name: y_hat\n      from: v\n    - dense: 1\n      name: score\n"
         "    - dense: 10\n      name: logits\n    - dense: 4\n      name: a\n"
         "    - dense: 4\n      name: b\n    - dense: 4\n      name: height\n"
         "    - dense: 4\n      name: width\n    - dense: 3\n      name: mu\n"
         "    - dense: 3\n      name: logvar\n    - expr: \"x\"\n      name: picture\n" +
         indented(layers, 4) + loss + "\n" + metrics + "\ntrain:\n  epochs: 1\n" +
         indented(train, 2);
}

// The same with pictures to be compared.
std::string with_pictures(const std::string& metrics) {
  std::string yaml = with("", "", metrics, "optimizer: sgd\n");
  const std::string number = "    - dense: 1\n      name: y_hat\n      from: v\n";
  return yaml.replace(yaml.find(number), number.size(), "    - {expr: \"2*x\", name: y_hat}\n");
}

// The models in which an example may stand: one of them has to be right.
std::vector<std::string> models_of(schema::Group group, const std::string& example) {
  const std::string optimizer = "optimizer: sgd\n";
  switch (group) {
    case schema::Group::losses: return {with("", example, "", optimizer)};
    case schema::Group::metrics:
      return {
          with("", "", example, optimizer),
          with("", "loss: {cross_entropy: {logits: logits, target: label}}", example, optimizer),
          with_pictures(example)};
    case schema::Group::optimizers: return {with("", "", "", example)};
    case schema::Group::schedules: return {with("", "", "", optimizer + example)};
    default: return {with(example, "", "", optimizer)};
  }
}

// What is wrong with the graphs of a model whose field x has this row shape.
std::string errors_with(const std::string& yaml, const std::vector<int64_t>& row_shape) {
  const bool compares_pictures = yaml.find("2*x") != std::string::npos;
  const std::vector<int64_t> target = compares_pictures ? row_shape : std::vector<int64_t>{};
  Model model = load(yaml, {field("v", {8}), field("x", row_shape), field("y", target),
                            field("label", {}, abi::DType::i32, 10)});
  std::string errors;
  for (const assemble::Mode mode :
       {assemble::Mode::train, assemble::Mode::eval, assemble::Mode::predict})
    errors += model.errors(mode);
  return errors;
}

// Empty if one of the models can be built for a vector, a sequence, a picture or a volume.
std::string errors_of_all(const std::vector<std::string>& models) {
  std::string errors;
  for (const std::string& yaml : models) {
    for (const std::vector<int64_t>& row_shape :
         {std::vector<int64_t>{784}, {16, 8}, {16, 16, 8}, {16, 16, 16, 8}}) {
      const std::string found = errors_with(yaml, row_shape);
      if (found.empty()) return "";
      errors += found;
    }
  }
  return errors;
}

}  // namespace

TEST_CASE("every entry says what it does, once, and its example can be built") {
  using schema::Group;
  for (const Group group : {Group::layers, Group::activations, Group::losses, Group::metrics,
                            Group::optimizers, Group::schedules, Group::initialisers}) {
    std::set<std::string> names;
    for (const schema::Entry* entry : layers::catalogue().entries(group)) {
      INFO(schema::noun(group) << " " << entry->name);
      CHECK(names.insert(entry->name).second);
      CHECK(entry->doc.size() > 10);
      CHECK(entry->doc.back() == '.');
      for (const schema::Key& key : entry->keys) CHECK(!key.doc.empty());
      REQUIRE(!entry->example.empty());
      CHECK(entry->example.find(entry->name) != std::string::npos);
      CHECK(errors_of_all(models_of(group, entry->example)) == "");
    }
    CHECK(names.size() >= 3);
  }
}
