// Real pictures: the files of Debian's dataset-fashion-mnist.
#include "runtime/data/load.h"
#include "runtime/data/probe.h"
#include "runtime/data/statistics.h"
#include "support.h"

using namespace nnc;
using namespace nnc::runtime;
using namespace nnc::runtime::test;

TEST_CASE("Fashion-MNIST is read whole") {
  const std::string folder = "/usr/share/datasets/fashion-mnist/";
  if (!std::filesystem::exists(folder + "train-images-idx3-ubyte.gz")) {
    MESSAGE("skipped: the package dataset-fashion-mnist is not installed");
    return;
  }
  DataSpec spec;
  spec.train = Source{IdxSource{{{"image", folder + "train-images-idx3-ubyte.gz"},
                                 {"label", folder + "train-labels-idx1-ubyte.gz"}}},
                      {}};
  spec.test = Source{IdxSource{{{"image", folder + "t10k-images-idx3-ubyte.gz"},
                                {"label", folder + "t10k-labels-idx1-ubyte.gz"}}},
                     {}};
  spec.valid_fraction = Fraction{0.1, "label", 7};
  FieldSpec image, label;
  image.name = "image";
  image.shape = std::vector<int64_t>{28, 28, 1};
  image.prepare = {{PrepareStep::Kind::scale, 1.0 / 255}, {PrepareStep::Kind::standardize}};
  label.name = "label";
  label.classes = 10;
  spec.fields = {image, label};
  CHECK(probe(spec).test_rows == 10000);
  const Dataset data = load(spec);
  CHECK(data.train.size() == 54000);
  CHECK(data.valid.size() == 6000);
  CHECK(data.test.size() == 10000);
  // The known mean and standard deviation of the 60,000 pictures are 0.2860 and 0.3530.
  const auto fitted = fit(spec, data.train);
  CHECK(fitted[0].mean[0] == doctest::Approx(0.2860).epsilon(0.003));
  CHECK(fitted[0].stddev[0] == doctest::Approx(0.3530).epsilon(0.003));
  CHECK(data.train.table->find("label")->number(0) == 9);  // an ankle boot comes first
}
