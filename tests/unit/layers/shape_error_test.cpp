// Mistakes that show only when shapes are known.
#include <doctest/doctest.h>

#include "compiler/assemble/update.h"
#include "compiler/autodiff/autodiff.h"
#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

struct ShapeCase {
  std::string name;
  std::string layers;
  std::vector<std::string> pieces;  // all must be in the text
};

const std::vector<ShapeCase> shape_cases = {
    {"a convolution along one axis of an image",
     "    - conv1d: {filters: 2, kernel: 3}\n",
     {"model.yaml:7:7: error: conv1d 'conv1d_1' reads a sequence, but its input has the shape [4, "
      "4, 1]",
      "[length, channels]", "field 'image'"}},
    {"add of different shapes",
     "    - flatten:\n      name: f\n    - dense: 3\n      name: g\n    - add: [f, g]\n",
     {"model.yaml:11:7: error: add 'add_1': the shapes of its inputs do not fit",
      "[16] (output of 'f', line 7)", "[3] (output of 'g', line 9)"}},
    {"concat of different shapes",
     "    - flatten:\n      name: f\n    - concat: [f, image]\n",
     {"its inputs may differ only along the joined axis", "[16] (output of 'f', line 7)"}},
    {"reshape to another count",
     "    - reshape: [3, 5]\n",
     {"16 elements, as [4, 4, 1]", "[3, 5]"}},
    {"reshape with a free extent", "    - reshape: [3, -1]\n", {"16 elements", "[3, -1]"}},
    {"an axis that is not there",
     "    - flatten:\n      name: f\n    - concat: {inputs: [f, f], axis: 1}\n",
     {"its inputs have no such axis"}},
    {"shared weights of another shape",
     "    - flatten\n    - dense: 4\n      name: a\n    - dense: 4\n      share: a\n",
     {"cannot share the weights of 'a': 'kernel' has another shape", "[4, 4]", "[16, 4]"}},
    {"softmax of a number",
     "    - expr: \"sum(image)\"\n    - softmax\n",
     {"softmax needs at least one axis"}},
};

}  // namespace

TEST_CASE("shape mistakes say both shapes and who made them") {
  for (const ShapeCase& c : shape_cases) {
    INFO(c.name);
    Model model = load(
        "nnc: 1\ndata:\n  train: {npy: {image: i.npy}}\nmodel:\n  inputs: [image]\n"
        "  layers:\n" +
            c.layers,
        {field("image", {4, 4, 1}, abi::DType::u8)});
    const std::string text = model.errors(assemble::Mode::train);
    INFO(text);
    for (const std::string& piece : c.pieces) CHECK(text.find(piece) != std::string::npos);
  }
}

TEST_CASE("one mistake is reported once, and independent ones together") {
  Model model = load(
      "nnc: 1\ndata:\n  train: {npy: {image: i.npy}}\nmodel:\n  inputs: [image]\n"
      "  layers:\n    - conv1d: {filters: 2, kernel: 3}\n      name: a\n    - dense: 10\n      "
      "name: b\n"
      "    - reshape: [7]\n      from: image\n      name: c\n"
      "  outputs: {y: \"a + b\", z: \"c\"}\n",
      {field("image", {4, 4, 1}, abi::DType::u8)});
  Diagnostics found;
  CHECK(!assemble::build_forward(model.description, model.fields, assemble::Mode::train, found));
  REQUIRE(found.sorted().size() == 2);
  CHECK(found.sorted()[0].span.line == 7);
  CHECK(found.sorted()[1].span.line == 11);
}

TEST_CASE("losses say what does not fit") {
  const auto errors = [](const std::string& loss, const assemble::FieldInfo& target) {
    const std::string classes =
        target.classes > 0 ? "  fields: {t: {classes: " + std::to_string(target.classes) + "}}\n"
                           : "";
    Model model =
        load("nnc: 1\ndata:\n  train: {npy: {x: x.npy, t: t.npy}}\n" + classes +
                 "model:\n  inputs: [x]\n  layers:\n    - dense: 5\n      name: y\nloss: " + loss +
                 "\ntrain: {epochs: 1, optimizer: sgd}\n",
             {field("x", {3}), target});
    return model.errors(assemble::Mode::train);
  };
  const std::string cross = "{cross_entropy: {logits: y, target: t}}";
  CHECK(errors(cross, field("t", {}, abi::DType::i32, 7)).find("an index of 7 classes") !=
        std::string::npos);
  CHECK(errors(cross, field("t", {})).find("give the field `classes: 5`") != std::string::npos);
  CHECK(
      errors("{mean_squared_error: {prediction: y, target: t}}", field("t", {}, abi::DType::i32, 5))
          .find("this is an index of classes") != std::string::npos);
  CHECK(errors("{mean_squared_error: {prediction: y, target: t}}", field("t", {2}))
            .find("[5] (output of 'y', line 7)") != std::string::npos);
  CHECK(errors("{cross_entropy: {target: t}}", field("t", {}, abi::DType::i32, 5))
            .find("cross_entropy needs one prediction and its target") != std::string::npos);
  CHECK(errors("{terms: {a: \"y\"}}", field("t", {})).find("must be one number per row") !=
        std::string::npos);
}

TEST_CASE("what prediction needs must be an input") {
  Model model = load(
      "nnc: 1\ndata:\n  train: {npy: {x: x.npy, t: t.npy}}\nmodel:\n  inputs: [x]\n"
      "  layers:\n    - dense: 1\n      name: y\n"
      "loss: {mean_squared_error: {prediction: y, target: t}}\n"
      "train: {epochs: 1, optimizer: sgd}\n",
      {field("x", {3}), field("t", {})});
  const assemble::Forward predict = model.forward(assemble::Mode::predict);
  REQUIRE(predict.graph->params.size() == 3);
  CHECK(predict.graph->params[0].external_name == "x");
  CHECK(predict.outputs.at(0).shape == std::vector<int64_t>{1});
}

TEST_CASE("a loss that no weight reaches is an error, a weight that it does not reach a warning") {
  const auto updated = [](const std::string& loss) {
    Model model = load(
        "nnc: 1\ndata:\n  train: {npy: {x: x.npy}}\nmodel:\n  inputs: [x]\n"
        "  layers:\n    - dense: 1\n      name: y\n    - dense: 1\n      name: z\n"
        "      from: x\nloss: {terms: {t: \"" +
            loss +
            "\"}}\n"
            "train: {epochs: 1, optimizer: adam}\n",
        {field("x", {3})});
    assemble::Forward forward = model.forward(assemble::Mode::train);
    const auto g = autodiff::gradients(*forward.graph, forward.total(), forward.trainable());
    Diagnostics found;
    assemble::append_update(forward, g, model.description,
                            assemble::step_entries(model.description).front(), found);
    std::string text;
    for (const Diagnostic& diagnostic : found.sorted()) text += render(diagnostic);
    return text;
  };
  CHECK(updated("sum(y + z)").empty());
  CHECK(updated("sum(y)").find("warning: the loss does not depend on 'z.kernel'") !=
        std::string::npos);
  CHECK(updated("sum(x) + stop_gradient(sum(y + z))")
            .find("error: the loss does not depend on any trained weight") != std::string::npos);
}

TEST_CASE("a loss without a train section is evaluated, not minimised") {
  Model model = load(
      "nnc: 1\ndata:\n  train: {npy: {x: x.npy}}\nmodel:\n  inputs: [x]\n"
      "  layers:\n    - dense: 1\n      name: y\nloss: {terms: {t: \"sum(y)\"}}\n",
      {field("x", {3})});
  CHECK(model.forward(assemble::Mode::train).total() == nullptr);
  CHECK(model.forward(assemble::Mode::eval).loss_terms == std::vector<std::string>{"t"});
}
