#include "runtime/orthogonal.h"

#include <cmath>

namespace nnc::runtime {
namespace {

std::vector<double> transposed(const std::vector<double>& matrix, size_t rows, size_t columns) {
  std::vector<double> result(matrix.size());
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) result[c * rows + r] = matrix[r * columns + c];
  }
  return result;
}

double dot(const double* a, const double* b, size_t n) {
  double sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < n; ++i) sums[0] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

void add(double* a, double factor, const double* b, size_t n) {
  for (size_t i = 0; i < n; ++i) a[i] += factor * b[i];
}

}  // namespace

void orthonormalise(std::vector<double>& matrix, size_t rows, size_t columns) {
  const bool tall = rows > columns;
  if (tall) matrix = transposed(matrix, rows, columns);
  const size_t count = tall ? columns : rows;
  const size_t length = tall ? rows : columns;
  for (size_t k = 0; k < count; ++k) {
    double* now = matrix.data() + k * length;
    for (int round = 0; round < 2; ++round) {
      for (size_t j = 0; j < k; ++j) {
        const double* other = matrix.data() + j * length;
        add(now, -dot(now, other, length), other, length);
      }
      const double norm = std::sqrt(dot(now, now, length));
      for (size_t i = 0; i < length && norm > 0; ++i) now[i] /= norm;
    }
  }
  if (tall) matrix = transposed(matrix, columns, rows);
}

}  // namespace nnc::runtime
