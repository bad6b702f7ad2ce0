// The vocabularies that a .keras file keeps beside its configuration.
#pragma once

#include "containers/zip/zip_reader.h"
#include "model/framework_model.h"

namespace tieout::keras {

// An IntegerLookup that has learnt its vocabulary (adapt) has it in assets/.../vocabulary.txt, one number a
// line. It becomes the setting "vocabulary", where one that was given stands, with the same meaning
// (keras/src/layers/preprocessing/index_lookup.py). Error(malformed) for a line that is no whole number.
void state_vocabularies(const ZipReader& zip, Json& config);

}  // namespace tieout::keras
