// Which tensors a model of a configuration may have: one that it has no use for would change the
// answer if it were used, so that a file with a stray one is refused. A pure function, used when a
// configuration is parsed.
#pragma once

#include "engine/base/error.h"
#include "engine/loader/model_file.h"
#include "engine/model/model_config.h"

namespace paluku {

// `blocks`: layers of the file, those for multi-token prediction included, which may hold anything.
// Error: kModelNotRunnable, naming the tensor.
Status RefuseStrayTensors(const ModelFile& file, const ModelConfig& config, int blocks);

}  // namespace paluku
