#include "compiler/language/synonyms.h"

#include <algorithm>
#include <map>

#include "compiler/support/text.h"

namespace nnc {

namespace {

// Lower case, without underscores -> names here, the likeliest first.
using Names = std::map<std::string, std::vector<std::string>, std::less<>>;

Names of_training() {
  return {
      {"lr", {"rate"}},
      {"learningrate", {"rate"}},
      {"alpha", {"rate", "slope"}},
      {"eta", {"rate"}},
      {"p", {"rate"}},
      {"eps", {"epsilon"}},
      {"l2", {"weight_decay"}},
      {"batchsize", {"batch"}},
      {"nepochs", {"epochs"}},
      {"maxepochs", {"epochs"}},
      {"iterations", {"steps"}},
      {"randomstate", {"seed"}},
      {"scheduler", {"schedule"}},
      {"lrschedule", {"schedule"}},
      {"gradientclip", {"clip"}},
      {"clipnorm", {"clip"}},
      {"earlystopping", {"early_stop"}},
      {"gd", {"sgd"}},
      {"epoch", {"epochs"}},
      {"numepochs", {"epochs"}},
      {"step", {"steps"}},
      {"maxsteps", {"steps"}},
      {"minibatch", {"batch"}},
      {"opt", {"optimizer"}},
      {"regularization", {"penalty"}},
      {"regularizer", {"penalty"}},
      {"kernelregularizer", {"penalty"}},
      {"decay", {"weight_decay", "penalty"}},
      {"validation", {"valid"}},
      {"val", {"valid"}},
      {"dev", {"valid"}},
      {"split", {"valid", "fraction"}},
      {"validationsplit", {"valid", "fraction"}},
      {"testsize", {"fraction"}},
      {"ratio", {"fraction"}},
      {"testing", {"test"}},
      {"training", {"train"}},
      {"gradientdescent", {"sgd"}},
  };
}

Names of_losses() {
  return {
      {"mse", {"mean_squared_error", "rmse"}},
      {"meansquarederror", {"rmse"}},
      {"rootmeansquarederror", {"rmse"}},
      {"meanabsoluteerror", {"mae"}},
      {"r2score", {"r2"}},
      {"rsquared", {"r2"}},
      {"mseloss", {"mean_squared_error"}},
      {"l2loss", {"mean_squared_error"}},
      {"mae", {"mean_absolute_error"}},
      {"l1loss", {"mean_absolute_error"}},
      {"bce", {"binary_cross_entropy"}},
      {"bcewithlogitsloss", {"binary_cross_entropy"}},
      {"binarycrossentropy", {"binary_cross_entropy"}},
      {"crossentropyloss", {"cross_entropy"}},
      {"categoricalcrossentropy", {"cross_entropy"}},
      {"sparsecategoricalcrossentropy", {"cross_entropy"}},
      {"nll", {"cross_entropy"}},
      {"nllloss", {"cross_entropy"}},
      {"smoothl1", {"huber"}},
      {"acc", {"accuracy"}},
      {"confusionmatrix", {"confusion"}},
      {"rocauc", {"auc"}},
      {"weights", {"weight"}},
      {"classweight", {"weight"}},
      {"classweights", {"weight"}},
      {"sampleweight", {"weight"}},
      {"threshold", {"positive", "roc"}},
      {"topk", {"top_k"}},
      {"fscore", {"f1"}},
      {"matthewscorrcoef", {"mcc"}},
      {"matthews", {"mcc"}},
      {"averageprecisionscore", {"average_precision"}},
  };
}

Names of_layers() {
  return {
      {"linear", {"dense", "linear"}},
      {"fc", {"dense"}},
      {"fullyconnected", {"dense"}},
      {"conv", {"conv2d"}},
      {"convolution", {"conv2d"}},
      {"convtranspose1d", {"conv1d_transpose"}},
      {"convtranspose2d", {"conv2d_transpose"}},
      {"convtranspose3d", {"conv3d_transpose"}},
      {"parametricrelu", {"prelu"}},
      {"deconv2d", {"conv2d_transpose"}},
      {"depthwiseconv", {"depthwise_conv2d"}},
      {"maxpooling2d", {"maxpool2d"}},
      {"maxpooling1d", {"maxpool1d"}},
      {"maxpooling3d", {"maxpool3d"}},
      {"averagepooling3d", {"avgpool3d"}},
      {"averagepooling2d", {"avgpool2d"}},
      {"averagepooling1d", {"avgpool1d"}},
      {"globalaveragepooling2d", {"global_avgpool"}},
      {"globalmaxpooling2d", {"global_maxpool"}},
      {"batchnormalization", {"batch_norm"}},
      {"batchnorm2d", {"batch_norm"}},
      {"batchnorm1d", {"batch_norm"}},
      {"layernormalization", {"layer_norm"}},
      {"lrn", {"local_response_norm"}},
      {"upsampling2d", {"upsample"}},
      {"zeropadding2d", {"zero_padding"}},
      {"cropping2d", {"cropping"}},
      {"concatenate", {"concat"}},
      {"mul", {"multiply"}},
      {"lambda", {"expr"}},
  };
}

Names of_arguments() {
  return {
      {"neurons", {"units"}},
      {"nodes", {"units"}},
      {"size", {"units", "pool"}},
      {"outfeatures", {"units"}},
      {"outchannels", {"filters"}},
      {"channels", {"filters"}},
      {"kernelsize", {"kernel", "pool"}},
      {"poolsize", {"pool"}},
      {"window", {"pool", "kernel"}},
      {"usebias", {"bias"}},
      {"kernelinitializer", {"init"}},
      {"initializer", {"init"}},
      {"silu", {"swish"}},
      {"hardsilu", {"hard_swish"}},
      {"heaviside", {"step"}},
      {"logistic", {"sigmoid"}},
      {"identity", {"linear"}},
      {"none", {"linear"}},
      {"glorot", {"glorot_uniform"}},
      {"xavier", {"glorot_uniform"}},
      {"kaiming", {"he_normal"}},
  };
}

const Names& other_names() {
  static const Names names = [] {
    Names all;
    for (Names part : {of_training(), of_losses(), of_layers(), of_arguments()}) all.merge(part);
    return all;
  }();
  return names;
}

std::string plain(std::string_view word) {
  std::string result;
  for (char c : word) {
    if (c == '_' || c == '-') continue;
    result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

std::optional<std::string> synonym(std::string_view word,
                                   const std::vector<std::string>& candidates) {
  constexpr size_t longest_word = 64;
  if (word.size() > longest_word) return std::nullopt;
  const auto entry = other_names().find(plain(word));
  if (entry == other_names().end()) return std::nullopt;
  for (const std::string& name : entry->second)
    if (std::find(candidates.begin(), candidates.end(), name) != candidates.end()) return name;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> meant(std::string_view word,
                                 const std::vector<std::string>& candidates) {
  if (auto elsewhere = synonym(word, candidates)) return elsewhere;
  return nearest(word, candidates);
}

}  // namespace nnc
