// Pictures side by side in one PNG file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nnc::workbench {

// Pictures of one size, grey (1 channel) or RGB (3), bytes 0 … 255, row-major, channels last.
struct Pictures {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 1;
  std::vector<std::vector<uint8_t>> bytes;
};

// The shape of one picture of so many numbers: `wanted` where it has as many, [h, w] or [h, w, 1 or
// 3] as it is, a square for a plain vector. False if it is none.
bool picture_shape(const std::vector<int64_t>& row_shape, const std::vector<int64_t>& wanted,
                   Pictures& pictures);

// The least and the largest number that numbers between them stand for: bytes, shares from 0 to 1,
// or -1 to 1.
std::pair<double, double> guess_range(const std::vector<double>& numbers);

// Appends a picture; what lies outside the range is cut off.
void add_picture(Pictures& pictures, const double* numbers, std::pair<double, double> range);

// The PNG file of all of them, `columns` in a line with a dark line between them; 0: about square.
std::string grid_png(const Pictures& pictures, int64_t columns = 0);

}  // namespace nnc::workbench
