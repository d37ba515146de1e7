// SPDX-License-Identifier: MIT
// The body of a probe. The file that includes it has other compiler flags than its siblings, and
// defines PROBE, the probe's function, and PROBE_NAME.
#include "probe.hpp"

namespace {

template <class Type>
Layout layout(const char* type) {
  return {type, sizeof(Type), alignof(Type)};
}

std::vector<Layout> layouts() {
  return {layout<eigenformer::Matrix<float>>("Matrix<float>"),
          layout<eigenformer::Matrix<double>>("Matrix<double>"),
          layout<eigenformer::MatrixView<float>>("MatrixView<float>"),
          layout<eigenformer::WeightMatrix<float>>("WeightMatrix<float>"),
          layout<eigenformer::WeightMatrix<double>>("WeightMatrix<double>"),
          layout<eigenformer::Batch>("Batch"),
          layout<eigenformer::Rows<float>>("Rows<float>"),
          layout<eigenformer::Arena>("Arena"),
          layout<eigenformer::Context>("Context"),
          layout<eigenformer::ThreadPool>("ThreadPool"),
          layout<eigenformer::Error>("Error")};
}

void throws() { throw eigenformer::Error(eigenformer::ErrorCode::format, PROBE_NAME); }

bool catches(void (*throws)()) {
  try {
    throws();
  } catch (const eigenformer::Error& error) {
    return error.code() == eigenformer::ErrorCode::format;
  }
  return false;
}

eigenformer::Matrix<float> makes(eigenformer::Index rows, eigenformer::Index cols) {
  eigenformer::Matrix<float> matrix(rows, cols);
  for (eigenformer::Index r = 0; r < rows; ++r) {
    for (eigenformer::Index c = 0; c < cols; ++c) {
      matrix(r, c) = static_cast<float>(r) - static_cast<float>(c) / 4;
    }
  }
  return matrix;
}

eigenformer::Matrix<float> multiplies(eigenformer::Matrix<float> a, eigenformer::Matrix<float> b) {
  return a * b;
}

eigenformer::Matrix<float> encodes(eigenformer::Matrix<float> x) {
  eigenformer::EncoderLayer<float> layer({.d_model = 16, .heads = 2, .d_ff = 40});
  layer.initialize(7);
  eigenformer::Context context = eigenformer::make_context();
  layer.forward(x, eigenformer::Batch(x.rows()), context);
  return x;
}

}  // namespace

Probe PROBE() { return {PROBE_NAME, layouts, throws, catches, makes, multiplies, encodes}; }
