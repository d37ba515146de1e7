// SPDX-License-Identifier: MIT
/// The whole library from one include.
#pragma once

#include "eigenformer/architectures/marian.hpp"
#include "eigenformer/architectures/module_file.hpp"
#include "eigenformer/architectures/open_model.hpp"
#include "eigenformer/architectures/vaswani.hpp"
#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/generation/generate.hpp"
#include "eigenformer/generation/score.hpp"
#include "eigenformer/io/checkpoint.hpp"
#include "eigenformer/io/json.hpp"
#include "eigenformer/kernels/dispatch.hpp"
#include "eigenformer/layers/attention_recorder.hpp"
#include "eigenformer/layers/pooling.hpp"
#include "eigenformer/models/transformer.hpp"
#include "eigenformer/models/transformer_session.hpp"
#include "eigenformer/pipelines/attention_page.hpp"
#include "eigenformer/pipelines/attention_svg.hpp"
#include "eigenformer/pipelines/translator.hpp"
#include "eigenformer/version.hpp"
