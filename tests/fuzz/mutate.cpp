#include "tests/fuzz/mutate.h"

#include <array>
#include <string_view>

namespace nnc::fuzz {

namespace {

// Words that mean something to the YAML reader, the formula parser or the schema.
constexpr std::array<std::string_view, 72> words = {
    "nnc: 1\n",
    "model:",
    "layers:",
    "inputs: [x]",
    "- dense: 4\n",
    "- add: [a, b]\n",
    "name: ",
    "from: ",
    "share: ",
    "freeze: ",
    "predict: ",
    "penalty: {l2: 1}",
    "outputs: ",
    "params: ",
    "loss: ",
    "terms: ",
    "total: ",
    "metrics: [",
    "train: ",
    "data: ",
    "fields: ",
    "settings: ",
    "inline: ",
    "generate: ",
    "fraction: ",
    "where: ",
    "classes: ",
    "shape: ",
    "prepare: ",
    "precision: f64\n",
    "{",
    "}",
    "[",
    "]",
    ", ",
    ": ",
    ":",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "\t",
    "\"",
    "'",
    "#",
    "&a ",
    "*a",
    "!!int ",
    "| ",
    ">-\n ",
    "? ",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "<<: ",
    "~",
    "null",
    "true",
    ".inf",
    ".nan",
    "1e999",
    "0x1F",
    "-1",
    "99999999999999999999",
    "1/0",
    "$width",
    "${",
    "$$",
    "exp(",
    "x[..., 0:3]",
    "\xC3\xA9",
    "\xFF",
};

std::string word(Random& random) { return std::string(words[below(random, words.size())]); }

// The line that holds `at`, with its end.
std::pair<size_t, size_t> line_around(const std::string& text, size_t at) {
  const size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  const size_t end = text.find('\n', at);
  return {begin, end == std::string::npos ? text.size() : end + 1};
}

void change(std::string& text, const std::vector<std::string>& corpus, Random& random) {
  const size_t at = below(random, text.size() + 1);
  const auto [begin, end] = line_around(text, at);
  const std::string line = text.substr(begin, end - begin);
  switch (below(random, 10)) {
    case 0: text.insert(at, word(random)); break;
    case 1: text.erase(at, below(random, 12)); break;
    case 2: text.erase(begin, end - begin); break;
    case 3: text.insert(begin, line); break;
    case 4: text.insert(line_around(text, below(random, text.size() + 1)).first, line); break;
    case 5: text.insert(begin, std::string(1 + below(random, 4), ' ')); break;
    case 6:
      if (at < text.size()) text[at] = static_cast<char>(below(random, 256));
      break;
    case 7: text.replace(at, below(random, 8), word(random)); break;
    case 8: {
      // A piece of another file.
      const std::string& other = corpus[below(random, corpus.size())];
      const size_t from = below(random, other.size() + 1);
      text.insert(at, other.substr(from, below(random, 200)));
      break;
    }
    default: {
      // Depth and length: the same piece many times.
      const std::string piece = word(random);
      std::string many;
      for (size_t i = below(random, 200); i > 0; --i) many += piece;
      text.insert(at, many);
    }
  }
}

}  // namespace

std::string mutated(const std::vector<std::string>& corpus, Random& random) {
  std::string text;
  if (corpus.empty() || below(random, 20) == 0) {
    for (size_t i = below(random, 60); i > 0; --i) text += word(random);
    return text;
  }
  text = corpus[below(random, corpus.size())];
  for (size_t i = 1 + below(random, 1 + below(random, 6)); i > 0; --i) change(text, corpus, random);
  return text;
}

}  // namespace nnc::fuzz
