// Every model file of the catalogue becomes a graph, in every mode.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/paths.h"
#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

TEST_CASE("every model file builds its graphs") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() + "/models")) {
    if (entry.path().extension() != ".yaml") continue;
    INFO(entry.path().string());
    std::ifstream stream(entry.path());
    std::stringstream text;
    text << stream.rdbuf();
    const bool pairs = entry.path().stem().string().find("xor") == 0 ||
                       entry.path().stem().string().find("gates") == 0;
    const std::string name = entry.path().stem().string();
    const bool trains = name != "sobel";
    const bool large = name == "alexnet";
    const std::vector<int64_t> picture = !trains ? std::vector<int64_t>{4, 4, 1}
                                         : large ? std::vector<int64_t>{224, 224, 3}
                                                 : std::vector<int64_t>{28, 28, 1};
    Model model = load(text.str(), {field("image", picture, abi::DType::u8),
                                    field("label", {}, abi::DType::i32, large ? 1000 : 10),
                                    field("x", name == "iris" ? std::vector<int64_t>{4}
                                               : pairs        ? std::vector<int64_t>{2}
                                                              : std::vector<int64_t>{}),
                                    field("y", {}), field("real", picture, abi::DType::u8),
                                    field("kind", {}, abi::DType::i32, 3)});
    const assemble::Forward predict = model.forward(assemble::Mode::predict);
    CHECK(predict.outputs.size() >= (trains ? 1 : 4));
    ++files;
    if (!trains) {
      CHECK(predict.trainable().empty());
      continue;
    }
    const assemble::Forward train = model.forward(assemble::Mode::train);
    CHECK(train.total() != nullptr);
    CHECK(!train.trainable().empty());
    CHECK(model.forward(assemble::Mode::eval).total() == nullptr);
    // Prediction leaves out what only training needs: the variance of a code, a generator.
    const bool all = text.str().find("functions:") == std::string::npos;
    CHECK(predict.parameter_count() <= train.parameter_count());
    CHECK((!all || predict.parameter_count() == train.parameter_count()));
  }
  CHECK(files >= 10);
}

TEST_CASE("the table of layers: shapes, parameters, flops") {
  Model model = load(
      "nnc: 1\ndata:\n  train: {inline: {x: [[0, 0, 0]]}}\nmodel:\n  inputs: [x]\n  layers:\n"
      "    - dense: {units: 4, activation: relu}\n      name: fc\n"
      "    - dense: {units: 2, bias: false}\n      freeze: true\n",
      {field("x", {3})});
  const assemble::Forward forward = model.forward(assemble::Mode::train);
  REQUIRE(forward.layers.size() == 2);
  CHECK(forward.layers[0].name == "fc");
  CHECK(forward.layers[0].output_shape == std::vector<int64_t>{4});
  CHECK(forward.layers[0].parameters == 3 * 4 + 4);
  CHECK(forward.layers[0].flops == 2 * 3 * 4);
  CHECK(forward.layers[1].name == "dense_1");
  CHECK(forward.layers[1].parameters == 4 * 2);
  CHECK(forward.layers[1].frozen);
  CHECK(forward.parameter_count() == 24);
  CHECK(forward.trainable().size() == 2);
}
