// Times an emitted header the way peer.py times a framework: orders on standard input, one line of
// JSON for each. Compiled with -DNNC_HEADER="…" -DNNC_MODEL=namespace -DNNC_OUTPUTS=values a row.
// usage: header_driver ROWS FILE, the file holding ROWS rows of floats; one row is predicted by
// predict, several by predict_batch.
#include NNC_HEADER

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

struct Rows {
  std::size_t count;
  std::vector<float> x, y;

  void predict() {
    if (count == 1) {
      NNC_MODEL::predict(x.data(), y.data());
    } else {
      NNC_MODEL::predict_batch(x.data(), y.data(), count);
    }
    // The compiler may not know that the next call gets the same rows.
    asm volatile("" : : "r"(x.data()), "r"(y.data()) : "memory");
  }
};

void measure(Rows& rows, double seconds) {
  for (int i = 0; i < 5; ++i) rows.predict();
  auto start = Clock::now();
  rows.predict();
  const auto group = std::max<long>(1, static_cast<long>(200 / microseconds_since(start)));
  std::vector<double> samples;
  start = Clock::now();
  while (microseconds_since(start) < seconds * 1e6 || samples.size() < 10) {
    const auto begin = Clock::now();
    for (long i = 0; i < group; ++i) rows.predict();
    samples.push_back(microseconds_since(begin) / static_cast<double>(group));
  }
  std::sort(samples.begin(), samples.end());
  std::printf("{\"min\": %.9g, \"median\": %.9g}\n", samples.front(), samples[samples.size() / 2]);
}

void answer(Rows& rows) {
  rows.predict();
  std::printf("{\"answer\": [");
  for (std::size_t i = 0; i < rows.y.size(); ++i) {
    std::printf("%s%.9g", i == 0 ? "" : ", ", static_cast<double>(rows.y[i]));
  }
  std::printf("]}\n");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: header_driver ROWS FILE\n");
    return 2;
  }
  Rows rows;
  rows.count = std::strtoul(arguments[1], nullptr, 10);
  rows.x.resize(rows.count * NNC_MODEL::x_size);
  rows.y.resize(rows.count * NNC_OUTPUTS);
  std::ifstream file(arguments[2], std::ios::binary);
  const auto bytes = static_cast<std::streamsize>(rows.x.size() * sizeof(float));
  if (!file.read(reinterpret_cast<char*>(rows.x.data()), bytes)) {
    std::fprintf(stderr, "%s: fewer than %zu rows\n", arguments[2], rows.count);
    return 1;
  }
  std::string line;
  while (std::getline(std::cin, line)) {
    const char* seconds = std::strstr(line.c_str(), "\"seconds\": ");
    if (seconds != nullptr) {
      measure(rows, std::strtod(seconds + std::strlen("\"seconds\": "), nullptr));
    } else {
      answer(rows);
    }
    std::fflush(stdout);
  }
}
