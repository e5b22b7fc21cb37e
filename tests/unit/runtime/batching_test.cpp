#include "runtime/batching.h"

#include <doctest/doctest.h>

using namespace nnc::runtime;

namespace {

Split split_of(std::vector<int32_t> rows) { return {nullptr, std::move(rows)}; }

std::vector<int32_t> all(Batches& batches, int64_t epoch) {
  std::vector<int32_t> rows;
  batches.start_epoch(epoch);
  for (int64_t i = 0; i < batches.count(); ++i) {
    for (int32_t row : batches.batch(i)) rows.push_back(row);
  }
  return rows;
}

}  // namespace

TEST_CASE("every row of the split comes once an epoch; the last batch may be smaller") {
  for (int64_t rows : {1, 2, 7, 8, 9, 100}) {
    for (int64_t batch : {1, 3, 8, 1000, 0}) {
      CAPTURE(rows);
      CAPTURE(batch);
      std::vector<int32_t> own;
      for (int64_t i = 0; i < rows; ++i) own.push_back(static_cast<int32_t>(3 * i));
      const Split split = split_of(own);
      Batches batches(split, batch, 1, true);
      std::vector<int32_t> seen = all(batches, 1);
      std::sort(seen.begin(), seen.end());
      CHECK(seen == own);
      const int64_t size = batch == 0 ? rows : std::min(batch, rows);
      CHECK(static_cast<int64_t>(batches.batch(0).size()) == size);
      CHECK(batches.count() == (rows + size - 1) / size);
    }
  }
}

TEST_CASE("the order depends on seed and epoch only") {
  std::vector<int32_t> rows(50);
  for (int32_t i = 0; i < 50; ++i) rows[static_cast<size_t>(i)] = i;
  const Split split = split_of(rows);
  Batches a(split, 7, 1, true);
  Batches b(split, 10, 1, true);
  all(b, 1);
  all(b, 5);
  CHECK(all(a, 3) == all(b, 3));
  CHECK(all(a, 3) != all(a, 4));
  Batches c(split, 7, 2, true);
  CHECK(all(a, 3) != all(c, 3));
  Batches plain(split, 7, 1, false);
  CHECK(all(plain, 3) == rows);
}
