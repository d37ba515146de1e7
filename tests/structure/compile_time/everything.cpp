// budget: 20.0 s
#include "eigenformer/eigenformer.hpp"

int main() {
  eigenformer::EncoderLayer<float> layer({.d_model = 8, .heads = 2, .d_ff = 16});
  eigenformer::Matrix<float> x(3, 8);
  eigenformer::Context context = eigenformer::make_context();
  layer.forward(x, eigenformer::Batch{1, 2}, context);
}
