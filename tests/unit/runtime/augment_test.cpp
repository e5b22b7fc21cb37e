// What augmentation makes of rows, and that nothing but seed, row and epoch decides it.
#include "runtime/augment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "runtime/augment_row.h"

using namespace nnc;
using namespace nnc::runtime;

namespace {

using Kind = AugmentStep::Kind;
using Row = std::vector<double>;

AugmentStep step(Kind kind, double amount) { return {kind, amount, false, false, false}; }

Row changed(Row row, const RowShape& shape, const std::vector<AugmentStep>& steps, uint64_t number,
            uint32_t epoch = 1) {
  Row scratch(row.size());
  augment_row(row, scratch, shape, steps, {7, 99, epoch, number});
  return row;
}

Row numbered(const RowShape& shape) {
  Row row(static_cast<size_t>(shape.height * shape.width * shape.channels));
  for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<double>(i + 1);
  return row;
}

// The picture moved by (down, right), with 0 or the nearest pixel from outside.
Row moved(const Row& row, const RowShape& shape, int64_t down, int64_t right, bool edge) {
  Row result;
  for (int64_t y = 0; y < shape.height; ++y) {
    for (int64_t x = 0; x < shape.width; ++x) {
      for (int64_t c = 0; c < shape.channels; ++c) {
        int64_t i = y - down, j = x - right;
        const bool inside = i >= 0 && i < shape.height && j >= 0 && j < shape.width;
        i = std::clamp<int64_t>(i, 0, shape.height - 1);
        j = std::clamp<int64_t>(j, 0, shape.width - 1);
        const auto at = static_cast<size_t>((i * shape.width + j) * shape.channels + c);
        result.push_back(inside || edge ? row[at] : 0);
      }
    }
  }
  return result;
}

Split rows_of(int64_t rows) {
  auto table = std::make_shared<Table>();
  table->rows = rows;
  Column image;
  image.name = "image";
  image.dtype = abi::DType::u8;
  image.row_shape = {5, 6, 2};
  image.bytes = Buffer(static_cast<size_t>(rows) * 60);
  for (int64_t i = 0; i < rows * 60; ++i) {
    image.bytes.as<uint8_t>()[i] = static_cast<uint8_t>(i * 53 % 251);
  }
  Column label;
  label.name = "label";
  label.dtype = abi::DType::i32;
  label.bytes = Buffer(static_cast<size_t>(rows) * 4);
  for (int64_t i = 0; i < rows; ++i) label.bytes.as<int32_t>()[i] = static_cast<int32_t>(i);
  table->columns.push_back(std::move(image));
  table->columns.push_back(std::move(label));
  return all_rows(table);
}

abi::EntryDesc entry_of(const std::vector<std::string>& inputs) {
  abi::EntryDesc entry;
  for (const std::string& name : inputs) {
    abi::InputDesc input{name, abi::DType::f32, {}};
    if (name.starts_with("image")) input = {name, abi::DType::u8, {5, 6, 2}};
    if (name.starts_with("label")) input.dtype = abi::DType::i32;
    entry.inputs.push_back(input);
  }
  return entry;
}

AugmentOptions every_step() {
  std::vector<AugmentStep> steps{step(Kind::shift, 2),      step(Kind::rotate, 20),
                                 step(Kind::zoom, 0.2),     step(Kind::brightness, 0.1),
                                 step(Kind::contrast, 0.3), step(Kind::noise, 0.05),
                                 step(Kind::cutout, 2)};
  steps.push_back({Kind::flip, 0, true, true, false});
  return {{{"image", steps}}, 0};
}

}  // namespace

TEST_CASE("shift moves by whole pixels, to every place it may") {
  for (bool edge : {false, true}) {
    const RowShape shape{4, 5, 2, 1};
    const Row row = numbered(shape);
    std::set<std::pair<int, int>> seen;
    for (uint64_t number = 0; number < 300; ++number) {
      AugmentStep shift = step(Kind::shift, 1);
      shift.edge = edge;
      const Row found = changed(row, shape, {shift}, number);
      int matches = 0;
      for (int down = -1; down <= 1; ++down) {
        for (int right = -1; right <= 1; ++right) {
          if (found != moved(row, shape, down, right, edge)) continue;
          seen.insert({down, right});
          ++matches;
        }
      }
      CHECK(matches == 1);
    }
    CHECK(seen.size() == 9);
  }
}

TEST_CASE("flip mirrors every other picture, exactly") {
  for (int64_t width : {1, 4, 5}) {
    const RowShape shape{3, width, 1, 1};
    const Row row = numbered(shape);
    Row mirrored = row;
    for (int64_t y = 0; y < 3; ++y) {
      std::reverse(mirrored.begin() + y * width, mirrored.begin() + (y + 1) * width);
    }
    int flipped = 0;
    for (uint64_t number = 0; number < 400; ++number) {
      const Row found = changed(row, shape, {{Kind::flip, 0, true, false, false}}, number);
      CHECK((found == row || found == mirrored));
      flipped += found == mirrored && width > 1 ? 1 : 0;
    }
    if (width > 1) CHECK(std::abs(flipped - 200) < 50);  // five deviations of √100
  }
}

TEST_CASE("rotation and zoom map planes to planes and leave the middle") {
  const RowShape shape{15, 15, 1, 1};
  Row plane;
  for (int64_t y = 0; y < 15; ++y) {
    for (int64_t x = 0; x < 15; ++x)
      plane.push_back(3.0 * static_cast<double>(y - 7) + static_cast<double>(x - 7));
  }
  std::set<double> slopes;
  for (uint64_t number = 0; number < 50; ++number) {
    const Row found =
        changed(plane, shape, {step(Kind::rotate, 30), step(Kind::zoom, 0.2)}, number);
    const auto at = [&](int64_t y, int64_t x) { return found[static_cast<size_t>(y * 15 + x)]; };
    CHECK(at(7, 7) == doctest::Approx(0));
    const double across = at(7, 8), down = at(8, 7);
    slopes.insert(across);
    // A turn keeps the length of the slope, zoom divides it by a factor of 0.8 to 1.2.
    const double length = std::hypot(across, down) / std::sqrt(10.0);
    CHECK(length > 1 / 1.2 - 1e-9);
    CHECK(length < 1 / 0.8 + 1e-9);
    for (int64_t y = 4; y <= 10; ++y) {
      for (int64_t x = 4; x <= 10; ++x) {
        const double expected =
            down * static_cast<double>(y - 7) + across * static_cast<double>(x - 7);
        CHECK(at(y, x) == doctest::Approx(expected).epsilon(1e-9));
      }
    }
  }
  CHECK(slopes.size() == 50);
}

TEST_CASE("steps about places run in the order of the file, as one map") {
  // A shift and then a flip moves the other way than a flip and then a shift.
  const RowShape shape{1, 7, 1, 1};
  const Row row{0, 0, 0, 1, 0, 0, 0};
  const AugmentStep shift = step(Kind::shift, 2), flip{Kind::flip, 0, true, false, false};
  for (uint64_t number = 0; number < 60; ++number) {
    const Row both = changed(row, shape, {shift, flip}, number);
    Row apart = changed(row, shape, {shift, step(Kind::contrast, 1e-300)}, number);
    Row scratch(apart.size());
    const Row mirrored(apart.rbegin(), apart.rend());
    CHECK((both == apart || both == mirrored));
  }
}

TEST_CASE("brightness, contrast and noise keep their bounds and meet their moments") {
  const RowShape shape{1, 4000, 1, 255};
  const Row row = [] {
    Row r(4000);
    for (size_t i = 0; i < r.size(); ++i) r[i] = i % 2 == 0 ? 100 : 140;
    return r;
  }();
  double lowest = 1, highest = -1;
  for (uint64_t number = 0; number < 200; ++number) {
    const Row brighter = changed(row, shape, {step(Kind::brightness, 0.2)}, number);
    const double more = brighter[0] - row[0];
    CHECK(std::abs(more) <= 0.2 * 255);
    CHECK(brighter[1] - row[1] == doctest::Approx(more));
    lowest = std::min(lowest, more / 51), highest = std::max(highest, more / 51);
    const Row stronger = changed(row, shape, {step(Kind::contrast, 0.5)}, number);
    CHECK(stronger[0] + stronger[1] == doctest::Approx(240));
    CHECK(std::abs(stronger[1] - 120) >= 10 - 1e-9);
    CHECK(std::abs(stronger[1] - 120) <= 30 + 1e-9);
  }
  CHECK(lowest < -0.9);
  CHECK(highest > 0.9);
  const Row noisy = changed(row, shape, {step(Kind::noise, 0.1)}, 3);
  double sum = 0, squares = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    sum += noisy[i] - row[i];
    squares += (noisy[i] - row[i]) * (noisy[i] - row[i]);
  }
  // Five deviations of the mean, and of the variance, of 4000 normal numbers.
  CHECK(std::abs(sum / 4000) < 5 * 25.5 / std::sqrt(4000.0));
  CHECK(squares / 4000 / (25.5 * 25.5) == doctest::Approx(1).epsilon(5 * std::sqrt(2 / 4000.0)));
}

TEST_CASE("cutout clears one square and nothing else") {
  const RowShape shape{6, 7, 2, 1};
  const Row row = numbered(shape);
  size_t largest = 0;
  for (uint64_t number = 0; number < 200; ++number) {
    const Row found = changed(row, shape, {step(Kind::cutout, 3)}, number);
    int64_t top = 99, left = 99, bottom = -1, right = -1;
    size_t cleared = 0;
    for (int64_t i = 0; i < 6 * 7 * 2; ++i) {
      const double value = found[static_cast<size_t>(i)];
      if (value == row[static_cast<size_t>(i)]) continue;
      CHECK(value == 0);
      ++cleared;
      top = std::min(top, i / 14), bottom = std::max(bottom, i / 14);
      left = std::min(left, i % 14 / 2), right = std::max(right, i % 14 / 2);
    }
    CHECK(cleared == static_cast<size_t>((bottom - top + 1) * (right - left + 1) * 2));
    CHECK(cleared <= 18);
    CHECK(cleared >= 8);  // a corner keeps 2 × 2 pixels of it
    largest = std::max(largest, cleared);
  }
  CHECK(largest == 18);
}

TEST_CASE("a row depends on seed, row and epoch alone") {
  const Split split = rows_of(37);
  const abi::EntryDesc entry = entry_of({"image", "label"});
  const auto augmented = [&](int threads, size_t batch, int64_t epoch, uint64_t seed) {
    ThreadPool pool(threads);
    Augmenter augmenter(every_step(), entry, split, static_cast<int64_t>(batch), seed);
    REQUIRE(augmenter.inputs().size() == 1);  // the label is read from the table
    std::vector<std::vector<uint8_t>> result(37);
    std::vector<int32_t> order(split.rows.rbegin(), split.rows.rend());
    if (batch == 5) std::rotate(order.begin(), order.begin() + 11, order.end());
    for (size_t first = 0; first < order.size(); first += batch) {
      const size_t count = std::min(batch, order.size() - first);
      augmenter.run(pool, std::span(order).subspan(first, count), epoch);
      const BatchInput& image = augmenter.inputs()[0];
      for (size_t i = 0; i < count; ++i) {
        const auto* row = static_cast<const uint8_t*>(image.rows) + image.indices[i] * 60;
        result[static_cast<size_t>(order[first + i])].assign(row, row + 60);
      }
    }
    return result;
  };
  const auto rows = augmented(1, 37, 2, 5);
  CHECK(augmented(2, 5, 2, 5) == rows);
  CHECK(augmented(3, 8, 2, 5) == rows);
  CHECK(augmented(1, 1, 2, 5) == rows);
  const auto later = augmented(1, 37, 3, 5);
  const auto other = augmented(1, 37, 2, 6);
  for (size_t r = 0; r < 37; ++r) {
    CHECK(later[r] != rows[r]);
    CHECK(other[r] != rows[r]);
  }
}

TEST_CASE("without steps nothing is made") {
  const Split split = rows_of(3);
  CHECK(Augmenter({}, entry_of({"image", "label"}), split, 3, 1).inputs().empty());
}

TEST_CASE("mixup gives partners out of the split and shares that follow the beta distribution") {
  Split split = rows_of(2000);
  split.rows.resize(1000);  // the others are valid rows, say
  ThreadPool pool(1);
  const abi::EntryDesc entry =
      entry_of({"image", "image:mixup", "mixup:share", "label", "label:mixup"});
  for (double alpha : {0.2, 1.0, 3.0}) {
    Augmenter augmenter({{}, alpha}, entry, split, 1000, 4);
    REQUIRE(augmenter.inputs().size() == 3);
    augmenter.run(pool, split.rows, 1);
    const BatchInput& share = augmenter.inputs()[1];
    CHECK(share.name == "mixup:share");
    double sum = 0, squares = 0;
    std::set<int32_t> partners;
    for (size_t i = 0; i < 1000; ++i) {
      const double value = static_cast<const float*>(share.rows)[share.indices[i]];
      CHECK(value >= 0);
      CHECK(value <= 1);
      sum += value, squares += value * value;
      const int32_t partner = augmenter.inputs()[2].indices[i];
      CHECK(partner < 1000);
      CHECK(partner == augmenter.inputs()[0].indices[i]);
      partners.insert(partner);
    }
    const double mean = sum / 1000, variance = squares / 1000 - mean * mean;
    const double expected = 1 / (4 * (2 * alpha + 1));
    CHECK(std::abs(mean - 0.5) < 5 * std::sqrt(expected / 1000));
    CHECK(variance == doctest::Approx(expected).epsilon(0.15));  // 5 √(2/1000), at most
    CHECK(partners.size() > 580);  // 1000 (1 - 1/e) = 632, five deviations of about 10
  }
}

TEST_CASE("with steps and mixup a partner looks as it does on its own in this epoch") {
  const Split split = rows_of(20);
  ThreadPool pool(2);
  AugmentOptions options = every_step();
  options.mixup = 0.4;
  Augmenter augmenter(options, entry_of({"image", "image:mixup", "label:mixup", "mixup:share"}),
                      split, 20, 4);
  augmenter.run(pool, split.rows, 6);
  const std::vector<BatchInput>& in = augmenter.inputs();
  for (int i = 0; i < 20; ++i) {
    const int32_t partner = in[2].indices[i];
    CHECK(std::memcmp(static_cast<const uint8_t*>(in[1].rows) + 60 * i,
                      static_cast<const uint8_t*>(in[0].rows) + 60 * partner, 60) == 0);
  }
}
