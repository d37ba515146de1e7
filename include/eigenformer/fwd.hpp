// SPDX-License-Identifier: MIT
/// Names without definitions, for headers that only pass things along.
#pragma once

namespace eigenformer::inline v0 {

class Arena;
class AttentionObserver;
class Batch;
class Context;
class Error;
class Executor;
class Profile;

template <class Scalar>
class Matrix;
template <class Scalar>
class MatrixView;
template <class Scalar>
class Rows;
template <class Scalar>
class WeightMatrix;

namespace kernels {
struct KernelTable;
}

}  // namespace eigenformer::inline v0
