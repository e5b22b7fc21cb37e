// Orthonormal matrices from random ones.
#pragma once

#include <cstddef>
#include <vector>

namespace nnc::runtime {

// Makes the rows of a row-major matrix orthonormal, or its columns where there are fewer of them
// (modified Gram-Schmidt, each vector twice). Of normal random numbers the result is a uniform one
// among all orthogonal matrices.
void orthonormalise(std::vector<double>& matrix, size_t rows, size_t columns);

}  // namespace nnc::runtime
