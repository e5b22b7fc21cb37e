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

// A model with all the values that the examples name.
std::string with(const std::string& layers, std::string loss, const std::string& metrics,
                 const std::string& train) {
  if (loss.empty()) loss = "loss: {mean_squared_error: {prediction: y_hat, target: y}}";
  return "nnc: 1\nblocks: {res: {inputs: [v], layers: [{dense: 4}]}}\n"
         "data:\n  train: {npy: {x: x.npy, y: y.npy, label: l.npy}}\n"
         "  fields: {label: {classes: 10}}\n"
         "model:\n  inputs: [x]\n  layers:\n"
         "    - dense: 1\n      name: y_hat\n    - dense: 1\n      name: score\n"
         "    - dense: 10\n      name: logits\n    - dense: 4\n      name: a\n"
         "    - dense: 4\n      name: b\n    - dense: 4\n      name: height\n"
         "    - dense: 4\n      name: width\n    - dense: 3\n      name: mu\n"
         "    - dense: 3\n      name: logvar\n" +
         indented(layers, 4) + loss + "\n" + metrics + "\ntrain:\n  epochs: 1\n" +
         indented(train, 2);
}

std::string model_of(schema::Group group, const std::string& example) {
  const std::string optimizer = "optimizer: sgd\n";
  switch (group) {
    case schema::Group::losses: return with("", example, "", optimizer);
    case schema::Group::metrics: return with("", "", example, optimizer);
    case schema::Group::optimizers: return with("", "", "", example);
    case schema::Group::schedules: return with("", "", "", optimizer + example);
    default: return with(example, "", "", optimizer);
  }
}

}  // namespace

TEST_CASE("every entry says what it does, once, and its example loads") {
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
      if (entry->example.empty()) continue;
      load(model_of(group, entry->example), {});
    }
    CHECK(names.size() >= 3);
  }
}
