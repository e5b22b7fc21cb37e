#include "compiler/language/synonyms.h"

#include <doctest/doctest.h>

using namespace nnc;

TEST_CASE("words of other tools lead to the names here") {
  const std::vector<std::string> sgd = {"rate", "momentum", "nesterov", "weight_decay"};
  CHECK(meant("lr", sgd) == "rate");
  CHECK(meant("learning_rate", sgd) == "rate");
  CHECK(meant("LearningRate", sgd) == "rate");
  CHECK(meant("momentun", sgd) == "momentum");
  CHECK_FALSE(meant("batch_size", sgd).has_value());
  const std::vector<std::string> layers = {"dense", "conv2d", "maxpool2d", "batch_norm"};
  CHECK(meant("Linear", layers) == "dense");
  CHECK(meant("MaxPooling2D", layers) == "maxpool2d");
  CHECK(meant("BatchNormalization", layers) == "batch_norm");
  CHECK(meant("linear", {"linear", "relu"}) == "linear");
  CHECK_FALSE(meant(std::string(1000, 'a'), layers).has_value());
}
